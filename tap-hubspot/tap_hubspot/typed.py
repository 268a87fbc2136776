"""Records of fixed shape, typed by their SCHEMA: ids are text, epoch milliseconds are instants."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_hubspot.casting import MisfitError, Misfits, to_boolean, to_date, to_instant, to_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Schema = Mapping[str, Any]
    Record = dict[str, Any]


class Typed:
    """Gives rows the types of a schema, nested ones too; what the schema does not name stays as the API sent it.

    A value that does not fit becomes null and is counted in `misfits`.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self.misfits = Misfits()

    def __call__(self, row: Mapping[str, Any]) -> Record:
        """One row as a record."""
        return self._object("", row, self._schema)

    def _object(self, path: str, row: Mapping[str, Any], schema: Schema) -> Record:
        declared = schema.get("properties", {})
        return {
            name: self._value(f"{path}{name}", value, declared[name]) if name in declared else value
            for name, value in row.items()
        }

    def _value(self, path: str, value: Any, schema: Schema) -> Any:
        if value is None:
            return None
        types = _types(schema)
        if isinstance(value, dict) and "object" in types:
            return self._object(f"{path}.", value, schema)
        if isinstance(value, list) and "array" in types:
            items = schema.get("items")
            return [self._value(path, item, items) for item in value] if items else value
        try:
            return _scalar(value, schema)
        except (MisfitError, OverflowError):
            self.misfits.add(path)
            return None


def _scalar(value: Any, schema: Schema) -> object:
    kind = schema.get("format") or next(name for name in _types(schema) if name != "null")
    if kind not in _OF_KIND:  # an object or array is declared, something else came
        raise MisfitError
    return _OF_KIND[kind](value)


def _types(schema: Schema) -> list[str]:
    types = schema["type"]
    return [types] if isinstance(types, str) else types


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _number(value: Any) -> int | float | Decimal:
    return value if isinstance(value, int | float | Decimal) else to_number(_text(value).strip())


def _integer(value: Any) -> int:
    number = _number(value)
    if number != int(number):
        raise MisfitError
    return int(number)


def _boolean(value: Any) -> bool:
    return value if isinstance(value, bool) else to_boolean(_text(value).strip())


def _date(value: Any) -> str:
    return to_date(_text(value).strip())


def _instant(value: Any) -> str:
    return to_instant(_text(value).strip())


_OF_KIND: Mapping[str, Callable[[Any], object]] = {
    "string": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "date": _date,
    "date-time": _instant,
}
