"""One stream's way through its files: what goes out, and what the state says after it."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import CrmdbError
from tap_csv_github.comparing import Comparison, sorted_columns
from tap_csv_github.exceptions import FileError, VersionGoneError
from tap_csv_github.lineage import DELETED, PATH, REF, REPOSITORY, ROW, Lineage
from tap_csv_github.lines import Batch
from tap_csv_github.reading.tables import tables
from tap_csv_github.shaping import Shaper

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_csv_github.content import Content
    from tap_csv_github.entries import Entry
    from tap_csv_github.fetching import Arrival
    from tap_csv_github.progress import FileState
    from tap_csv_github.reading.tables import Table
    from tap_csv_github.shaping import Row
    from tap_csv_github.spec import PlacedFile
    from tap_csv_github.streams import CsvStream

__all__ = ["Gone", "Walk"]

_MANY = 1000


@dataclass(frozen=True)
class Gone:
    """Keys of rows that have vanished, as records."""

    records: Sequence[dict[str, Any]]


class Walk:
    """Reads what arrives and yields what goes out, in order; after each piece the state is true for it."""

    def __init__(self, stream: CsvStream) -> None:
        self._stream = stream
        self._spec = stream.spec
        self._progress = stream.progress
        self._is_keyed = bool(self._spec.entry.keys)
        self._plan = stream.plan
        self._comparison: Comparison | None = None
        if self._plan.compares:
            self._comparison = Comparison(self._spec.entry.keys, stream.kinds_of, stream.unwanted)
        self.failed: dict[str, CrmdbError] = {}

    def pieces(self, arrived: Iterable[Arrival]) -> Iterator[Batch | Gone]:
        """Everything that goes out."""
        for label, old, new in self._plan.moved:
            self._progress.move(label, old, new)
        try:
            for arrival in arrived:
                yield from self._arrived(arrival)
            if not self.failed:
                yield from self._vanished()
        finally:
            if self._comparison is not None:
                self._comparison.index.close()

    def _arrived(self, arrival: Arrival) -> Iterator[Batch | Gone]:
        try:
            if arrival.error is not None:
                raise arrival.error
            if arrival.job.placed is None:
                yield from self._gone_file(arrival)
            elif arrival.content is not None:
                yield from self._file(arrival.job.placed, arrival.content, arrival)
        except VersionGoneError:
            raise
        except CrmdbError as error:
            if error.stops_run:
                raise
            self.failed[arrival.job.path] = error
            self._stream.tell_failure(arrival.job.path, error)
        finally:
            arrival.close()

    # one file

    def _file(self, placed: PlacedFile, content: Content, arrival: Arrival) -> Iterator[Batch | Gone]:
        label, path, entry = placed.label, placed.path, placed.entry
        state = self._progress.of(label, path)
        if state.is_settled and state.sha == content.sha:  # touched, not changed
            state.stamp = placed.file.stamp
            self._progress.save(label, path)
            return
        self._guard_versions(placed, state, content)
        if self._comparison is not None:
            self._comparison.load(path, state.sha, arrival.older, entry.reading)
        lineage = self._lineage(placed, content)
        reading = _FileReading(self, placed, lineage, state, state.begin(content.sha))
        yield from reading.batches(content)
        state.finish(content.sha, placed.file.stamp)
        if not self._is_keyed:
            state.older = []
            yield from _rows_gone(lineage, range(reading.count + 1, state.rows + 1), self._stream.deleted_at)
            state.rows = reading.count
        elif self._spec.entry.replication_key is not None:
            state.older = []
        self._stream.rejects.write_gone(self._stream.name, lineage, range(reading.rejected + 1, state.rejects + 1))
        state.rejects = reading.rejected
        self._progress.save(label, path)
        self._stream.saved()

    def _guard_versions(self, placed: PlacedFile, state: FileState, content: Content) -> None:
        """A changed file of a source without versions cannot be compared: then all is read."""
        compares = self._is_keyed and self._spec.entry.replication_key is None
        if compares and not placed.source.keeps_versions and state.versions(but=content.sha):
            raise VersionGoneError(f"{placed.path} has changed, and no earlier version is kept there")

    def _lineage(self, placed: PlacedFile, content: Content) -> Lineage:
        source, listing = placed.source, placed.listing
        time = listing.commit_time or placed.file.updated
        return Lineage(source.repository, source.ref, placed.path, listing.commit or None, time or None, content.sha)

    # what is gone

    def _gone_file(self, arrival: Arrival) -> Iterator[Batch | Gone]:
        job = arrival.job
        state = self._progress.of(job.label, job.path)
        lineage = Lineage(job.source.repository, job.source.ref, job.path, None, self._stream.deleted_at, "")
        self._stream.rejects.write_gone(self._stream.name, lineage, range(1, state.rejects + 1))
        if not self._is_keyed:
            yield from _rows_gone(lineage, range(1, state.rows + 1), self._stream.deleted_at)
        elif self._comparison is not None and arrival.older:
            entry = self._entry_of(job.label, job.path)
            self._comparison.load(job.path, state.sha, arrival.older, entry.reading)
            return  # its keys may stand in another file: forgotten once that is known
        self._progress.forget(job.label, job.path)
        self._stream.saved()

    def _entry_of(self, label: str, path: str) -> Entry:
        part = self._spec.part_of(label, path)
        return self._spec.entry if part is None else part[0]

    def _vanished(self) -> Iterator[Batch | Gone]:
        """After all files: the keys that are nowhere any more; then no version but the newest matters."""
        if self._comparison is not None:
            index = self._comparison.index
            if self._spec.entry.shares_keys and index.any_gone():
                yield from self._rescued()
            keys = self._spec.entry.keys
            for some in _chunks(index.gone()):
                rows = (json.loads(key, parse_float=Decimal) for key in some)
                deleted = {DELETED: self._stream.deleted_at}
                yield Gone([{**dict(zip(keys, values, strict=True)), **deleted} for values in rows])
        gone = {(job.label, job.path) for job in self._plan.jobs if job.placed is None}
        for label, path, state in self._progress.all():
            if (label, path) in gone:
                self._progress.forget(label, path)
            elif state.older:
                state.older = []
                self._progress.save(label, path)

    def _rescued(self) -> Iterator[Batch]:
        """Rows of files that did not change whose keys vanished from others: a key may stand in several files."""
        assert self._comparison is not None
        for placed in self._plan.unchanged:
            content = self._stream.tap.contents.read(placed.source, placed.file)
            try:
                lineage = self._lineage(placed, content)
                state = self._progress.of(placed.label, placed.path)
                reading = _FileReading(self, placed, lineage, state, 0)
                yield from reading.rescued(content, self._comparison)
            finally:
                content.close()

    def shaper(self, table: Table, entry: Entry, count: int) -> Shaper:
        """What makes rows of a table; its columns are known to the stream's schema from here on."""
        stream = self._stream
        kinds = stream.learn(table, entry.reading)
        chosen = None
        if self._comparison is not None:
            chosen = sorted_columns(table, stream.unwanted)
        elif not stream.unwanted.isdisjoint(table.names):
            chosen = [at for at, name in enumerate(table.names) if name not in stream.unwanted]
        return Shaper(table, entry.reading, kinds, stream.widen, chosen, entry.keys, count)

    @property
    def comparison(self) -> Comparison | None:
        """What rows are held against, if anything."""
        return self._comparison

    @property
    def stream(self) -> CsvStream:
        """The stream whose way it is."""
        return self._stream


class _FileReading:
    """The rows of one version of a file; the first `skip` of them went out before an interruption."""

    def __init__(self, walk: Walk, placed: PlacedFile, lineage: Lineage, state: FileState, skip: int) -> None:
        self._walk = walk
        self._stream = walk.stream
        self._placed = placed
        self._entry = placed.entry
        self._lineage = lineage
        self._state = state
        self._skip = skip
        self.count = 0
        self.rejected = 0

    def batches(self, content: Content) -> Iterator[Batch]:
        """What goes out of it."""
        sha = content.sha
        for table, shaper, constant in self._tables(content):
            for block in table.blocks:
                rows, rejects = shaper.shape(block)
                self._reject(table, rejects)
                self.count = shaper.count
                chosen = self._chosen(shaper.names, rows)
                if chosen:
                    yield Batch(shaper.names, chosen, constant)
                self._state.partial = (sha, self.count)
                self._state.rows = max(self._state.rows, self.count)
                self._state.rejects = max(self._state.rejects, self.rejected)
                self._walk.stream.progress.save(self._placed.label, self._placed.path)
                self._stream.saved()
            self._tell(table, shaper)

    def rescued(self, content: Content, comparison: Comparison) -> Iterator[Batch]:
        """Those of its rows whose keys seemed gone."""
        for table, shaper, constant in self._tables(content):
            for block in table.blocks:
                rows = comparison.rescued(shaper.names, shaper.shape(block)[0])
                if rows:
                    yield Batch(shaper.names, rows, constant)

    def _tables(self, content: Content) -> Iterator[tuple[Table, Shaper, Mapping[str, Any]]]:
        for table in tables(self._placed.path, content, self._entry.reading):
            missing = [name for name in self._entry.keys if name not in table.names]
            if missing:
                raise FileError(
                    f"{self._placed.path}: has no column {', '.join(missing)}, which key_properties names; it has "
                    f"{len(table.names)} columns, read as {table.evidence}"
                )
            shaper = self._walk.shaper(table, self._entry, self.count)
            absent = dict.fromkeys(self._stream.absent(table.names))
            yield table, shaper, {**absent, **self._lineage.of_rows(table.member)}

    def _chosen(self, names: Sequence[str], rows: list[Row]) -> list[Row]:
        """The rows that have to go out."""
        comparison = self._walk.comparison
        if comparison is not None:
            news = comparison.news(names, rows)
            return [row for row in news if row[1] > self._skip]
        if self._skip and rows and rows[0][1] <= self._skip:
            rows = [row for row in rows if row[1] > self._skip]
        return self._stream.since(names, rows)

    def _reject(self, table: Table, rejects: Sequence[Any]) -> None:
        if rejects:
            first = self.rejected + 1
            self.rejected += len(rejects)
            self._stream.rejects.write(self._stream.name, self._lineage, table.member, first, rejects)
            self._stream.tell_rejects(self._placed.path, rejects)

    def _tell(self, table: Table, shaper: Shaper) -> None:
        if shaper.mended:
            self._stream.logger.warning(
                "%s: %s: %d rows had bytes that are no %s; they were read by bad_bytes (%s)",
                self._stream.name,
                self._placed.path,
                shaper.mended,
                table.encoding.name,
                self._entry.reading.bad_bytes,
            )


def _rows_gone(lineage: Lineage, numbers: range, at: str) -> Iterator[Gone]:
    """Tombstones of rows that are known by their place."""
    place = {REPOSITORY: lineage.repository, REF: lineage.ref, PATH: lineage.path}
    for some in _chunks(numbers):
        yield Gone([{**place, ROW: number, DELETED: at} for number in some])


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while some := list(itertools.islice(rest, _MANY)):
        yield some
