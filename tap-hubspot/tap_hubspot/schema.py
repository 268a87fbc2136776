"""HubSpot's own property definitions as JSON schema: honest types, custom properties included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from singer_sdk.schema.source import SchemaSource
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Definition: TypeAlias = Mapping[str, Any]

Schema: TypeAlias = dict[str, Any]

TEXT: Schema = {"type": ["string", "null"]}
NUMBER: Schema = {"type": ["number", "null"]}
BOOLEAN: Schema = {"type": ["boolean", "null"]}
DATE: Schema = {"type": ["string", "null"], "format": "date"}
INSTANT: Schema = {"type": ["string", "null"], "format": "date-time"}
KEY: Schema = {"type": "string"}

# The types of the properties API that are more than text; string, enumeration (a multi-select is `a;b`), phone_number,
# json, object_coordinates and any type that is new to us stay text. `type` decides, `fieldType` does not.
_OF_TYPE: Mapping[str, Schema] = {"number": NUMBER, "bool": BOOLEAN, "date": DATE, "datetime": INSTANT}

# HubSpot declares ids as `number`, and lists of ids too (`hs_hd_ticket_ids` holds `1234;5678`).
_ID_ENDINGS = ("_id", "_ids", "_vids")
_IDS = frozenset({"hs_object_id", "associatedcompanyid"})


def property_schema(definition: Definition) -> Schema:
    """The JSON schema of one property as `GET /crm/properties/.../{object}` defines it."""
    if definition.get("type") == "number" and _is_id(definition):
        return dict(TEXT)
    return dict(_OF_TYPE.get(definition.get("type", ""), TEXT))


def _is_id(definition: Definition) -> bool:
    name: str = definition["name"]
    if name in _IDS or definition.get("referencedObjectType"):
        return True
    # a customer's own number called `..._id` is a number, as declared
    return bool(definition.get("hubspotDefined")) and name.endswith(_ID_ENDINGS)


def object_schema(definitions: Iterable[Definition]) -> Schema:
    """The JSON schema of a record with these properties, in the nesting of the objects API.

    `_sdc_deleted_at` is the instant of archiving or merging and null on live rows; `merged_into_id` is set on the
    tombstone of a record that was merged into another one.
    """
    by_name = {definition["name"]: property_schema(definition) for definition in definitions}
    return {
        "type": "object",
        "properties": {
            "id": dict(KEY),
            "createdAt": dict(INSTANT),
            "updatedAt": dict(INSTANT),
            "archived": dict(BOOLEAN),
            "archivedAt": dict(INSTANT),
            "url": dict(TEXT),
            "properties": {"type": ["object", "null"], "properties": dict(sorted(by_name.items()))},
            "merged_into_id": dict(TEXT),
            "_sdc_deleted_at": dict(INSTANT),
        },
        "required": ["id"],
    }


class PropertySchemas(SchemaSource[str]):
    """Schemas of CRM objects from the properties API, one call per object type and run."""

    def __init__(self, definitions_of: Callable[[str], Iterable[Definition]]) -> None:
        super().__init__()
        self._definitions_of = definitions_of

    @override
    def fetch_schema(self, key: str) -> Schema:
        return object_schema(self._definitions_of(key))
