"""Days and instants: ISO 8601, days that exist, shipped as text for Postgres to read."""

from typing import Any

from target_crmdb.mapping import ColumnType
from target_crmdb.validation.fields.errors import FieldError
from target_crmdb.validation.fields.type import Normal
from target_crmdb.validation.findings import ConversionError
from target_crmdb.validation.values import converter_for

_to_date = converter_for(ColumnType.DATE)
_to_instant = converter_for(ColumnType.TIMESTAMPTZ)


def date_type() -> Normal:
    """Give the type of days."""
    return _date


def datetime_type() -> Normal:
    """Give the type of instants."""
    return _datetime


def _date(value: Any) -> Any:
    if value == "":
        return None
    try:
        return _to_date(value)
    except ConversionError as error:
        raise FieldError(error.rule, str(error)) from None


def _datetime(value: Any) -> Any:
    if value == "":
        return None
    try:
        return _to_instant(value)
    except ConversionError as error:
        raise FieldError(error.rule, str(error)) from None
