"""The definition of an entity's view: one SELECT for each table that has rows of it, all of one shape."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from target_crmdb.mapping import ColumnType
from target_crmdb.mapping.canonical import DELETED, FIXED, ID, LINKS, ROW, SOURCE, TABLE, UPDATED_AT, URL, Entity
from target_crmdb.mapping.source import Link
from target_crmdb.model.expressions import Expression, Reader
from target_crmdb.model.sources import SourceTable
from target_crmdb.validation.fields import COLUMN_TYPES

_ROW = "The whole row as its table has it, also what no field of the model has; made only where it is asked for."
_FIXED_TYPES = {UPDATED_AT: ColumnType.TIMESTAMPTZ, DELETED: ColumnType.TIMESTAMPTZ}


@dataclass(frozen=True)
class Definition:
    """A view as it should be: its columns with their types, and a SELECT for any order of them."""

    entity: Entity
    types: Mapping[str, ColumnType]
    branches: Sequence["_Branch"]

    def select(self, order: Sequence[str]) -> sql.Composed:
        """Write the view's query with the columns in this order."""
        if not self.branches:
            nothing = (
                sql.SQL("null::{} as {}").format(sql.SQL(self.types[name].value), sql.Identifier(name))
                for name in order
            )
            return sql.SQL("select {} where false").format(sql.SQL(", ").join(nothing))
        return sql.SQL("\nunion all\n").join(branch.select(order) for branch in self.branches)

    def comments(self) -> Iterator[tuple[str, str]]:
        """Yield what is to be said of each column."""
        yield from FIXED.items()
        yield from ((field.name, field.description) for field in self.entity.fields.values())
        yield ROW, _ROW


@dataclass(frozen=True)
class _Branch:
    """What one table gives to a view."""

    table: SourceTable
    values: Mapping[str, Expression]
    condition: Expression | None = None

    def select(self, order: Sequence[str]) -> sql.Composed:
        columns = (sql.SQL("{} as {}").format(self.values[name], sql.Identifier(name)) for name in order)
        return sql.SQL("select {} from {} t{}").format(
            sql.SQL(", ").join(columns),
            sql.Identifier(self.table.schema, self.table.name),
            sql.SQL("") if self.condition is None else sql.SQL(" where {}").format(self.condition),
        )


def define(entity: Entity, tables: Sequence[SourceTable]) -> Definition:
    """Define an entity's view over all tables."""
    types = {name: _FIXED_TYPES.get(name, ColumnType.TEXT) for name in FIXED}
    types |= {field.name: COLUMN_TYPES[field.type] for field in entity.fields.values()}
    types[ROW] = ColumnType.JSONB
    branches = [_rows(entity, table) for table in tables if table.says.entity == entity.name]
    if entity.name == LINKS:
        branches += [branch for table in tables for branch in _links(entity, table)]
    return Definition(entity, types, branches)


def _rows(entity: Entity, table: SourceTable) -> _Branch:
    reader = Reader(table)
    fields = {field.name: reader.field(field) for field in entity.fields.values()}
    return _Branch(table, {**_fixed(reader), ID: reader.source_id(), **fields})


def _fixed(reader: Reader) -> dict[str, Expression]:
    table = reader.table
    return {
        SOURCE: _text(table.mapping.source),
        UPDATED_AT: reader.updated_at(),
        DELETED: reader.deleted_at(),
        URL: reader.url(),
        TABLE: _text(str(table)),
        ROW: sql.SQL("to_jsonb(t)"),
    }


def _links(entity: Entity, table: SourceTable) -> Iterator[_Branch]:
    """Yield the associations that fields of a record tell."""
    reader = Reader(table)
    for link in table.says.links:
        target = reader.text(link.path)
        if target is None or table.says.entity is None:
            continue
        named: dict[str, Expression] = {
            "from_entity": _text(table.says.entity),
            "from_id": reader.source_id(),
            "to_entity": _to(link, target),
            "to_id": target,
            "kind": _text(link.path.text),
        }
        missing = {name: sql.SQL("null::text") for name in entity.fields.keys() - named.keys()}
        values = {**_fixed(reader), ID: reader.source_id(_text(link.path.text)), **missing, **named}
        yield _Branch(table, values, sql.SQL("{} is not null").format(_to(link, target) if link.prefixes else target))


def _to(link: Link, target: Expression) -> Expression:
    if link.to is not None:
        return _text(link.to)
    whens = [
        sql.SQL("when starts_with({}, {}) then {}").format(target, sql.Literal(prefix), sql.Literal(to))
        for prefix, to in link.prefixes
    ]
    return sql.SQL("(case {} end)::text").format(sql.SQL(" ").join(whens))


def _text(value: str) -> Expression:
    return sql.SQL("{}::text").format(sql.Literal(value))
