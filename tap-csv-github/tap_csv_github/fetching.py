"""The files of a plan, fetched side by side and handed over in order."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crmdb_core.concurrency import in_order
from crmdb_core.exceptions import CrmdbError
from tap_csv_github.exceptions import VersionGoneError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from tap_csv_github.content import Content
    from tap_csv_github.plan import Job
    from tap_csv_github.sources.source import FoundFile, Source

    Read = Callable[[Source, FoundFile], Content]

__all__ = ["Arrival", "arrivals"]


@dataclass(frozen=True)
class Arrival:
    """A job and what it asked for: the file (None if it is gone), its earlier versions; or why that failed."""

    job: Job
    content: Content | None = None
    older: Sequence[Content] = ()
    error: CrmdbError | None = None

    def close(self) -> None:
        """Let go of the contents."""
        for content in (self.content, *self.older):
            if content is not None:
                content.close()


def arrivals(jobs: Sequence[Job], read: Read, *, workers: int) -> Generator[Arrival, None, None]:
    """Every job's files; an error that would hit all of them is raised, any other is told with its job."""
    with contextlib.closing(in_order(lambda job: _arrival(job, read), jobs, workers=workers, ahead=workers)) as found:
        yield from found


def _arrival(job: Job, read: Read) -> Arrival:
    try:
        content = None if job.placed is None else read(job.source, job.placed.file)
        shas = [sha for sha in job.older if content is None or sha != content.sha]
        return Arrival(job, content, [_earlier(job, sha) for sha in shas])
    except CrmdbError as error:
        if error.stops_run:
            raise
        return Arrival(job, error=error)


def _earlier(job: Job, sha: str) -> Content:
    content = job.source.earlier(sha)
    if content is None:
        raise VersionGoneError(f"{job.path}: an earlier version of it is not kept any more")
    return content
