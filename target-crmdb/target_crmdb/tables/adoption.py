"""Whether a table that someone else made can be taken over; if not, what would mend it, statement by statement."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from target_crmdb.exceptions import ConfigError
from target_crmdb.mapping import ColumnType, Path, wider
from target_crmdb.tables.catalog import StoredColumn, StoredTable, unique_keys
from target_crmdb.tables.request import TableRequest

Cursor = psycopg.Cursor[tuple[Any, ...]]
Wanted = Mapping[Path, tuple[str, ColumnType]]

_KINDS = {"v": "a view", "m": "a materialized view", "f": "a foreign table", "S": "a sequence", "i": "an index"}
_KINDS |= {"c": "a composite type", "I": "a partitioned index", "t": "a TOAST table"}


@dataclass(frozen=True)
class Problem:
    """One thing that stands against taking a table over, and the statement that mends it, if one does."""

    text: str
    remedy: sql.Composable | None = None


def check(
    cursor: Cursor,
    request: TableRequest,
    table: str,
    stored: StoredTable,
    wanted: Wanted,
) -> None:
    """Raise ConfigError, with the whole plan, unless the table can be adopted for these fields."""
    problems = [*_of_relation(request, table, stored)]
    if stored.is_table:
        problems += _of_partitions(cursor, request, table, stored)
        problems += _of_keys(cursor, request, table, stored, wanted)
        problems += _of_columns(request, table, stored, wanted)
    if not problems:
        return
    lines = [
        f"{number}. {problem.text}" + (f": {problem.remedy.as_string(cursor)};" if problem.remedy else "")
        for number, problem in enumerate(problems, 1)
    ]
    raise ConfigError(
        f"{request.schema}.{table} exists already, was not made by target-crmdb and cannot be taken over as it is.\n"
        + "\n".join(lines)
        + "\nMend all of these (nothing was changed), or rename the table, or set default_target_schema to another "
        "schema"
    )


def _of_relation(request: TableRequest, table: str, stored: StoredTable) -> Iterator[Problem]:
    if not stored.is_table:
        yield Problem(f"it is {_KINDS.get(stored.kind, 'no table')}, and only tables can be loaded; rename it")
    elif not stored.is_ours:
        yield Problem(
            f"it belongs to {stored.owner}, and {stored.user} may not alter it",
            sql.SQL("grant {} to {}").format(sql.Identifier(stored.owner), sql.Identifier(stored.user)),
        )
    if stored.is_table and not request.keys:
        yield Problem(
            f"stream {request.stream} has no key, and a table can be taken over for a stream with a key only; "
            f"rename {table}"
        )


def _of_partitions(cursor: Cursor, request: TableRequest, table: str, stored: StoredTable) -> Iterator[Problem]:
    if (
        stored.kind == "p"
        and not cursor.execute("select 1 from pg_inherits where inhparent = %s limit 1", (stored.oid,)).fetchone()
    ):
        yield Problem(
            f"it has no partition that would take a row; create them as its key asks ({request.schema}.{table} is "
            "partitioned)"
        )


def _of_keys(
    cursor: Cursor,
    request: TableRequest,
    table: str,
    stored: StoredTable,
    wanted: Wanted,
) -> Iterator[Problem]:
    keys = [wanted[key,] for key in request.keys]
    target = sql.Identifier(request.schema, table)
    for name, kind in keys:
        if name not in stored.columns:
            yield Problem(
                f"it has no column {name} for the key",
                sql.SQL("alter table {} add column {} {} not null").format(
                    target, sql.Identifier(name), sql.SQL(kind.value)
                ),
            )
    yield from _of_uniqueness(cursor, stored, target, [name for name, _ in keys])


def _of_uniqueness(
    cursor: Cursor, stored: StoredTable, target: sql.Identifier, names: Sequence[str]
) -> Iterator[Problem]:
    found = [key for key in unique_keys(cursor, stored.oid) if key.columns == frozenset(names)]
    for key in found:
        if key.is_deferrable:
            yield Problem(
                f"its unique constraint {key.name} on the key is deferrable",
                sql.SQL("alter table {} drop constraint {}").format(target, sql.Identifier(key.name)),
            )
    if names and all(key.is_deferrable for key in found):
        yield Problem(
            f"it has no unique constraint on exactly the key ({', '.join(names)})",
            sql.SQL("alter table {} add unique ({})").format(target, sql.SQL(", ").join(map(sql.Identifier, names))),
        )


def _of_columns(request: TableRequest, table: str, stored: StoredTable, wanted: Wanted) -> Iterator[Problem]:
    target = sql.Identifier(request.schema, table)
    types = dict(wanted.values()) | request.technical
    for name, column in stored.columns.items():
        identifier = sql.Identifier(name)
        if name not in types:
            if column.not_null and not column.has_default:
                yield Problem(
                    f"column {name}, which the stream does not fill, allows no NULL and has no default",
                    sql.SQL("alter table {} alter column {} drop not null").format(target, identifier),
                )
        elif column.is_generated:
            yield Problem(
                f"column {name} is generated and cannot be written; rename it",
                sql.SQL("alter table {} rename column {} to {}").format(
                    target, identifier, sql.Identifier(f"{name}_generated")
                ),
            )
        elif not holds(column, types[name]):
            yield Problem(
                f"column {name} is {column.sql_type}, and the stream needs {types[name].value}",
                retyping(target, column, types[name]),
            )


def holds(column: StoredColumn, wanted: ColumnType) -> bool:
    """Tell whether a column holds all values of a type without loss."""
    return column.type is not None and column.is_exact and wider(column.type, wanted) == column.type


def retyping(table: sql.Identifier, column: StoredColumn, wanted: ColumnType) -> sql.Composable:
    """Give the statement that makes a column hold a type's values besides its own."""
    kind = wanted if column.type is None else wider(column.type, wanted)
    form = "alter table {0} alter column {1} type {2} using {1}::{2}"
    if column.sql_type == "timestamp without time zone" and kind == ColumnType.TIMESTAMPTZ:
        form = "alter table {0} alter column {1} type {2} using {1} at time zone 'UTC'"
    elif kind == ColumnType.JSONB and column.sql_type != "json":
        form = "alter table {0} alter column {1} type {2} using to_jsonb({1})"
    return sql.SQL(form).format(table, sql.Identifier(column.name), sql.SQL(kind.value))
