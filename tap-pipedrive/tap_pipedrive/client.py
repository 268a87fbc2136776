"""The base of every Pipedrive stream: what a whole read is done for, and what it costs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from crmdb_core.exceptions import ApiError
from crmdb_core.forecast import Forecast, by_first_pages
from crmdb_core.instants import format_instant
from crmdb_core.schedule import is_due
from crmdb_core.stream import RESUME, CrmStream
from tap_pipedrive.judge import FEATURE_OFF
from tap_pipedrive.prices import price
from tap_pipedrive.shapes import DELETED, INSTANT, Shape, record_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context

    from crmdb_core.stream import Page
    from tap_pipedrive.exceptions import UnreadableError
    from tap_pipedrive.shapes import Record, Schema
    from tap_pipedrive.tap import TapPipedrive

__all__ = ["PipedriveStream", "is_off"]

_SWEPT_AT = "swept_at"
_BOOKMARK = "replication_key_value"


def is_off(error: Exception) -> bool:
    """Whether the account has not got what was asked for: a feature that is off, or not in its plan."""
    return isinstance(error, ApiError) and error.status == FEATURE_OFF


class PipedriveStream(CrmStream):
    """A stream of Pipedrive: `keys` and `properties` declare its records; a subclass gives `fetch`.

    `path` is the list that a forecast prices, and `deleted_flag` the field that says that a row is deleted.
    """

    keys: ClassVar[Mapping[str, Schema]]
    properties: ClassVar[Mapping[str, Schema]]
    path: ClassVar[str] = ""
    sweeps: ClassVar[bool] = False
    """Whether `sweep_ids_every` is about this stream: it is read by bookmark, and deletions are not told."""
    optional: ClassVar[bool] = False
    """Whether its feature may be off in an account; then it has no rows."""
    tap: TapPipedrive

    def __init__(self, tap: TapPipedrive, schema: Schema | None = None) -> None:
        super().__init__(tap, schema=schema or self.declared(), name=self.name)
        self.primary_keys = tuple(self.keys)  # after the SDK has set its own
        self.shape = Shape(schema or self.declared())

    @classmethod
    def declared(cls) -> Schema:
        """The JSON schema of the records."""
        return record_schema(cls.keys, {**cls.properties, DELETED: INSTANT})

    @override
    def records_of(self, page: Page) -> Iterable[Record]:
        return map(self.record_of, page.rows)

    def record_of(self, row: Record) -> Record:
        """One row as a record."""
        record = self.shape(row)
        record[DELETED] = self.deleted_at(record)
        return record

    def deleted_at(self, record: Record) -> Any:
        """When a row was deleted; its last update, for the API tells no better."""
        is_deleted = record.get("is_deleted") or record.get("active_flag") is False
        return (record.get("update_time") or record.get("modified") or self._now) if is_deleted else None

    @property
    def _now(self) -> str:
        return format_instant(self.window.high)

    def pages(self) -> Iterator[Page]:
        """The pages of the stream."""
        raise NotImplementedError

    @override
    def fetch(self) -> Iterator[Page]:
        pages = self.pages()
        try:
            first = next(pages, None)
        except ApiError as error:
            if not (self.optional and is_off(error)):
                raise
            self._is_partial = True
            self.logger.info("%s: not switched on in this account; there are no rows", self.name)
            return
        if first is not None:
            yield first
            yield from pages

    _is_partial = False
    """Whether less was shown than there is: then the target keeps what it has."""

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        yield from super().get_records(context)
        self._tell_misfits()
        if self.unreadable is not None:
            self.leave_unreadable()
            raise self.unreadable

    unreadable: UnreadableError | None = None
    """What could not be read, while all else was: the stream fails at its end."""

    def leave_unreadable(self) -> None:
        """Let the next run begin a delta anew, so that it reads what changed since this one began too."""
        if self._open is not None and self.window.low is not None:
            self._open.pop(RESUME, None)

    def _tell_misfits(self) -> None:
        counted = {name: count for name, count in self.shape.misfits.items() if count}
        if counted:
            self.logger.warning("%s: values that do not fit their declared type became null: %s", self.name, counted)

    # -- a whole read every so many hours ---------------------------------------------------------------------------

    @override
    def _begin(self, context: Context | None) -> None:
        state = self.get_context_state(context)
        held = state.pop(_BOOKMARK, None) if self._sweep_is_due(state) else None
        super()._begin(context)
        if held is not None:
            state[_BOOKMARK] = held  # until the whole read is done
        self._resumed = self._resume_point is not None
        self.remember(state)

    _resumed = False

    def remember(self, state: Record) -> None:
        """Keep in STATE what the next run needs beside the bookmark."""

    def _sweep_is_due(self, state: Mapping[str, Any]) -> bool:
        """Rows older than `start_date` were never sent, and a whole read would send them; it must not be limited."""
        config = self.config
        hours = int(config["sweep_ids_every"])
        limited = any(config.get(name) is not None for name in ("start_date", "since", "max_records"))
        wanted = hours > 0 and self.sweeps and config.get("emit_activate_version_messages") and not limited
        if not wanted or not state.get(_BOOKMARK):
            return False
        return is_due(state.get(_SWEPT_AT), hours, self.tap.windows_end())

    @override
    def _complete(self) -> None:
        if self._is_partial:
            self._stream_version = None
        # of a whole read that two runs made, a target that counts rows by run cannot tell what is gone
        if self.sweeps and self.window_is_whole and not self._resumed and self._open is not None:
            self._open[_SWEPT_AT] = self._now
        super()._complete()

    # -- what it costs ----------------------------------------------------------------------------------------------

    @override
    def forecast(self) -> Forecast | None:
        """By the first pages; every call at the price of the stream's list."""
        found = by_first_pages(self)
        return None if found is None else priced(found, {self.path: found.calls_in_all})


def priced(forecast: Forecast, calls: Mapping[str, int]) -> Forecast:
    """A forecast with what so many calls by path cost."""
    cost = sum(price(path) * count for path, count in Counter(calls).items())
    return Forecast(forecast.records, {"default": sum(calls.values())}, forecast.certainty, cost)


def fields(**properties: Schema) -> Mapping[str, Schema]:
    """A declaration by keywords."""
    return properties


def without_names(row: Record, names: Sequence[str]) -> Record:
    """A row without what is joined for people's eyes."""
    return {name: value for name, value in row.items() if name not in names}
