"""Normal forms of rows that were stored before their column was made: computed from the stored values, in batches.

Each batch is a transaction that also says how far it has come, so a stopped one is taken up where it was. The stream is
locked for a batch at a time: a load that begins meanwhile gets its turn, and this ends until it is called again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from target_crmdb.exceptions import TryLaterError
from target_crmdb.locks import advisory_key, lock_soon, unlock
from target_crmdb.mapping import COPY, EXTRA, HASH, WantedNormal, dotted
from target_crmdb.mapping.paths import Step, inside
from target_crmdb.model.filled_issues import Misfit, original_text, settle
from target_crmdb.model.sources import SourceTable
from target_crmdb.validation.fields import FieldError, Normal, field_type

Connection = psycopg.Connection[tuple[Any, ...]]
Cursor = psycopg.Cursor[tuple[Any, ...]]

_AT_ONCE = 5000
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_UNFILLED = """
select column_name, path, form, filled_until::text from normal_columns
where table_schema = %s and table_name = %s and filled_at is null and retired_at is null
order by filled_until::text nulls first, column_name
"""
_READ = """
select {keys}, {sources} from {table} t {behind} order by {order} limit {at_once} for update
"""
_WRITE = """
update {table} t set {sets} from unnest({arrays}) as v ({names})
where {match} and ({changed})
"""


@dataclass(frozen=True)
class Unfilled:
    """A normal column that lacks the forms of older rows."""

    column: str
    wanted: WantedNormal


@dataclass(frozen=True)
class Filled:
    """What was done: rows looked at, and values that have no normal form."""

    rows: int = 0
    without_form: int = 0

    def __add__(self, other: "Filled") -> "Filled":
        return Filled(self.rows + other.rows, self.without_form + other.without_form)


def unfilled(cursor: Cursor, table: SourceTable, wanted: Sequence[WantedNormal]) -> list[tuple[str | None, Unfilled]]:
    """List the columns to fill, each with the key that filling has come to."""
    by_form = {one.signature: one for one in wanted}
    cursor.execute(_UNFILLED, (table.schema, table.name))
    return [
        (until, Unfilled(column, by_form[path, form]))
        for column, path, form, until in cursor.fetchall()
        if (path, form) in by_form and column in table.stored
    ]


def fill(
    connection: Connection, table: SourceTable, wanted: Sequence[WantedNormal], tell: Callable[[Filled], None]
) -> Filled:
    """Fill all that is missing of a table; `tell` hears of every batch. Raises TryLaterError where a load goes on."""
    total = Filled()
    with connection.cursor() as cursor:
        found = unfilled(cursor, table, wanted)
    for until, group in groupby(found, key=lambda one: one[0]):
        filler = _Filler(table, [column for _, column in group])
        place = until
        while True:
            with _locked(connection, table, total), connection.transaction(), connection.cursor() as cursor:
                done, place = filler.batch(cursor, place)
            total += done
            tell(total)
            if place is None:
                break
    return total


class _locked:  # noqa: N801 - used as a function
    """Holds a stream's lock for one batch."""

    def __init__(self, connection: Connection, table: SourceTable, done: Filled) -> None:
        self._connection = connection
        self._key = advisory_key("stream", table.schema, table.stream)
        self._busy = f"{table} is being loaded; {done.rows} rows are done. Run again when the load has ended"

    def __enter__(self) -> None:
        if not lock_soon(self._connection, self._key):
            raise TryLaterError(self._busy)

    def __exit__(self, *_: object) -> None:
        if not self._connection.closed:
            unlock(self._connection, self._key)


@dataclass(frozen=True)
class _Source:
    """Where a value is read from, and how its form is made."""

    expression: sql.Composable
    steps: tuple[Step, ...]
    normal: Normal


class _Filler:
    """Fills some columns of one table, batch by batch, in the order of its key."""

    def __init__(self, table: SourceTable, columns: Sequence[Unfilled]) -> None:
        self._table = table
        self._name = sql.Identifier(table.schema, table.name)
        self._columns = columns
        self._keys = [table.places[key,] for key in table.keys] or [HASH, COPY]
        self._key_types = [sql.SQL(table.stored[key].sql_type) for key in self._keys]
        self._sources = [_source(table, one.wanted) for one in columns]
        self._types = [sql.SQL(one.wanted.column.value) for one in columns]

    def batch(self, cursor: Cursor, until: str | None) -> tuple[Filled, str | None]:
        """Fill some rows; give what was done, and the key to go on behind, or None at the end."""
        rows = self._read(cursor, until)
        width = len(self._keys)
        misfits: list[list[Misfit]] = [[] for _ in self._columns]
        if rows:
            names = [":".join(row[:width]) if self._table.keys else "" for row in rows]
            forms = [self._forms(name, row[width:], misfits) for name, row in zip(names, rows, strict=True)]
            self._write(cursor, [row[:width] for row in rows], forms)
            for one, found in zip(self._columns, misfits, strict=True):
                settle(cursor, self._table, one.wanted, list(dict.fromkeys(names)), found)
        reached = None if len(rows) < _AT_ONCE else msgspec.json.encode(rows[-1][:width]).decode()
        cursor.execute(
            "update normal_columns set filled_until = %s::jsonb, filled_at = case when %s::jsonb is null then now() end"
            " where table_schema = %s and table_name = %s and column_name = any(%s)",
            (reached, reached, self._table.schema, self._table.name, [one.column for one in self._columns]),
        )
        return Filled(len(rows), sum(map(len, misfits))), reached

    def _read(self, cursor: Cursor, until: str | None) -> list[tuple[Any, ...]]:
        keys = [sql.SQL("t.{}").format(sql.Identifier(key)) for key in self._keys]
        behind: sql.Composable = sql.SQL("")
        if until is not None:
            reached = [
                sql.SQL("{}::{}").format(sql.Literal(value), kind)
                for value, kind in zip(msgspec.json.decode(until), self._key_types, strict=True)
            ]
            behind = sql.SQL("where ({}) > ({})").format(_list(keys), _list(reached))
        query = sql.SQL(_READ).format(
            keys=_list(sql.SQL("{}::text").format(key) for key in keys),
            sources=_list(sql.SQL("({})::text").format(source.expression) for source in self._sources),
            table=self._name,
            behind=behind,
            order=_list(keys),
            at_once=sql.Literal(_AT_ONCE),
        )
        return cursor.execute(query).fetchall()

    def _forms(self, key: str, texts: Sequence[str | None], misfits: Sequence[list[Misfit]]) -> list[str | None]:
        """Give the forms of one row as texts; values that have none go to the misfits of their column."""
        values: list[str | None] = []
        for source, text, found in zip(self._sources, texts, misfits, strict=True):
            value = None if text is None else inside(_decode(text), source.steps)
            form = None
            try:
                form = None if value is None else source.normal(value)
            except FieldError as error:
                found.append(Misfit(key, error.rule, error.reason, original_text(value)))
            values.append(None if form is None else str(form))
        return values

    def _write(self, cursor: Cursor, keys: Sequence[Sequence[str]], forms: Sequence[Sequence[str | None]]) -> None:
        names = [sql.Identifier(f"k{n}") for n in range(len(self._keys))]
        names += [sql.Identifier(f"c{n}") for n in range(len(self._columns))]
        new = [
            (sql.Identifier(one.column), sql.SQL("v.{}::{}").format(name, kind))
            for one, name, kind in zip(self._columns, names[len(self._keys) :], self._types, strict=True)
        ]
        match = [
            sql.SQL("t.{} = v.{}::{}").format(sql.Identifier(key), name, kind)
            for key, name, kind in zip(self._keys, names, self._key_types, strict=False)
        ]
        query = sql.SQL(_WRITE).format(
            table=self._name,
            sets=_list(sql.SQL("{} = {}").format(column, value) for column, value in new),
            arrays=_list(sql.SQL("%s::text[]") for _ in names),
            names=_list(names),
            match=sql.SQL(" and ").join(match),
            changed=sql.SQL(" or ").join(
                sql.SQL("t.{} is distinct from {}").format(column, value) for column, value in new
            ),
        )
        cursor.execute(query, [*_columns_of(keys), *_columns_of(forms)])


def _source(table: SourceTable, wanted: WantedNormal) -> _Source:
    normal = field_type(wanted.type, **dict(wanted.options)).normal
    column, steps = wanted.path.split(table.places)
    if column is not None:
        name = sql.Identifier(table.places[column])
        return _Source(sql.SQL("to_jsonb(t.{})").format(name), steps, normal)
    place, steps = wanted.path.split(table.in_extra)
    key = dotted(place or wanted.path.names)
    return _Source(sql.SQL("t.{} -> {}").format(sql.Identifier(EXTRA), sql.Literal(key)), steps, normal)


def _columns_of(rows: Sequence[Sequence[Any]]) -> Iterator[list[Any]]:
    return map(list, zip(*rows, strict=True))


def _list(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
