"""Cells to values: ragged rows, nulls, types, bad bytes, each by its policy; what is refused says line and reason."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from tap_csv_github.reading.rows import BadLine, Even

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_csv_github.entries import Reading
    from tap_csv_github.reading.rows import Block
    from tap_csv_github.reading.tables import Table
    from tap_csv_github.reading.values import Kind

__all__ = ["Reject", "Row", "Shaper"]

_ESCAPED = re.compile("[\ud800-\udfff]")
_ENCODER = msgspec.json.Encoder(enc_hook=str, decimal_format="number")


@dataclass(frozen=True)
class Reject:
    """A row that is left out, and why; `cells` or `text` are what it is."""

    line: int
    reason: str
    raw: str


Row = tuple[int, int, Sequence[Any], bytes, "list[str] | None"]
"""A row as it goes out: its line, its number, its values, the same as a JSON object, its extra cells."""


class _WidenedError(Exception):
    """A column has become text in the middle of a block."""


@dataclass
class Shaper:
    """Makes rows of the blocks of one table.

    `kinds` are the types of its columns that are no text; `widen(name)` is asked when a value does not fit a type that
    was inferred, and makes the column text from then on.
    """

    table: Table
    reading: Reading
    kinds: Mapping[str, Kind]
    widen: Callable[[str], None]
    chosen: Sequence[int] | None = None
    keys: Sequence[str] = ()
    count: int = 0
    mended: int = 0
    _casts: list[tuple[int, str, Callable[[str], Any]]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        """Look up what each column needs."""
        names = self.table.names
        self._width = len(names)
        self._keys_at = [names.index(name) for name in self.keys]
        self.names = names if self.chosen is None else tuple(names[at] for at in self.chosen)
        pairs = ((at, name, self.kinds.get(name)) for at, name in enumerate(names))
        self._casts = [(at, name, kind.cast) for at, name, kind in pairs if kind is not None and kind.cast is not None]

    def shape(self, block: Block) -> tuple[list[Row], list[Reject]]:
        """The rows of a block, and those that are refused."""
        count, mended = self.count, self.mended
        while True:
            try:
                return self._shaped(block)
            except _WidenedError:  # the schema has changed, so that all rows from here on have to fit the new one
                self.count, self.mended = count, mended

    def _all_plain(self, even: Even) -> list[Row] | None:
        """The rows of a block in which nothing needs care; None if something does."""
        rows = even.rows
        if not self._is_plain or self.chosen is not None or set(map(len, rows)) != {self._width}:
            return None
        encode, names = _ENCODER.encode, self.names
        try:
            bodies = [encode(dict(zip(names, cells, strict=False))) for cells in rows]
        except UnicodeEncodeError:
            return None
        first = self.count + 1
        self.count += len(rows)
        return list(zip(itertools.count(even.first), itertools.count(first), rows, bodies, itertools.repeat(None)))

    def _shaped(self, block: Block) -> tuple[list[Row], list[Reject]]:
        if isinstance(block, Even):
            plain = self._all_plain(block)
            if plain is not None:
                return plain, []
            block = block.items()
        rows: list[Row] = []
        rejects: list[Reject] = []
        is_plain = self._is_plain
        width, names, encode, chosen, append = self._width, self.names, _ENCODER.encode, self.chosen, rows.append
        for item in block:
            if type(item) is tuple and len(item[1]) == width and is_plain:
                line, values = item
                shown = values if chosen is None else [values[at] for at in chosen]
                try:
                    append((line, self.count + 1, shown, encode(dict(zip(names, shown, strict=False))), None))
                    self.count += 1
                    continue
                except UnicodeEncodeError:
                    pass
            made = self._with_care(item)
            if isinstance(made, Reject):
                rejects.append(made)
            else:
                append(made)
        return rows, rejects

    @property
    def _is_plain(self) -> bool:
        return not (self._casts or self.reading.null_values)

    def _with_care(self, item: tuple[int, list[str]] | BadLine) -> Row | Reject:
        """One row by all policies."""
        if isinstance(item, BadLine):
            taken = self._literal(item)
            if taken is None:
                return Reject(item.line, item.reason, item.text)
            item = taken
        line, cells = item
        fault = self._misfit(cells)
        if fault:
            return Reject(line, fault, _joined(cells))
        if any(map(_ESCAPED.search, cells)):
            if self.reading.bad_bytes == "reject":
                return Reject(line, f"bytes that are no {self.table.encoding.name}", _joined(map(_replaced, cells)))
            self.mended += 1
            cells = [self._mend(cell) for cell in cells]
        extra = cells[self._width :] or None
        values: list[Any] = [*cells[: self._width], *[None] * (self._width - len(cells))]
        nulls = self.reading.null_values
        if nulls:
            values = [None if value in nulls else value for value in values]
        fault = self._cast(values)
        if fault:
            return Reject(line, fault, _joined(cells))
        if any(values[at] is None for at in self._keys_at):
            return Reject(line, "a column of the key has no value", _joined(cells))
        shown = values if self.chosen is None else [values[at] for at in self.chosen]
        self.count += 1
        return line, self.count, shown, _ENCODER.encode(dict(zip(self.names, shown, strict=True))), extra

    def _misfit(self, cells: Sequence[str]) -> str:
        """Why a row of another width is refused, if it is."""
        if len(cells) > self._width and self.reading.long_rows == "reject":
            return f"{len(cells)} cells where the header has {self._width}"
        if len(cells) < self._width and self.reading.short_rows == "reject":
            return f"{len(cells)} cells where the header has {self._width}"
        return ""

    def _cast(self, values: list[Any]) -> str:
        """Cast in place; why the row is refused, if it is."""
        for at, name, cast in self._casts:
            text = values[at]
            if text is None:
                continue
            try:
                values[at] = cast(text)
            except ValueError:
                if name not in self.reading.kinds:
                    self.widen(name)
                    self._casts = [each for each in self._casts if each[1] != name]
                    raise _WidenedError from None
                if self.reading.bad_values == "reject":
                    return f"column {name} holds no {self.reading.kinds[name].name}"
                values[at] = None
        return ""

    def _literal(self, bad: BadLine) -> tuple[int, list[str]] | None:
        """A line with a wrong quote as it stands, every quote a character, if the policy wants it and it fits."""
        if self.reading.bad_quotes != "keep":
            return None
        cells = next(csv.reader([bad.text], delimiter=self.table.dialect.delimiter, quoting=csv.QUOTE_NONE), [])
        return (bad.line, cells) if len(cells) == self._width else None

    def _mend(self, text: str) -> str:
        return _ESCAPED.sub(self._mended_byte, text)

    def _mended_byte(self, match: re.Match[str]) -> str:
        byte = ord(match[0]) - 0xDC00
        if self.reading.bad_bytes == "replace" or not 0x80 <= byte <= 0xFF:  # noqa: PLR2004 - what surrogateescape makes
            return "\ufffd"
        return bytes([byte]).decode("cp1252", "replace")


def encoded(value: Any) -> bytes:
    """JSON, as rows have it."""
    return _ENCODER.encode(value)


def _replaced(text: str) -> str:
    return _ESCAPED.sub("\ufffd", text)


def _joined(cells: Any) -> str:
    """Cells as JSON, so that nothing of them is lost."""
    return _ENCODER.encode([_replaced(cell) for cell in cells]).decode()
