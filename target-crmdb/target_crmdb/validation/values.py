"""One function per column type: from a JSON value to what COPY writes, exact or refused.

Numbers never pass through a float, an empty text is never NULL, and instants are shipped as the text
that came, after its shape and date were checked: Postgres itself would take words such as `now`.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec

from target_crmdb.mapping import Column, ColumnType
from target_crmdb.validation.findings import ConversionError

CopyValue = str | int | Decimal | bool | None
Converter = Callable[[Any], CopyValue]

_encode_json = msgspec.json.Encoder(decimal_format="number").encode
_INTEGER = range(-(2**31), 2**31)
_BIGINT = range(-(2**63), 2**63)
_DOUBLE_EXPONENTS = range(-323, 309)
_DATE = r"\d{4}-\d\d-\d\d"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?"
_OFFSET = r"(?:[Zz]|[+-](?:0\d|1[0-5])(?::?[0-5]\d)?)"  # Postgres takes offsets below 16 hours
# days that every month has, in years that there are: nothing is left to check
_SURE_DATE = r"(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])"
_is_date = re.compile(_DATE, re.ASCII).fullmatch
_is_sure_date = re.compile(_SURE_DATE, re.ASCII).fullmatch
_is_time = re.compile(_CLOCK, re.ASCII).fullmatch
_is_instant = re.compile(rf"{_DATE}(?:[Tt ]{_CLOCK} ?{_OFFSET}?)?", re.ASCII).fullmatch
_SURE_INSTANT = rf"{_SURE_DATE}(?:[Tt ]{_CLOCK} ?{_OFFSET}?)?"
_is_sure_instant = re.compile(_SURE_INSTANT, re.ASCII).fullmatch
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_is_uuid = re.compile(_UUID).fullmatch
_is_number = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII).fullmatch


def converter_for(kind: ColumnType) -> Converter:
    """Give the function that writes JSON values for a column of this type, or raises ConversionError."""
    return _CONVERTERS[kind]


def converter_of(column: Column) -> Converter:
    """Give the function that writes a column's values: NULL where it is retired, strict where values may not fit."""
    if column.retired:
        return _to_null
    return _strictly(column.type) if column.misfit else _CONVERTERS[column.type]


def to_json(value: Any) -> str:
    """Write a decoded JSON value as JSON text; Decimals keep their digits."""
    try:
        return _encode_json(value).decode()
    except (UnicodeEncodeError, RecursionError, msgspec.EncodeError) as error:
        raise ConversionError("unstorable_json", "cannot be written as JSON") from error


def _to_null(_: Any) -> CopyValue:
    return None


def _to_text(value: Any) -> CopyValue:
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    return to_json(value)


def _to_integer(value: Any) -> CopyValue:
    return None if value is None else _whole(value, _INTEGER, "an integer column")


def _to_bigint(value: Any) -> CopyValue:
    return None if value is None else _whole(value, _BIGINT, "a bigint")


def _whole(value: Any, limits: range, kind: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif not isinstance(value, Decimal) or not value.is_finite():
        raise ConversionError("not_integer", "is not an integer")
    elif abs(value) >= _BIGINT.stop:
        # a number such as 1E+400 would be a text of 400 digits: compare before making an integer of it
        number = _BIGINT.stop
    else:
        number = int(value)
        if number != value:
            raise ConversionError("not_integer", "is not an integer")
    if number not in limits:
        raise ConversionError("out_of_range", f"does not fit into {kind}")
    return number


def _to_numeric(value: Any) -> CopyValue:
    """Write a number, or a text that is one (format `singer.decimal`), with all its digits."""
    if value is None or type(value) is int:
        return value
    if isinstance(value, str) and _is_number(value):
        return value
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ConversionError("not_number", "is not a number")
    if isinstance(value, Decimal) and not value.is_finite():
        raise ConversionError("not_finite", "is not a finite number")
    return value


def _to_double(value: Any) -> CopyValue:
    """Write a number's own digits: it is the server that makes the nearest double of them."""
    number = _to_numeric(value)
    if isinstance(number, str):
        raise ConversionError("not_number", "is not a number")
    if number and Decimal(number).adjusted() not in _DOUBLE_EXPONENTS:
        raise ConversionError("out_of_range", "does not fit into a double")
    return number


def _to_boolean(value: Any) -> CopyValue:
    if value is None or isinstance(value, bool):
        return value
    raise ConversionError("not_boolean", "is not true or false")


def _to_instant(value: Any) -> CopyValue:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ConversionError("invalid_datetime", "is not an ISO 8601 date and time")
    if _is_sure_instant(value):
        return value
    if not _is_instant(value):
        raise ConversionError("invalid_datetime", "is not an ISO 8601 date and time")
    _check_day(value[:10], "invalid_datetime")  # the shape has judged clock and offset
    return value


def _to_date(value: Any) -> CopyValue:
    if value is None:
        return None
    if not isinstance(value, str) or not _is_date(value):
        raise ConversionError("invalid_date", "is not an ISO 8601 date")
    if not _is_sure_date(value):
        _check_day(value, "invalid_date")
    return value


def _to_time(value: Any) -> CopyValue:
    if value is None:
        return None
    if not isinstance(value, str) or not _is_time(value):
        raise ConversionError("invalid_time", "is not an ISO 8601 time without an offset")
    return value


def _to_uuid(value: Any) -> CopyValue:
    if value is None:
        return None
    if not isinstance(value, str) or not _is_uuid(value):
        raise ConversionError("invalid_uuid", "is not a UUID of 32 digits in 5 groups")
    return value


def _to_jsonb(value: Any) -> CopyValue:
    return None if value is None else to_json(value)


def _check_day(text: str, rule: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise ConversionError(rule, "names a day that does not exist") from error


def _is_double(value: int | Decimal) -> bool:
    """Tell whether a double gives these digits back; the float is looked at and thrown away."""
    return Decimal(str(float(Decimal(value)))) == value


def _strictly(kind: ColumnType) -> Converter:
    """Give a type's converter for a field whose SCHEMA has become another: nothing is taken that would change."""
    convert = _CONVERTERS[kind]

    def strict(value: Any) -> CopyValue:
        if kind == ColumnType.NUMERIC and isinstance(value, str):
            raise ConversionError("not_number", "is not a number")
        if kind == ColumnType.TEXT and isinstance(value, dict | list):
            raise ConversionError("not_text", "is not a text")
        if (
            kind == ColumnType.DOUBLE
            and isinstance(value, int | Decimal)
            and Decimal(str(float(Decimal(value)))) != value
        ):
            raise ConversionError("not_exact", "has more digits than a double holds")
        return convert(value)

    return strict


_CONVERTERS: Mapping[ColumnType, Converter] = MappingProxyType(
    {
        ColumnType.TEXT: _to_text,
        ColumnType.INTEGER: _to_integer,
        ColumnType.BIGINT: _to_bigint,
        ColumnType.NUMERIC: _to_numeric,
        ColumnType.DOUBLE: _to_double,
        ColumnType.BOOLEAN: _to_boolean,
        ColumnType.TIMESTAMPTZ: _to_instant,
        ColumnType.DATE: _to_date,
        ColumnType.TIME: _to_time,
        ColumnType.UUID: _to_uuid,
        ColumnType.JSONB: _to_jsonb,
    }
)

# texts that are surely values of these types, for a server that has to judge them: its own expressions
SHAPES: Mapping[ColumnType, str] = MappingProxyType(
    {
        kind: "^(?:" + shape.replace(r"\d", "[0-9]") + ")$"
        for kind, shape in (
            (ColumnType.DATE, _SURE_DATE),
            (ColumnType.TIME, _CLOCK),
            (ColumnType.TIMESTAMPTZ, _SURE_INSTANT),
            (ColumnType.UUID, _UUID),
        )
    }
)
