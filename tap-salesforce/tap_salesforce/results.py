"""The result of a Bulk job: pages downloaded side by side, read one after the other, at constant memory."""

from __future__ import annotations

import tempfile
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import parse_qs, urlsplit

from crmdb_core.concurrency import in_order
from crmdb_core.exceptions import ApiError
from tap_salesforce.csv_rows import BrokenResultError, csv_rows
from tap_salesforce.exceptions import IncompleteResultError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_salesforce.bulk import BulkJobs
    from tap_salesforce.points import JobPoint

__all__ = ["Results", "Slice"]

_PAGES_SINCE = 58.0
"""The version that first lists the pages of a result (vendor page "Get Parallel Results for a Query Job")."""
_ONE_PAGE = 50_000
"""A result of up to so many rows is most likely one page, and read without the list."""
_VALUES_AT_ONCE = 60_000
_MOST_ROWS = 2_000
"""Of one slice: several of them wait for their turn."""
_IN_MEMORY = 1024 * 1024
_TRIES = 3
_PAUSE = 2.0
_LAST = "null"
_CSV = "csv"


@dataclass(frozen=True)
class Slice:
    """Some rows, and where the job's reading stands behind them."""

    rows: Sequence[Sequence[str]]
    job: JobPoint


@dataclass(frozen=True)
class _Download:
    """A page as it came: its file, how it is packed, how many rows it holds, which one comes next."""

    file: BinaryIO
    gzipped: bool
    rows: int | None
    after: str | None


class Results:
    """Reads the result of a job that is complete; `found` is how many rows it has, if that is known.

    `most` rows come in one slice, or fewer; without it, as many as do not wait in too much memory.
    """

    def __init__(
        self, jobs: BulkJobs, names: Sequence[str], *, workers: int, found: int | None, most: int | None = None
    ) -> None:
        self._jobs = jobs
        self._names = names
        self._workers = workers
        self._found = found
        self._files = _Files()
        self._at_once = most or max(1, min(_MOST_ROWS, _VALUES_AT_ONCE // max(len(names), 1)))

    def slices(self, job: JobPoint) -> Iterator[Slice]:
        """The rows from where a job's reading stands.

        Raises:
            IncompleteResultError: if they are not as many as they should be.
            JobLostError: if the job is gone meanwhile.
        """
        is_from_begin = not (job.pages or job.rows)
        seen = 0
        with self._files:
            for each in self._listed(job) if self._is_listed(job) else self._chained(job):
                seen += len(each.rows)
                yield each
        if is_from_begin and self._found is not None and seen != self._found:
            raise IncompleteResultError(f"a Bulk job found {self._found:,} rows and gave {seen:,}; run again")

    def _is_listed(self, job: JobPoint) -> bool:
        if job.locator is not None:
            return False
        return float(job.version) >= _PAGES_SINCE and self._found is not None and self._found > _ONE_PAGE

    def _listed(self, job: JobPoint) -> Iterator[Slice]:
        """Pages by the list of them, several under way."""
        locators = (locator for number, locator in enumerate(self._pages(job)) if number >= job.pages)
        downloads = in_order(
            lambda locator: (locator, self._download(job, locator)),
            locators,
            workers=self._workers,
            ahead=self._workers,
        )
        for locator, page in downloads:
            yield from self._of_page(job, page, locator, replace(job, pages=job.pages + 1, rows=0))
            job = replace(job, pages=job.pages + 1, rows=0)

    def _pages(self, job: JobPoint) -> Iterator[str | None]:
        """The locators of all pages, five a call; None is the first page's where it has none."""
        path = self._jobs.paths_of(job).bulk_result_pages(job.id)
        while True:
            answer = self._jobs.reading(lambda path=path: self._jobs.session.get_json(path))  # type: ignore[misc]  # a default binds it
            for page in answer["resultPages"]:
                locators = parse_qs(urlsplit(page["resultUrl"]).query).get("locator")
                yield locators[0] if locators else None
            path = answer.get("nextRecordsUrl")
            if answer.get("done", True) or not path:
                return

    def _chained(self, job: JobPoint) -> Iterator[Slice]:
        """Pages of which each tells the next."""
        while True:
            page = self._download(job, job.locator)
            behind = None if page.after is None else replace(job, pages=job.pages + 1, rows=0, locator=page.after)
            yield from self._of_page(job, page, job.locator, behind)
            if behind is None:
                return
            job = behind

    def _of_page(self, job: JobPoint, page: _Download, locator: str | None, behind: JobPoint | None) -> Iterator[Slice]:
        """The rows of one page; one that turns out to be cut is fetched again and read on where it broke."""
        done = job.rows
        for left in reversed(range(_TRIES)):
            try:
                for rows in csv_rows(page.file, self._names, gzipped=page.gzipped, size=self._at_once, skip=done):
                    done += len(rows)
                    is_last = page.rows is not None and done == page.rows
                    yield Slice(rows, behind if is_last and behind else replace(job, rows=done))
                _check_whole(page, done)
                return  # noqa: TRY300 - else it would stand behind the handler
            except BrokenResultError:
                if not left:
                    raise
            finally:
                self._files.close(page.file)
            page = self._download(job, locator)

    def _download(self, job: JobPoint, locator: str | None) -> _Download:
        path = self._jobs.paths_of(job).bulk_results(job.id)
        parameters = {} if locator is None else {"locator": locator}
        for left in reversed(range(_TRIES)):
            file = self._files.new()
            answer = self._jobs.reading(
                lambda file=file: self._jobs.session.download(path, parameters, into=file, accept="text/csv")  # type: ignore[misc]  # a default binds it
            )
            headers = answer.headers
            if _CSV in headers.get("Content-Type", "").lower():
                break
            self._files.close(file)
            self._jobs.session.sleep(_PAUSE)
            if not left:
                raise ApiError("the Bulk API gave something else instead of a result (maintenance?); run again later")
        return _Download(
            file,
            gzipped="gzip" in headers.get("Content-Encoding", ""),
            rows=_whole(headers.get("Sforce-NumberOfRecords")),
            after=_locator(headers.get("Sforce-Locator")),
        )


class _Files:
    """Files for pages that were downloaded and not read yet: small ones in memory, none left behind at the end."""

    def __init__(self) -> None:
        self._open: set[BinaryIO] = set()
        self._over = False
        self._lock = threading.Lock()

    def new(self) -> BinaryIO:
        """An empty file; a closed one after the end, for then nobody reads it."""
        file = cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 - closed below
        with self._lock:
            if self._over:
                file.close()
            else:
                self._open.add(file)
        return file

    def close(self, file: BinaryIO) -> None:
        """Let go of one."""
        with self._lock:
            self._open.discard(file)
        file.close()

    def __enter__(self) -> None:
        """Nothing is open yet."""

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._over = True
            for file in self._open:
                file.close()


def _check_whole(page: _Download, rows: int) -> None:
    if page.rows is not None and rows != page.rows:
        raise BrokenResultError(f"a page of a Bulk result has {rows:,} of its {page.rows:,} rows; run again")


def _whole(text: Any) -> int | None:
    return int(text) if text is not None and str(text).isdecimal() else None


def _locator(text: str | None) -> str | None:
    return None if text in {None, "", _LAST} else text
