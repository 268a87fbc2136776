"""The rows of one object: those that were written, before them any number that are made up when they are looked at."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.values import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fake_crm.salesforce.values import Row


@dataclass(frozen=True)
class MadeUp:
    """`count` rows that exist only as a function of their place, so that a million takes no memory.

    `at` gives the row of a place, always the same; `glance` one that works out only what is asked of it, to be looked
    at and forgotten; `place` the place of an id, or None for another's id.
    """

    count: int
    at: Callable[[int], Row]
    glance: Callable[[int], Row]
    place: Callable[[str], int | None]


class Picked:
    """Rows that a query found; those that are made up are kept as places only."""

    def __init__(self, made: MadeUp | None, places: array[int], rows: list[Row]) -> None:
        self._made = made
        self._places = places
        self._rows = rows

    def __len__(self) -> int:
        return len(self._places) + len(self._rows)

    def part(self, start: int, stop: int) -> Iterator[Row]:
        """The rows from one position to another."""
        made = len(self._places)
        if self._made:
            glance = self._made.glance
            for place in self._places[start:stop]:
                yield glance(place)
        yield from self._rows[max(0, start - made) : max(0, stop - made)]

    def __iter__(self) -> Iterator[Row]:
        return self.part(0, len(self))

    def ordered(self, keys: Sequence[tuple[Callable[[Row], Any], bool]]) -> Picked:
        """The rows by several keys, the weightiest first; True turns one around."""
        if not keys:
            return self
        order = list(range(len(self)))
        for key, reverse in reversed(keys):
            values = [key(row) for row in self]
            order.sort(key=values.__getitem__, reverse=reverse)
        return self.arranged(order)

    def arranged(self, order: Sequence[int]) -> Picked:
        """The rows in this order, or only some of them."""
        made = len(self._places)
        if not made:
            return Picked(None, array("I"), [self._rows[position] for position in order])
        assert self._made is not None
        glance, extra = self._made.glance, self._rows
        count = self._made.count

        def row_at(place: int) -> Row:
            return glance(place) if place < count else extra[place - count]

        places = array("I", (self._places[each] if each < made else count + each - made for each in order))
        return Picked(MadeUp(count + len(extra), row_at, row_at, self._made.place), places, [])

    def cut(self, start: int, most: int | None) -> Picked:
        """The rows from a position, at most so many."""
        stop = len(self) if most is None else start + most
        if start == 0 and stop >= len(self):
            return self
        made = len(self._places)
        rows = self._rows[max(0, start - made) : max(0, stop - made)]
        return Picked(self._made, self._places[start:stop], rows)


class Table:
    """Rows by id. A row is never changed in place: whoever holds one keeps what it was."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._made: MadeUp | None = None
        self._hidden: set[str] = set()  # made-up rows that were written anew, or removed
        self._away: set[str] = set()  # deleted or archived ones
        self.number = 0  # of the record that was made last
        self.edits = 0  # how often anything changed

    def stretch(self, made: MadeUp) -> None:
        """Put made-up rows in; once, and before any was written."""
        if self._rows or self._made:
            raise ValueError("rows can be made up only where there are none")
        self._made = made
        self.number = made.count
        self.edits += 1

    def get(self, key: str) -> Row | None:
        """One row."""
        found = self._rows.get(key)
        if found is not None or self._made is None or key in self._hidden:
            return found
        place = self._made.place(key)
        return None if place is None else self._made.at(place)

    def put(self, row: Row) -> None:
        """Add a row, or put it in the place of the one with its id."""
        key = key_of(row)
        if self._made and key not in self._rows and self._made.place(key) is not None:
            self._hidden.add(key)
        self._rows[key] = row
        if row.get("IsDeleted") or row.get("IsArchived"):
            self._away.add(key)
        else:
            self._away.discard(key)
        self.edits += 1

    def drop(self, key: str) -> None:
        """Remove a row."""
        if self._rows.pop(key, None) is None or (self._made and self._made.place(key) is not None):
            self._hidden.add(key)
        self._away.discard(key)
        self.edits += 1

    def scan(self) -> Iterator[Row]:
        """All rows."""
        if self._made:
            at, hidden = self._made.at, self._hidden
            for place in range(self._made.count):
                row = at(place)
                if not hidden or key_of(row) not in hidden:
                    yield row
        yield from list(self._rows.values())

    def pick(self, wanted: Callable[[Row], bool] | None) -> Picked:
        """The rows that are wanted, as they are now; None wants all."""
        rows = list(self._rows.values())
        return Picked(
            self._made, self._places(wanted), rows if wanted is None else [row for row in rows if wanted(row)]
        )

    def _places(self, wanted: Callable[[Row], bool] | None) -> array[int]:
        if self._made is None:
            return array("I")
        glance, hidden = self._made.glance, self._hidden
        places: Sequence[int] = range(self._made.count)
        if hidden:
            places = [place for place in places if key_of(glance(place)) not in hidden]
        return array("I", places if wanted is None else (place for place in places if wanted(glance(place))))

    @property
    def streams(self) -> bool:
        """Whether its rows are made up when they are looked at, so that nobody should hold them all."""
        return self._made is not None

    def __len__(self) -> int:
        made = self._made.count if self._made else 0
        return made - len(self._hidden) + len(self._rows)

    @property
    def live(self) -> int:
        """How many rows are neither deleted nor archived."""
        return len(self) - len(self._away)
