"""Rows for which Pipedrive answers a server error, whatever is asked with them: all others are read, and it is said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import RetriesExhaustedError
from tap_pipedrive.exceptions import StandstillError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Row = dict[str, Any]
    Ask = Callable[[str | None, int], tuple[list[Row], str | None]]

__all__ = ["Side", "around"]


@dataclass
class Side:
    """One end of a list by cursor, read towards a row that cannot be read; `ask` gets a cursor and a page's size.

    `within` is among how many of the next rows that one stands, where it is known. Unverified: that a cursor may go on
    with pages of another size.
    """

    ask: Ask
    most: int
    cursor: str | None = None
    within: int | None = None
    is_at_end: bool = False
    next_to: Any = None
    """The id of the last row that was read."""
    _size: int = 1
    _seen: set[str] = field(default_factory=set)

    def pages(self) -> Iterator[list[Row]]:
        """Pages up to that row, or to the end of the list."""
        while not self.is_at_end and self.within != 1:
            rows = self.step(max(self.within // 2, 1) if self.within else self._size)
            if rows is not None:
                self._size = min(2 * self._size, self.most)
                yield rows

    def step(self, size: int) -> list[Row] | None:
        """The next page; None where that row stands on it."""
        try:
            rows, after = self.ask(self.cursor, size)
        except RetriesExhaustedError as error:
            if not error.by_server:
                raise
            self.within = size
            return None
        if after in self._seen:
            raise StandstillError("a list gave a cursor that it had given before; run again later")
        if after is not None:
            self._seen.add(after)
        self.cursor, self.is_at_end = after, after is None
        self.within = None if self.within is None else max(self.within - len(rows), 1)
        self.next_to = rows[-1].get("id") if rows else self.next_to
        return rows


def around(before: Side, behind: Side, error: Exception) -> Iterator[tuple[Side, list[Row]]]:
    """What stands before a row that cannot be read, then what stands behind it, from the other end of the list.

    Raises:
        Exception: `error`, where neither end can be read: then it is the list that is ill, and not a row.
    """
    first = before.step(1)
    last = behind.step(1) if first is None else None
    if first is None and last is None:
        raise error
    for side, rows in ((before, first), (behind, last)):
        if rows is not None:
            yield side, rows
    for side in (before, behind):
        if not before.is_at_end:  # else it can be read after all
            yield from ((side, rows) for rows in side.pages())
