"""What Postgres' catalogues say of a table; nothing is changed here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from target_crmdb.mapping import ColumnType

Cursor = psycopg.Cursor[tuple[Any, ...]]

_OURS = {kind.value: kind for kind in ColumnType}
# types that hold a declared type's values under another name, or less of them, by what they are widened to
_KIN = {
    "character varying": ColumnType.TEXT,
    "character varying(": ColumnType.TEXT,
    "numeric(": ColumnType.NUMERIC,
    "smallint": ColumnType.INTEGER,
}
_REWRITTEN = ("smallint",)


@dataclass(frozen=True)
class StoredColumn:
    """A column as it stands in the database; `length` is that of a fixed type, or -1."""

    name: str
    sql_type: str
    length: int
    not_null: bool
    has_default: bool
    is_generated: bool

    @property
    def type(self) -> ColumnType | None:
        """Our type for it, or the nearest one above; None if there is none."""
        near = (kind for start, kind in _KIN.items() if self._is(start))
        return _OURS.get(self.sql_type) or next(near, None)

    @property
    def is_exact(self) -> bool:
        """Whether it holds all that its `type` holds: `varchar` does, `varchar(20)` and `numeric(9,2)` do not."""
        return self.sql_type in _OURS or self.sql_type == "character varying"

    @property
    def is_rewritten(self) -> bool:
        """Whether every row must be written anew to give it its `type`; a limit alone is lifted without that."""
        return self.sql_type in _REWRITTEN

    def _is(self, start: str) -> bool:
        return self.sql_type.startswith(start) if start.endswith("(") else self.sql_type == start


@dataclass(frozen=True)
class StoredTable:
    """A relation as it stands in the database; `kind` is pg_class.relkind, `attributes` counts dropped columns too."""

    oid: int
    kind: str
    owner: str
    user: str
    is_ours: bool
    attributes: int
    columns: Mapping[str, StoredColumn]

    @property
    def is_table(self) -> bool:
        """Whether it is a table, partitioned or not."""
        return self.kind in {"r", "p"}


def read_table(cursor: Cursor, schema: str, name: str) -> StoredTable | None:
    """Read the relation of this name, if there is one."""
    cursor.execute(
        "select c.oid, relkind::text, pg_get_userbyid(relowner), current_user::text,"
        " pg_has_role(relowner, 'USAGE'), relnatts::int"
        " from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = %s and relname = %s",
        (schema, name),
    )
    row = cursor.fetchone()
    if row is None:
        return None
    oid, kind, owner, user, is_ours, attributes = row
    return StoredTable(oid, kind, owner, user, is_ours, attributes, _read_columns(cursor, oid))


def _read_columns(cursor: Cursor, oid: int) -> dict[str, StoredColumn]:
    cursor.execute(
        "select attname, format_type(atttypid, atttypmod), attlen, attnotnull, atthasdef or attidentity <> '',"
        " attgenerated <> '' or attidentity = 'a'"
        " from pg_attribute where attrelid = %s and attnum > 0 and not attisdropped order by attnum",
        (oid,),
    )
    return {str(row[0]): StoredColumn(*row) for row in cursor.fetchall()}


@dataclass(frozen=True)
class UniqueKey:
    """A unique index over whole columns and all rows; ON CONFLICT cannot work beside a deferrable one."""

    name: str
    is_deferrable: bool
    columns: frozenset[str]


def unique_keys(cursor: Cursor, oid: int) -> list[UniqueKey]:
    """List the unique indexes of a table that could be its key."""
    cursor.execute(
        "select relname::text, not indimmediate, array(select attname::text from pg_attribute"
        " where attrelid = i.indrelid and attnum = any(i.indkey[0:i.indnkeyatts - 1]))"
        " from pg_index i join pg_class c on c.oid = indexrelid where indrelid = %s and indisunique and indisvalid"
        " and indpred is null and indexprs is null",
        (oid,),
    )
    return [UniqueKey(name, deferrable, frozenset(columns)) for name, deferrable, columns in cursor.fetchall()]


def is_empty(cursor: Cursor, table: sql.Identifier) -> bool:
    """Tell whether a table has no row."""
    return not cursor.execute(sql.SQL("select 1 from {} limit 1").format(table)).fetchone()


def table_bytes(cursor: Cursor, oid: int) -> int:
    """Give the size of a table, its partitions, indexes and TOAST."""
    cursor.execute(
        "select coalesce(sum(pg_total_relation_size(relid)), 0)::bigint"
        " from (select %(oid)s::oid as relid union select relid from pg_partition_tree(%(oid)s)) tree",
        {"oid": oid},
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0
