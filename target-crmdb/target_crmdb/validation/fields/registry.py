"""The types by name, with the options that each takes."""

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from target_crmdb.mapping import ColumnType
from target_crmdb.validation.fields import booleans, moments, numbers, text
from target_crmdb.validation.fields.type import FieldType, Normal

_Maker = Callable[..., Normal]


def _text() -> Normal:
    return text.normal_text


def _boolean() -> Normal:
    return booleans.normal_boolean


_MAKERS: Mapping[str, tuple[ColumnType, _Maker]] = MappingProxyType(
    {
        "text": (ColumnType.TEXT, _text),
        "date": (ColumnType.DATE, moments.date_type),
        "datetime": (ColumnType.TIMESTAMPTZ, moments.datetime_type),
        "decimal": (ColumnType.NUMERIC, numbers.decimal_type),
        "integer": (ColumnType.BIGINT, numbers.integer_type),
        "boolean": (ColumnType.BOOLEAN, _boolean),
    }
)


def field_type(name: str, **options: Any) -> FieldType:
    """Make a type; raises KeyError for a name that is none, and ValueError for an option that it does not take."""
    column, make = _MAKERS[name]
    unknown = sorted(options.keys() - options_of(name))
    if unknown:
        known = ", ".join(options_of(name)) or "none"
        raise ValueError(f"type {name} takes no option {unknown[0]}; it takes: {known}")
    return FieldType(name, column, make(**options))


def options_of(name: str) -> tuple[str, ...]:
    """Name the options that a type takes."""
    return tuple(inspect.signature(_MAKERS[name][1]).parameters)


FIELD_TYPES: Mapping[str, FieldType] = MappingProxyType({name: field_type(name) for name in _MAKERS})
"""Every type, with its usual options."""
