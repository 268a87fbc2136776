"""Whether an object type may be read, and what that would cost: found out by one call for one record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from crmdb_core.forecast import Forecast
from tap_hubspot.keyset import ID
from tap_hubspot.reading import LONGEST_QUERY, ROWS_A_LIST
from tap_hubspot.starts import distance_of, searches_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_hubspot.keyset import Api
    from tap_hubspot.reading import ObjectReader

    Json = dict[str, Any]

__all__ = [
    "calls_of_lists",
    "chains_of",
    "count",
    "goes_on_after",
    "of_delta",
    "of_reader",
    "of_whole",
    "pages_of",
    "touch",
]

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


def of_reader(reader: ObjectReader, records: int, *, is_whole: bool) -> Forecast:
    """What it costs to read so many live records, all there are or those that changed, and the recycle bin."""
    if not is_whole:
        return of_delta(records, page_size=reader.page_size)
    query = len(reader.paths.objects(reader.object.path)) + len(quote(",".join(reader.properties)))
    return of_whole(
        records,
        chains=chains_of(records, reader.workers) if reader.parallel else 1,
        calls_a_page=1 if query <= LONGEST_QUERY else 2,
    )


def of_whole(records: int, *, chains: int = 1, calls_a_page: int = 1) -> Forecast:
    """A whole read: list pages of 100, and where it goes by several chains a search and a page shared for each.

    `calls_a_page` is 2 where the properties' names do not fit into a URL. Archived records take a list of their own,
    whose length nothing tells before.
    """
    calls = calls_of_lists(records, chains=chains, calls_a_page=calls_a_page)
    return Forecast(records, {**calls, "default": calls["default"] + _ARCHIVED + _SCHEMA})


def calls_of_lists(records: int, *, chains: int = 1, calls_a_page: int = 1) -> dict[str, int]:
    """The calls, by bucket, of listing so many live records."""
    searches = {"search": searches_of(records)} if chains > 1 else {}
    pages = max(pages_of(records, ROWS_A_LIST), 1) + chains - 1
    return {**searches, "default": pages * calls_a_page}


def of_delta(records: int, *, page_size: int) -> Forecast:
    """A delta: searches to an empty page, batch reads of what they found, and the recycle bin."""
    return Forecast(
        records,
        {"search": pages_of(records, page_size) + 1, "default": pages_of(records, _A_BATCH) + _ARCHIVED + _SCHEMA},
    )


def chains_of(records: int, workers: int) -> int:
    """Into how many chains a whole read is split; the one search that tells the total is counted as one."""
    if workers == 1 or records <= ROWS_A_LIST:
        return 1
    return 1 + len(range(distance_of(records, workers), records, distance_of(records, workers)))


def goes_on_after(point: Mapping[str, Any] | None) -> str | None:
    """The id after which a read that was cut goes on, as its STATE has it; of several chains the first one's."""
    if not point:
        return None
    chains = point.get("chains")
    after = chains[0][0] if chains else point.get("after_id")
    return None if after is None else str(after)


def pages_of(records: int, size: int) -> int:
    """How many calls take so many records, `size` at most each."""
    return -(-records // size)
