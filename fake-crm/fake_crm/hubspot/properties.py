"""Property definitions (vendor page "Properties")."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from fake_crm.clock import iso

if TYPE_CHECKING:
    from collections.abc import Iterable

_FIELD_TYPES = {
    "string": "text",
    "number": "number",
    "bool": "booleancheckbox",
    "enumeration": "select",
    "date": "date",
    "datetime": "date",
    "phone_number": "phonenumber",
    "json": "text",
    "object_coordinates": "text",
}
TYPES = tuple(_FIELD_TYPES)
LONGEST = 65_536  # characters of a text property; vendor page "Properties"


@dataclass(frozen=True)
class Property:
    """One property of an object type; `options` are (value, label) pairs of an enumeration."""

    name: str
    type: str = "string"
    label: str = ""
    field_type: str = ""
    options: tuple[tuple[str, str], ...] = ()
    hubspot_defined: bool = True
    calculated: bool = False
    read_only: bool = False
    unique: bool = False
    external_options: bool = False
    referenced: str | None = None
    sensitivity: str = "non_sensitive"
    description: str = ""

    @property
    def multiple(self) -> bool:
        """Whether it holds several options, as `a;b;c`."""
        return self.field_type == "checkbox"

    def problem(self, value: str) -> str | None:
        """The code of HubSpot's refusal of a value, or None; the codes are unverified."""
        if len(value) > LONGEST:
            return "PROPERTY_VALUE_TOO_LONG"
        if self.type == "number" and not _is_number(value):
            return "INVALID_INTEGER"
        if self.type == "bool" and value not in {"true", "false"}:
            return "INVALID_BOOLEAN"
        if self.options and not self.external_options:
            given = value.split(";") if self.multiple else [value]
            if not set(given) <= {option for option, _ in self.options}:
                return "INVALID_OPTION"
        return None

    def rendered(self, stamp: int, archived_at: int | None = None) -> dict[str, Any]:
        """The definition as the API gives it."""
        fixed = self.read_only or self.calculated
        made = {} if self.hubspot_defined else {"createdAt": iso(stamp), "createdUserId": "1", "updatedUserId": "1"}
        return {
            "updatedAt": iso(stamp),
            **made,
            "name": self.name,
            "label": self.label or self.name.replace("_", " ").capitalize(),
            "type": self.type,
            "fieldType": self.field_type or _FIELD_TYPES[self.type],
            "description": self.description,
            "groupName": "information",
            "options": [_option(at, *pair) for at, pair in enumerate(self.options)],
            "referencedObjectType": self.referenced,
            "displayOrder": -1,
            "calculated": self.calculated,
            "externalOptions": self.external_options,
            "archived": archived_at is not None,
            **({} if archived_at is None else {"archivedAt": iso(archived_at)}),
            "hasUniqueValue": self.unique,
            "hidden": False,
            "hubspotDefined": self.hubspot_defined,
            "formField": not fixed,
            "dataSensitivity": self.sensitivity,
            "modificationMetadata": {
                "archivable": not self.hubspot_defined,
                "readOnlyDefinition": self.hubspot_defined,
                "readOnlyOptions": self.hubspot_defined,
                "readOnlyValue": fixed,
            },
        }


def _option(at: int, value: str, label: str) -> dict[str, Any]:
    return {"value": value, "label": label, "description": "", "displayOrder": at, "hidden": False}


def _is_number(value: str) -> bool:
    try:
        return Decimal(value).is_finite()
    except InvalidOperation:
        return False


def made_by_users(name: str, kind: str = "string", **more: Any) -> Property:
    """A custom property."""
    return Property(name, kind, hubspot_defined=False, **more)


def by_name(properties: Iterable[Property]) -> dict[str, Property]:
    """Properties by their names."""
    return {each.name: each for each in properties}
