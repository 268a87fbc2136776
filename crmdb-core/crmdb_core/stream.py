"""What every stream of our taps does beside fetching: window, bookmark, resume point, limit, counters."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream
from singer_sdk.exceptions import InvalidStreamSortException
from singer_sdk.helpers._util import utc_now
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from singer_sdk.singerlib.messages import RecordMessage
from typing_extensions import override

from crmdb_core.concurrency import Ahead
from crmdb_core.forecast import Forecast, by_first_pages, draw_first
from crmdb_core.instants import format_instant, parse_instant
from crmdb_core.messages import BufferedWriter
from crmdb_core.window import ReadWindow, WindowKind

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from singer_sdk.helpers import types
    from singer_sdk.helpers.types import Context, Record

    from crmdb_core.tap import CrmTap

__all__ = ["RESUME", "CrmStream", "Page"]

RESUME = "resume"
"""What STATE calls the place where an interrupted run of a stream goes on."""
_PAGES_AHEAD = 6


@dataclass(frozen=True)
class Page:
    """Rows as the API gave them, and where an interrupted run goes on once they are emitted (None: nowhere new)."""

    rows: Sequence[Any]
    point: Mapping[str, Any] | None = None

    @property
    def unread_bytes(self) -> int:
        """The size of rows that are kept as they came and parsed when they are asked for; 0 for others, 1 for none."""
        return getattr(self.rows, "unread_bytes", 0) if len(self.rows) else 1


class CrmStream(Stream):
    """A stream that fetches pages and makes records of them; state, limits and counting are this class's.

    A tap gives `fetch` (which runs in a thread, ahead of the stream's turn, and touches nothing but the API) and, where
    rows are not records already, `records_of` (main thread). They use: `window` (what to read), `resume_point` (where
    an interrupted run stood, or None), `expect(n)` when the API tells a total, and the tap's `session`, whose calls are
    counted for the stream. A stream that overrides `get_records` instead is fetched in its turn, in the main thread,
    and calls `save_progress(point)` itself, after all records up to that point were yielded.

    The bookmark becomes the window's high end when the stream was read whole. Only a stream with `is_sorted` (by its
    replication key) moves it record by record. State of a failed or limited read never claims what was not emitted.
    """

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    STATE_MSG_FREQUENCY = sys.maxsize  # by time instead: CrmTap.state_seconds
    removes_vanished: ClassVar[bool] = True
    """Whether a whole read ends with ACTIVATE_VERSION, so that the target drops rows that did not come again."""

    def __init__(self, tap: CrmTap, schema: Mapping[str, Any] | None = None, name: str | None = None) -> None:
        super().__init__(tap, schema=None if schema is None else dict(schema), name=name)
        self.tap = tap
        self.emitted = 0
        self.expected: int | None = None
        self._window: ReadWindow | None = None
        self._open: dict[str, Any] | None = None
        self._resume_point: dict[str, Any] | None = None
        self._ahead: Ahead[Page] | None = None
        self._extracted_at: datetime | None = None
        self._write_straight: Callable[[Record], None] | None = None

    def fetch(self) -> Iterator[Page]:
        """The pages of the window, from `resume_point` on, in order."""
        raise NotImplementedError(f"{type(self).__name__} needs fetch() or get_records()")

    def records_of(self, page: Page) -> Iterable[Record]:
        """The records of one page."""
        return page.rows

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        if self.can_run_ahead:
            return self._fetched()
        return super().get_records(context)  # type: ignore[safe-super,return-value]  # another base's, such as RESTStream's

    def _fetched(self) -> Iterator[Record]:
        with contextlib.closing(self._pages()) as pages:
            for page in pages:
                self._extracted_at = utc_now()
                self._write_straight = self._straight_way(self._extracted_at)
                yield from self.records_of(page)
                if page.point is not None:
                    self.save_progress(page.point)

    def _pages(self) -> Ahead[Page] | Generator[Page, None, None]:
        if self.tap.max_records is not None:  # most of what is fetched ahead would be thrown away
            return (page for page in self.fetch())
        self.begin_fetching()
        assert self._ahead is not None
        return self._ahead

    @property
    def can_run_ahead(self) -> bool:
        """Whether `fetch` does the fetching."""
        return type(self).fetch is not CrmStream.fetch

    def begin_fetching(self) -> None:
        """Fetch from now on, a few pages ahead of what is asked for; once begun, go on."""
        if self._ahead is None:
            _ = self.window
            with self.tap.session.counting(self.name):
                self._ahead = Ahead(
                    self.fetch(),
                    most=_PAGES_AHEAD,
                    on_wait=self.tap.write_state_if_idle,
                    size_of=lambda page: page.unread_bytes,
                    room=self.tap.room_ahead,
                )

    def stop_fetching(self) -> None:
        """Let go of what was fetched ahead."""
        if self._ahead is not None:
            self._ahead.close()

    def check(self) -> None:
        """Make the cheapest call of this stream (here: draw its first page); raises what it is refused with."""
        draw_first(self)

    def forecast(self) -> Forecast | None:
        """What a run would cost, by a call or two (here: by the first pages); None where it cannot be told."""
        return by_first_pages(self)

    @property
    def window(self) -> ReadWindow:
        """What this run reads of the stream: [low, high) by the server's clock."""
        if self._window is None:
            self._begin(None)
        assert self._window is not None
        return self._window

    @property
    def resume_point(self) -> dict[str, Any] | None:
        """The last `save_progress` of an interrupted run over the same window, else None."""
        _ = self.window
        return self._resume_point

    def expect(self, records: int) -> None:
        """Tell how many records the API says will come; shown beside what was emitted."""
        self.expected = records

    def save_progress(self, point: Mapping[str, Any]) -> None:
        """Remember where to go on after a kill; call it when every record up to here has been yielded.

        `point` is the tap's own JSON (such as the last id). A run with `max_records` leaves no trace.
        """
        if self.tap.max_records is None and self._open is not None:
            self._open[RESUME] = {**self.window.to_state(), "version": self._stream_version, "point": dict(point)}
            self.tap.write_state_if_due()

    def _begin(self, context: Context | None) -> None:
        """Resolve the window for a context and take up an interrupted run's."""
        state = self._open = self.get_context_state(context)
        incremental = self.replication_method == REPLICATION_INCREMENTAL
        bookmark = state.get("replication_key_value") if state.get("replication_key") == self.replication_key else None
        window = self.resolve_window(bookmark if incremental else None, full_table=not incremental)
        for note in window.notes:
            self.logger.warning("%s: %s", self.name, note)
        saved = _saved_progress(state)
        again = window.resumed(saved)
        self._window = again or window
        self._resume_point = None if again is None else dict(saved["point"])
        self._stream_version = self._version({} if again is None else saved)
        if self._resume_point is None and self.tap.max_records is None:
            state.pop(RESUME, None)

    def resolve_window(self, bookmark: Any, *, full_table: bool) -> ReadWindow:
        """The window by bookmark, settings and the server's clock; a stream may know better up to where it can read."""
        return self.tap.resolve_window(bookmark, full_table=full_table)

    def _version(self, saved: Mapping[str, Any]) -> int | None:
        """The version of a whole read; a resumed one keeps the version its first rows carried."""
        if not (self.window_is_whole and self.removes_vanished and self.tap.activates_versions):
            return None
        version = saved.get("version")
        return version if isinstance(version, int) else self._initialized_at

    @property
    def window_is_whole(self) -> bool:
        """Whether this run reads every record there is: no bookmark, `since`, `start_date` or `max_records`."""
        return self._window is not None and self._window.kind is WindowKind.FULL and self.tap.max_records is None

    @override
    def get_starting_timestamp(self, context: Context | None) -> datetime | None:
        """The window's low end."""
        return self.window.low

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """None: the window's high end takes this part."""

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """False: the SDK sends ACTIVATE_VERSION before the records; here it comes after the last."""
        return False

    @override
    def get_batch_config(self, config: Mapping[str, Any]) -> None:
        """None: no BATCH files, for they pass by state and counters."""

    @override
    def _write_starting_replication_value(self, context: Context | None) -> None:
        if self._ahead is None:  # else the window is that of what is fetched already
            self._begin(context)
        self.tap.fetch_ahead_of(self)

    @override
    def _sync_records(
        self,
        context: types.Context | None = None,
        *,
        write_messages: bool = True,
    ) -> Generator[dict[str, Any], Any, Any]:
        records = super()._sync_records(context, write_messages=write_messages)
        limit = self.tap.max_records
        with self.tap.session.counting(self.name), contextlib.closing(records):
            try:
                for record in records:
                    self.emitted += 1
                    yield record
                    if limit is not None and self.emitted >= limit:
                        self.logger.info("%s: stopped after max_records (%d)", self.name, limit)
                        break
            except Exception as error:
                if not self.tap.takes_failure(self, error):
                    raise
        self._write_state_message()
        self._summarize()

    def _summarize(self) -> None:
        stats = self.tap.session.stats_of(self.name)
        self.logger.info(
            "%s: %d emitted, %s expected, %d calls, %.1f s waited for limits",
            self.name,
            self.emitted,
            "unknown" if self.expected is None else self.expected,
            stats.calls,
            stats.waited,
        )

    @override
    def _process_record(
        self,
        record: Record,
        child_context: types.Context | None = None,
        partition_context: types.Context | None = None,
    ) -> None:
        """As the SDK does, without its work for child streams where there are none."""
        if self.child_streams or partition_context:
            super()._process_record(record, child_context, partition_context)

    @override
    def _write_record_message(self, record: Record) -> None:
        """As the SDK does; a record that no stream map changes goes to the writer as it is."""
        if self._write_straight is None:
            super()._write_record_message(record)
            return
        _take_out(record, self._deselected)
        self._write_straight(record)

    def _straight_way(self, extracted_at: datetime) -> Callable[[Record], None] | None:
        """What writes the records of a page; None where they have to go through stream maps or flattening."""
        writer, maps = self.tap.message_writer, self.stream_maps
        if not isinstance(writer, BufferedWriter) or [type(each) for each in maps] != [SameRecordTransform]:
            return None
        if maps[0].flattening_enabled:
            return None
        return partial(writer.write_record, writer.envelope(maps[0].stream_alias, self._stream_version, extracted_at))

    @override
    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        """As the SDK does, with the deselected properties looked up once instead of for every record."""
        _take_out(record, self._deselected)
        for stream_map in self.stream_maps:
            mapped = stream_map.transform(record)
            if mapped is not None:
                yield RecordMessage(
                    stream=stream_map.stream_alias,
                    record=mapped,
                    version=self._stream_version,
                    time_extracted=self._extracted_at or utc_now(),
                )

    @cached_property
    def _deselected(self) -> dict[str, Any]:
        """The deselected properties as a tree of names, {} for one that goes whole; an unknown one is as its parent."""
        tree: dict[str, Any] = {}
        for breadcrumb in sorted(self.metadata, key=len):
            if breadcrumb and not self.mask[breadcrumb]:
                _plant(tree, breadcrumb[1::2])
        return tree

    @override
    def _increment_stream_state(self, latest_record: Record, *, context: Context | None = None) -> None:
        if self.is_sorted and self.window.moves_bookmark and self.replication_method == REPLICATION_INCREMENTAL:
            self._advance_sorted(latest_record)
        if self.tap.write_state_if_due():
            self.logger.info("%s: %d of %s", self.name, self.emitted, self.expected or "unknown")

    def _advance_sorted(self, record: Record) -> None:
        """Move the bookmark to this record's key, as instants, not as text; never back, never past the window."""
        assert self.replication_key is not None
        assert self._open is not None
        value = record.get(self.replication_key)
        if value is None:
            return
        reached = parse_instant(value)
        before = self._sorted_at
        if before is not None and reached < before and self.check_sorted:
            raise InvalidStreamSortException(f"{self.name}: records do not come in the order of {self.replication_key}")
        self._sorted_at = reached
        self._set_bookmark(min(reached, self.window.high))

    _sorted_at: datetime | None = None

    def _set_bookmark(self, instant: datetime) -> None:
        assert self._open is not None
        trusted = self.window.bookmark
        self._open["replication_key"] = self.replication_key
        self._open["replication_key_value"] = format_instant(instant if trusted is None else max(instant, trusted))

    @override
    def _finalize_state(self, state: dict[str, Any] | None = None) -> None:
        """Called when the records of a context, then of the stream, came to their end."""
        if state is not None and state is self._open:
            self._complete()
            self._open = None
        super()._finalize_state(state)

    def _complete(self) -> None:
        """Everything in the window was emitted: drop what vanished, then move the bookmark."""
        assert self._open is not None
        if self._stream_version is not None and self.selected:
            self._write_activate_version_message(self._stream_version)
        self._open.pop(RESUME, None)
        if self.replication_method == REPLICATION_INCREMENTAL and self.window.moves_bookmark:
            self._set_bookmark(self.window.new_bookmark)

    @override
    def _write_state_message(self) -> None:
        self.tap.write_state()


def _plant(tree: dict[str, Any], names: Sequence[str]) -> None:
    """Add a deselected path to the tree, unless what is above it goes whole."""
    for name in names:
        if name in tree and not tree[name]:
            return
        tree = tree.setdefault(name, {})


def _take_out(record: Record, tree: Mapping[str, Any]) -> None:
    for name, below in tree.items():
        if not below:
            record.pop(name, None)
        elif isinstance(value := record.get(name), dict):
            _take_out(value, below)


def _saved_progress(state: Mapping[str, Any]) -> dict[str, Any]:
    """What `save_progress` of an earlier run left in the state; {} for nothing or garbage."""
    saved = state.get(RESUME)
    return saved if isinstance(saved, dict) and isinstance(saved.get("point"), dict) else {}
