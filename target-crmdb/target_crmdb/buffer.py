"""The rows of one stream that wait for the next commit, in pieces that may each be merged at once, ready for COPY."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import repeat
from operator import lt
from typing import Any

import psycopg
from psycopg.copy import Writer
from typing_extensions import override

from target_crmdb.validation.encoder import EncodedRow
from target_crmdb.validation.values import CopyValue

FULL = ("absent", "extra", "extracted")
"""What only full pieces have in front: places of columns that the record lacks, fields without a column, time read."""

Origin = tuple[int, bytes | str]
"""Where a row came from: the number of its line, and the line."""


@dataclass(frozen=True)
class Piece:
    """Rows in order of arrival, as text for COPY; at most one way of merging them gives the right table.

    `full` says that each row begins with what a plain one does not need (see StagingTable), `careful` that some row
    lacks fields, `is_sorted` that their keys ascend, so that no two rows have one; `version` is that of all the rows'
    messages.
    """

    data: Sequence[bytes | bytearray]
    origins: Sequence[Origin]
    version: int | None
    full: bool
    careful: bool
    is_sorted: bool = False

    def __len__(self) -> int:
        return len(self.origins)

    def part(self, first: int, behind: int) -> "Piece":
        """Give the rows from `first` to before `behind`; in COPY's text form a newline ends a row and nothing else."""
        rows = b"".join(self.data).split(b"\n")[first:behind]
        data = b"".join(row + b"\n" for row in rows)
        return Piece([data], self.origins[first:behind], self.version, self.full, self.careful, self.is_sorted)

    def values(self, number: int) -> list[str | None]:
        """Give one row's values as COPY's text, undone of its escapes, in the plan's order."""
        text = b"".join(self.data).split(b"\n")[number].decode()
        values = text.split("\t")[len(FULL) if self.full else 0 :]
        return [None if value == r"\N" else _unescaped(value) for value in values]


class RowBuffer:
    """Rows in order of arrival, cut into pieces that each may be merged at once.

    Within a piece, rows of one key may differ only by version and order, which the merge tells apart. A row that
    lacks fields, deletes, has no version or fills `_extra` builds on what is stored before it: such a row never
    stands in one piece with another of its key. `keys_are_plain` says that keys that differ here differ in Postgres.
    """

    def __init__(
        self,
        connection: psycopg.Connection[tuple[Any, ...]],
        key_places: Sequence[int],
        *,
        full: bool = False,
        keys_are_plain: bool = False,
    ) -> None:
        self._cursor = psycopg.Cursor(connection)  # never used but for its adapters
        self._key_places = tuple(key_places)
        self._sealed: list[Piece] = []
        self._full = full
        self._keys_are_plain = keys_are_plain
        self._open = self._begin(None)
        self.rows = 0

    def add_plain(
        self,
        rows: Sequence[Sequence[CopyValue]],
        version: int | None,
        extracted: Sequence[str | None],
        origins: Sequence[Origin],
    ) -> int:
        """Append rows that have every field, no extra ones, are alive and have a version.

        `extracted` is when each was read, if that is kept. Gives how many: the first behind them, if there is one, has
        a character that Postgres cannot hold.
        """
        piece = self._open
        keys = self._keys(rows)
        if piece.version != version or (self._key_places and not piece.odd.isdisjoint(keys)):
            piece = self._next(version)
        if self._full:
            rows = [(None, None, moment, *row) for moment, row in zip(extracted or repeat(None), rows, strict=False)]
        return self._write(piece, rows, keys, origins)

    def add(self, encoded: EncodedRow, version: int | None, extracted: str | None, origin: Origin) -> bool:
        """Append any row; False, and nothing is appended, if it has a character that Postgres cannot hold."""
        if encoded.plain:
            return self.add_plain([encoded.values], version, [extracted], [origin]) == 1
        if not self._full:
            self._full = True
            self._next(version)
        keys = self._keys([encoded.values])
        piece = self._open
        if piece.version != version or (self._key_places and (keys[0] in piece.odd or piece.has(keys[0]))):
            piece = self._next(version)
        row = (list(encoded.absent) or None, encoded.extra, extracted, *encoded.values)
        if not self._write(piece, [row], keys, [origin]):
            return False
        piece.odd.add(keys[0])
        piece.careful |= bool(encoded.absent)
        return True

    def _write(
        self, piece: "_OpenPiece", rows: Sequence[Sequence[object]], keys: Sequence[object], origins: Sequence[Origin]
    ) -> int:
        written, write = 0, piece.write
        try:
            for row in rows:
                write(row)
                written += 1
        except psycopg.DataError:  # a NUL
            piece.is_torn = True
        piece.keys += keys[:written]
        piece.origins += origins[:written]
        self.rows += written
        if piece.is_torn:
            self._next(piece.version)
        return written

    def take(self) -> list[Piece]:
        """Hand over all rows, in pieces; none is empty."""
        self._next(None)
        pieces, self._sealed = self._sealed, []
        self.rows = 0
        return pieces

    def _keys(self, rows: Sequence[Sequence[CopyValue]]) -> list[object]:
        if len(self._key_places) == 1:
            place = self._key_places[0]
            return [row[place] for row in rows]
        return [tuple(row[place] for place in self._key_places) for row in rows]

    def _next(self, version: int | None) -> "_OpenPiece":
        if self._open.origins:
            self._sealed.append(self._open.seal())
        self._open = self._begin(version)
        return self._open

    def _begin(self, version: int | None) -> "_OpenPiece":
        return _OpenPiece(self._cursor, version, full=self._full, keys_are_plain=self._keys_are_plain)


class _OpenPiece:
    """A piece that rows are still added to."""

    def __init__(
        self, cursor: psycopg.Cursor[tuple[Any, ...]], version: int | None, *, full: bool, keys_are_plain: bool
    ) -> None:
        self._chunks = _Chunks()
        self._copy = psycopg.Copy(cursor, writer=self._chunks)
        self._full = full
        self._keys_are_plain = keys_are_plain
        self._known: set[object] = set()
        self._counted = 0
        self.write = self._copy.write_row
        self.version = version
        self.careful = False
        self.is_torn = False
        """Whether a row was begun behind the others that could not be written."""
        self.keys: list[Any] = []
        self.odd: set[object] = set()
        self.origins: list[Origin] = []

    def has(self, key: object) -> bool:
        """Tell whether a row of this key is in the piece; the set of keys is made only when an odd row asks."""
        self._known.update(self.keys[self._counted :])
        self._counted = len(self.keys)
        return key in self._known

    def seal(self) -> Piece:
        self._copy.finish(None)
        is_sorted = self._keys_are_plain and all(map(lt, self.keys, self.keys[1:]))
        piece = Piece(self._chunks.parts, self.origins, self.version, self._full, self.careful, is_sorted)
        return piece.part(0, len(piece)) if self.is_torn else piece


@dataclass
class _Chunks(Writer):
    """Keeps what COPY would send."""

    parts: list[bytes | bytearray] = field(default_factory=list)

    @override
    def write(self, data: bytes | bytearray) -> None:  # type: ignore[override]  # what psycopg's formatter gives
        self.parts.append(data)


_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _unescaped(value: str) -> str:
    """Undo COPY's escapes: PostgreSQL manual, COPY, "Text Format"."""
    if "\\" not in value:
        return value
    out, letters = [], iter(value)
    for letter in letters:
        if letter == "\\":
            after = next(letters, "")
            out.append(_ESCAPES.get(after, after))
        else:
            out.append(letter)
    return "".join(out)
