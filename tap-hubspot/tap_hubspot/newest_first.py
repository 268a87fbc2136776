"""Logs that HubSpot gives from the newest entry back (the legacy email APIs), read so that a killed run can go on."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import ApiError, CrmdbError
from crmdb_core.instants import to_millis
from crmdb_core.stream import Page
from tap_hubspot.listing import BAD_REQUEST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tap_hubspot.keyset import Api

    Json = dict[str, Any]

MOST_A_PAGE = 1000  # vendor page "Get email events"


class EndlessLogError(CrmdbError):
    """A log that answered an offset a second time would never end."""


@dataclass(frozen=True)
class Log:
    """One such endpoint: where it is, the field of its rows, and the field of a row that tells its time."""

    path: str
    rows: str
    time: str


@dataclass
class NewestFirst:
    """Reads the entries of `[low, high)`; None as `low` leaves that side open.

    Both of HubSpot's bounds belong to the range, to the millisecond. Its `offset` is opaque and short-lived (vendor
    page "Get email events"), so a run that was killed, or whose offset is refused, goes on by time: at the oldest entry
    so far, entries of that millisecond included. If entries should ever come out of order, points say to begin again.
    """

    api: Api
    log: Log
    low: datetime | None
    high: datetime
    _oldest: int | None = None
    _at_oldest: Counter[str] = field(default_factory=Counter)
    _again: Counter[str] = field(default_factory=Counter)
    _in_order: bool = True

    def pages(self, until: int | None = None) -> Iterator[Page]:
        """Every page; `until` is that of an earlier page's point."""
        self._oldest = until
        query: Json = {"limit": MOST_A_PAGE, "endTimestamp": to_millis(self.high) - 1 if until is None else until}
        if self.low is not None:
            query["startTimestamp"] = to_millis(self.low)
            if query["startTimestamp"] > query["endTimestamp"]:
                return
        offsets: set[str] = set()
        while True:
            answer = self._answer(query)
            rows = self._new(answer[self.log.rows])
            self._follow(rows)
            yield Page(rows, {"until": self._oldest if self._in_order else None})
            if not answer["hasMore"]:
                return
            query["offset"] = str(answer["offset"])
            if query["offset"] in offsets:
                msg = f"HubSpot repeated an offset of {self.log.path}; run again"
                raise EndlessLogError(msg)
            offsets.add(query["offset"])

    def _answer(self, query: Json) -> Json:
        """The next page; by time instead of a refused offset, which is taken out of the query."""
        try:
            answer: Json = self.api.get_json(self.log.path, query)
        except ApiError as error:
            if error.status != BAD_REQUEST or "offset" not in query or not self._in_order or self._oldest is None:
                raise
            if query["endTimestamp"] == self._oldest:  # more of one millisecond than a page holds: there is no way past
                raise
            del query["offset"]
            query["endTimestamp"] = self._oldest
            self._again = Counter(self._at_oldest)
            answer = self.api.get_json(self.log.path, query)
        return answer

    def _new(self, rows: list[Json]) -> list[Json]:
        """The rows without those that were given already before an offset was refused."""
        if not self._again:
            return rows
        new = []
        for row in rows:
            key = _content(row)
            if self._again[key] > 0:
                self._again[key] -= 1
            else:
                new.append(row)
        return new

    def _follow(self, rows: list[Json]) -> None:
        """Note the oldest time, which rows are of it, and whether the order held."""
        for row in rows:
            time = int(row[self.log.time])
            if self._oldest is not None and time > self._oldest:
                self._in_order = False
            if self._oldest is None or time < self._oldest:
                self._oldest = time
                self._at_oldest.clear()
            if time == self._oldest:
                self._at_oldest[_content(row)] += 1


def _content(row: Json) -> str:
    return json.dumps(row, sort_keys=True, default=str)
