"""An object's fields as JSON schema: honest types, and in the descriptions what a type cannot say."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_salesforce.objects import Field, SObject

Schema: TypeAlias = dict[str, Any]

__all__ = ["ADDRESS", "DELETED_AT", "LOCATION", "field_schema", "object_schema"]

DELETED_AT = "_sdc_deleted_at"

TEXT: Schema = {"type": ["string", "null"]}
NUMBER: Schema = {"type": ["number", "null"]}
INSTANT: Schema = {"type": ["string", "null"], "format": "date-time"}
# a 32-bit integer (vendor page "Primitive Data Types"); with both bounds it becomes an integer column
INTEGER: Schema = {"type": ["integer", "null"], "minimum": -(2**31), "maximum": 2**31 - 1}
LONG: Schema = {"type": ["integer", "null"]}
ANYTHING: Schema = {"type": ["object", "array", "string", "number", "boolean", "null"]}

_PARTS_OF_AN_ADDRESS = ("street", "city", "state", "stateCode", "postalCode", "country", "countryCode")
ADDRESS: Schema = {
    "type": ["object", "null"],
    "properties": {
        **{name: dict(TEXT) for name in _PARTS_OF_AN_ADDRESS},
        "latitude": dict(NUMBER),
        "longitude": dict(NUMBER),
        "geocodeAccuracy": dict(TEXT),
    },
}
LOCATION: Schema = {
    "type": ["object", "null"],
    "properties": {"latitude": dict(NUMBER), "longitude": dict(NUMBER)},
}

# What is not here (picklists, references, texts of any kind, anyType, which CSV gives as text only, base64, and types
# that are new to us) is text. A time of day has no zone: rows have it as `14:30:00.000`, though the API adds a Z.
_OF_TYPE: Mapping[str, Schema] = MappingProxyType(
    {
        "boolean": {"type": ["boolean", "null"]},
        "int": INTEGER,
        "long": LONG,
        "byte": TEXT,
        "double": NUMBER,
        "currency": NUMBER,
        "percent": NUMBER,
        "date": {"type": ["string", "null"], "format": "date"},
        "datetime": INSTANT,
        "time": {"type": ["string", "null"], "format": "time"},
        "address": ADDRESS,
        "location": LOCATION,
        "complexvalue": ANYTHING,
        "json": ANYTHING,
    }
)
# The lengths that the database itself holds texts to. Longer ones are met in formulas and in the anyType of history.
_BOUNDED = frozenset({"id", "reference", "string", "textarea", "phone", "url", "email"})
_DIGITS = frozenset({"double", "currency", "percent"})
_PICKLISTS = frozenset({"picklist", "multipicklist", "combobox"})
_VALUES_TOLD = 40


def field_schema(field: Field) -> Schema:
    """The JSON schema of one field.

    No `enum`: a record keeps a picklist value that was deactivated after it was written, also of a restricted picklist,
    and no `multipleOf`: the API stores more places than `scale`. As constraints both would reject good rows, so they
    are told in the description. A calculated field says neither its length.
    """
    schema = dict(_by_type(field))
    if field.type in _BOUNDED and field.length and not field.calculated:
        schema["maxLength"] = field.length
    if field.name == "Id":
        schema["type"] = ["string"]
    if field.label:
        schema["title"] = field.label
    if told := "; ".join(_told(field)):
        schema["description"] = told
    return schema


def _by_type(field: Field) -> Schema:
    # urn:JunctionIdListNames, urn:RecordTypesSupported, urn:SearchLayout… are objects and lists of them
    is_odd = field.soap_type.startswith(("urn:", "tns:json")) and field.type not in _OF_TYPE
    return ANYTHING if is_odd else _OF_TYPE.get(field.type, TEXT)


def _told(field: Field) -> Iterator[str]:
    """What people want to know of a field."""
    if field.help:
        yield " ".join(field.help.split())
    if field.type in _DIGITS and field.precision:
        yield f"{field.type} of {field.precision} digits, {field.scale} of them behind the point"
    if field.reference_to:
        yield f"refers to {' or '.join(field.reference_to)}"
    if field.type in _PICKLISTS and field.picklist:
        count = "some" if field.type == "multipicklist" else "one"
        yield f"{count if field.restricted_picklist else f'usually {count}'} of {_some(field.picklist)}"
    if field.calculated:
        yield "calculated: changes without a new stamp"
    if field.compound and field.compound != field.name:
        yield f"part of {field.compound}"


def _some(values: tuple[str, ...]) -> str:
    more = len(values) - _VALUES_TOLD
    return ", ".join(values[:_VALUES_TOLD]) + (f" and {more} more" if more > 0 else "")


def object_schema(sobject: SObject) -> Schema:
    """The JSON schema of an object's records; `_sdc_deleted_at` is null on live rows."""
    return {
        "type": "object",
        "properties": {
            **{field.name: field_schema(field) for field in sobject.fields},
            DELETED_AT: dict(INSTANT),
        },
        **({"required": ["Id"]} if sobject.has_id else {}),
    }
