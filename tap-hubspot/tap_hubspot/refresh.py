"""Calculated properties change without moving a record's modified date: all of them are read again now and then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crmdb_core.instants import parse_instant
from tap_hubspot.ready import ReadyPage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from crmdb_core.stream import Page
    from tap_hubspot.casting import Casts
    from tap_hubspot.reading import ObjectReader

    Record = dict[str, Any]

POINT = "calculated"


@dataclass(frozen=True)
class CalculatedRefresh:
    """Reads the calculated properties of every live record: ⌈n/100⌉ lists, and as many batch reads if they are many.

    `reader` is one of these properties only. The records hold no more than the id, `updatedAt` and the properties. One
    that was modified at `high` or later is left out: the next run reads it whole, and half of it would say that the
    other half is as new. Nothing modified before `oldest` (the `start_date`) was ever sent, so it is left out too.
    """

    reader: ObjectReader
    casts: Casts
    high: datetime
    oldest: datetime | None = None

    def pages(self, point: Mapping[str, Any] | None = None) -> Iterator[Page]:
        """Pages of partial records; a point is `{"calculated": where the reader stands}`."""
        for page in self.reader.whole(point and point[POINT]):
            rows = [self._record(raw) for raw in page.rows if self._is_due(raw)]
            yield ReadyPage(rows, None if page.point is None else {POINT: page.point})

    def _is_due(self, raw: Record) -> bool:
        updated = raw.get("updatedAt")
        if updated is None:
            return self.oldest is None
        instant = parse_instant(updated)
        return instant < self.high and (self.oldest is None or instant >= self.oldest)

    def _record(self, raw: Record) -> Record:
        properties = self.casts(raw.get("properties") or {})
        return {"id": str(raw["id"]), "updatedAt": raw.get("updatedAt"), "properties": properties}
