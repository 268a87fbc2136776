"""From a deal's changelog to the time that it spent in each stage. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crmdb_core.instants import parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_pipedrive.changed_deals import Deal

    Record = dict[str, Any]

__all__ = ["numbered", "stays"]

_STAGE = "stage_id"


def numbered(entries: Iterable[Mapping[str, Any]]) -> list[Record]:
    """Entries oldest first, each with its `position` among those of the same field and second.

    Entries have no id; of one second the API gives the later one first, as it does of all.
    """
    oldest_first = [*entries]
    oldest_first.reverse()
    oldest_first.sort(key=lambda entry: str(entry.get("time")))
    counts: dict[tuple[Any, Any], int] = {}
    found = []
    for entry in oldest_first:
        key = (entry.get("field_key"), entry.get("time"))
        counts[key] = counts.get(key, -1) + 1
        found.append({**entry, "position": counts[key]})
    return found


def stays(deal: Deal, entries: Sequence[Mapping[str, Any]]) -> Iterator[Record]:
    """The deal's stays in stages, the first one since it was made; the last one has not ended.

    `entries` are its changes, oldest first; without any of its stage it has been in one alone.
    """
    moves = [entry for entry in entries if entry.get("field_key") == _STAGE and _id(entry.get("new_value"))]
    first = _id(moves[0].get("old_value")) if moves else deal.stage_id
    begins = [(first, deal.add_time), *((_id(each["new_value"]), each.get("time")) for each in moves)]
    if first is None and moves:  # it was made by the first entry
        begins = begins[1:]
    ends = [time for _, time in begins[1:]]
    for position, ((stage, entered), left) in enumerate(zip(begins, [*ends, None], strict=True)):
        yield {
            "deal_id": deal.id,
            "position": position,
            "stage_id": stage,
            "entered_at": entered,
            "left_at": left,
            "seconds": _between(entered, left),
        }


def _between(entered: Any, left: Any) -> int | None:
    if entered is None or left is None:
        return None
    return max((parse_instant(left) - parse_instant(entered)) // timedelta(seconds=1), 0)


def _id(value: Any) -> int | None:
    text = "" if value is None else str(value)
    return int(text) if text.isdecimal() else None
