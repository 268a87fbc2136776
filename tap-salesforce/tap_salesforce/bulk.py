"""Query jobs of the Bulk API 2.0: made, waited for, ended."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import ApiError, CrmdbError, NotFoundError
from tap_salesforce.exceptions import JobLostError, NotByBulkError, TooMuchError
from tap_salesforce.judge import BULK_CAPS, NOT_BY_BULK, SPLIT, code_of
from tap_salesforce.paths import Paths
from tap_salesforce.points import JobPoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crmdb_core.http import ApiSession

    Json = dict[str, Any]

__all__ = ["BulkJobs"]

logger = logging.getLogger(__name__)

_FIRST_WAIT, _GROWTH, _LONGEST_WAIT = 0.2, 1.6, 30.0
_CONFLICT = 409
_DONE, _FAILED, _ABORTED = "JobComplete", "Failed", "Aborted"
# what `errorMessage` says where the server itself gave up on a job that was too large for it
_TOO_MUCH = re.compile(
    r"QUERY_TIMEOUT|running for too long|Retried more than|Failed to write query result|OPERATION_TOO_LARGE|too large",
    re.IGNORECASE,
)


class BulkJobs:
    """The jobs of a run. `patience`: after so many seconds a job that does not end is given up."""

    def __init__(self, session: ApiSession, paths: Paths, *, patience: float) -> None:
        self.session = session
        self._paths = paths
        self._patience = patience

    def create(self, soql: str, *, with_deleted: bool) -> JobPoint:
        """Begin a job; raises NotByBulkError or TooMuchError where it is refused for what it is."""
        body = {
            "operation": "queryAll" if with_deleted else "query",
            "query": soql,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        try:
            made = self.session.post_json(self._paths.bulk, body)
        except ApiError as error:
            code = code_of(error)
            if code in SPLIT:
                raise TooMuchError(str(error), code=code) from None
            if code in NOT_BY_BULK or code in BULK_CAPS:
                raise NotByBulkError(str(error)) from None
            raise
        return JobPoint(str(made["id"]), self._paths.version)

    def wait(self, job: JobPoint) -> int | None:
        """Ask more and more seldom until the job is complete; how many rows it found, if that is told.

        Raises:
            JobLostError, TooMuchError, NotByBulkError: where it will never be.
        """
        waited = 0.0
        for pause in _pauses():
            info = self._info(job)
            if info["state"] == _DONE:
                found = info.get("numberRecordsProcessed")
                return None if found is None else int(found)
            self._refuse_broken(job, info)
            if waited > self._patience:
                self.end(job)
                raise CrmdbError(f"a Bulk job did not end within {self._patience / 3600:g} h; run again later")
            self.session.sleep(pause)
            waited += pause
        raise AssertionError  # the pauses never end

    def paths_of(self, job: JobPoint) -> Paths:
        """The paths by which a job has to be read: those of the version that made it."""
        return Paths(job.version)

    def _info(self, job: JobPoint) -> Json:
        info: Json = self.reading(lambda: self.session.get_json(self.paths_of(job).bulk_job(job.id)))
        return info

    @staticmethod
    def reading(call: Callable[[], Any]) -> Any:
        """Make a call about a job; raises JobLostError where there is none any more."""
        try:
            return call()
        except NotFoundError:
            raise JobLostError("a Bulk job is gone; a new one is made") from None
        except ApiError as error:
            if error.status == _CONFLICT or code_of(error) == "INVALIDJOB":
                raise JobLostError("a Bulk job cannot be read any more; a new one is made") from None
            raise

    def _refuse_broken(self, job: JobPoint, info: Json) -> None:
        if info["state"] == _ABORTED:
            raise JobLostError("a Bulk job was stopped by somebody; a new one is made")
        if info["state"] == _FAILED:
            self.end(job)
            # the message may quote the query: it decides, and is not shown
            if _TOO_MUCH.search(str(info.get("errorMessage") or "")):
                raise TooMuchError("a Bulk job was too much for Salesforce")
            raise NotByBulkError("Salesforce could not carry a Bulk job through")

    def end(self, job: JobPoint) -> None:
        """Delete a job, stopped before if it is under way; that it fails harms nobody, for jobs end by themselves."""
        path = self.paths_of(job).bulk_job(job.id)
        try:
            try:
                self.session.change("DELETE", path)
            except NotFoundError:
                return
            except ApiError:
                self.session.change("PATCH", path, {"state": _ABORTED})
                self.session.change("DELETE", path)
        except CrmdbError as error:
            logger.debug("a Bulk job could not be deleted, and will end by itself in seven days: %s", error)


def _pauses() -> Iterator[float]:
    pause = _FIRST_WAIT
    while True:
        yield pause
        pause = min(pause * _GROWTH, _LONGEST_WAIT)
