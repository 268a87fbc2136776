"""One form of a field's values, whichever API gave them: a column of values in, a column of values out.

Both APIs' rows are turned column by column, for that is several times faster than value by value. Of two forms of one
value the simpler is taken: stamps end with `Z`, whole numbers have no point, nothing is null, and no text is changed.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_salesforce.objects import Field

    Column = Iterable[Any]
    Cast = Callable[[Column], list[Any]]

__all__ = ["from_csv", "from_rest"]

_ALIKE: Mapping[str, str] = {
    "int": "integer",
    "long": "integer",
    "double": "number",
    "currency": "number",
    "percent": "number",
}
_BY_SOAP: Mapping[str, str] = {
    "xsd:boolean": "boolean",
    "xsd:int": "int",
    "xsd:long": "long",
    "xsd:double": "double",
    "xsd:dateTime": "datetime",
    "xsd:time": "time",
}
_TRUTH: Mapping[str, bool | None] = {"true": True, "false": False, "": None}
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000")
_ZERO = "+0000"
_LONGEST_WHOLE = 40  # digits: a double beyond that is written with its exponent


def from_csv(field: Field) -> Cast:
    """What makes a column of a Bulk result's text the values of a record."""
    return {
        "boolean": _truths,
        "integer": _integers_of_text,
        "number": _numbers_of_text,
        "time": _times,
    }.get(_kind(field), _texts)


def from_rest(field: Field) -> Cast:
    """What makes a column of a REST answer's JSON values those of a record."""
    casts: Mapping[str, Cast] = {
        "boolean": list,
        "datetime": _stamps,
        "anyType": _anything,
        "integer": _integers,
        "number": _numbers,
        "time": _times,
    }
    return casts.get(_kind(field), _texts)


def _kind(field: Field) -> str:
    """Its type, of which some are one; a formula that calls itself no more than that is what SOAP says it is."""
    name = _BY_SOAP.get(field.soap_type, "text") if field.type == "calculated" else field.type
    return _ALIKE.get(name, name)


def _texts(column: Column) -> list[Any]:
    return [value or None for value in column]


def _truths(column: Column) -> list[Any]:
    return [_TRUTH[value] for value in column]


def _stamps(column: Column) -> list[Any]:
    return [value[:-5] + "Z" if value and value.endswith(_ZERO) else value or None for value in column]


def _times(column: Column) -> list[Any]:
    """Times of day have no zone, though the APIs put a Z behind them (unverified: that it never means UTC)."""
    return [value.removesuffix("Z") if value else None for value in column]


def _anything(column: Column) -> list[Any]:
    return [_as_text(value) for value in column]


def _as_text(value: Any) -> str | None:
    """As the Bulk API writes it, which knows texts only."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return text[:-5] + "Z" if _STAMP.fullmatch(text) else text


def _integers_of_text(column: Column) -> list[Any]:
    # the Bulk API writes some whole numbers as 3.0
    return [None if not text else int(text) if "." not in text else int(Decimal(text)) for text in column]


def _integers(column: Column) -> list[Any]:
    return [None if value is None else int(value) for value in column]


def _numbers_of_text(column: Column) -> list[Any]:
    return [None if not text else _number(text) for text in column]


def _numbers(column: Column) -> list[Any]:
    return [value if value is None or type(value) is int else _number(str(value)) for value in column]


def _number(text: str) -> int | Decimal:
    """A number without zeros that say nothing."""
    if "E" in text or "e" in text:
        return _scientific(text)
    if "." not in text:
        return int(text)
    digits = text.rstrip("0")
    return int(digits[:-1]) if digits[-1] == "." else Decimal(digits)


def _scientific(text: str) -> int | Decimal:
    number = Decimal(text)
    if number.adjusted() < _LONGEST_WHOLE:
        return _number(f"{number:f}")
    return number.normalize()
