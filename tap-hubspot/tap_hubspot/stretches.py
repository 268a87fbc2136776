"""Runs of ids as long as one call takes, each with the point from which the reading goes on behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_hubspot.listing import RepeatedCursorError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_hubspot.keyset import Api, KeysetSearch

    Json = dict[str, Any]

_A_PAGE = 100  # vendor page "Using object APIs"


@dataclass(frozen=True)
class Stretch:
    """Ids, and where to go on behind them (None: that is not known, or nothing comes behind)."""

    ids: tuple[str, ...]
    point: Json | None = None


def listed_stretches(api: Api, path: str, *, after: str | None = None) -> Iterator[Stretch]:
    """Ids of all live records of an object type by its list, 100 a call; a point is `{"after": cursor}`.

    The list needs no index: it shows a record at once, and does not count against the searches of the account.

    Raises:
        RepeatedCursorError: if a page points to itself or back.
    """
    seen: set[str] = set()
    while True:
        query = {"archived": "false", "limit": _A_PAGE, "properties": "hs_object_id"}
        answer = api.get_json(path, query if after is None else {**query, "after": after})
        after = str((answer.get("paging") or {}).get("next", {}).get("after", "")) or None
        ids = tuple(str(row["id"]) for row in answer["results"])
        yield Stretch(ids, None if after is None else {"after": after})
        if after is None:
            return
        if after in seen:
            msg = f"HubSpot repeated the cursor {after} of {path}; run again"
            raise RepeatedCursorError(msg)
        seen.add(after)


def searched_stretches(search: KeysetSearch, *, after_id: str | None = None) -> Iterator[Stretch]:
    """Ids that a search finds; a point is `{"after_id": id}`."""
    for page in search.pages(after_id):
        yield Stretch(page.ids, {"after_id": page.ids[-1]})


def joined(stretches: Iterable[Stretch], most: int) -> Iterator[Stretch]:
    """The same ids in stretches of up to `most`, which is at least the length of each that comes in."""
    ids: tuple[str, ...] = ()
    point = None
    for each in stretches:
        if ids and len(ids) + len(each.ids) > most:
            yield Stretch(ids, point)
            ids = ()
        ids += each.ids
        point = each.point
    if ids:
        yield Stretch(ids, point)


def cut(stretches: Iterable[Stretch], most: int) -> Iterator[Stretch]:
    """The same ids in stretches of up to `most`; only the last piece of one has its point."""
    for each in stretches:
        for start in range(0, len(each.ids), most):
            ids = each.ids[start : start + most]
            is_last = start + most >= len(each.ids)
            yield Stretch(ids, each.point if is_last else None)
