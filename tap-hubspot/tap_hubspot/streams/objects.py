"""CRM objects, all by one engine."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from crmdb_core.stream import Page
from tap_hubspot.batch import UnreadableError
from tap_hubspot.casting import Casts
from tap_hubspot.client import HubSpotStream
from tap_hubspot.forecast import count, goes_on_after, of_reader, touch
from tap_hubspot.keyset import Modified
from tap_hubspot.points import is_usable
from tap_hubspot.reading import ObjectReader
from tap_hubspot.records import MERGE_PROPERTIES, record_of, tombstones
from tap_hubspot.streams.upkeep import Upkept

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from singer_sdk.helpers.types import Context

    from crmdb_core.forecast import Forecast
    from tap_hubspot.objects import CrmObject
    from tap_hubspot.tap import TapHubSpot

    Record = dict[str, Any]


class WindowedObject(HubSpotStream):
    """The records of one CRM object in a window: all or the changed ones, then archived ones.

    Records do not come in the order of their modified date, so the bookmark moves only when the window was read whole.
    The archived ones come last: what is archived while the live ones are read is then found in the recycle bin.
    """

    def __init__(self, tap: TapHubSpot, crm_object: CrmObject) -> None:
        super().__init__(tap, name=crm_object.name)
        self.object = crm_object
        self.replication_key = "updatedAt" if crm_object.is_incremental else None
        self._gone = 0
        self._unreadable: list[str] = []

    @property
    @override
    def schema(self) -> dict[str, Any]:
        """The catalog's schema where one is given, else the properties API's."""
        if self._input_schema is not None:
            return self._input_schema
        return self.tap.schema_of(self.object)

    @override
    def check(self) -> None:
        touch(self.tap.session, self.paths.objects(self.object.path))

    @override
    def forecast(self) -> Forecast | None:
        if not self.object.is_incremental:
            return super().forecast()
        window, path, point = self.window, self.paths.search(self.object.path), self._point
        filters = Modified(self.object.modified, window.low, window.high).filters() if window.low else ()
        records = count(self.tap.session, path, filters, after_id=goes_on_after(point))
        if records is None:
            return None
        if point and "archived" in point:  # the live ones were read
            records = 0
        if self.tap.max_records is not None:
            records = min(records, self.tap.max_records)
        return of_reader(self._reader, records, is_whole=self._is_whole)

    @override
    def fetch(self) -> Iterator[Page]:
        for page in self._pages_of(self._point):
            # an interrupted run must not go on behind a record that it could not read
            yield Page(page.rows) if self._unreadable else page

    def _pages_of(self, point: Mapping[str, Any]) -> Iterator[Page]:
        window, reader = self.window, self._reader
        if "archived" not in point:
            # a search by date leaves out records without one, so a whole read is none
            yield from (
                reader.whole(point)
                if self._is_whole
                else reader.changed(window.low, window.high, point, began=window.high)
            )
        yield from reader.archived(window.low, point.get("archived"))

    @override
    def records_of(self, page: Page) -> Iterator[Record]:
        casts = self._casts
        for raw in page.rows:
            yield record_of(raw, casts)
            yield from tombstones(raw)

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        yield from super().get_records(context)
        self._report()
        if self._unreadable:
            ids = list(dict.fromkeys(self._unreadable))
            raise UnreadableError(
                f"HubSpot answers a server error for {len(ids)} records, among them {', '.join(ids[:5])}; "
                "all others were read; the next run tries again"
            )

    @property
    def _is_whole(self) -> bool:
        """Whether all records are read: there is no low end, or no way to ask for changed ones."""
        return self.window.low is None or not self.object.is_incremental

    @cached_property
    def _point(self) -> dict[str, Any]:
        """Where an interrupted run stood, {} at the beginning."""
        point = self.resume_point
        if point is not None and not is_usable(point, whole=self._is_whole):
            self.logger.warning("%s: the resume point in the state cannot be used; reading its window anew", self.name)
            return {}
        return point or {}

    @cached_property
    def _properties(self) -> dict[str, Any]:
        """The selected properties and their schemas."""
        declared = self.effective_schema["properties"].get("properties", {}).get("properties", {})
        above = ("properties", "properties", "properties")
        return {name: schema for name, schema in declared.items() if self.mask[(*above, name)]}

    @cached_property
    def _casts(self) -> Casts:
        return Casts(self._properties)

    @property
    def _reader(self) -> ObjectReader:
        limited = self.tap.max_records is not None
        return ObjectReader(
            self.tap.session,
            self.paths,
            self.object,
            tuple(dict.fromkeys((*self._properties, *MERGE_PROPERTIES))),
            page_size=self.config["page_size"],
            workers=1 if limited else self.config["concurrency"],  # a look-ahead would only be thrown away
            parallel=self.config["parallel_lists"] and not limited,
            on_total=self.expect,
            on_missing=self._count_gone,
            on_unreadable=self._unreadable.extend,
        )

    def _count_gone(self, number: int) -> None:
        self._gone += number

    def _report(self) -> None:
        if self._gone:
            self.logger.info("%s: %d records were gone before they could be read", self.name, self._gone)
        if self._casts.misfits:
            self.logger.warning(
                "%s: values that do not fit their declared type became null; number by property: %s; "
                "the setting text_properties keeps such a property as text",
                self.name,
                self._casts.misfits,
            )


class ObjectStream(Upkept, WindowedObject):
    """A window of an object's records and, when they are due, what no modified date tells."""


def object_streams(tap: TapHubSpot) -> Iterable[HubSpotStream]:
    """The streams of all objects that can be read (see `discovery`)."""
    streams = [ObjectStream(tap, each) for each in tap.found.objects if tap.is_known(each.name)]
    if tap.texts.entries:
        declared = {stream.name: stream.schema["properties"]["properties"]["properties"] for stream in streams}
        for entry in tap.texts.unmatched(declared):
            tap.logger.warning("text_properties: %s is no property of the streams", entry)
    return streams
