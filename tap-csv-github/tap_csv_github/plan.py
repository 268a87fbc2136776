"""What a run has to read: by the listing and the state, before anything of it is fetched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_csv_github.progress import Progress
    from tap_csv_github.sources.source import Source
    from tap_csv_github.spec import PlacedFile, Spec

__all__ = ["Job", "Plan", "made_plan"]


@dataclass(frozen=True)
class Job:
    """A file to read, or (`placed` None) one that is gone; `older` are versions whose rows are to be compared."""

    label: str
    path: str
    source: Source
    placed: PlacedFile | None
    older: tuple[str, ...] = ()
    settled: str = ""
    """The version whose rows are out, and no other's."""

    @property
    def calls(self) -> int:
        """How many calls it makes at most."""
        return (self.placed is not None) + len(self.older)


@dataclass(frozen=True)
class Plan:
    """The jobs in order, and the files that did not change. `needs_whole` says why all must be read, if so."""

    jobs: tuple[Job, ...]
    unchanged: tuple[PlacedFile, ...] = ()
    moved: tuple[tuple[str, str, str], ...] = ()
    needs_whole: str = ""

    @property
    def compares(self) -> bool:
        """Whether rows are held against those of earlier versions."""
        return any(job.older for job in self.jobs)

    @property
    def calls(self) -> int:
        """How many calls it makes at most."""
        return sum(job.calls for job in self.jobs)


@dataclass
class _Sorting:
    """The files of a listing, sorted by what is known of them."""

    compares: bool
    jobs: list[Job] = field(default_factory=list)
    fresh: list[PlacedFile] = field(default_factory=list)
    unchanged: list[PlacedFile] = field(default_factory=list)


def made_plan(spec: Spec, files: Sequence[PlacedFile], progress: Progress) -> Plan:
    """Decide what to read. Only with a key, and without a replication key, are rows compared with earlier ones."""
    compares = bool(spec.entry.keys) and spec.entry.replication_key is None
    sorting = _Sorting(compares)
    for placed in files:
        _sort(sorting, placed, progress)
    gone = _gone(spec, files, progress, compares=compares)
    moved = _moved(sorting.fresh, gone) if spec.entry.keys else {}
    jobs = [*sorting.jobs]
    for placed in sorting.fresh:
        if (placed.label, placed.path) in moved:
            sorting.unchanged.append(placed)
        else:
            jobs.append(Job(placed.label, placed.path, placed.source, placed))
    left = {(label, old) for (label, _), old in moved.items()}
    jobs += [job for job in gone if (job.label, job.path) not in left]
    lost = next((job for job in jobs if job.placed is None and job.older and not job.source.keeps_versions), None)
    return Plan(
        jobs=tuple(sorted(jobs, key=lambda job: (job.label, job.path))),
        unchanged=tuple(sorting.unchanged),
        moved=tuple((label, old, new) for (label, new), old in moved.items()),
        needs_whole=f"{lost.path} is gone, and no earlier version is kept there" if lost else "",
    )


def _sort(sorting: _Sorting, placed: PlacedFile, progress: Progress) -> None:
    """Tell whether a file is new, as it was, or another than it was."""
    state = progress.known(placed.label, placed.path)
    if state is None:
        sorting.fresh.append(placed)
        return
    file = placed.file
    same = file.sha == state.sha if file.sha else bool(file.stamp) and file.stamp == state.stamp
    if same and state.is_settled:
        sorting.unchanged.append(placed)
        return
    older = tuple(state.versions(but=file.sha)) if sorting.compares else ()
    sorting.jobs.append(Job(placed.label, placed.path, placed.source, placed, older))


def _gone(spec: Spec, files: Sequence[PlacedFile], progress: Progress, *, compares: bool) -> list[Job]:
    """The files of the state that are there no longer, or belong to no entry any more."""
    here = {(placed.label, placed.path) for placed in files}
    found = []
    for label, path, state in progress.all():
        source = next((source for _, source in spec.parts if source.label == label), None)
        if (label, path) not in here and source is not None:
            older = tuple(state.versions()) if compares else ()
            found.append(Job(label, path, source, None, older, state.sha if state.is_settled else ""))
    return found


def _moved(fresh: Sequence[PlacedFile], gone: Sequence[Job]) -> dict[tuple[str, str], str]:
    """New paths whose content stood at an old one: their rows are all out already. By label and new path."""
    by_content = {(job.label, job.settled): job.path for job in gone if job.settled and job.older}
    moved: dict[tuple[str, str], str] = {}
    for placed in fresh:
        old = by_content.pop((placed.label, placed.file.sha), None) if placed.file.sha else None
        if old is not None:
            moved[placed.label, placed.path] = old
    return moved
