"""Start points for reading a long list side by side: every so many records one, asked of the search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_hubspot.keyset import ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_hubspot.keyset import Api

    Json = dict[str, Any]

SHORTEST, LONGEST = 1000, 5000  # records between two start points; a search reaches 10,000 at most


class StartPoints:
    """Ids at equal distances in the order of the search, one search each; `workers` chains are to be kept busy.

    The search index trails behind and may order otherwise than the list: that costs speed only (see `chains`).
    `on_total` is told how many records there are behind the cursor.
    """

    def __init__(self, api: Api, path: str, *, workers: int, on_total: Callable[[int], Any]) -> None:
        self._api = api
        self._path = path
        self._workers = workers
        self._on_total = on_total

    def __call__(self, after: str | None) -> Iterator[str]:
        """Start points behind a cursor, to the end."""
        total = int(self._search(after, 0).get("total") or 0)
        self._on_total(total)
        distance = distance_of(total, self._workers)
        for _ in range(distance, total, distance):
            rows = self._search(after, distance - 1)["results"]
            if not rows:
                return
            after = str(rows[0]["id"])
            yield after

    def _search(self, after: str | None, offset: int) -> Json:
        """One id, `offset` places behind `after`."""
        # a cursor is the id of the next record, so that one counts
        filters = [] if after is None else [{"propertyName": ID, "operator": "GT", "value": after}]
        body: Json = {
            "filterGroups": [{"filters": filters}] if filters else [],
            "sorts": [{"propertyName": ID, "direction": "ASCENDING"}],
            "properties": [ID],
            "limit": 1,
        }
        if offset:
            body["after"] = str(offset)
        answer: Json = self._api.post_json(self._path, body, bucket="search")
        return answer


def distance_of(total: int, workers: int) -> int:
    """How many records lie between two start points."""
    return min(max(total // (2 * workers), SHORTEST), LONGEST)
