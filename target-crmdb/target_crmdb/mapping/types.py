"""Which Postgres type a JSON schema asks for, and which type holds the values of two."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

Schema = Mapping[str, Any]

_BIGINT_MAX = 2**63 - 1


class ColumnType(StrEnum):
    """The Postgres types that columns may have; the value is the type's SQL name."""

    TEXT = "text"
    BIGINT = "bigint"
    NUMERIC = "numeric"
    BOOLEAN = "boolean"
    TIMESTAMPTZ = "timestamp with time zone"
    DATE = "date"
    TIME = "time without time zone"
    JSONB = "jsonb"


_SCALARS = {
    "string": ColumnType.TEXT,
    "integer": ColumnType.BIGINT,
    "number": ColumnType.NUMERIC,
    "boolean": ColumnType.BOOLEAN,
}
_FORMATS = {"date-time": ColumnType.TIMESTAMPTZ, "date": ColumnType.DATE, "time": ColumnType.TIME}
_ORDERED = frozenset({ColumnType.BIGINT, ColumnType.NUMERIC, ColumnType.TIMESTAMPTZ, ColumnType.DATE})
_WIDER = (
    frozenset({ColumnType.BIGINT, ColumnType.NUMERIC}),
    frozenset({ColumnType.DATE, ColumnType.TIMESTAMPTZ}),
)
_WIDEST = (ColumnType.NUMERIC, ColumnType.TIMESTAMPTZ)


def column_type(schema: Schema) -> ColumnType:
    """Give the type of a column whose values follow `schema`; several kinds of value make jsonb."""
    types = {kind for branch in _branches(schema) for kind in _branch_types(branch)}
    if types == {ColumnType.BIGINT, ColumnType.NUMERIC}:
        return ColumnType.NUMERIC
    if types == {ColumnType.TEXT, ColumnType.TIMESTAMPTZ}:
        return ColumnType.TEXT
    return types.pop() if len(types) == 1 else ColumnType.JSONB


def is_ordered(kind: ColumnType) -> bool:
    """Tell whether `<` on this type orders versions; on text it would not ("10" < "9")."""
    return kind in _ORDERED


def wider(stored: ColumnType, wanted: ColumnType) -> ColumnType:
    """Give the narrowest type that holds the values of both, without loss."""
    if stored == wanted:
        return stored
    for pair, widest in zip(_WIDER, _WIDEST, strict=True):
        if {stored, wanted} == pair:
            return widest
    if ColumnType.JSONB in {stored, wanted}:
        return ColumnType.JSONB
    return ColumnType.TEXT


def _branches(schema: Schema) -> Iterator[Schema]:
    """Yield the alternatives of anyOf and oneOf, or the schema itself."""
    alternatives = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if not alternatives:
        yield schema
    for alternative in alternatives:
        yield from _branches({**schema, "anyOf": (), "oneOf": (), **alternative})


def _branch_types(schema: Schema) -> Iterator[ColumnType]:
    declared = schema.get("type")
    names = [declared] if isinstance(declared, str) else list(declared or _types_of_values(schema))
    for name in names:
        if name != "null":
            yield _named_type(name, schema)


def _named_type(name: str, schema: Schema) -> ColumnType:
    if name == "string":
        return _FORMATS.get(str(schema.get("format")), ColumnType.TEXT)
    limits = (schema.get("maximum", 0), schema.get("exclusiveMaximum", 0))
    if name == "integer" and any(limit > _BIGINT_MAX for limit in limits if not isinstance(limit, bool)):
        return ColumnType.NUMERIC
    return _SCALARS.get(name, ColumnType.JSONB)


def _types_of_values(schema: Schema) -> Iterator[str]:
    """Name the types of an enum or const without a type; a schema that says nothing allows anything."""
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if values is None:
        yield "object"
    for value in values or ():
        yield _type_of_value(value)


def _type_of_value(value: object) -> str:
    if value is None:
        return "null"
    for kind, name in ((bool, "boolean"), (str, "string"), (int, "integer"), (dict, "object"), (list, "array")):
        if isinstance(value, kind):
            return name
    return "number"
