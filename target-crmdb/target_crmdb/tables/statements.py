"""The SQL that makes and alters tables."""

from collections.abc import Iterable, Mapping, Sequence

from psycopg import sql

from target_crmdb.mapping import ColumnType


def create_schema(schema: str) -> sql.Composed:
    """Make a schema."""
    return sql.SQL("create schema {}").format(sql.Identifier(schema))


def create_table(table: sql.Identifier, types: Mapping[str, ColumnType], keys: Sequence[str]) -> sql.Composed:
    """Make a table of these columns; a key is its primary key."""
    parts = [_definition(name, kind) for name, kind in types.items()]
    if keys:
        parts.append(sql.SQL("primary key ({})").format(sql.SQL(", ").join(map(sql.Identifier, keys))))
    return sql.SQL("create table {} ({})").format(table, sql.SQL(", ").join(parts))


def add_column(table: sql.Identifier, name: str, kind: ColumnType) -> sql.Composed:
    """Add a column; no row is written anew."""
    return sql.SQL("alter table {} add column {}").format(table, _definition(name, kind))


def change_types(table: sql.Identifier, types: Iterable[tuple[str, ColumnType | None, ColumnType]]) -> sql.Composed:
    """Give columns wider types, each by name, old and new type, in one pass over the table."""
    actions = [
        sql.SQL("alter column {} type {} using {}").format(
            sql.Identifier(name), sql.SQL(new.value), widened(name, old, new)
        )
        for name, old, new in types
    ]
    return sql.SQL("alter table {} {}").format(table, sql.SQL(", ").join(actions))


def widened(name: str, old: ColumnType | None, new: ColumnType) -> sql.Composed:
    """Write a column's value in a wider type. No value is lost: it holds what both hold.

    A double becomes a numeric by way of its shortest text, since the plain cast keeps 15 digits only.
    """
    form = "{0}::{1}"
    if new == ColumnType.JSONB:
        form = "to_jsonb({0})"
    elif old == ColumnType.DOUBLE:
        form = "{0}::text::{1}"
    return sql.SQL(form).format(sql.Identifier(name), sql.SQL(new.value))


def _definition(name: str, kind: ColumnType) -> sql.Composed:
    return sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind.value))
