"""The readable record of names (`_crmdb.tables`, `.columns`): which stream has which table, what stands where."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Json

from target_crmdb.exceptions import CrmdbError
from target_crmdb.mapping import Path
from target_crmdb.tables.request import TableRequest

Cursor = psycopg.Cursor[tuple[Any, ...]]


@dataclass(frozen=True)
class Place:
    """Where a field stands: its column, or `_extra`; `sibling_of` is the column that it left for this one."""

    path: Path
    column: str
    type: str | None = None
    sibling_of: str | None = None
    retired: bool = False


def table_name(cursor: Cursor, request: TableRequest) -> str | None:
    """Give the table that the stream has already; raise CrmdbError if it was made for another key."""
    cursor.execute(
        "select table_name, key_properties from tables where table_schema = %s and stream = %s",
        (request.schema, request.stream),
    )
    row = cursor.fetchone()
    if row is None:
        return None
    if tuple(row[1]) != request.keys:
        raise CrmdbError(
            f"Stream {request.stream} has the key {_list(request.keys)}, its table {request.schema}.{row[0]} was made "
            f"for {_list(row[1])}; rename that table and delete its line in the bookkeeping table `tables`"
        )
    return str(row[0])


def table_names(cursor: Cursor, schema: str) -> set[str]:
    """Name the tables that streams have in a schema."""
    cursor.execute("select table_name from tables where table_schema = %s", (schema,))
    return {str(row[0]) for row in cursor.fetchall()}


def places(cursor: Cursor, schema: str, table: str) -> list[Place]:
    """List where the fields of a table stand and stood."""
    cursor.execute(
        "select path, column_name, column_type, sibling_of, retired_at is not null from columns"
        " where table_schema = %s and table_name = %s order by added_at, column_name",
        (schema, table),
    )
    return [Place(tuple(path), *rest) for path, *rest in cursor.fetchall()]


def add_table(cursor: Cursor, request: TableRequest, table: str, *, adopted: bool) -> None:
    """Record a stream's table."""
    cursor.execute(
        "insert into tables (table_schema, table_name, stream, key_properties, adopted) values (%s, %s, %s, %s, %s)",
        (request.schema, table, request.stream, list(request.keys), adopted),
    )


def retire(cursor: Cursor, schema: str, table: str, left: Iterable[Place]) -> None:
    """Record that fields have left their places."""
    cursor.executemany(
        "update columns set retired_at = now() where table_schema = %s and table_name = %s and path = %s"
        " and retired_at is null",
        [(schema, table, list(place.path)) for place in left],
    )


def add(cursor: Cursor, schema: str, table: str, new: Iterable[Place]) -> None:
    """Record the places of new fields."""
    cursor.executemany(
        "insert into columns (table_schema, table_name, column_name, path, column_type, sibling_of)"
        " values (%s, %s, %s, %s, %s, %s)",
        [(schema, table, place.column, list(place.path), place.type, place.sibling_of) for place in new],
    )


def retype(cursor: Cursor, schema: str, table: str, changed: Iterable[Place]) -> None:
    """Record the types that columns have now."""
    cursor.executemany(
        "update columns set column_type = %s where table_schema = %s and table_name = %s and column_name = %s"
        " and path = %s and retired_at is null",
        [(place.type, schema, table, place.column, list(place.path)) for place in changed],
    )


def follow_mapping(cursor: Cursor, request: TableRequest, table: str) -> None:
    """Record which mapping the table's rows follow."""
    mapping = request.mapping
    cursor.execute(
        "update tables set source = %(source)s where table_schema = %(schema)s and table_name = %(table)s"
        " and source is distinct from %(source)s",
        {"source": mapping.source, "schema": request.schema, "table": table},
    )
    cursor.execute(
        "insert into mappings as m (table_schema, source, own) values (%s, %s, %s)"
        " on conflict (table_schema, source) do update set own = excluded.own, recorded_at = now()"
        " where m.own::jsonb is distinct from excluded.own::jsonb",
        (request.schema, mapping.source, None if mapping.own is None else Json(mapping.own)),
    )


def _list(names: Iterable[str]) -> str:
    return ", ".join(names) or "(none)"
