"""A table that was loaded: how it is made, and what a table that was loaded right looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from bench.shape import KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.shape import Shape

SCHEMA = "bench"
_FILES = """
    SELECT pg_relation_filenode(oid) FROM pg_class, (SELECT to_regclass(%s) AS it) AS found
    WHERE oid = it OR oid = (SELECT reltoastrelid FROM pg_class WHERE oid = it)
    OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = it)
"""
_TYPES = """
    SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
    WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
"""
_UNIQUE = """
    SELECT count(*) > 0 FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
    WHERE indrelid = to_regclass(%s) AND indisunique AND indnkeyatts = 1 AND attname = %s
"""


@dataclass(frozen=True)
class Layout:
    """How a contender made its table: the type of each column of the shape, and whether an index guards the key."""

    types: Mapping[str, str]
    unique: bool


@dataclass(frozen=True)
class Reading:
    """How text is read for the comparison: as it is, or, on both sides, as a contender is known to store it."""

    text: str
    says: str


EXACTLY = Reading("{}::text", "")


@dataclass(frozen=True)
class Table:
    """The stream's table in the database of that URL."""

    url: str
    shape: Shape

    def files(self) -> list[int]:
        """The numbers of the files of the table, its indexes and its TOAST table."""
        with psycopg.connect(self.url) as connection:
            return [row[0] for row in connection.execute(_FILES, [self._name])]

    def layout(self) -> Layout:
        """What the catalogue says of it."""
        with psycopg.connect(self.url) as connection:
            found: dict[str, str] = dict(connection.execute(_TYPES, [self._name]).fetchall())
            unique = connection.execute(_UNIQUE, [self._name, KEY]).fetchone()
        return Layout({name: found[name] for name in self.shape.columns}, unique == (True,))

    def size(self) -> tuple[int, int]:
        """Rows and distinct keys."""
        query = sql.SQL("SELECT count(*), count(DISTINCT {}) FROM {}")
        with psycopg.connect(self.url) as connection:
            row = connection.execute(query.format(sql.Identifier(KEY), self._identifier)).fetchone()
        return row or (0, 0)

    def fingerprint(self, reading: Reading) -> dict[str, Any]:
        """Rows and keys, the sum of the rows' hashes, and of each column how many values and the sum of what they are.

        Values are cast to the type that psql's table has, so that a table with other types can be compared too.
        """
        values = {name: _value(name, one.kind, reading) for name, one in self.shape.columns.items()}
        rows = sql.SQL("ROW({})").format(sql.SQL(", ").join(values.values()))
        parts = [sql.SQL("count(*)"), _distinct_keys(), sql.SQL("sum({})").format(_hash(rows))]
        names = ["rows", "keys", "whole rows"]
        for name, one in self.shape.columns.items():
            amount = _hash(values[name]) if one.kind == "text" else values[name]
            parts.append(sql.SQL("ARRAY[count({}), sum({})]").format(values[name], amount))
            names.append(name)
        query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(parts), self._identifier)
        with psycopg.connect(self.url, options="-c TimeZone=UTC -c jit=off") as connection:
            row = connection.execute(query).fetchone()
        return dict(zip(names, row or (), strict=True))

    @property
    def _name(self) -> str:
        return f"{SCHEMA}.{self.shape.stream}"

    @property
    def _identifier(self) -> sql.Composable:
        return sql.Identifier(SCHEMA, self.shape.stream)


def _distinct_keys() -> sql.Composable:
    return sql.SQL("count(DISTINCT {})").format(sql.Identifier(KEY))


def _hash(value: sql.Composable) -> sql.Composable:
    return sql.SQL("hashtextextended({}::text, 0)::numeric").format(value)


def _value(name: str, kind: str, reading: Reading) -> sql.Composable:
    forms = {
        "text": reading.text,
        "numeric": "round({}::numeric, 4)",
        "bigint": "{}::bigint",
        "boolean": "{}::int",
        "timestamptz": "extract(epoch FROM {})::numeric",
        "date": "extract(epoch FROM {}::date)::numeric",
    }
    return sql.SQL(forms[kind]).format(sql.Identifier(name))
