"""One function per column type: from a JSON value to what COPY writes, exact or refused.

Numbers never pass through a float, an empty text is never NULL, and instants are shipped as the text
that came, after its shape and date were checked: Postgres itself would take words such as `now`.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec

from target_crmdb.mapping import ColumnType
from target_crmdb.validation.findings import ConversionError

CopyValue = str | int | Decimal | bool | None
Converter = Callable[[Any], CopyValue]

_encode_json = msgspec.json.Encoder(decimal_format="number").encode
_BIGINT = range(-(2**63), 2**63)
_DATE = r"\d{4}-\d\d-\d\d"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?"
_OFFSET = r"(?:[Zz]|[+-]\d\d(?::?\d\d)?)"
_DATE_SHAPE = re.compile(_DATE, re.ASCII)
_TIME_SHAPE = re.compile(_CLOCK, re.ASCII)
_INSTANT_SHAPE = re.compile(rf"{_DATE}(?:[Tt ]{_CLOCK} ?{_OFFSET}?)?", re.ASCII)


def converter_for(kind: ColumnType) -> Converter:
    """Give the function that writes JSON values for a column of this type, or raises ConversionError."""
    return _CONVERTERS[kind]


def to_json(value: Any) -> str:
    """Write a decoded JSON value as JSON text; Decimals keep their digits."""
    try:
        return _encode_json(value).decode()
    except (UnicodeEncodeError, RecursionError, msgspec.EncodeError) as error:
        raise ConversionError("unstorable_json", "cannot be written as JSON") from error


def _to_text(value: Any) -> CopyValue:
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    return to_json(value)


def _to_bigint(value: Any) -> CopyValue:
    if value is None:
        return None
    number = _whole(value)
    if number not in _BIGINT:
        raise ConversionError("out_of_range", "does not fit into a bigint")
    return number


def _whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    # a number such as 1E+400 would be a text of 400 digits: compare before making an integer of it
    if isinstance(value, Decimal) and value.is_finite() and abs(value) < _BIGINT.stop and value == int(value):
        return int(value)
    if isinstance(value, Decimal) and value.is_finite() and abs(value) >= _BIGINT.stop:
        raise ConversionError("out_of_range", "does not fit into a bigint")
    raise ConversionError("not_integer", "is not an integer")


def _to_numeric(value: Any) -> CopyValue:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ConversionError("not_number", "is not a number")
    if isinstance(value, Decimal) and not value.is_finite():
        raise ConversionError("not_finite", "is not a finite number")
    return value


def _to_boolean(value: Any) -> CopyValue:
    if value is None or isinstance(value, bool):
        return value
    raise ConversionError("not_boolean", "is not true or false")


def _to_instant(value: Any) -> CopyValue:
    if value is None:
        return None
    if not isinstance(value, str) or not _INSTANT_SHAPE.fullmatch(value):
        raise ConversionError("invalid_datetime", "is not an ISO 8601 date and time")
    # the parser wants four offset digits or none, and no blank before them; the text that came is shipped
    _check(datetime.fromisoformat, value.replace(" ", "T", 1).replace(" ", ""), "invalid_datetime")
    return value


def _to_date(value: Any) -> CopyValue:
    if value is None:
        return None
    if not isinstance(value, str) or not _DATE_SHAPE.fullmatch(value):
        raise ConversionError("invalid_date", "is not an ISO 8601 date")
    _check(date.fromisoformat, value, "invalid_date")
    return value


def _to_time(value: Any) -> CopyValue:
    if value is None:
        return None
    if not isinstance(value, str) or not _TIME_SHAPE.fullmatch(value):
        raise ConversionError("invalid_time", "is not an ISO 8601 time without an offset")
    _check(time.fromisoformat, value, "invalid_time")
    return value


def _to_jsonb(value: Any) -> CopyValue:
    return None if value is None else to_json(value)


def _check(parse: Callable[[str], object], text: str, rule: str) -> None:
    try:
        parse(text)
    except ValueError as error:
        raise ConversionError(rule, "names a day or time that does not exist") from error


_CONVERTERS: Mapping[ColumnType, Converter] = MappingProxyType(
    {
        ColumnType.TEXT: _to_text,
        ColumnType.BIGINT: _to_bigint,
        ColumnType.NUMERIC: _to_numeric,
        ColumnType.BOOLEAN: _to_boolean,
        ColumnType.TIMESTAMPTZ: _to_instant,
        ColumnType.DATE: _to_date,
        ColumnType.TIME: _to_time,
        ColumnType.JSONB: _to_jsonb,
    }
)
