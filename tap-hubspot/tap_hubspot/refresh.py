"""Calculated properties change without moving a record's modified date: all of them are read again now and then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crmdb_core.concurrency import in_order
from crmdb_core.instants import parse_instant
from tap_hubspot.batch import MOST_INPUTS, BatchRead
from tap_hubspot.keyset import KeysetSearch, Modified
from tap_hubspot.ready import ReadyPage
from tap_hubspot.stretches import cut, searched_stretches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from crmdb_core.stream import Page
    from tap_hubspot.casting import Casts
    from tap_hubspot.keyset import Api
    from tap_hubspot.objects import CrmObject
    from tap_hubspot.paths import Paths
    from tap_hubspot.stretches import Stretch

    Record = dict[str, Any]

PART = "calculated"


@dataclass(frozen=True)
class CalculatedRefresh:
    """Reads the calculated properties of every live record: ⌈n/200⌉ searches and ⌈n/100⌉ batch reads.

    Its records hold no more than the id, `updatedAt` and these properties. One that was modified at `high` or later is
    left out: the next run reads it whole, and half of it would say that the other half is as new.
    `oldest` is the `start_date`, below which no record was ever sent.
    """

    api: Api
    paths: Paths
    object: CrmObject
    casts: Casts
    high: datetime
    oldest: datetime | None = None
    page_size: int = 200
    workers: int = 4

    def pages(self, after_id: str | None = None) -> Iterator[Page]:
        """Pages of partial records from after an id; a point is `{"part": "calculated", "after_id": id}`."""
        read = BatchRead(self.api, self.paths.batch_read(self.object.name), self.casts.names)

        def page(stretch: Stretch) -> Page:
            rows = [self._record(raw) for raw in read(stretch.ids).rows if self._is_settled(raw)]
            return ReadyPage(rows, stretch.point and {"part": PART, **stretch.point})

        return in_order(page, self._stretches(after_id), workers=self.workers)

    def _stretches(self, after_id: str | None) -> Iterator[Stretch]:
        search = KeysetSearch(
            self.api,
            self.paths.search(self.object.name),
            Modified(self.object.modified, self.oldest),
            page_size=self.page_size,
            began=self.high,
        )
        return cut(searched_stretches(search, after_id=after_id), MOST_INPUTS)

    def _is_settled(self, raw: Record) -> bool:
        updated = raw.get("updatedAt")
        return updated is None or parse_instant(updated) < self.high

    def _record(self, raw: Record) -> Record:
        properties = self.casts(raw.get("properties") or {})
        return {"id": str(raw["id"]), "updatedAt": raw.get("updatedAt"), "properties": properties}
