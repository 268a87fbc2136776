"""Reading one query of an object to its end, by whichever API, in as small pieces as it takes."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import CrmdbError
from crmdb_core.stream import Page
from tap_salesforce.apart import Apart
from tap_salesforce.exceptions import JobLostError, NotByBulkError, TooMuchError
from tap_salesforce.parts import at_ids, in_time, midway
from tap_salesforce.planner import BULK, REST, Api, choose
from tap_salesforce.points import JobPoint, Standing
from tap_salesforce.rest import RestReader
from tap_salesforce.results import Results
from tap_salesforce.rows import RowForm
from tap_salesforce.soql import LONGEST, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from crmdb_core.http import ApiSession
    from tap_salesforce.bulk import BulkJobs
    from tap_salesforce.columns import Columns
    from tap_salesforce.composite import Composite
    from tap_salesforce.parts import Part
    from tap_salesforce.paths import Paths

    Json = dict[str, Any]
    Record = dict[str, Any]

__all__ = ["LONGEST_COLUMNS", "Means", "ObjectReader", "Subject"]

logger = logging.getLogger(__name__)

LONGEST_COLUMNS = LONGEST * 9 // 10
"""Characters of a query's column names; the rest is for its conditions."""
_SHORTEST_COLUMNS = 500
_COMPLICATED = "QUERY_TOO_COMPLICATED"
_LOST_JOBS = 3
_FILES_AT_ONCE = 25
_TRIES_OF_SMALL_ONES = 3


@dataclass(frozen=True)
class Means:
    """What reading takes of the tap."""

    session: ApiSession
    paths: Paths
    composite: Composite
    jobs: BulkJobs
    workers: int
    api_type: str = "auto"
    limit: int | None = None


@dataclass(frozen=True)
class Subject:
    """What is read: columns of an object's records, under a condition of the user's.

    `tells_deleted`: deleted records are read too, and every record says whether it is one.
    """

    columns: Columns
    where: str | None = None
    tells_deleted: bool = True

    @property
    def query(self) -> Query:
        """The query for all of it."""
        sobject = self.columns.sobject
        return Query.of(sobject, self.columns.names, where=self.where, with_deleted=self.tells_deleted)

    @property
    def digest(self) -> str:
        """What tells it from another one, for STATE; splitting its columns does not change it."""
        names = tuple(sorted(self.columns.wanted))
        return replace(self.query, columns=names).digest()

    def start(self, part: Part) -> Standing:
        """Where its reading begins."""
        return Standing(self.digest, (part,))


@dataclass
class ObjectReader:
    """Reads a subject by one API, and by the other one where that is refused.

    `on_total` is told how many rows there are, once per piece. `jobs_made` are the jobs that have to be ended when all
    that was read is safe.
    """

    means: Means
    subject: Subject
    api: Api
    now: datetime
    on_total: Callable[[int], Any] = lambda _: None
    jobs_made: list[JobPoint] = field(default_factory=list)
    _lost: int = 0
    _small_ones: int = 0
    _not_by_bulk: bool = False
    _known_form: RowForm | None = None

    def pages(self, standing: Standing, opening: Json | None = None) -> Iterator[Page]:
        """Pages of records, each with the point behind it; `opening` is REST's first page where it is known."""
        while standing.parts:
            read = self._by_rest if self._goes_by_rest(standing) else self._by_bulk
            try:
                for records, behind in read(standing, opening):
                    standing = behind
                    yield Page(records, standing.to_state())
            except (TooMuchError, NotByBulkError, JobLostError, _ManyRowsError) as error:
                standing = self._otherwise(standing, error)
            else:
                standing = standing.done()
                yield Page((), standing.to_state())
            opening = None

    def _goes_by_rest(self, standing: Standing) -> bool:
        return standing.job is None and (standing.cursor is not None or self.api == REST)

    def _by_rest(self, standing: Standing, opening: Json | None) -> Iterator[tuple[list[Record], Standing]]:
        total: int | None = None
        limit, most = self.means.limit, self._most
        for page in self._rest.pages(standing.parts[0], standing.cursor, opening=opening, limit=limit, most=most):
            if total is None and standing.cursor is None and page.total is not None:
                total = page.total
                self._weigh(total)
                self.on_total(total)
            records = self._form.of_rest(page.rows)
            self._fill(records)
            standing = standing.at(page.left, cursor=page.cursor)
            yield records, standing

    def _weigh(self, total: int) -> None:
        """See, now that their number is known, whether the other API costs less."""
        may_change = self.means.api_type == "auto" and self.means.limit is None and not self._not_by_bulk
        if may_change and choose("auto", total) == BULK:
            raise _ManyRowsError

    def _by_bulk(self, standing: Standing, _: Json | None) -> Iterator[tuple[list[Record], Standing]]:
        part, jobs = standing.parts[0], self.means.jobs
        job = standing.job or self.create_job(part)
        standing = standing.at(part, job=job)
        yield [], standing  # from here on a run that is killed goes on with this job
        found = jobs.wait(job)
        if found is not None:
            self.on_total(found)
        results = Results(jobs, self._form.names, workers=self.means.workers, found=found, most=self._most)
        for each in results.slices(job):
            records = self._form.of_csv(each.rows)
            self._fill(records)
            standing = standing.at(part, job=each.job)
            yield records, standing
        self.jobs_made.append(job)

    def create_job(self, part: Part) -> JobPoint:
        """Begin a job for a part; raises what `pages` answers by other means."""
        query = self.subject.query
        return self.means.jobs.create(query.text(part), with_deleted=query.with_deleted)

    @property
    def _most(self) -> int | None:
        """The most records at once: each file is a call and maybe many megabytes, and a run may be cut amid them."""
        return _FILES_AT_ONCE if self.subject.columns.blobs else None

    def _fill(self, records: Sequence[Record]) -> None:
        if records and not self.subject.columns.is_whole:
            means = self.means
            Apart(means.session, means.paths, means.composite, self.subject.columns, workers=means.workers).fill(
                records
            )

    @property
    def _rest(self) -> RestReader:
        return RestReader(self.means.session, self.means.paths, self.means.composite, self.subject.query)

    @property
    def _form(self) -> RowForm:
        if self._known_form is None or self._known_form.names != self.subject.columns.names:
            self._known_form = RowForm(self.subject.columns, tells_deleted=self.subject.tells_deleted)
        return self._known_form

    # what a read that failed goes on with

    def _otherwise(self, standing: Standing, error: CrmdbError) -> Standing:
        """Where to go on, and by which API."""
        if isinstance(error, TooMuchError):
            return self._smaller(standing, error)
        if isinstance(error, JobLostError):
            return self._without_job(standing, error)
        if isinstance(error, NotByBulkError):
            self.leave_bulk(error)
        else:
            self.api = BULK
        return standing.at(standing.parts[0])

    def leave_bulk(self, error: NotByBulkError) -> None:
        """Read by REST from now on, and say why."""
        self._not_by_bulk, self.api = True, REST
        level = logging.WARNING if self.means.api_type == BULK else logging.INFO
        logger.log(level, "%s is read by REST: %s", self.subject.columns.sobject.name, error)

    def _without_job(self, standing: Standing, error: JobLostError) -> Standing:
        self._lost += 1
        job = standing.job
        was_begun = job is not None and (job.pages or job.rows)
        if self._lost > _LOST_JOBS or (was_begun and not self.subject.columns.sobject.has_id):
            raise error
        logger.warning("%s: %s", self.subject.columns.sobject.name, error)
        return standing.at(standing.parts[0])

    def _smaller(self, standing: Standing, error: TooMuchError) -> Standing:
        """Fewer columns at once where they are the trouble, else fewer records."""
        columns, part = self.subject.columns, standing.parts[0]
        if error.code == _COMPLICATED and columns.sobject.has_id and columns.length > _SHORTEST_COLUMNS:
            self.subject = replace(self.subject, columns=columns.within(columns.length // 2))
            return standing.at(part)
        pieces = self._pieces(part)
        if not pieces:  # it cannot have been its size
            self._small_ones += 1
            if self._small_ones > _TRIES_OF_SMALL_ONES:
                raise error
            return standing.at(part)
        logger.info("%s: %s; read in smaller pieces", columns.sobject.name, error)
        return standing.split(pieces)

    def _pieces(self, part: Part) -> Sequence[Part]:
        """Halves by time, or by Ids where there is no time to halve; () where neither can be halved."""
        if self.subject.query.key is not None and (halves := in_time(part, self.now)):
            return halves
        if not self.subject.columns.sobject.has_id:
            return ()
        try:
            edges = [self._rest.ask(self.subject.query.edge(part, last=last))["records"] for last in (False, True)]
        except TooMuchError:
            return ()
        if not all(edges):
            return ()
        middle = midway(edges[0][0]["Id"], edges[1][0]["Id"])
        return () if middle is None else at_ids(part, [middle])


class _ManyRowsError(CrmdbError):
    """There are so many rows that a Bulk job costs less than REST's pages."""
