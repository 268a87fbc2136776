"""CRM objects, all by one engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import SchemaNotFoundError
from typing_extensions import override

from tap_hubspot.casting import Casts
from tap_hubspot.client import HubSpotStream
from tap_hubspot.reading import ObjectReader
from tap_hubspot.records import MERGE_PROPERTIES, record_of, tombstones

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Context

    from tap_hubspot.batch import Batch
    from tap_hubspot.objects import CrmObject
    from tap_hubspot.tap import TapHubSpot

    Record = dict[str, Any]


class ObjectStream(HubSpotStream):
    """The records of one CRM object: changed ones, then archived ones; a resume point is the last id read.

    Records leave the API by ascending id, so the bookmark moves only when the window was read whole. The archived ones
    come last: what is archived while the live ones are read is then found in the recycle bin.
    """

    def __init__(self, tap: TapHubSpot, crm_object: CrmObject) -> None:
        super().__init__(tap, name=crm_object.name)
        self.object = crm_object
        self.replication_key = "updatedAt" if crm_object.is_incremental else None
        self._gone = 0

    @property
    @override
    def schema(self) -> dict[str, Any]:
        """The catalog's schema where one is given, else the properties API's."""
        if self._input_schema is not None:
            return self._input_schema
        try:
            return self.tap.texts.applied(self.name, self.tap.schemas.get_schema(self.object.path))
        except SchemaNotFoundError as error:
            raise error.__cause__ or error from None  # the API's own refusal says what to do

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        properties = self._selected_properties()
        casts = Casts(properties)
        reader = self._reader(tuple(properties))
        yield from self._live(reader, casts)
        for batch in reader.archived(self.window.low):
            for raw in batch.rows:
                yield record_of(raw, casts)
        self._report(casts)

    def _live(self, reader: ObjectReader, casts: Casts) -> Iterator[Record]:
        window, point = self.window, self.resume_point or {}
        # a search by date leaves out records without one, so a whole read searches by id alone
        high = None if window.low is None else window.high
        after = point.get("after_id")
        for batch in reader.live(window.low, high, after_id=after, began=window.high, on_total=self._expect):
            yield from self._records(batch, casts)
            self.save_progress({"after_id": batch.ids[-1]})

    def _records(self, batch: Batch, casts: Casts) -> Iterator[Record]:
        self._gone += batch.missing
        for raw in batch.rows:
            yield record_of(raw, casts)
            yield from tombstones(raw)

    def _expect(self, total: int | None) -> None:
        if total is not None:
            self.expect(total)

    def _reader(self, properties: tuple[str, ...]) -> ObjectReader:
        return ObjectReader(
            self.tap.session,
            self.paths,
            self.object,
            tuple(dict.fromkeys((*properties, *MERGE_PROPERTIES))),
            page_size=self.config["page_size"],
            workers=self.config["concurrency"],
        )

    def _selected_properties(self) -> dict[str, Any]:
        declared = self.effective_schema["properties"].get("properties", {}).get("properties", {})
        above = ("properties", "properties", "properties")
        return {name: schema for name, schema in declared.items() if self.mask[(*above, name)]}

    def _report(self, casts: Casts) -> None:
        if self._gone:
            self.logger.info("%s: %d records were gone before they could be read", self.name, self._gone)
        if casts.misfits:
            self.logger.warning(
                "%s: values that do not fit their declared type became null; number by property: %s; "
                "the setting text_properties keeps such a property as text",
                self.name,
                casts.misfits,
            )


def object_streams(tap: TapHubSpot) -> Iterable[HubSpotStream]:
    """The streams of all objects that can be read (see `discovery`)."""
    streams = [ObjectStream(tap, each) for each in tap.found.objects if tap.is_known(each.name)]
    if tap.texts.entries:
        declared = {stream.name: stream.schema["properties"]["properties"]["properties"] for stream in streams}
        for entry in tap.texts.unmatched(declared):
            tap.logger.warning("text_properties: %s is no property of the streams", entry)
    return streams
