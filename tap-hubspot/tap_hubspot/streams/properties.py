"""The data dictionary: what each property of each object is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_hubspot.records import deleted_at
from tap_hubspot.schema import BOOLEAN, INSTANT, KEY, TEXT, Schema
from tap_hubspot.streams.partial import AllObjectsStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from crmdb_core.stream import Page
    from tap_hubspot.client import HubSpotStream
    from tap_hubspot.objects import CrmObject
    from tap_hubspot.tap import TapHubSpot

    Record = dict[str, Any]

INTEGER: Schema = {"type": ["integer", "null"]}

_OPTION: Schema = {
    "type": "object",
    "properties": {
        "value": TEXT,
        "label": TEXT,
        "description": TEXT,
        "displayOrder": INTEGER,
        "hidden": BOOLEAN,
    },
}
_MODIFICATION: Schema = {
    "type": ["object", "null"],
    "properties": {
        "archivable": BOOLEAN,
        "readOnlyDefinition": BOOLEAN,
        "readOnlyOptions": BOOLEAN,
        "readOnlyValue": BOOLEAN,
    },
}

# GET /crm/properties/.../{object}: the API's fields, with the object before them.
_FIELDS: dict[str, Schema] = {
    "label": TEXT,
    "type": TEXT,
    "fieldType": TEXT,
    "groupName": TEXT,
    "description": TEXT,
    "options": {"type": ["array", "null"], "items": _OPTION},
    "displayOrder": INTEGER,
    "calculated": BOOLEAN,
    "calculationFormula": TEXT,
    "externalOptions": BOOLEAN,
    "hasUniqueValue": BOOLEAN,
    "hidden": BOOLEAN,
    "hubspotDefined": BOOLEAN,
    "formField": BOOLEAN,
    "referencedObjectType": TEXT,
    "dataSensitivity": TEXT,
    "sensitiveDataCategories": {"type": ["array", "null"], "items": TEXT},
    "showCurrencySymbol": BOOLEAN,
    "currencyPropertyName": TEXT,
    "dateDisplayHint": TEXT,
    "numberDisplayHint": TEXT,
    "modificationMetadata": _MODIFICATION,
    "createdAt": INSTANT,
    "updatedAt": INSTANT,
    "createdUserId": TEXT,
    "updatedUserId": TEXT,
    "archived": BOOLEAN,
    "archivedAt": INSTANT,
}
_PROPERTY: Schema = {
    "type": "object",
    "properties": {
        "object_type": KEY,
        "object_type_id": TEXT,
        "name": KEY,
        **_FIELDS,
        "_sdc_deleted_at": INSTANT,
    },
    "required": ["object_type", "name"],
}


class PropertiesStream(AllObjectsStream):
    """One row for each property of each object, archived ones included."""

    name = "properties"
    primary_keys = ("object_type", "name")
    schema: ClassVar[dict[str, Any]] = _PROPERTY

    def __init__(self, tap: TapHubSpot, objects: Sequence[CrmObject]) -> None:
        super().__init__(tap, objects)
        self._definitions = tap.dictionary

    @override
    def rows_of(self, crm_object: CrmObject) -> list[Any]:
        live = self._definitions.live(crm_object.path)
        names = {each["name"] for each in live}
        # one that was made anew under its old name is live
        gone = [each for each in self._definitions.archived(crm_object.path) if each["name"] not in names]
        owner = {"object_type": crm_object.name, "object_type_id": crm_object.type_id}
        return [{**each, **owner} for each in (*live, *gone)]

    @override
    def records_of(self, page: Page) -> Iterator[Record]:
        return map(_record, page.rows)


def _record(raw: Record) -> Record:
    """The declared fields, absent ones as null: a formula that was taken away is to be taken away here too."""
    named = {name: raw.get(name) for name in ("object_type", "object_type_id", "name")}
    return {**named, **{name: raw.get(name) for name in _FIELDS}, "_sdc_deleted_at": deleted_at(raw)}


def property_streams(tap: TapHubSpot) -> Iterable[HubSpotStream]:
    """The one stream of all objects' properties."""
    return [PropertiesStream(tap, tap.found.objects)] if tap.is_known("properties") else []
