"""A page of a list as it came: its ids and its cursor are known, its values are parsed when they are asked for.

Pages wait for their turn, often many of them: so they take a third of the memory, and what parses and casts them does
not hold up the calls that are still to be made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from typing_extensions import override

from crmdb_core.answers import decode_json
from tap_hubspot.chains import ListPage
from tap_hubspot.listing import next_cursor

if TYPE_CHECKING:
    from collections.abc import Iterator

    Json = dict[str, Any]


class _Row(msgspec.Struct):
    id: str | int


class _Head(msgspec.Struct):
    results: list[_Row]
    paging: dict[str, Any] | None = None


_DECODER = msgspec.json.Decoder(_Head)


class UnreadRows(Sequence[Any]):
    """The first so many rows of a body, parsed anew each time that they are gone through."""

    def __init__(self, body: bytes, number: int) -> None:
        self._body = body
        self._number = number

    @property
    def unread_bytes(self) -> int:
        """How much memory they take."""
        return len(self._body)

    @override
    def __len__(self) -> int:
        return self._number

    @override
    def __iter__(self) -> Iterator[Json]:
        return iter(self._parsed())

    @override
    def __getitem__(self, place: Any) -> Any:
        return self._parsed()[place]

    def first(self, number: int) -> UnreadRows:
        """The first of them, still unread."""
        return UnreadRows(self._body, number)

    def _parsed(self) -> list[Json]:
        rows: list[Json] = decode_json(self._body)["results"]
        return rows[: self._number]


@dataclass(frozen=True)
class UnreadPage(ListPage):
    """A page all of whose rows are unread."""

    rows: UnreadRows

    @override
    def rows_before(self, place: int) -> UnreadRows:
        return self.rows.first(place)


def read_page(body: bytes) -> ListPage:
    """The page of a body; raises ValueError for a broken one."""
    try:
        head = _DECODER.decode(body)
        body.decode()  # all that is skipped was checked, but not this
    except ValueError:  # stricter than JSON
        answer = decode_json(body)
        rows = tuple(answer["results"])
        return ListPage(tuple(str(row["id"]) for row in rows), rows, next_cursor(answer))
    ids = tuple(str(row.id) for row in head.results)
    return UnreadPage(ids, UnreadRows(body, len(ids)), next_cursor({"paging": head.paging}))
