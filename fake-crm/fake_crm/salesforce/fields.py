"""Fields of an object, and their part of a describe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm.salesforce.values import Row

NUMBERS = frozenset({"int", "long", "double", "currency", "percent"})
TEXTS = frozenset(
    {"string", "picklist", "multipicklist", "combobox", "textarea", "phone", "url", "email", "encryptedstring"}
)
IDS = frozenset({"id", "reference"})
COMPOUNDS = frozenset({"address", "location"})
ADDRESS_PARTS = ("street", "city", "state", "postalCode", "country", "latitude", "longitude", "geocodeAccuracy")
_SOAP = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "long": "xsd:long",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "base64": "xsd:base64Binary",
    "anyType": "xsd:anyType",
    "address": "urn:address",
    "location": "urn:location",
    "json": "tns:json",
}
_LONG_TEXT = 255  # textareas above this can be neither filtered nor sorted (vendor page "Field types")
_BYTES_PER_CHARACTER = 3


@dataclass(frozen=True)
class Field:
    """One field; `parts` are the fields that a compound is made of, `formula` works a calculated one out."""

    name: str
    type: str = "string"
    length: int = 0
    precision: int = 0
    scale: int = 0
    digits: int = 0
    label: str = ""
    help: str | None = None
    nillable: bool = True
    compound: str | None = None
    parts: tuple[str, ...] = ()
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    picklist: tuple[str, ...] = ()
    restricted: bool = False
    default: Any = None
    formula: Callable[[Row], Any] | None = field(default=None, compare=False)
    formula_text: str | None = None
    settable: bool = True
    unique: bool = False
    external_id: bool = False
    auto_number: bool = False
    name_field: bool = False
    case_sensitive: bool = False
    html: bool = False
    soap: str | None = None
    hidden: bool = False

    @property
    def custom(self) -> bool:
        """Whether people made it; the parts of a custom location end with `__s`."""
        return self.name.endswith(("__c", "__s", "__pc"))

    @property
    def calculated(self) -> bool:
        """Whether a formula makes it."""
        return self.formula is not None or self.formula_text is not None

    @property
    def polymorphic(self) -> bool:
        """Whether it points to records of several objects."""
        return len(self.reference_to) > 1

    @property
    def filterable(self) -> bool:
        """Whether WHERE may name it."""
        if self.type == "textarea":
            return self.length <= _LONG_TEXT
        return self.type not in {"base64", "address", "location", "anyType", "json", "complexvalue", "encryptedstring"}

    @property
    def sortable(self) -> bool:
        """Whether ORDER BY may name it."""
        return self.filterable and self.type != "multipicklist"

    @property
    def groupable(self) -> bool:
        """Whether GROUP BY may name it."""
        return self.sortable and not self.calculated and self.type not in {"double", "currency", "percent", "datetime"}

    @property
    def writable(self) -> bool:
        """Whether a client may set it."""
        return self.settable and not self.calculated and not self.auto_number and self.type not in COMPOUNDS | {"id"}

    def describe(self) -> dict[str, Any]:
        """Its part of a describe: 57 keys."""
        return dict(sorted({**self._identity(), **self._abilities(), **self._shape(), **_RARE}.items()))

    def _identity(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "label": self.label or self.name,
            "type": self.type,
            "soapType": self.soap or _SOAP.get(self.type, "xsd:string"),
            "custom": self.custom,
            "calculated": self.calculated,
            "calculatedFormula": self.formula_text,
            "formulaTreatNullNumberAsZero": False,
            "compoundFieldName": self.compound,
            "inlineHelpText": self.help,
            "extraTypeInfo": _EXTRA.get(self.type),
            "nameField": self.name_field,
            "autoNumber": self.auto_number,
            "externalId": self.external_id,
            "idLookup": self.type == "id" or self.name_field or self.external_id or self.type == "email",
            "deprecatedAndHidden": self.hidden,
        }

    def _abilities(self) -> dict[str, Any]:
        return {
            "aggregatable": self.sortable and self.type not in {"boolean", "combobox", "address"},
            "createable": self.writable,
            "updateable": self.writable,
            "filterable": self.filterable,
            "sortable": self.sortable,
            "groupable": self.groupable,
            "nillable": self.nillable,
            "permissionable": self.nillable and self.settable and self.compound is None,
            "unique": self.unique,
            "caseSensitive": self.case_sensitive,
            "encrypted": self.type == "encryptedstring",
            "queryByDistance": self.type in COMPOUNDS,
            "searchPrefilterable": self.type == "reference",
            "highScaleNumber": False,
            "htmlFormatted": self.html,
        }

    def _shape(self) -> dict[str, Any]:
        return {
            "length": self.length,
            "byteLength": self.length * _BYTES_PER_CHARACTER if self.type not in IDS else self.length,
            "precision": self.precision,
            "scale": self.scale,
            "digits": self.digits,
            "mask": None,
            "maskType": "all" if self.type == "encryptedstring" else None,
            "defaultValue": self.default,
            "defaultedOnCreate": self.default is not None or not self.settable,
            "picklistValues": [_value(value, value == self.default) for value in self.picklist],
            "restrictedPicklist": self.restricted,
            "dependentPicklist": False,
            "namePointing": self.polymorphic,
            "polymorphicForeignKey": self.polymorphic,
            "referenceTo": list(self.reference_to),
            "relationshipName": self.relationship,
        }


_EXTRA = {"textarea": "plaintextarea"}
_RARE: dict[str, Any] = {
    "aiPredictionField": False,
    "cascadeDelete": False,
    "controllerName": None,
    "defaultValueFormula": None,
    "displayLocationInDecimal": False,
    "filteredLookupInfo": None,
    "referenceTargetField": None,
    "relationshipOrder": None,
    "restrictedDelete": False,
    "writeRequiresMasterRead": False,
}


def _value(value: str, default: bool) -> dict[str, Any]:  # noqa: FBT001 - a plain fact about the value
    return {"active": True, "defaultValue": default, "label": value, "validFor": None, "value": value}


# -- short ways to write them ---------------------------------------------------------------------------------------


def text(name: str, length: int = 255, kind: str = "string", **more: Any) -> Field:
    """A field of text: string, textarea, phone, url, email, combobox, encryptedstring."""
    return Field(name, kind, length, **more)


def number(name: str, precision: int = 18, scale: int = 0, kind: str = "double", **more: Any) -> Field:
    """A decimal: double, currency or percent."""
    return Field(name, kind, precision=precision, scale=scale, **more)


def whole(name: str, digits: int = 8, **more: Any) -> Field:
    """A whole number."""
    return Field(name, "int", digits=digits, **more)


def flag(name: str, **more: Any) -> Field:
    """A checkbox; never empty."""
    return Field(name, "boolean", nillable=False, **{"default": False, **more})


def pick(name: str, *values: str, kind: str = "picklist", **more: Any) -> Field:
    """A choice of values."""
    return Field(name, kind, 4099 if kind == "multipicklist" else 255, picklist=values, **more)


def ref(name: str, *targets: str, **more: Any) -> Field:
    """A reference; its relationship is its name without Id, or `__r` for `__c`."""
    relationship = name[:-1] + "r" if name.endswith("__c") else name.removesuffix("Id")
    return Field(name, "reference", 18, reference_to=targets, **{"relationship": relationship, **more})


def plain(name: str, kind: str, **more: Any) -> Field:
    """A field whose type says all: date, datetime, time, boolean, anyType, json, base64."""
    return Field(name, kind, **more)


def address(prefix: str, name: str | None = None) -> tuple[Field, ...]:
    """A compound address and its parts."""
    compound = name or f"{prefix}Address"
    parts = (
        text(f"{prefix}Street", 255, "textarea", compound=compound),
        text(f"{prefix}City", 40, compound=compound),
        text(f"{prefix}State", 80, compound=compound),
        text(f"{prefix}PostalCode", 20, compound=compound),
        text(f"{prefix}Country", 80, compound=compound),
        number(f"{prefix}Latitude", 18, 15, compound=compound),
        number(f"{prefix}Longitude", 18, 15, compound=compound),
        pick(f"{prefix}GeocodeAccuracy", "Address", "NearAddress", "Zip", "City", restricted=True, compound=compound),
    )
    whole_one = Field(compound, "address", parts=tuple(part.name for part in parts))
    return (*parts, whole_one)


def person_name() -> tuple[Field, ...]:
    """The compound name of people: its type is string (facts §2.3), though it is made of parts."""
    return (
        text("LastName", 80, compound="Name", nillable=False),
        text("FirstName", 40, compound="Name"),
        pick("Salutation", "Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx.", compound="Name"),
        text("Name", 121, nillable=False, settable=False, name_field=True, parts=("FirstName", "LastName")),
    )


def location(name: str) -> tuple[Field, ...]:
    """A custom location and its two parts."""
    base = name.removesuffix("__c")
    parts = (f"{base}__Latitude__s", f"{base}__Longitude__s")
    return (*(number(part, 18, 15, compound=name) for part in parts), Field(name, "location", parts=parts))
