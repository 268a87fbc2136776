"""The rows of one stream that wait for the next commit, in pieces that may each be merged at once, ready for COPY."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.copy import Writer
from typing_extensions import override

from target_crmdb.validation.encoder import EncodedRow
from target_crmdb.validation.values import CopyValue

Key = tuple[CopyValue, ...]
FULL = ("absent", "extra", "extracted")
"""What only full pieces have in front: places of columns that the record lacks, fields without a column, time read."""

Origin = tuple[int, bytes | str]
"""Where a row came from: the number of its line, and the line."""


@dataclass(frozen=True)
class Piece:
    """Rows in order of arrival, as text for COPY; at most one way of merging them gives the right table.

    `full` says that each row begins with what a plain one does not need (see StagingTable), `careful` that some row
    lacks fields; `version` is that of all the rows' messages.
    """

    data: Sequence[bytes | bytearray]
    origins: Sequence[Origin]
    version: int | None
    full: bool
    careful: bool

    def __len__(self) -> int:
        return len(self.origins)

    def part(self, first: int, behind: int) -> "Piece":
        """Give the rows from `first` to before `behind`; in COPY's text form a newline ends a row and nothing else."""
        rows = b"".join(self.data).split(b"\n")[first:behind]
        data = b"".join(row + b"\n" for row in rows)
        return Piece([data], self.origins[first:behind], self.version, self.full, self.careful)

    def values(self, number: int) -> list[str | None]:
        """Give one row's values as COPY's text, undone of its escapes, in the plan's order."""
        text = b"".join(self.data).split(b"\n")[number].decode()
        values = text.split("\t")[len(FULL) if self.full else 0 :]
        return [None if value == r"\N" else _unescaped(value) for value in values]


class RowBuffer:
    """Rows in order of arrival, cut into pieces that each may be merged at once.

    Within a piece, rows of one key may differ only by version and order, which the merge tells apart. A row that
    lacks fields, deletes, has no version or fills `_extra` builds on what is stored before it: such a row never
    stands in one piece with another of its key.
    """

    def __init__(
        self, connection: psycopg.Connection[tuple[Any, ...]], key_places: Sequence[int], *, full: bool = False
    ) -> None:
        self._cursor = psycopg.Cursor(connection)  # never used but for its adapters
        self._key_places = tuple(key_places)
        self._sealed: list[Piece] = []
        self._full = full
        self._open = self._begin(None)
        self.rows = 0

    def add_plain(self, row: Sequence[CopyValue], version: int | None, extracted: str | None, origin: Origin) -> bool:
        """Append a row that has every field, no extra ones, is alive and has a version.

        False, and nothing is appended, if it has a character that Postgres cannot hold.
        """
        piece = self._open
        key = row[self._key_places[0]] if len(self._key_places) == 1 else self._key(row)
        if piece.version != version or (self._key_places and key in piece.odd):
            piece = self._next(version)
        return self._write(piece, (None, None, extracted, *row) if self._full else row, key, origin)

    def add(self, encoded: EncodedRow, version: int | None, extracted: str | None, origin: Origin) -> bool:
        """Append any row; False, as for `add_plain`."""
        if encoded.plain:
            return self.add_plain(encoded.values, version, extracted, origin)
        if not self._full:
            self._full = True
            self._next(version)
        key = encoded.values[self._key_places[0]] if len(self._key_places) == 1 else self._key(encoded.values)
        piece = self._open
        if piece.version != version or (self._key_places and (key in piece.odd or piece.has(key))):
            piece = self._next(version)
        row = (list(encoded.absent) or None, encoded.extra, extracted, *encoded.values)
        if not self._write(piece, row, key, origin):
            return False
        piece.odd.add(key)
        piece.careful |= bool(encoded.absent)
        return True

    def _write(self, piece: "_OpenPiece", row: Sequence[object], key: object, origin: Origin) -> bool:
        try:
            piece.write(row)
        except psycopg.DataError:  # a NUL
            piece.is_torn = True
            self._next(piece.version)
            return False
        piece.keys.append(key)
        piece.origins.append(origin)
        self.rows += 1
        return True

    def take(self) -> list[Piece]:
        """Hand over all rows, in pieces; none is empty."""
        self._next(None)
        pieces, self._sealed = self._sealed, []
        self.rows = 0
        return pieces

    def _key(self, row: Sequence[CopyValue]) -> Key:
        return tuple(row[place] for place in self._key_places)

    def _next(self, version: int | None) -> "_OpenPiece":
        if self._open.origins:
            self._sealed.append(self._open.seal())
        self._open = self._begin(version)
        return self._open

    def _begin(self, version: int | None) -> "_OpenPiece":
        return _OpenPiece(self._cursor, version, full=self._full)


class _OpenPiece:
    """A piece that rows are still added to."""

    def __init__(self, cursor: psycopg.Cursor[tuple[Any, ...]], version: int | None, *, full: bool) -> None:
        self._chunks = _Chunks()
        self._copy = psycopg.Copy(cursor, writer=self._chunks)
        self._full = full
        self._known: set[object] = set()
        self.write = self._copy.write_row
        self.version = version
        self.careful = False
        self.is_torn = False
        """Whether a row was begun behind the others that could not be written."""
        self.keys: list[object] = []
        self.odd: set[object] = set()
        self.origins: list[Origin] = []

    def has(self, key: object) -> bool:
        """Tell whether a row of this key is in the piece; the set of keys is made only when an odd row asks."""
        self._known.update(self.keys)
        self.keys.clear()
        return key in self._known

    def seal(self) -> Piece:
        self._copy.finish(None)
        piece = Piece(self._chunks.parts, self.origins, self.version, self._full, self.careful)
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
