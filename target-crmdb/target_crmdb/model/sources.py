"""The tables that the model's views read: which mapping each follows, and where its fields stand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from typing_extensions import override

from target_crmdb.exceptions import ConfigError
from target_crmdb.mapping import EXTRA, ColumnType, Path, SourceMapping, StreamMapping
from target_crmdb.mapping.reading import mapping_of_tree
from target_crmdb.tables.catalog import StoredColumn

Cursor = psycopg.Cursor[tuple[Any, ...]]

_TABLES = """
select t.table_schema, t.table_name, t.stream, coalesce(t.source, t.table_schema), m.own, t.key_properties, c.oid
from tables t
join pg_namespace n on n.nspname = t.table_schema
join pg_class c on c.relnamespace = n.oid and c.relname = t.table_name and c.relkind in ('r', 'p')
left join mappings m on m.table_schema = t.table_schema and m.source = t.source
order by 1, 2
"""
_COLUMNS = """
select attrelid, attname, format_type(atttypid, atttypmod), attlen, attnotnull, atthasdef or attidentity <> '',
    attgenerated <> '' or attidentity = 'a'
from pg_attribute where attrelid = any(%s::oid[]) and attnum > 0 and not attisdropped order by attrelid, attnum
"""
_PLACES = """
select table_schema, table_name, path, column_name, retired_at is not null from columns order by added_at, column_name
"""
_NORMALS = """
select table_schema, table_name, path, form, column_name, filled_at is not null from normal_columns
where retired_at is null
"""


@dataclass(frozen=True)
class NormalPlace:
    """A normal column, and whether the rows that were there before it have their values."""

    column: str
    is_filled: bool


@dataclass
class SourceTable:
    """One stream's table as the database has it, and what its mapping says of it."""

    schema: str
    name: str
    stream: str
    mapping: SourceMapping
    says: StreamMapping
    keys: tuple[str, ...]
    stored: Mapping[str, StoredColumn]
    places: dict[Path, str] = field(default_factory=dict)
    left: dict[Path, list[str]] = field(default_factory=dict)
    in_extra: set[Path] = field(default_factory=set)
    normals: dict[tuple[str, str], NormalPlace] = field(default_factory=dict)

    @property
    def types(self) -> dict[Path, ColumnType]:
        """The types of the columns by the paths of their fields."""
        return {path: self.type_of(name) for path, name in self.places.items()}

    def type_of(self, column: str) -> ColumnType:
        """Give the type that a column's values have; jsonb stands for any that is none of ours."""
        return self.stored[column].type or ColumnType.JSONB

    @override
    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


def read_sources(cursor: Cursor, own: SourceMapping | None = None, schema: str = "") -> list[SourceTable]:
    """Read all tables that a mapping says something of.

    `own` is the mapping that the tables of its source in `schema` follow from now on, whatever is recorded.
    """
    tables = list(_tables(cursor, own, schema))
    by_name = {(one.schema, one.name): one for one in tables}
    for table_schema, name, path, column, retired in cursor.execute(_PLACES).fetchall():
        if (table := by_name.get((table_schema, name))) is not None:
            _place(table, tuple(path), column, retired=retired)
    for table_schema, name, text, form, column, filled in cursor.execute(_NORMALS).fetchall():
        if (table := by_name.get((table_schema, name))) is not None and column in table.stored:
            table.normals[text, form] = NormalPlace(column, filled)
    return tables


def _place(table: SourceTable, path: Path, column: str, *, retired: bool) -> None:
    if column == EXTRA:
        if not retired:
            table.in_extra.add(path)
    elif column not in table.stored:
        return
    elif retired:
        table.left.setdefault(path, []).append(column)
    else:
        table.places[path] = column


def _tables(cursor: Cursor, own: SourceMapping | None, schema: str) -> Iterator[SourceTable]:
    found = []
    for table_schema, name, stream, source, tree, keys, oid in cursor.execute(_TABLES).fetchall():
        is_own = own is not None and (table_schema, source) == (schema, own.source)
        mapping = own if is_own and own is not None else _recorded(source, tree)
        says = mapping.stream(stream)
        if says is not None:
            found.append((oid, (table_schema, name, stream, mapping, says, tuple(keys))))
    columns = _columns(cursor, [oid for oid, _ in found])
    for oid, about in found:
        yield SourceTable(*about, stored=columns.get(oid, {}))


def _recorded(source: str, own: Any) -> SourceMapping:
    """Give the mapping of other runs' tables; what this version does not understand of it is left out."""
    try:
        return mapping_of_tree(source, own)
    except ConfigError:
        return mapping_of_tree(source, None)


def _columns(cursor: Cursor, oids: Sequence[int]) -> dict[int, dict[str, StoredColumn]]:
    found: dict[int, dict[str, StoredColumn]] = {}
    for oid, *column in cursor.execute(_COLUMNS, (list(oids),)).fetchall():
        one = StoredColumn(*column)
        found.setdefault(oid, {})[one.name] = one
    return found
