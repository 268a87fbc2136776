"""Schemas of records, and values brought to them: stamps are RFC 3339 whichever version of the API sent them."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Schema = dict[str, Any]
Record = dict[str, Any]

TEXT: Schema = {"type": ["string", "null"]}
NUMBER: Schema = {"type": ["number", "null"]}
INTEGER: Schema = {"type": ["integer", "null"]}
BOOLEAN: Schema = {"type": ["boolean", "null"]}
DATE: Schema = {"type": ["string", "null"], "format": "date"}
INSTANT: Schema = {"type": ["string", "null"], "format": "date-time"}
INTEGERS: Schema = {"type": ["array", "null"], "items": {"type": "integer"}}
TEXTS: Schema = {"type": ["array", "null"], "items": {"type": "string"}}
OBJECT: Schema = {"type": ["object", "null"]}
LIST: Schema = {"type": ["array", "null"]}
DELETED = "_sdc_deleted_at"

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


_MISFITS = (ValueError, TypeError, OverflowError)


class MisfitError(ValueError):
    """A value that its declared type cannot hold."""


def record_schema(keys: Mapping[str, Schema], properties: Mapping[str, Schema]) -> Schema:
    """The JSON schema of a record; its keys are never null."""
    needed = {name: {**schema, "type": schema["type"][0]} for name, schema in keys.items()}
    return {"type": "object", "properties": {**needed, **properties}, "required": [*keys]}


class Shape:
    """Brings rows to a schema, field by field; what it does not name stays as the API sent it.

    A value that does not fit becomes null and is counted in `misfits`. Fields that a row lacks become null.
    """

    def __init__(self, schema: Schema) -> None:
        declared = schema["properties"].items()
        self._casts = {name: (cast_of(each), natives_of(each)) for name, each in declared}
        self._nulls = dict.fromkeys(schema["properties"])
        self.misfits: Counter[str] = Counter()

    def __call__(self, row: Mapping[str, Any]) -> Record:
        """One row as a record."""
        record = {**self._nulls, **row}
        for name, (cast, natives) in self._casts.items():
            value = record[name]
            if value is not None and type(value) not in natives:
                try:
                    record[name] = cast(value)
                except _MISFITS:
                    record[name] = None
                    self.misfit(name, value)
        return record

    def value(self, name: str, cast: Callable[[Any], Any], value: Any) -> Any:
        """One value, null where it does not fit."""
        try:
            return cast(value)
        except _MISFITS:
            self.misfit(name, value)
            return None

    def misfit(self, name: str, value: Any) -> None:
        """Count a value that does not fit; null stands for it. An empty text where none is due is no value."""
        self.misfits[name] += 0 if value == "" else 1


def natives_of(schema: Mapping[str, Any]) -> frozenset[type]:
    """The types whose values a schema takes as they are; the others are cast."""
    types = schema["type"]
    return _NATIVES.get(schema.get("format") or (types if isinstance(types, str) else types[0]), frozenset())


def cast_of(schema: Mapping[str, Any]) -> Callable[[Any], Any]:
    """What brings a value that is not null to a schema."""
    types = schema["type"]
    kind = schema.get("format") or (types if isinstance(types, str) else types[0])
    if kind == "array" and schema.get("items"):
        item = cast_of(schema["items"])
        return lambda value: [item(each) for each in _listed(value) if each is not None]
    return _CASTS[kind]


def to_text(value: Any) -> str:
    """Any value as text; what is more than a value, as JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def to_number(value: Any) -> int | float | Decimal:
    """A finite number; those of JSON are."""
    if type(value) is int or type(value) is Decimal:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise MisfitError
    try:
        number = Decimal(value.strip()) if isinstance(value, str) else value
    except InvalidOperation:
        raise MisfitError from None
    if not isinstance(number, int) and not Decimal(number).is_finite():
        raise MisfitError
    return number


def to_integer(value: Any) -> int:
    """A whole number; flags of v1 are 0 and 1."""
    if type(value) is int:
        return value
    if isinstance(value, bool):
        return int(value)
    number = to_number(value)
    if number != int(number):
        raise MisfitError
    return int(number)


def to_boolean(value: Any) -> bool:
    """A switch; v1 has some as 0 and 1."""
    if isinstance(value, bool):
        return value
    if value in (0, 1, "0", "1"):
        return value in (1, "1")
    raise MisfitError


def to_date(value: Any) -> str:
    """A date that exists; a stamp's day."""
    if not isinstance(value, str) or not _DATE.match(value):
        raise MisfitError
    date.fromisoformat(value[:10])
    return value[:10]


def to_instant(value: Any) -> str:
    """An instant in UTC as RFC 3339: `2026-11-01T10:00:00Z`, with fractions where there are any.

    v1 writes `2026-11-01 10:00:00`, and means UTC.
    """
    if not isinstance(value, str):
        raise MisfitError
    instant = datetime.fromisoformat(value.strip())
    aware = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    # isoformat pads the year, strftime does not
    return aware.isoformat(timespec="milliseconds" if aware.microsecond else "seconds").replace("+00:00", "Z")


def to_reference(value: Any) -> Any:
    """The id of a person, organisation or user, which v1 joins as an object."""
    if isinstance(value, dict):
        value = value.get("value", value.get("id"))
    return to_integer(value)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MisfitError
    return value


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise MisfitError
    return value


_NATIVES: Mapping[str, frozenset[type]] = {
    "string": frozenset({str}),
    "number": frozenset({int, Decimal}),
    "integer": frozenset({int}),
    "boolean": frozenset({bool}),
}
_CASTS: Mapping[str, Callable[[Any], Any]] = {
    "string": to_text,
    "number": to_number,
    "integer": to_integer,
    "boolean": to_boolean,
    "date": to_date,
    "date-time": to_instant,
    "object": _object,
    "array": _listed,
}
