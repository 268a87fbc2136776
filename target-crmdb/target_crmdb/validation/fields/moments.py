"""Days and instants: ISO 8601, days that exist, shipped as text for Postgres to read."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from target_crmdb.mapping import ColumnType
from target_crmdb.validation.fields.errors import FieldError
from target_crmdb.validation.fields.text import text_of
from target_crmdb.validation.fields.type import Forms
from target_crmdb.validation.findings import ConversionError
from target_crmdb.validation.values import SHAPES, converter_for

_to_date = converter_for(ColumnType.DATE)
_to_instant = converter_for(ColumnType.TIMESTAMPTZ)
# what is surely one of each: such values are most, and nothing is left to check or to convert
_is_sure_date = re.compile(SHAPES[ColumnType.DATE]).fullmatch
_is_sure_instant = re.compile(
    rf"{SHAPES[ColumnType.DATE][1:-1]}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?Z", re.ASCII
).fullmatch
# an instant at the beginning of a day is what many write for the day
_midnight = re.compile(r"(\d{4}-\d\d-\d\d)[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]00:?00)?", re.ASCII).fullmatch
_has_offset = re.compile(r"[Zz+-]").search
_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = MappingProxyType({"s": 1, "ms": 1000})
_NOT_A_DATE = ("invalid_date", "is not an ISO 8601 date")
_NOT_A_DATETIME = ("invalid_datetime", "is not an ISO 8601 date and time")


def date_type(formats: Sequence[str] = ()) -> Forms:
    """Give the type of days; `formats` are other ways to write them (`%m/%d/%Y`, as Python's strptime reads them)."""
    otherwise = _reader(formats, *_NOT_A_DATE)

    def normal(value: Any) -> str | None:
        if type(value) is str and _is_sure_date(value):
            return value
        text = text_of(value, *_NOT_A_DATE)
        if text is None:
            return None
        midnight = _midnight(text)
        try:
            return str(_to_date(midnight[1] if midnight else text))
        except ConversionError as error:
            if not formats:
                raise FieldError(error.rule, str(error)) from None
        return otherwise(text).date().isoformat()

    return Forms(normal, _is_sure_date)


def datetime_type(formats: Sequence[str] = (), timezone: str = "UTC", unit: Literal["s", "ms"] | None = None) -> Forms:
    """Give the type of instants.

    `timezone` is where the clock of texts without an offset stands; `unit` makes whole numbers seconds or
    milliseconds since 1970; `formats` are other ways to write instants, as Python's strptime reads them.
    """
    zone = _zone(timezone)
    otherwise = _reader(formats, *_NOT_A_DATETIME)
    if unit not in {None, *_SECONDS}:
        raise ValueError("unit must be s or ms")

    def normal(value: Any) -> str | None:
        if type(value) is str and _is_sure_instant(value):
            return value
        if unit is not None and isinstance(value, int | Decimal) and not isinstance(value, bool):
            return _since_1970(value, unit)
        text = text_of(value, *_NOT_A_DATETIME)
        if text is None:
            return None
        try:
            _to_instant(text)
        except ConversionError as error:
            if not formats:
                raise FieldError(error.rule, str(error)) from None
            return _placed(otherwise(text), zone)
        return text if zone is UTC or _has_offset(text, 10) else _placed(datetime.fromisoformat(text), zone)

    return Forms(normal, _is_sure_instant)


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"timezone {name!r} is not known; give a name such as America/New_York") from None


def _placed(moment: datetime, zone: tzinfo) -> str:
    """Write an instant with its offset; where a clock shows an hour twice, the first is meant."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()


def _since_1970(value: int | Decimal, unit: str) -> str:
    try:
        return (_1970 + timedelta(microseconds=int(value * 1_000_000 / _SECONDS[unit]))).isoformat()
    except (ArithmeticError, ValueError):
        raise FieldError("out_of_range", "is no time that a calendar has") from None


def _reader(formats: Sequence[str], rule: str, reason: str) -> Callable[[str], datetime]:
    """Give the function that reads a text by the first format that fits."""
    if isinstance(formats, str) or not all(isinstance(one, str) and "%" in one for one in formats):
        raise ValueError("formats must be a list of patterns such as %m/%d/%Y")

    def read(text: str) -> datetime:
        for one in formats:
            try:
                return datetime.strptime(text, one)  # noqa: DTZ007 - what has no offset gets its zone from the option
            except ValueError:
                continue
        raise FieldError(rule, reason)

    return read
