"""A stream's table: made, grown and widened to what its SCHEMA asks for; never dropped, never narrowed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from target_crmdb.exceptions import ConfigError, CrmdbError
from target_crmdb.locks import advisory_key
from target_crmdb.mapping import (
    DELETED_AT,
    EXTRA,
    Column,
    ColumnType,
    Field,
    Path,
    TablePlan,
    fields_of,
    free_name,
    name_columns,
    wider,
)
from target_crmdb.merge import BATCHED_AT, EXTRACTED_AT

Cursor = psycopg.Cursor[tuple[Any, ...]]


@dataclass(frozen=True)
class TableRequest:
    """What a SCHEMA message and the settings ask for; `name` is the table's name if it is still free."""

    schema: str
    name: Path
    stream: str
    json_schema: Mapping[str, Any]
    keys: tuple[str, ...]
    replication_key: str | None
    spread: str | None
    max_columns: int
    record_metadata: bool
    run_id: int

    @property
    def spreads(self) -> bool:
        """Whether the SCHEMA has the object whose fields become columns."""
        parent = self.json_schema["properties"].get(self.spread or "")
        return bool(parent and parent.get("properties"))

    @property
    def technical(self) -> dict[str, ColumnType]:
        """The columns that exist whatever the SCHEMA says."""
        columns = {DELETED_AT: ColumnType.TIMESTAMPTZ, EXTRA: ColumnType.JSONB}
        if self.record_metadata:
            columns |= {EXTRACTED_AT: ColumnType.TIMESTAMPTZ, BATCHED_AT: ColumnType.TIMESTAMPTZ}
        return columns


def ensure_table(cursor: Cursor, request: TableRequest) -> TablePlan:
    """Make the table hold what the SCHEMA declares, and give its plan.

    Raises ConfigError for a table that someone else made, and CrmdbError for a change that cannot be followed.
    """
    cursor.execute("select pg_advisory_xact_lock(%s)", (advisory_key("tables", request.schema),))
    table = _recorded_name(cursor, request) or _record_name(cursor, request)
    stored = _stored_types(cursor, request.schema, table)
    recorded = _recorded_columns(cursor, request.schema, table)
    fields = _chosen_fields(request, recorded)
    given = {**recorded, (DELETED_AT,): DELETED_AT}
    names = name_columns((field.path for field in fields), given, taken=request.technical)
    _record_columns(cursor, request.schema, table, {path: names[path] for path in names if path not in given})
    wanted = {names[field.path]: field.type for field in fields} | request.technical
    types = _fit(cursor, request, table, wanted, stored)
    columns = tuple(Column(names[field.path], field.path, types[names[field.path]]) for field in fields)
    return TablePlan(
        schema=request.schema,
        table=table,
        stream=request.stream,
        columns=columns,
        keys=request.keys,
        replication_key=request.replication_key,
        spread=request.spread if request.spreads else None,
        tells_deletion=(DELETED_AT,) in names,
        record_metadata=request.record_metadata,
    )


def _recorded_name(cursor: Cursor, request: TableRequest) -> str | None:
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


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "(none)"


def _record_name(cursor: Cursor, request: TableRequest) -> str:
    """Choose the table's name and record it; a table of that name that is not ours is refused, not adopted."""
    cursor.execute("select table_name from tables where table_schema = %s", (request.schema,))
    name = free_name(request.name, {row[0] for row in cursor.fetchall()})
    if _relation_exists(cursor, request.schema, name):
        raise ConfigError(
            f"{request.schema}.{name} exists already and was not made by target-crmdb; "
            "rename it, or set default_target_schema to another schema"
        )
    cursor.execute(
        "insert into tables (table_schema, table_name, stream, key_properties) values (%s, %s, %s, %s)",
        (request.schema, name, request.stream, list(request.keys)),
    )
    return name


def _relation_exists(cursor: Cursor, schema: str, name: str) -> bool:
    cursor.execute(
        "select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace where nspname = %s and relname = %s",
        (schema, name),
    )
    return cursor.fetchone() is not None


def _stored_types(cursor: Cursor, schema: str, table: str) -> dict[str, str]:
    """Give the table's columns with their SQL types; nothing if there is no such table."""
    cursor.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute a"
        " join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace"
        " where nspname = %s and relname = %s and attnum > 0 and not attisdropped",
        (schema, table),
    )
    return {str(name): str(kind) for name, kind in cursor.fetchall()}


def _recorded_columns(cursor: Cursor, schema: str, table: str) -> dict[Path, str]:
    cursor.execute("select path, column_name from columns where table_schema = %s and table_name = %s", (schema, table))
    return {tuple(path): str(name) for path, name in cursor.fetchall()}


def _record_columns(cursor: Cursor, schema: str, table: str, names: Mapping[Path, str]) -> None:
    if names:
        cursor.executemany(
            "insert into columns (table_schema, table_name, column_name, path) values (%s, %s, %s, %s)",
            [(schema, table, name, list(path)) for path, name in names.items()],
        )


def _chosen_fields(request: TableRequest, given: Mapping[Path, str]) -> list[Field]:
    """Choose the fields that get a column: those that have one, then the SCHEMA's order up to the limit."""
    first = [*request.keys, *([request.replication_key] if request.replication_key else []), DELETED_AT]
    fields = fields_of(request.json_schema, request.spread, first)
    missing = {(key,) for key in request.keys} - {field.path for field in fields}
    if missing:
        raise CrmdbError(f"Stream {request.stream} has key properties that its SCHEMA does not declare; mend the tap")
    room = request.max_columns - len(request.technical) - len(given)
    chosen = []
    for field in fields:
        free = field.path in given or field.path == (DELETED_AT,)
        if free or room > 0:
            chosen.append(field)
            room -= not free
    return chosen


def _fit(
    cursor: Cursor, request: TableRequest, table: str, wanted: Mapping[str, ColumnType], stored: Mapping[str, str]
) -> dict[str, ColumnType]:
    """Create or alter the table so that it holds the wanted columns; give the types that it then has."""
    target = sql.Identifier(request.schema, table)
    if not stored:
        _create(cursor, request, target, wanted)
        _log(cursor, request, table, "create table")
        return dict(wanted)
    types = {name: _fitting_type(request, table, name, kind, stored) for name, kind in wanted.items()}
    for name, kind in types.items():
        if name not in stored:
            _alter(cursor, target, sql.SQL("add column {} {}").format(sql.Identifier(name), sql.SQL(kind.value)))
            _log(cursor, request, table, "add column", name, None, kind)
        elif stored[name] != kind.value:
            _alter(cursor, target, _retype(name, kind))
            _log(cursor, request, table, "change type", name, stored[name], kind)
    return types


def _create(cursor: Cursor, request: TableRequest, target: sql.Identifier, wanted: Mapping[str, ColumnType]) -> None:
    cursor.execute("select 1 from pg_namespace where nspname = %s", (request.schema,))
    if cursor.fetchone() is None:
        cursor.execute(sql.SQL("create schema {}").format(sql.Identifier(request.schema)))
    parts = [sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind.value)) for name, kind in wanted.items()]
    if request.keys:
        # the fields of the key lead the list of columns, in the key's order
        keys = map(sql.Identifier, list(wanted)[: len(request.keys)])
        parts.append(sql.SQL("primary key ({})").format(sql.SQL(", ").join(keys)))
    cursor.execute(sql.SQL("create table {} ({})").format(target, sql.SQL(", ").join(parts)))


def _fitting_type(
    request: TableRequest, table: str, name: str, kind: ColumnType, stored: Mapping[str, str]
) -> ColumnType:
    if name not in stored:
        return kind
    try:
        return wider(ColumnType(stored[name]), kind)
    except ValueError as error:
        raise ConfigError(
            f"Column {request.schema}.{table}.{name} has the type {stored[name]}, which target-crmdb did not give it; "
            f"change it to {kind.value} (or text)"
        ) from error


def _alter(cursor: Cursor, target: sql.Identifier, change: sql.Composable) -> None:
    try:
        cursor.execute(sql.SQL("alter table {} {}").format(target, change))
    except psycopg.errors.FeatureNotSupported as error:
        raise CrmdbError(
            f"{target.as_string()} must change for its SCHEMA, but a view or rule depends on it; drop or change that"
        ) from error


def _retype(name: str, kind: ColumnType) -> sql.Composed:
    """Change a column's type in place; no value is lost, since the new type holds what both hold."""
    form = "to_jsonb({0})" if kind == ColumnType.JSONB else "{0}::{1}"
    using = sql.SQL(form).format(sql.Identifier(name), sql.SQL(kind.value))
    return sql.SQL("alter column {} type {} using {}").format(sql.Identifier(name), sql.SQL(kind.value), using)


def _log(cursor: Cursor, request: TableRequest, table: str, change: str, *column: str | None) -> None:
    """Write a line of the schema log; `column` is its name, its type before and its type after."""
    name, before, after = column or (None, None, None)
    cursor.execute(
        "insert into schema_log (run_id, table_schema, table_name, change, column_name, from_type, to_type)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        (request.run_id, request.schema, table, change, name, before, after),
    )
