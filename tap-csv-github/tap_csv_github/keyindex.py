"""Keys and hashes of rows on disk: which rows of a new version differ from the old one, and which keys are gone."""

from __future__ import annotations

import sqlite3
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["KeyIndex", "digest"]

_UNKNOWN = b""
_TABLES = """
create table old (key blob primary key, row blob not null) without rowid;
create table gone (key blob primary key) without rowid;
create table here (key blob primary key) without rowid;
"""


def digest(row: bytes) -> bytes:
    """Sixteen bytes that differ where rows do."""
    return blake2b(row, digest_size=16).digest()


class KeyIndex:
    """The rows that were given out of one file at a time, and of all files the keys that went and that are there.

    It is a private database of SQLite, which keeps what is much in a temporary file that vanishes with it.
    """

    def __init__(self) -> None:
        # one thread at a time uses it, not always the same
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.executescript(_TABLES)
        self._database.execute("begin")

    def begin_file(self) -> None:
        """Forget the rows of the file before."""
        self._database.execute("delete from old")

    def add_given_out(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Rows (key, hash) of the version that is out as a whole; the last one of a key counts."""
        pairs = list(rows)
        self._database.executemany("insert or replace into old values (?, ?)", pairs)
        self._add_gone(key for key, _ in pairs)

    def add_perhaps_given_out(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Rows of another version of which some are out: where they differ, nobody knows what the target has."""
        pairs = list(rows)
        self._database.executemany(
            "insert into old values (?, ?) on conflict (key) do update set row = excluded.row where row <> ?",
            ((key, _UNKNOWN, row) for key, row in pairs),
        )
        self._add_gone(key for key, _ in pairs)

    def _add_gone(self, keys: Iterable[bytes]) -> None:
        self._database.executemany("insert or ignore into gone values (?)", ((key,) for key in keys))

    def is_news(self, key: bytes, row: bytes) -> bool:
        """Whether a row of the new version has to go out; it counts as given out from then on."""
        found = self._database.execute("select row from old where key = ?", (key,)).fetchone()
        if found is not None and found[0] == row:
            return False
        self._database.execute("insert or replace into old values (?, ?)", (key, row))
        return True

    def add_here(self, keys: Iterable[bytes]) -> None:
        """Keys that stand in the new version of some file."""
        self._database.executemany("insert or ignore into here values (?)", ((key,) for key in keys))

    def is_gone(self, key: bytes) -> bool:
        """Whether a key has vanished, as far as is known by now."""
        query = "select 1 from gone where key = ? and not exists (select 1 from here where here.key = gone.key)"
        return self._database.execute(query, (key,)).fetchone() is not None

    def any_gone(self) -> bool:
        """Whether any key has vanished."""
        return next(self.gone(), None) is not None

    def gone(self) -> Iterator[bytes]:
        """The keys that were given out and stand nowhere now, in order."""
        query = "select key from gone where not exists (select 1 from here where here.key = gone.key) order by key"
        for (key,) in self._database.execute(query):
            yield key

    def close(self) -> None:
        """Drop it all."""
        self._database.close()
