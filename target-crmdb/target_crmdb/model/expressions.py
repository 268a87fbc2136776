"""How a view reads a field of one table: from its column, its normal column, or `_extra`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from psycopg import sql

from target_crmdb.mapping import DELETED_AT, EXTRA, ColumnType, dotted
from target_crmdb.mapping.canonical import UPDATED_AT, CanonicalField
from target_crmdb.mapping.normals import is_plain
from target_crmdb.mapping.paths import FieldPath, Step, parse_path
from target_crmdb.mapping.source import FieldMapping
from target_crmdb.mapping.wanted import form_of
from target_crmdb.model.sources import SourceTable
from target_crmdb.validation.fields import COLUMN_TYPES

Expression = sql.Composable

# a column's value as a text, and as other types, where `is_plain` says that it is one
_TEXT = sql.SQL("nullif({}, '')")
_AS: Mapping[tuple[ColumnType, ColumnType], sql.SQL] = {
    (ColumnType.DOUBLE, ColumnType.NUMERIC): sql.SQL("{}::text::numeric"),
    (ColumnType.DATE, ColumnType.TIMESTAMPTZ): sql.SQL("({}::timestamp at time zone 'UTC')"),
    (ColumnType.TIMESTAMPTZ, ColumnType.DATE): sql.SQL("({} at time zone 'UTC')::date"),
}


@dataclass(frozen=True)
class Reader:
    """Writes the expressions of one table, whose alias is `t`."""

    table: SourceTable

    def field(self, field: CanonicalField) -> Expression:
        """Give a canonical field's value: of several source fields the first that is not null, or the constant."""
        kind = COLUMN_TYPES[field.type]
        found = [each for one in self.table.says.fields if one.field == field.name for each in self._mapped(one)]
        constants = dict(self.table.says.constants)
        if field.name in constants:
            found.append(sql.Literal(constants[field.name]))
        return _cast(_first(found), kind)

    def updated_at(self) -> Expression:
        """Give the time of the last change."""
        path = self.table.says.updated_at
        kind = COLUMN_TYPES["datetime"]
        if path is None:
            return _cast(None, kind)
        return _cast(_first(self._typed(FieldMapping(path, UPDATED_AT, "datetime"))), kind)

    def source_id(self, *more: Expression) -> Expression:
        """Give the record's key as one text, with `more` behind it."""
        parts = [*(self.text(path) or sql.SQL("null") for path in self.table.says.id), *more]
        if len(parts) == 1:
            return _cast(parts[0], ColumnType.TEXT)
        return sql.SQL("concat_ws(':', {})").format(sql.SQL(", ").join(parts))

    def deleted_at(self) -> Expression:
        """Give the time of deletion."""
        there = DELETED_AT in self.table.stored
        return _column(DELETED_AT) if there else _cast(None, ColumnType.TIMESTAMPTZ)

    def url(self) -> Expression:
        """Give the page of the record: a field of it, or the template filled."""
        template = self.table.says.url
        if template is None:
            return _cast(None, ColumnType.TEXT)
        if "{" not in template:
            return _cast(self.text(parse_path(template)), ColumnType.TEXT)
        parts = list(self._template(template))
        return _cast(sql.SQL("({})").format(sql.SQL(" || ").join(parts)), ColumnType.TEXT)

    def _template(self, template: str) -> Iterator[Expression]:
        text, *rest = template.split("{")
        yield _cast(sql.Literal(text), ColumnType.TEXT)
        for each in rest:
            name, _, behind = each.partition("}")
            if name == "base_url":
                base = self.table.mapping.base_url
                yield _cast(None if base is None else sql.Literal(base.rstrip("/")), ColumnType.TEXT)
            else:
                yield _cast(self.text(parse_path(name)), ColumnType.TEXT)
            yield sql.Literal(behind)

    def text(self, path: FieldPath) -> Expression | None:
        """Give a field's value as a text, as it came; None, if the table has no such field."""
        return _first(self._plain(path, "text", ColumnType.TEXT))

    def reads(self, one: FieldMapping) -> bool:
        """Tell whether the table has anything that this field is read from."""
        return any(True for _ in self._typed(one))

    def _mapped(self, one: FieldMapping) -> Iterator[Expression]:
        for value in self._typed(one):
            if one.values:
                yield _translated(value, one.values)
            elif one.prefixes:
                yield _of_prefixes(value, one.prefixes)
            elif one.factor is not None:
                yield sql.SQL("({} * {}::numeric)").format(_cast(value, ColumnType.NUMERIC), sql.Literal(one.factor))
            else:
                yield value

    def _typed(self, one: FieldMapping) -> Iterator[Expression]:
        """Yield the normal form, or what is one as it stands; behind it, what a column has that the field has left."""
        name, options = form_of(one)
        kind = COLUMN_TYPES[name]
        normal = self.table.normals.get((one.path.text, options))
        column, steps = one.path.split(self.table.places)
        current = None if column is None else self.table.type_of(self.table.places[column])
        if not is_plain(name, current, steps) and normal is not None:
            yield _column(normal.column)
        yield from self._plain(one.path, name, kind)

    def _plain(self, path: FieldPath, name: str, kind: ColumnType) -> Iterator[Expression]:
        column, steps = path.split(self.table.places)
        if column is not None:
            yield from self._of_column(self.table.places[column], name, kind, steps)
        else:
            yield from self._of_extra(path, name)
        for old in self.table.left.get(column or path.names, ()):
            yield from self._of_column(old, name, kind, steps)

    def _of_column(self, column: str, name: str, kind: ColumnType, steps: tuple[Step, ...]) -> Iterator[Expression]:
        current = self.table.type_of(column)
        if not is_plain(name, current, steps) or (steps and current != ColumnType.JSONB):
            return
        if current == ColumnType.JSONB:
            yield _TEXT.format(_inside(_column(column), steps))
        elif kind == ColumnType.TEXT:
            yield _TEXT.format(_column(column)) if current == ColumnType.TEXT else _cast(_column(column), kind)
        else:
            yield _AS.get((current, kind), sql.SQL("{}")).format(_column(column))

    def _of_extra(self, path: FieldPath, name: str) -> Iterator[Expression]:
        """Read what has no column: `_extra` has it by its dotted path."""
        place, steps = path.split(self.table.in_extra)
        if place is not None and is_plain(name, None, steps):
            value = sql.SQL("({} -> {})").format(_column(EXTRA), sql.Literal(dotted(place)))
            yield _TEXT.format(_inside(value, steps))


def _inside(value: Expression, steps: Iterable[Step]) -> Expression:
    path = "{" + ",".join('"' + str(step).replace("\\", "\\\\").replace('"', '\\"') + '"' for step in steps) + "}"
    return sql.SQL("{} #>> {}").format(value, sql.Literal(path))


def _translated(value: Expression, values: Iterable[tuple[str, object]]) -> Expression:
    """Give the translation of a value; one that has none stays, where texts become texts."""
    pairs = list(values)
    whens = [sql.SQL("when {} then {}").format(sql.Literal(old), sql.Literal(new)) for old, new in pairs]
    stays = all(isinstance(new, str) for _, new in pairs)
    otherwise = sql.SQL(" else {}").format(value) if stays else sql.SQL("")
    return sql.SQL("case {} {}{} end").format(value, sql.SQL(" ").join(whens), otherwise)


def _of_prefixes(value: Expression, prefixes: Iterable[str]) -> Expression:
    begins = [sql.SQL("starts_with({}, {})").format(value, sql.Literal(prefix)) for prefix in prefixes]
    return sql.SQL("case when {} then {} end").format(sql.SQL(" or ").join(begins), value)


def _column(name: str) -> Expression:
    return sql.SQL("t.{}").format(sql.Identifier(name))


def _first(values: Iterable[Expression]) -> Expression | None:
    found = list(values)
    if len(found) > 1:
        return sql.SQL("coalesce({})").format(sql.SQL(", ").join(found))
    return found[0] if found else None


def _cast(value: Expression | None, kind: ColumnType) -> Expression:
    return sql.SQL("{}::{}").format(value or sql.SQL("null"), sql.SQL(kind.value))
