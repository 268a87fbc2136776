"""The types by name, with the options that each takes."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from typing_extensions import override

from target_crmdb.mapping import ColumnType
from target_crmdb.validation.fields import booleans, currencies, email, ids, moments, numbers, phone, places, text, url
from target_crmdb.validation.fields.type import FieldType, Forms, Normal

_MAKERS: Mapping[str, tuple[ColumnType, Callable[..., Normal | Forms]]] = MappingProxyType(
    {
        "text": (ColumnType.TEXT, text.text_type),
        "email": (ColumnType.TEXT, email.email_type),
        "phone": (ColumnType.TEXT, phone.phone_type),
        "url": (ColumnType.TEXT, url.url_type),
        "date": (ColumnType.DATE, moments.date_type),
        "datetime": (ColumnType.TIMESTAMPTZ, moments.datetime_type),
        "decimal": (ColumnType.NUMERIC, numbers.decimal_type),
        "integer": (ColumnType.BIGINT, numbers.integer_type),
        "boolean": (ColumnType.BOOLEAN, booleans.boolean_type),
        "zip_code": (ColumnType.TEXT, places.zip_code_type),
        "state": (ColumnType.TEXT, places.state_type),
        "object_id": (ColumnType.TEXT, ids.object_id_type),
        "money": (ColumnType.NUMERIC, numbers.money_type),
        "currency": (ColumnType.TEXT, currencies.currency_type),
    }
)
COLUMN_TYPES: Mapping[str, ColumnType] = MappingProxyType({name: column for name, (column, _) in _MAKERS.items()})
"""The column type of each type: a look that imports no library."""


def field_type(name: str, **options: Any) -> FieldType:
    """Make a type; raises KeyError for a name that is none, and ValueError for an option that it cannot work with."""
    column, make = _MAKERS[name]
    unknown = sorted(options.keys() - set(options_of(name)))
    if unknown:
        known = ", ".join(options_of(name)) or "none"
        raise ValueError(f"type {name} takes no option {unknown[0]}; it takes: {known}")
    made = make(**options)
    return FieldType(name, column, *(made if isinstance(made, Forms) else (made,)))


def options_of(name: str) -> tuple[str, ...]:
    """Name the options that a type takes."""
    return tuple(inspect.signature(_MAKERS[name][1]).parameters)


class _UsualTypes(Mapping[str, FieldType]):
    """Every type with its usual options, made when it is asked for: some bring a library that is slow to import."""

    @override
    def __getitem__(self, name: str) -> FieldType:
        return field_type(name)

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(_MAKERS)

    @override
    def __len__(self) -> int:
        return len(_MAKERS)


FIELD_TYPES: Mapping[str, FieldType] = _UsualTypes()
"""Every type, with its usual options."""
