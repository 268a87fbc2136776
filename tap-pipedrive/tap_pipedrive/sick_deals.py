"""Deals of which Pipedrive answers a server error for what hangs on them: others are read, these are tried again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import RetriesExhaustedError
from tap_pipedrive.changed_deals import Deal
from tap_pipedrive.exceptions import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Record = dict[str, Any]

__all__ = ["Found", "from_state", "read_around", "to_state", "unreadable"]

_MOST_OF_A_GROUP = 5  # with more of them it is Pipedrive that is ill, and not a deal


@dataclass(frozen=True)
class Found:
    """The rows of a group of deals, and the deals that could not be read, with what they were answered."""

    rows: Sequence[Record]
    sick: Sequence[tuple[Deal, Exception]] = ()


def read_around(rows_of: Callable[[Sequence[Deal]], list[Record]], deals: Sequence[Deal]) -> Found:
    """The rows of a group; one that stays a server error is read in halves, until the deals that make it so are found.

    Raises:
        RetriesExhaustedError: where neither the first nor the last deal can be read, nor many others of the group.
    """
    try:
        return Found(rows_of(deals))
    except RetriesExhaustedError as error:
        if not error.by_server:
            raise
        if len(deals) == 1:
            return Found((), [(deals[0], error)])
        if all(read_around(rows_of, [deal]).sick for deal in (deals[0], deals[-1])):
            raise
        found = _in_halves(rows_of, deals)
        if len(found.sick) > _MOST_OF_A_GROUP:
            raise
        return found


def _in_halves(rows_of: Callable[[Sequence[Deal]], list[Record]], deals: Sequence[Deal]) -> Found:
    half = len(deals) // 2
    parts = [_part(rows_of, part) for part in (deals[:half], deals[half:])]
    return Found([row for each in parts for row in each.rows], [one for each in parts for one in each.sick])


def _part(rows_of: Callable[[Sequence[Deal]], list[Record]], deals: Sequence[Deal]) -> Found:
    try:
        return Found(rows_of(deals))
    except RetriesExhaustedError as error:
        if not error.by_server:
            raise
        return Found((), [(deals[0], error)]) if len(deals) == 1 else _in_halves(rows_of, deals)


def unreadable(deals: Iterable[Deal]) -> UnreadableError:
    """What is said of them."""
    ids = sorted(deal.id for deal in deals)
    return UnreadableError(
        f"Pipedrive answers a server error for {len(ids)} deals, among them {', '.join(map(str, ids[:5]))}; what "
        "hangs on all others was read; the next run asks for these again"
    )


def to_state(deals: Iterable[Deal]) -> list[Record]:
    """Deals as STATE keeps them."""
    return [asdict(deal) for deal in deals]


def from_state(kept: Any) -> dict[int, Deal]:
    """Deals by id as STATE kept them; what is none is left out."""
    names = frozenset(Deal.__dataclass_fields__)
    rows = kept if isinstance(kept, list) else ()
    deals = (Deal(**{**row, "counts": tuple(row["counts"])}) for row in rows if _is_deal(row, names))
    return {deal.id: deal for deal in deals}


def _is_deal(row: Any, names: frozenset[str]) -> bool:
    return (
        isinstance(row, dict) and row.keys() == names and isinstance(row["id"], int) and isinstance(row["counts"], list)
    )
