"""Whether an object type may be read, and what that would cost: found out by one call for one record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmdb_core.forecast import Forecast
from tap_hubspot.keyset import ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_hubspot.keyset import Api

    Json = dict[str, Any]

__all__ = ["count", "of_delta", "of_whole", "touch"]

_A_LIST_PAGE = 100
_A_BATCH = 100
_SCHEMA, _ARCHIVED = 1, 1


def touch(api: Api, list_path: str) -> None:
    """The cheapest call that reads an object type; it needs the scope of all others, and is no search (5 a second)."""
    api.get_json(list_path, {"limit": 1, "properties": ID})


def count(api: Api, search_path: str, filters: Sequence[Json] = (), *, after_id: str | None = None) -> int | None:
    """How many records a search matches, those above an id only if one is given; the cheapest call that tells."""
    above = [] if after_id is None else [{"propertyName": ID, "operator": "GT", "value": after_id}]
    every = [*filters, *above]
    body = {"filterGroups": [{"filters": every}] if every else [], "properties": [ID], "limit": 1}
    total = api.post_json(search_path, body, bucket="search").get("total")
    return None if total is None else int(total)


def of_whole(records: int) -> Forecast:
    """A whole read: list pages. Archived records take a list of their own, whose length nothing tells before."""
    return Forecast(records, {"default": max(_pages(records, _A_LIST_PAGE), 1) + _ARCHIVED + _SCHEMA})


def of_delta(records: int, *, page_size: int) -> Forecast:
    """A delta: searches to an empty page, batch reads of what they found, and the recycle bin."""
    return Forecast(
        records,
        {"search": _pages(records, page_size) + 1, "default": _pages(records, _A_BATCH) + _ARCHIVED + _SCHEMA},
    )


def _pages(records: int, size: int) -> int:
    return -(-records // size)
