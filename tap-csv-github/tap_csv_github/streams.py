"""The stream of CSV files: its plan, its state, its columns, its messages."""

from __future__ import annotations

import contextlib
import logging
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from typing_extensions import override

from crmdb_core.exceptions import SyncFailedError
from crmdb_core.forecast import Forecast
from crmdb_core.instants import format_instant, parse_instant
from crmdb_core.stream import RESUME, CrmStream, Page
from tap_csv_github.discovery import key_properties
from tap_csv_github.exceptions import VersionGoneError
from tap_csv_github.fetching import arrivals
from tap_csv_github.lineage import ROW_KEYS
from tap_csv_github.lines import Batch
from tap_csv_github.plan import Plan, made_plan
from tap_csv_github.progress import Progress
from tap_csv_github.reading.values import kind_of_schema
from tap_csv_github.walking import Walk
from tap_csv_github.writer import LineWriter

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers import types
    from singer_sdk.helpers.types import Context, Record

    from crmdb_core.exceptions import CrmdbError
    from tap_csv_github.entries import Reading
    from tap_csv_github.fetching import Arrival
    from tap_csv_github.reading.tables import Table
    from tap_csv_github.reading.values import Kind
    from tap_csv_github.rejects import RejectsStream
    from tap_csv_github.shaping import Reject, Row
    from tap_csv_github.spec import Spec
    from tap_csv_github.tap import TapCsvGithub
    from tap_csv_github.walking import Gone

__all__ = ["CsvStream"]

_FILES, _SETTINGS, _TEXTS, _HEADS = "files", "settings", "texts", "heads"
_TOLD = 5


class CsvStream(CrmStream):
    """The rows of all files of one spec."""

    tap: TapCsvGithub

    def __init__(self, tap: TapCsvGithub, spec: Spec, schema: Mapping[str, Any]) -> None:
        self.spec = spec
        columns = {**schema["properties"], **key_properties(spec.entry)}  # whatever an older catalog says of the key
        super().__init__(tap, schema={**schema, "properties": columns}, name=spec.name)
        self.primary_keys = spec.entry.keys or ROW_KEYS
        if spec.entry.replication_key:
            self.replication_key = spec.entry.replication_key
        self.plan = Plan(())
        self.progress = Progress()
        self._texts: set[str] = set()
        self._evidence: set[str] = set()
        self._latest: datetime | None = None
        self._is_whole = False

    @property
    def rejects(self) -> RejectsStream:
        """Where refused rows go."""
        return self.tap.rejects

    # what to read

    @override
    def _version(self, saved: Mapping[str, Any]) -> int | None:
        """Make the plan; the version of a whole read, which is the first one and where nothing can be compared."""
        self._map_schema()
        self._take_up()
        if self._is_incremental:
            self._is_whole = self.progress.is_empty and self.window_is_whole
            return super()._version(saved) if self._is_whole else None
        self._plan_again()
        version = saved.get("version")
        resumed = isinstance(version, int) and not self.plan.needs_whole
        self._is_whole = self.progress.is_empty or resumed
        if self.plan.needs_whole:
            self._read_whole(self.plan.needs_whole)
        if not (self._is_whole and self.removes_vanished and self.tap.activates_versions):
            return None
        return version if resumed else self._initialized_at

    def _take_up(self) -> None:
        """Take up what the state says of the files, if it was written by the same settings."""
        assert self._open is not None
        state = self._open
        fits = state.get(_SETTINGS) == self.spec.fingerprint and not self.tap.config.get("full_refresh")
        given = state.get(_FILES)
        saved: dict[str, Any] = given if fits and isinstance(given, dict) else {}
        texts = state.get(_TEXTS) if fits else None
        self._texts = {str(each) for each in texts or ()}
        if self.tap.max_records is not None:  # a limited run leaves no trace
            self.progress = Progress({label: dict(paths) for label, paths in saved.items() if isinstance(paths, dict)})
        else:
            state[_SETTINGS], state[_FILES] = self.spec.fingerprint, saved
            self.progress = Progress(saved)
            if not fits:
                state.pop(_HEADS, None)
        if self._is_incremental:
            self._plan_again()

    @property
    def _is_incremental(self) -> bool:
        return self.replication_method == REPLICATION_INCREMENTAL

    def _plan_again(self) -> None:
        files = list(self.spec.files(self.tap.listing))
        self.plan = made_plan(self.spec, files, self.progress)
        self._deleted_at = next((each.listing.commit_time for each in files if each.listing.commit_time), "")
        if not files:
            self.logger.warning("%s: there is no file for it; see `path` of its entry", self.name)
        self.logger.info(
            "%s: %d files to read, %d as they were", self.name, len(self.plan.jobs), len(self.plan.unchanged)
        )

    @property
    def deleted_at(self) -> str:
        """When rows vanished, as far as that is known: the commit that was read, else now."""
        return self._deleted_at or format_instant(datetime.now(UTC))

    _deleted_at = ""

    def _read_whole(self, why: str) -> None:
        """Read everything, and leave the state alone until that is done: a half of it cannot be taken up."""
        self.logger.info("%s: all its files are read, for %s", self.name, why)
        if not self.tap.activates_versions:
            self.logger.warning("%s: rows that have vanished stay, for no ACTIVATE_VERSION may be sent", self.name)
        self.progress = Progress()
        self._plan_again()
        self._is_whole = True

    @override
    def fetch(self) -> Generator[Page, None, None]:
        found = arrivals(self.plan.jobs, self.tap.contents.read, workers=int(self.tap.config["concurrency"]))
        with contextlib.closing(found):
            for arrival in found:
                yield Page((arrival,))

    @override
    def check(self) -> None:
        for _, source in self.spec.parts:
            self.tap.listing(source)

    @override
    def forecast(self) -> Forecast:
        local = all(source.is_local for _, source in self.spec.parts)
        return Forecast(None, {"default": 0 if local else self.plan.calls}, "about")

    # columns

    def learn(self, table: Table, reading: Reading) -> Mapping[str, Kind]:
        """Take a table's columns into the schema, tell about new ones; the types of those that are no text."""
        self._tell_evidence(table)
        known = self.schema["properties"]
        new = [name for name in table.names if name not in known]
        if new:
            for name in new:
                kind = reading.kinds.get(name)
                known[name] = {"type": ["string", "null"]} if kind is None else kind.property()
            self.logger.warning(
                "%s: %s has columns that were not there before, and the schema grows: %s",
                self.name,
                table.path,
                ", ".join(new),
            )
            self._tell_schema()
        self._tell_absent(table)
        return self.kinds_of(table, reading)

    def kinds_of(self, table: Table, reading: Reading) -> Mapping[str, Kind]:
        """The types of a table's columns, by settings or schema."""
        known = self.schema["properties"]
        kinds = {name: reading.kinds.get(name) or kind_of_schema(known.get(name, {})) for name in table.names}
        return {name: kind for name, kind in kinds.items() if kind.cast is not None and name not in self._texts}

    def widen(self, name: str) -> None:
        """Let a column whose inferred type does not hold be text, from now on and in later runs."""
        self._texts.add(name)
        if self._open is not None and self.tap.max_records is None:
            self._open[_TEXTS] = sorted(self._texts)
        self.schema["properties"][name] = {"type": ["string", "null"]}
        self.logger.warning(
            "%s: column %s holds a value that does not fit its inferred type; now text", self.name, name
        )
        self._tell_schema()

    def _tell_schema(self) -> None:
        """Send SCHEMA again, before the first row that needs it."""
        self._map_schema()
        self._write_schema_message()

    def _map_schema(self) -> None:
        """Let SCHEMA be this stream's, whatever the catalog says."""
        self.tap.mapper.register_raw_stream_schema(self.name, self.schema, self.primary_keys)
        self._stream_maps = None

    def absent(self, names: Sequence[str]) -> list[str]:
        """The columns of the stream that a table lacks: null in its rows, lest the target keep older values."""
        there = set(names)
        return [name for name in self._columns if name not in there and name not in self.unwanted]

    def _tell_absent(self, table: Table) -> None:
        """Say once what columns files lack, for a column that was renamed or dropped looks so."""
        absent = ", ".join(self.absent(table.names))
        if absent and absent not in self._evidence:
            self._evidence.add(absent)
            self.logger.warning("%s: %s lacks columns that are null in its rows: %s", self.name, table.path, absent)

    @property
    def _columns(self) -> list[str]:
        return [name for name in self.schema["properties"] if not name.startswith("_sdc_")]

    @cached_property
    def unwanted(self) -> frozenset[str]:
        """The columns that the catalog deselects."""
        return frozenset(name for name, below in self._deselected.items() if not below)

    def _tell_evidence(self, table: Table) -> None:
        evidence = table.evidence
        level = logging.DEBUG if evidence in self._evidence else logging.INFO
        self._evidence.add(evidence)
        place = table.path if table.member is None else f"{table.path} ({table.member})"
        self.logger.log(level, "%s: %s is read as %s", self.name, place, evidence)

    def tell_rejects(self, path: str, rejects: Sequence[Reject]) -> None:
        """Say where rows were left out and why; what they hold is in the stream of rejects only."""
        for reject in rejects[:_TOLD]:
            self.logger.warning("%s: %s, line %d is left out: %s", self.name, path, reject.line, reject.reason)
        if len(rejects) > _TOLD:
            self.logger.warning("%s: %s: %d more lines near it are left out", self.name, path, len(rejects) - _TOLD)

    def tell_failure(self, path: str, error: CrmdbError) -> None:
        """Say that a file could not be read."""
        self.logger.error("%s: %s (%s); the other files are read", self.name, path, error)

    # rows

    def since(self, names: Sequence[str], rows: list[Row]) -> list[Row]:
        """With a replication key: the rows from the window's beginning on, and those whose time cannot be read."""
        key = self.replication_key
        if not self._is_incremental or key is None or key not in names:
            return rows
        at, low = names.index(key), self.window.low
        return [row for row in rows if self._is_due(row[2][at], low)]

    def _is_due(self, value: Any, low: datetime | None) -> bool:
        try:
            instant = parse_instant(value)
        except ValueError:
            return True
        if low is not None and instant < low:
            return False
        if self._latest is None or instant > self._latest:
            self._latest = instant
        return True

    def saved(self) -> None:
        """The state is true for everything that went out so far; let it out too if it is time."""
        if self._is_whole and not self._is_scratch:
            self.save_progress({"files": len(self.progress.all())})
        self.tap.write_state_if_due()

    @property
    def _is_scratch(self) -> bool:
        return self._open is None or self.progress.saved is not self._open.get(_FILES)

    def _pieces(self) -> Iterator[Batch | Gone]:
        """Everything that goes out; once more from the beginning where an earlier version turns out to be gone."""
        try:
            yield from self._walked()
        except VersionGoneError as error:
            self.stop_fetching()
            self._ahead = None
            self._read_whole(str(error))
            self._stream_version = self._initialized_at if self.tap.activates_versions else None
            yield from self._walked()

    def _walked(self) -> Iterator[Batch | Gone]:
        walk = Walk(self)
        with contextlib.closing(self._pages()) as pages:
            arrived: Iterator[Arrival] = (page.rows[0] for page in pages)
            yield from walk.pieces(arrived)
        if walk.failed:
            names = ", ".join(sorted(walk.failed))
            raise SyncFailedError(f"{len(walk.failed)} files could not be read: {names}; see above", walk.failed)

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        for piece in self._pieces():
            self._extracted_at = datetime.now(UTC)
            yield from piece.records() if isinstance(piece, Batch) else piece.records

    # messages

    @override
    def _sync_records(
        self, context: types.Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        if not (write_messages and self._takes_lines):
            yield from super()._sync_records(context, write_messages=write_messages)
            return
        with self.get_record_counter() as counter, self.get_sync_timer(), self.tap.session.counting(self.name):
            try:
                self._write_starting_replication_value(context)
                for piece in self._pieces():
                    counter.increment(self._write(piece))
                self._finalize_state(self.stream_state)
            except Exception as error:
                if not self.tap.takes_failure(self, error):
                    raise
        self._write_state_message()
        self._summarize()

    @property
    def _takes_lines(self) -> bool:
        """Whether rows may go out as lines: nothing maps, limits or counts single records."""
        plain = len(self.stream_maps) == 1 and type(self.stream_maps[0]) is SameRecordTransform
        plain = plain and not self.tap.config.get("flattening_enabled")
        limited = self.tap.max_records is not None or self.ABORT_AT_RECORD_COUNT is not None
        shown = any(name not in self.unwanted for name in self._columns)
        lineage = not any(name.startswith("_sdc_") for name in self.unwanted)
        is_ours = isinstance(self.tap.message_writer, LineWriter)
        return self.selected and plain and not limited and shown and lineage and is_ours

    def _write(self, piece: Batch | Gone) -> int:
        self._extracted_at = datetime.now(UTC)
        if isinstance(piece, Batch):
            writer = self.tap.message_writer
            assert isinstance(writer, LineWriter)
            writer.write_lines(piece.lines(self.name, self._stream_version, format_instant(self._extracted_at)))
            count = len(piece.rows)
        else:
            for record in piece.records:
                self._write_record_message(record)
            count = len(piece.records)
        self.emitted += count
        return count

    @override
    def _complete(self) -> None:
        """All files are read: drop what vanished, keep what makes the next look free."""
        assert self._open is not None
        state = self._open
        if self._stream_version is not None and self.selected:
            self._write_activate_version_message(self._stream_version)
        state.pop(RESUME, None)
        if self.tap.max_records is not None:
            return
        state[_FILES] = self.progress.saved
        state[_HEADS] = {source.label: self.tap.head_of(source) for _, source in self.spec.parts}
        if self._is_incremental and self.window.moves_bookmark and self._latest is not None:
            self._set_bookmark(min(self._latest, self.window.high))
