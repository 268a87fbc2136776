"""The rows of a new version of a file held against those that went out before."""

from __future__ import annotations

from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from tap_csv_github.exceptions import FileError, VersionGoneError
from tap_csv_github.keyindex import KeyIndex, digest
from tap_csv_github.reading.tables import tables
from tap_csv_github.shaping import Shaper, encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_csv_github.content import Content
    from tap_csv_github.entries import Reading
    from tap_csv_github.reading.tables import Table
    from tap_csv_github.reading.values import Kind
    from tap_csv_github.shaping import Row

    KindsOf = Callable[[Table, Reading], Mapping[str, Kind]]

__all__ = ["Comparison", "key_of", "sorted_columns"]


def sorted_columns(table: Table, unwanted: frozenset[str]) -> list[int]:
    """The columns of a table that are wanted, by name, so that rows compare whatever order their file has."""
    chosen = [at for at, name in enumerate(table.names) if name not in unwanted]
    return sorted(chosen, key=lambda at: table.names[at])


def key_of(names: Sequence[str], keys: Sequence[str]) -> Callable[[Sequence[Any]], bytes]:
    """What makes of a row's values its key, as the JSON of a list; 5 and 5.00 are one key."""
    pick = itemgetter(*(names.index(name) for name in keys))
    if len(keys) == 1:
        return lambda values: encoded([_plain(pick(values))])
    return lambda values: encoded([_plain(value) for value in pick(values)])


def _plain(value: Any) -> Any:
    return Decimal(f"{value.normalize():f}") if type(value) is Decimal else value


class Comparison:
    """An index of rows, filled with the earlier versions of one file after the other."""

    def __init__(self, keys: Sequence[str], kinds_of: KindsOf, unwanted: frozenset[str]) -> None:
        self.index = KeyIndex()
        self._keys = keys
        self._kinds_of = kinds_of
        self._unwanted = unwanted

    def load(self, path: str, whole: str, older: Sequence[Content], reading: Reading) -> None:
        """Begin a file: its version `whole` went out as a whole, of the others perhaps some rows did."""
        self.index.begin_file()
        for content in sorted(older, key=lambda each: each.sha != whole):
            add = self.index.add_given_out if content.sha == whole else self.index.add_perhaps_given_out
            try:
                for rows in self._rows(path, content, reading):
                    add(rows)
            except FileError as error:
                raise VersionGoneError(f"an earlier version cannot be read: {error}") from None

    def _rows(self, path: str, content: Content, reading: Reading) -> Iterator[list[tuple[bytes, bytes]]]:
        for table in tables(path, content, reading):
            if any(key not in table.names for key in self._keys):
                raise FileError(f"{path}: lacks a column of the key")
            shaper = Shaper(
                table,
                reading,
                dict(self._kinds_of(table, reading)),
                lambda _: None,
                sorted_columns(table, self._unwanted),
                self._keys,
            )
            key = key_of(shaper.names, self._keys)
            for block in table.blocks:
                rows, _ = shaper.shape(block)
                yield [(key(row[2]), hashed(row)) for row in rows]

    def news(self, names: Sequence[str], rows: Sequence[Row]) -> list[Row]:
        """The rows that have to go out; the keys of all count as there."""
        key = key_of(names, self._keys)
        pairs = [(key(row[2]), row) for row in rows]
        self.index.add_here(each for each, _ in pairs)
        return [row for each, row in pairs if self.index.is_news(each, hashed(row))]

    def rescued(self, names: Sequence[str], rows: Sequence[Row]) -> list[Row]:
        """The rows of a file that did not change whose keys seemed gone; they are there after all."""
        key = key_of(names, self._keys)
        found = [(key(row[2]), row) for row in rows]
        back = [(each, row) for each, row in found if self.index.is_gone(each)]
        self.index.add_here(each for each, _ in back)
        return [row for _, row in back]


def hashed(row: Row) -> bytes:
    """The hash of a row, its extra cells included; neither its line nor its number."""
    _, _, _, body, extra = row
    return digest(body if extra is None else body + encoded(extra))
