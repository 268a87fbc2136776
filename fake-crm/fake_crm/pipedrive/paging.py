"""The two ways in which lists come: v2's cursors, v1's start and limit."""

from __future__ import annotations

import base64
import json
import threading
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from fake_crm.pipedrive.errors import bad_request
from fake_crm.pipedrive.world import sort_key

if TYPE_CHECKING:
    from collections.abc import Sequence

Json = dict[str, Any]

DEFAULT_LIMIT, MOST_V2 = 100, 500


class Cursors:
    """Cursors as v2 gives them; one that was never given is refused, and so are all after `forget`."""

    def __init__(self) -> None:
        self._given: set[str] = set()
        self._lock = threading.Lock()
        self.pages = 0

    def make(self, sort_by: str, direction: str, row: Json) -> str:
        """The cursor behind a row."""
        place = {"field": sort_by, "fieldValue": row.get(sort_by), "sortDirection": direction, "id": row["id"]}
        text = base64.b64encode(json.dumps(place, separators=(",", ":")).encode()).decode().rstrip("=")
        with self._lock:
            self._given.add(text)
        return text

    def read(self, text: str, sort_by: str, direction: str) -> tuple[Any, Any]:
        """The value and id behind which a page begins."""
        with self._lock:
            known = text in self._given
        if not known:
            raise bad_request("Invalid cursor")
        place = json.loads(base64.b64decode(text + "=" * (-len(text) % 4)))
        if (place["field"], place["sortDirection"]) != (sort_by, direction):
            raise bad_request("The cursor belongs to another sorting")
        return place["fieldValue"], place["id"]

    def forget(self) -> None:
        """Let all cursors be over."""
        with self._lock:
            self._given.clear()


def page_after(rows: Sequence[Json], sort_by: str, direction: str, place: tuple[Any, Any] | None) -> Sequence[Json]:
    """The rows behind a place, in their direction; `rows` ascend."""
    if place is None:
        return rows if direction == "asc" else rows[::-1]
    key = sort_key(sort_by)
    at = key({sort_by: place[0], "id": place[1]})
    behind = bisect_right(rows, at, key=key)
    if direction == "asc":
        return rows[behind:]
    found = behind - 1 if behind and key(rows[behind - 1]) == at else behind
    return rows[:found][::-1]


def v2_limit(text: str | None) -> int:
    """A page's size: 100 unless asked for, 500 at most."""
    if text is None:
        return DEFAULT_LIMIT
    if not text.isdecimal() or int(text) < 1:
        raise bad_request("limit must be a positive number")
    return min(int(text), MOST_V2)


def v1_page(rows: Sequence[Json], start: str | None, limit: str | None, most: int) -> tuple[Sequence[Json], Json]:
    """A page by start and limit, and its `pagination`."""
    if any(text is not None and not text.isdecimal() for text in (start, limit)):
        raise bad_request("start and limit must be numbers")
    begin, size = int(start or 0), min(int(limit or DEFAULT_LIMIT), most)
    more = begin + size < len(rows)
    told = {"start": begin, "limit": size, "more_items_in_collection": more}
    return rows[begin : begin + size], {**told, "next_start": begin + size} if more else told
