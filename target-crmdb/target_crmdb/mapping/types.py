"""Which Postgres type a JSON schema asks for, and which type holds the values of two."""

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

Schema = Mapping[str, Any]

_INTEGER = range(-(2**31), 2**31)
_BIGINT = range(-(2**63), 2**63)


class ColumnType(StrEnum):
    """The Postgres types that columns may have; the value is the type's SQL name."""

    TEXT = "text"
    INTEGER = "integer"
    BIGINT = "bigint"
    NUMERIC = "numeric"
    DOUBLE = "double precision"
    BOOLEAN = "boolean"
    TIMESTAMPTZ = "timestamp with time zone"
    DATE = "date"
    TIME = "time without time zone"
    UUID = "uuid"
    JSONB = "jsonb"


_FORMATS: Mapping[str, Mapping[str, ColumnType]] = MappingProxyType(
    {
        "string": {
            "date-time": ColumnType.TIMESTAMPTZ,
            "date": ColumnType.DATE,
            "time": ColumnType.TIME,
            "uuid": ColumnType.UUID,
            "singer.decimal": ColumnType.NUMERIC,  # singer_sdk.typing.SingerDecimalType: a number written as text
        },
        "number": {"double": ColumnType.DOUBLE, "float": ColumnType.DOUBLE},  # OpenAPI's formats of number
    }
)
_SCALARS = {"string": ColumnType.TEXT, "number": ColumnType.NUMERIC, "boolean": ColumnType.BOOLEAN}
# SQL types that a tap may name (`x-sql-datatype`, singer_sdk.sql.connector), by what they become here
_HINTS: Mapping[str, ColumnType] = MappingProxyType(
    {name: ColumnType(name) for name in ColumnType}
    | dict.fromkeys(("smallint", "tinyint", "int", "int2", "int4", "mediumint"), ColumnType.INTEGER)
    | dict.fromkeys(("int8",), ColumnType.BIGINT)
    | dict.fromkeys(("decimal", "number"), ColumnType.NUMERIC)
    | dict.fromkeys(("double", "float", "float4", "float8", "real"), ColumnType.DOUBLE)
    | dict.fromkeys(("bool",), ColumnType.BOOLEAN)
    | dict.fromkeys(("varchar", "character varying", "char", "character", "nvarchar", "string"), ColumnType.TEXT)
    | dict.fromkeys(("timestamptz", "timestamp", "timestamp without time zone", "datetime"), ColumnType.TIMESTAMPTZ)
    | dict.fromkeys(("time",), ColumnType.TIME)
    | dict.fromkeys(("json", "variant"), ColumnType.JSONB)
)
# the hints that a JSON type's values can follow; any other hint is not heard
_HEARD: Mapping[str, frozenset[ColumnType]] = MappingProxyType(
    {
        "string": frozenset(
            {
                ColumnType.TEXT,
                ColumnType.UUID,
                ColumnType.DATE,
                ColumnType.TIME,
                ColumnType.TIMESTAMPTZ,
                ColumnType.NUMERIC,
            }
        ),
        "integer": frozenset({ColumnType.INTEGER, ColumnType.BIGINT, ColumnType.NUMERIC, ColumnType.TEXT}),
        "number": frozenset({ColumnType.NUMERIC, ColumnType.DOUBLE, ColumnType.TEXT}),
        "boolean": frozenset({ColumnType.BOOLEAN, ColumnType.TEXT}),
    }
)
_MODIFIER = re.compile(r"\s*\([^)]*\)")
_NUMBERS = frozenset({"integer", "number"})
_ORDERED = frozenset(
    {
        ColumnType.INTEGER,
        ColumnType.BIGINT,
        ColumnType.NUMERIC,
        ColumnType.DOUBLE,
        ColumnType.TIMESTAMPTZ,
        ColumnType.DATE,
    }
)
# each type with those whose values it holds without loss; what is not here meets in text, or in jsonb
_HOLDS: Mapping[ColumnType, frozenset[ColumnType]] = MappingProxyType(
    {
        ColumnType.BIGINT: frozenset({ColumnType.INTEGER}),
        ColumnType.DOUBLE: frozenset({ColumnType.INTEGER}),
        ColumnType.NUMERIC: frozenset({ColumnType.INTEGER, ColumnType.BIGINT, ColumnType.DOUBLE}),
        ColumnType.TIMESTAMPTZ: frozenset({ColumnType.DATE}),
    }
)


def column_type(schema: Schema) -> ColumnType:
    """Give the type of a column whose values follow `schema`; several kinds of value make jsonb."""
    found = [pair for branch in _branches(schema) for pair in _branch_types(branch)]
    kinds, types = {kind for kind, _ in found}, {column for _, column in found}
    if len(types) == 1:
        return types.pop()
    if kinds == {"string"}:
        return ColumnType.TEXT  # a date or an instant, an id or a word: as text each stays what it was
    if types and kinds <= _NUMBERS:
        return widest(types)
    return ColumnType.JSONB


def is_ordered(kind: ColumnType) -> bool:
    """Tell whether `<` on this type orders versions; on text it would not ("10" < "9")."""
    return kind in _ORDERED


def wider(stored: ColumnType, wanted: ColumnType) -> ColumnType:
    """Give the narrowest type that holds the values of both, without loss."""
    if stored == wanted or wanted in _HOLDS.get(stored, ()):
        return stored
    if stored in _HOLDS.get(wanted, ()):
        return wanted
    if {stored, wanted} == {ColumnType.BIGINT, ColumnType.DOUBLE}:
        return ColumnType.NUMERIC
    if ColumnType.JSONB in {stored, wanted}:
        return ColumnType.JSONB
    return ColumnType.TEXT


def widest(types: Iterable[ColumnType]) -> ColumnType:
    """Give the narrowest type that holds the values of all."""
    first, *rest = sorted(types)
    for kind in rest:
        first = wider(first, kind)
    return first


def _branches(schema: Schema) -> Iterator[Schema]:
    """Yield the alternatives of anyOf and oneOf, or the schema itself."""
    alternatives = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if not alternatives:
        yield schema
    for alternative in alternatives:
        yield from _branches({**schema, "anyOf": (), "oneOf": (), **alternative})


def _branch_types(schema: Schema) -> Iterator[tuple[str, ColumnType]]:
    """Yield the JSON types of a branch, each with its column type."""
    declared = schema.get("type")
    names = [declared] if isinstance(declared, str) else list(declared or _types_of_values(schema))
    for name in names:
        if name != "null":
            yield name, _hinted(name, schema) or _named_type(name, schema)


def _hinted(name: str, schema: Schema) -> ColumnType | None:
    """Read the SQL type that the tap names, if the values of this JSON type can follow it."""
    hint = _HINTS.get(_MODIFIER.sub("", str(schema.get("x-sql-datatype", ""))).strip().lower())
    return hint if hint in _HEARD.get(name, ()) else None


def _named_type(name: str, schema: Schema) -> ColumnType:
    if name == "integer":
        return _integer_type(schema)
    found = _FORMATS.get(name, {}).get(str(schema.get("format")))
    return found or _SCALARS.get(name, ColumnType.JSONB)


def _integer_type(schema: Schema) -> ColumnType:
    """Read the bounds: integer needs both, numeric one that a bigint does not reach; anything else is a bigint."""
    low, high = (_bounds(schema, names) for names in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")))
    if low and high and max(low) in _INTEGER and min(high) in _INTEGER:
        return ColumnType.INTEGER
    if any(limit < _BIGINT.start for limit in low) or any(limit >= _BIGINT.stop for limit in high):
        return ColumnType.NUMERIC
    return ColumnType.BIGINT


def _bounds(schema: Schema, names: tuple[str, str]) -> list[int]:
    """Give the bounds as integers; draft 4's `exclusiveMaximum: true` is none."""
    values = (schema.get(name) for name in names)
    return [int(value) for value in values if value is not None and not isinstance(value, bool | str)]


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
