"""Start points for reading a long list side by side, found by a few searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_hubspot.keyset import ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_hubspot.keyset import Api

    Json = dict[str, Any]

SHORTEST, LONGEST = 1000, 5000  # records between two start points; a search reaches 10,000 at most


class StartPoints:
    """Ids at about equal distances; `workers` chains are to be kept busy.

    The search tells the highest id and every 5,000th (it reaches 10,000 places at most); between two of them ids are
    taken to lie evenly. Its index trails behind and may order otherwise than the list, and ids may lie in heaps: that
    costs speed only (see `chains`). `on_total` is told how many records there are from the beginning on.
    """

    def __init__(self, api: Api, path: str, *, workers: int, on_total: Callable[[int], Any]) -> None:
        self._api = api
        self._path = path
        self._workers = workers
        self._on_total = on_total
        self._highest: str | None = None

    def highest(self) -> str | None:
        """The highest id, once the search was asked for it."""
        return self._highest

    def __call__(self, after: str | None, seen: int) -> Iterator[str]:
        """Start points behind an id, to the end; `seen` records were read up to it."""
        highest = self._search(after, direction="DESCENDING")
        self._highest = _first_id(highest)
        total = int(highest.get("total") or 0)
        self._on_total(total + seen)
        distance = distance_of(total, self._workers)
        low, rest = after, total
        for _ in range(LONGEST, total, LONGEST):
            high = _first_id(self._search(low, LONGEST - 1))
            if high is None:
                return
            yield from _between(low, high, LONGEST // distance)
            yield high
            low, rest = high, rest - LONGEST
        yield from _between(low, self._highest, rest // distance)

    def _search(self, after: str | None, offset: int = 0, direction: str = "ASCENDING") -> Json:
        """One id, `offset` places behind `after`."""
        filters = [] if after is None else [{"propertyName": ID, "operator": "GT", "value": after}]
        body: Json = {
            "filterGroups": [{"filters": filters}] if filters else [],
            "sorts": [{"propertyName": ID, "direction": direction}],
            "properties": [ID],
            "limit": 1,
        }
        if offset:
            body["after"] = str(offset)
        answer: Json = self._api.post_json(self._path, body, bucket="search")
        return answer


def _first_id(answer: Json) -> str | None:
    return str(answer["results"][0]["id"]) if answer["results"] else None


def _between(low: str | None, high: str | None, parts: int) -> Iterator[str]:
    """Ids, there or not, that part a stretch evenly."""
    if low is None or high is None or not (low.isdecimal() and high.isdecimal()):
        return
    first, span = int(low), int(high) - int(low)
    for part in range(1, parts):
        yield str(first + span * part // parts)


def distance_of(total: int, workers: int) -> int:
    """How many records lie between two start points."""
    return min(max(total // (2 * workers), SHORTEST), LONGEST)


def searches_of(total: int) -> int:
    """How many searches the start points take."""
    return 1 + len(range(LONGEST, total, LONGEST))
