"""Property history: every value that a property had, one row each."""

from __future__ import annotations

import fnmatch
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from crmdb_core.concurrency import in_order
from crmdb_core.forecast import Forecast
from crmdb_core.stream import Page
from crmdb_core.window import WindowKind
from tap_hubspot.calculated import calculated_names
from tap_hubspot.client import HubSpotStream
from tap_hubspot.forecast import count, goes_on_after, pages_of, touch
from tap_hubspot.history import MOST_INPUTS, HistoryRead, Versions
from tap_hubspot.keyset import KeysetSearch, Modified
from tap_hubspot.object_types import definitions_cost, object_types_on_the_left
from tap_hubspot.objects import HISTORY
from tap_hubspot.pairs import PairPattern
from tap_hubspot.schema import KEY, TEXT, Schema
from tap_hubspot.streams.objects import ObjectStream
from tap_hubspot.stretches import cut, searched, workers_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from tap_hubspot.objects import CrmObject
    from tap_hubspot.stretches import Stretch
    from tap_hubspot.tap import TapHubSpot

    Record = dict[str, Any]

# `propertiesWithHistory` of a batch read, flattened; values are text, whatever their property's type is today
_VERSION: Schema = {
    "type": "object",
    "properties": {
        "object_id": KEY,
        "property": KEY,
        "timestamp": {"type": "string", "format": "date-time"},
        "sequence": {"type": "integer"},
        "value": TEXT,
        "source_type": TEXT,
        "source_id": TEXT,
        "source_label": TEXT,
        "updated_by_user_id": TEXT,
    },
    "required": ["object_id", "property", "timestamp", "sequence"],
}
# They change with every other value, and say nothing that its own row does not say.
_MODIFIED = frozenset({"lastmodifieddate", "hs_lastmodifieddate"})
_LATER_RUNS = (WindowKind.BOOKMARK, WindowKind.SINCE)


class PropertyHistoryStream(HubSpotStream):
    """The values that the properties of one object type had.

    Read are the records modified since the bookmark, with no upper bound: one that is edited again while the run reads
    is not put off to the next one, so that whatever is older than the next run's window has been sent for sure.
    Unverified: how many values HubSpot keeps of a property; what it has dropped since stays in the table.
    """

    schema: ClassVar[dict[str, Any]] = _VERSION
    primary_keys = ("object_id", "property", "timestamp", "sequence")
    replication_key = "timestamp"
    removes_vanished = False

    def __init__(self, tap: TapHubSpot, crm_object: CrmObject) -> None:
        super().__init__(tap, name=f"{crm_object.name}{HISTORY}")
        self.object = crm_object
        self.replication_key = "timestamp"

    @override
    def check(self) -> None:
        touch(self.tap.session, self.paths.objects(self.object.path))

    @override
    def forecast(self) -> Forecast | None:
        """By one search; how many values the records had, nothing tells."""
        after = goes_on_after(self.resume_point)
        filters = Modified(self.object.modified, self.window.low).filters()
        records = count(self.tap.session, self.paths.search(self.object.path), filters, after_id=after)
        if records is None:
            return None
        searches = pages_of(records, self.config["page_size"]) + 1
        reads = pages_of(records, MOST_INPUTS)
        return Forecast(None, {"search": searches, "default": definitions_cost(self.tap, self.object) + reads})

    @override
    def fetch(self) -> Iterator[Page]:
        names, calculated = self._properties()
        if not names:
            return
        read = HistoryRead(self.tap.session, self.paths.batch_read(self.object.path), names)
        versions = Versions(self._since, calculated)

        def page(stretch: Stretch) -> Page:
            rows = [row for raw in read(stretch.ids) for row in versions.of(raw)]
            return Page(rows, stretch.point)

        yield from in_order(page, self._stretches(), workers=workers_of(self.tap))

    @property
    def _since(self) -> datetime | None:
        """The instant before which an earlier run has sent everything, or nothing is wanted."""
        return self.window.low if self.window.kind in _LATER_RUNS else None

    def _stretches(self) -> Iterator[Stretch]:
        search = KeysetSearch(
            self.tap.session,
            self.paths.search(self.object.path),
            Modified(self.object.modified, self.window.low),
            page_size=self.config["page_size"],
            began=self.window.high,
        )
        return cut(searched(search, self.resume_point or {}), MOST_INPUTS)

    def _properties(self) -> tuple[list[str], frozenset[str]]:
        """The properties to read, and which of the object's properties are calculated."""
        definitions = self.tap.definitions(self.object.path)
        calculated = calculated_names(definitions)
        names = [str(each["name"]) for each in definitions if each["name"] not in _MODIFIED]
        for each in self._patterns:
            if not fnmatch.filter(names, each.target):
                self.logger.warning("%s: there is no property %s to read a history of", self.name, each.target)
        return [name for name in names if self._is_wanted(name, is_calculated=name in calculated)], calculated

    @cached_property
    def _patterns(self) -> list[PairPattern]:
        patterns = map(PairPattern.of, self.config["history_properties"])
        return [each for each in patterns if fnmatchcase(self.object.name, each.source)]

    def _is_wanted(self, name: str, *, is_calculated: bool) -> bool:
        fitting = [each for each in self._patterns if fnmatchcase(name, each.target)]
        if any(each.names_target for each in fitting):
            return True
        return bool(fitting) and not is_calculated and self._is_selected(name)

    def _is_selected(self, name: str) -> bool:
        """Whether the object's own stream sends the property; where it is not selected itself, every one counts."""
        stream = self.tap.streams.get(self.object.name)
        if not isinstance(stream, ObjectStream) or not stream.selected:
            return True
        return bool(stream.mask["properties", "properties", "properties", name])


def property_history_streams(tap: TapHubSpot) -> Iterable[HubSpotStream]:
    """One stream for each object type on the left of a pattern in the setting `history_properties`.

    One whose changed records cannot be searched has none: all its histories would be read in every run.
    """
    wanted = object_types_on_the_left(tap, "history_properties", HISTORY)
    return [PropertyHistoryStream(tap, each) for each in wanted if each.is_incremental]
