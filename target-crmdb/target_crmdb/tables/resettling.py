"""Values that came before their field was declared: they move from `_extra` to the column that the field gets."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import psycopg
from psycopg import sql

from target_crmdb.mapping import EXTRA, ColumnType
from target_crmdb.tables.catalog import StoredTable, table_bytes
from target_crmdb.tables.request import TableRequest
from target_crmdb.validation import SHAPES

Cursor = psycopg.Cursor[tuple[Any, ...]]

# what a value must be to move, by type: {kind} is its JSON type, {text} its text. One that is not stays where it is.
_NUMBER = "case when {kind} = 'number' then "
_FITS: Mapping[ColumnType, str] = MappingProxyType(
    {
        ColumnType.TEXT: "{kind} = 'string'",
        ColumnType.BOOLEAN: "{kind} = 'boolean'",
        ColumnType.NUMERIC: "{kind} = 'number'",
        ColumnType.JSONB: "true",
        ColumnType.INTEGER: _NUMBER + "{text}::numeric % 1 = 0 and abs({text}::numeric) < 2147483648 else false end",
        ColumnType.BIGINT: _NUMBER
        + "{text}::numeric % 1 = 0 and abs({text}::numeric) < 9223372036854775808 else false end",
        ColumnType.DOUBLE: _NUMBER
        + "{text}::numeric = 0 or abs({text}::numeric) between 1e-300 and 1e300 else false end",
    }
    | dict.fromkeys(SHAPES, "{kind} = 'string' and {text} ~ {shape}")
)
_MOVE = """
update {table} set {column} = case when {kind} <> 'null' then {value} end, {extra} = nullif({extra} - {key}, '{{}}')
where {extra} ? {key} and ({kind} = 'null' or ({fits}))
"""


def undeclared_before(
    cursor: Cursor, request: TableRequest, table: str, stored: StoredTable, keys: Sequence[str]
) -> set[str]:
    """Name the fields of which `_extra` has values; none, if the table is too large to be rewritten."""
    if not keys or EXTRA not in stored.columns or table_bytes(cursor, stored.oid) > request.max_rewrite_bytes:
        return set()
    cursor.execute(
        sql.SQL("select distinct key from {}, jsonb_object_keys({}) key where key = any(%s)").format(
            sql.Identifier(request.schema, table), sql.Identifier(EXTRA)
        ),
        (list(keys),),
    )
    return {str(row[0]) for row in cursor.fetchall()}


def move(table: sql.Identifier, column: str, key: str, kind: ColumnType) -> sql.Composed:
    """Move a field's values to its column, each where it is of the column's type."""
    parts: dict[str, sql.Composable] = {"extra": sql.Identifier(EXTRA), "key": sql.Literal(key)}
    parts["kind"] = sql.SQL("jsonb_typeof({extra} -> {key})").format(**parts)
    parts["text"] = sql.SQL("({extra} ->> {key})").format(**parts)
    parts["shape"] = sql.Literal(SHAPES.get(kind, ""))
    form = "{extra} -> {key}" if kind == ColumnType.JSONB else "{text}::{type}"
    value = sql.SQL(form).format(**parts, type=sql.SQL(kind.value))
    fits = sql.SQL(_FITS[kind]).format(**parts)
    return sql.SQL(_MOVE).format(table=table, column=sql.Identifier(column), value=value, fits=fits, **parts)
