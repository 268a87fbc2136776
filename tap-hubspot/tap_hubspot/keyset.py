"""Keyset search: every id of a window exactly once, whatever is edited meanwhile and however many share a timestamp.

Each query asks for the ids above the last one returned, so there is no offset to drift and no cap of 10,000 to meet
(vendor page "Search the CRM": 200 results a page, 10,000 a query, one sort).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from typing_extensions import override

from crmdb_core.exceptions import CrmdbError
from crmdb_core.instants import parse_instant, to_millis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    Json = dict[str, Any]

ID = "hs_object_id"


class Api(Protocol):
    """What reading needs of the HTTP session."""

    def get_json(self, path: str, params: Json | None = None, *, bucket: str = "default") -> Any:
        """The parsed answer to a GET."""

    def post_json(self, path: str, body: Json, *, bucket: str = "default") -> Any:
        """The parsed answer to a POST."""


class DecodingApi(Api, Protocol):
    """What reading lists page by page needs of it."""

    @override
    def get_json(
        self,
        path: str,
        params: Json | None = None,
        *,
        bucket: str = "default",
        decode: Callable[[bytes], Any] = ...,
    ) -> Any:
        """What `decode` makes of the answer's body, else the parsed answer."""


class OutOfOrderError(CrmdbError):
    """HubSpot answered ids that repeat or go back: going on could lose records."""


@dataclass(frozen=True)
class Page:
    """Ids as HubSpot returned them, and how many records the query matched in all.

    `is_tail`: HubSpot has no more just now, and everything on the page was created after the reading began.
    """

    ids: tuple[str, ...]
    total: int | None
    is_tail: bool = False


@dataclass(frozen=True)
class Modified:
    """Half-open window `[low, high)` on a modified property; without bounds every record is in it.

    A search by the property leaves out the records that have none, so a full read must not set a bound.
    """

    name: str
    low: datetime | None = None
    high: datetime | None = None

    def filters(self) -> list[Json]:
        """As search filters; instants go out as epoch milliseconds in text, rounded down, so that windows meet."""
        bounds = (("GTE", self.low), ("LT", self.high))
        return [
            {"propertyName": self.name, "operator": operator, "value": str(to_millis(instant))}
            for operator, instant in bounds
            if instant is not None
        ]


class Ascent:
    """Checks that ids strictly ascend, as numbers or as text: whichever order HubSpot uses, an id never comes twice.

    Unverified: whether `hs_object_id` compares as a number or as text. No arithmetic is done on ids, so both work.
    """

    def __init__(self, last: str | None = None) -> None:
        self._last = last
        self._numeric = self._textual = True

    def follow(self, ids: tuple[str, ...]) -> None:
        """Take the next ids.

        Raises:
            OutOfOrderError: if neither order fits all ids so far.
        """
        for this in ids:
            if self._last is not None:
                self._numeric &= _number(self._last) < _number(this)
                self._textual &= self._last < this
            if not (self._numeric or self._textual):
                msg = f"HubSpot's search returned id {this} after {self._last}; run again, and report it if it stays"
                raise OutOfOrderError(msg)
            self._last = this


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else -1


class KeysetSearch:
    """Pages of ids of one object type, ascending.

    `path` is the search endpoint; `page_size` at most 200. `began` is when the reading began: records created since
    are left to the next run once nothing else is left, or an import in progress would keep the reading up for ever.
    """

    def __init__(
        self, api: Api, path: str, window: Modified, *, page_size: int = 200, began: datetime | None = None
    ) -> None:
        self._api = api
        self._path = path
        self._window = window
        self._page_size = page_size
        self._began = began

    def pages(self, after_id: str | None = None) -> Iterator[Page]:
        """Every page after `after_id`, the last id already read, to the end.

        That is an empty page without a `paging.next`, for a short page proves nothing, or a tail.
        """
        ascent = Ascent(after_id)
        while (page := self._first_filled(after_id)).ids:
            ascent.follow(page.ids)
            yield page
            if page.is_tail:
                return
            after_id = page.ids[-1]

    def _first_filled(self, after_id: str | None) -> Page:
        """The page after an id; empty pages that promise more are walked through by their cursor."""
        body = self._query(after_id)
        cursors: set[str] = set()
        while True:
            answer = self._api.post_json(self._path, body, bucket="search")
            rows = answer["results"]
            ids = tuple(str(row["id"]) for row in rows)
            cursor = str((answer.get("paging") or {}).get("next", {}).get("after", ""))
            if ids or not cursor:
                return Page(ids, answer.get("total"), is_tail=not cursor and all(map(self._is_new, rows)))
            if cursor in cursors:
                msg = f"HubSpot's search repeated the cursor {cursor} on empty pages; run again"
                raise OutOfOrderError(msg)
            cursors.add(cursor)
            body = {**body, "after": cursor}

    def _is_new(self, row: Json) -> bool:
        created = row.get("createdAt")
        return self._began is not None and created is not None and parse_instant(created) >= self._began

    def _query(self, after_id: str | None) -> Json:
        filters = self._window.filters()
        if after_id is not None:
            filters.append({"propertyName": ID, "operator": "GT", "value": after_id})
        return {
            # unverified: that a search without any filter returns every record; the first page of a whole read asks so
            "filterGroups": [{"filters": filters}] if filters else [],
            "sorts": [{"propertyName": ID, "direction": "ASCENDING"}],
            "properties": [ID],
            "limit": self._page_size,
        }
