"""An org's objects and their fields, as the describe calls tell them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Field", "SObject", "lean"]

REPLICATION_KEYS = ("SystemModstamp", "LastModifiedDate", "CreatedDate", "LoginTime")
"""The best first: SystemModstamp is indexed and moves with every change, LastModifiedDate can be back-dated by imports,
CreatedDate is all that rows have which never change, and LoginTime is LoginHistory's."""

_BIG_OBJECT = "__b"
_OF_SOAP_TYPE = MappingProxyType({
    "xsd:boolean": "boolean", "xsd:int": "int", "xsd:long": "long", "xsd:double": "double", "xsd:date": "date",
    "xsd:dateTime": "datetime", "xsd:time": "time",
})  # fmt: skip
_OF_A_FIELD = (
    "name", "type", "soapType", "length", "precision", "scale", "digits", "nillable", "calculated",
    "compoundFieldName", "referenceTo", "relationshipName", "restrictedPicklist", "picklistValues", "label",
    "inlineHelpText", "filterable", "sortable", "custom",
)  # fmt: skip
_OF_AN_OBJECT = (
    "name", "label", "keyPrefix", "custom", "customSetting", "queryable", "replicateable", "retrieveable", "urls",
)  # fmt: skip


@dataclass(frozen=True)
class Field:
    """One field of an object (vendor page "DescribeSObjectResult", part "Field")."""

    name: str
    type: str
    soap_type: str = ""
    length: int = 0
    """The most characters of a text; 0 where there is no such limit."""
    precision: int = 0
    """All digits of a number with places."""
    scale: int = 0
    """The digits behind its point."""
    digits: int = 0
    """The most digits of an integer."""
    nillable: bool = True
    calculated: bool = False
    """Whether it is a formula or a roll-up: it changes without a new stamp."""
    compound: str | None = None
    """The compound field that it is a part of (`compoundFieldName`)."""
    reference_to: tuple[str, ...] = ()
    relationship_name: str | None = None
    restricted_picklist: bool = False
    picklist: tuple[str, ...] = ()
    """Its active values, in their order."""
    label: str = ""
    help: str = ""
    filterable: bool = True
    sortable: bool = True
    custom: bool = False

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Field:
        """Read one field of a describe answer."""
        return cls(
            name=described["name"],
            type=_result_type(described),
            soap_type=described.get("soapType") or "",
            length=described.get("length") or 0,
            precision=described.get("precision") or 0,
            scale=described.get("scale") or 0,
            digits=described.get("digits") or 0,
            nillable=bool(described.get("nillable", True)),
            calculated=bool(described.get("calculated")),
            compound=described.get("compoundFieldName"),
            reference_to=tuple(described.get("referenceTo") or ()),
            relationship_name=described.get("relationshipName"),
            restricted_picklist=bool(described.get("restrictedPicklist")),
            picklist=tuple(_active(described.get("picklistValues") or ())),
            label=described.get("label") or "",
            help=described.get("inlineHelpText") or "",
            filterable=bool(described.get("filterable", True)),
            sortable=bool(described.get("sortable", True)),
            custom=bool(described.get("custom")),
        )


def _result_type(described: Mapping[str, Any]) -> str:
    """The type of the values; `calculated` tells nothing of them, but the SOAP type does."""
    declared: str = described["type"]
    return _OF_SOAP_TYPE.get(described.get("soapType") or "", "string") if declared == "calculated" else declared


def _active(values: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    return (str(each["value"]) for each in values if each.get("active", True) and each.get("value") is not None)


@dataclass(frozen=True)
class SObject:
    """One object of an org. Without `fields` it is what the list of all objects tells of it."""

    name: str
    label: str = ""
    key_prefix: str | None = None
    custom: bool = False
    custom_setting: bool = False
    queryable: bool = True
    replicateable: bool = False
    """Whether getUpdated and getDeleted know it."""
    retrieveable: bool = True
    fields: tuple[Field, ...] = ()
    urls: Mapping[str, str] = dataclasses.field(default_factory=lambda: MappingProxyType({}), compare=False, repr=False)
    """Paths of its own calls, such as `describe` and `rowTemplate`."""

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> SObject:
        """Read a describe answer, or one entry of the list of all objects."""
        return cls(
            name=described["name"],
            label=described.get("label") or "",
            key_prefix=described.get("keyPrefix"),
            custom=bool(described.get("custom")),
            custom_setting=bool(described.get("customSetting")),
            queryable=bool(described.get("queryable", True)),
            replicateable=bool(described.get("replicateable")),
            retrieveable=bool(described.get("retrieveable", True)),
            fields=tuple(Field.of(each) for each in described.get("fields") or ()),
            urls=MappingProxyType(dict(described.get("urls") or {})),
        )

    @property
    def replication_key(self) -> str | None:
        """The stamp by which changes are found; None where the object has none and is read whole."""
        if self.is_big_object:
            return None  # only index fields can be filtered, and no stamp is one for certain
        return next((name for name in REPLICATION_KEYS if name in self and self.field(name).filterable), None)

    @property
    def is_big_object(self) -> bool:
        """Whether it is a big object: its Id is always zeros, and only its index can be filtered."""
        return self.name.endswith(_BIG_OBJECT)

    @property
    def has_id(self) -> bool:
        """Whether `Id` names a record."""
        return "Id" in self and not self.is_big_object

    @property
    def has_is_deleted(self) -> bool:
        """Whether its records tell that they are in the recycle bin."""
        return "IsDeleted" in self

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def field(self, name: str) -> Field:
        """One field; raises KeyError."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {each.name: each for each in self.fields}


def lean(described: Mapping[str, Any]) -> dict[str, Any]:
    """A describe answer, or the list of all objects, with only what is read here: a tenth of its size."""
    if "sobjects" in described:
        return {"sobjects": [lean(each) for each in described["sobjects"]]}
    fields = [{name: each[name] for name in _OF_A_FIELD if name in each} for each in described.get("fields") or ()]
    return {**{name: described[name] for name in _OF_AN_OBJECT if name in described}, "fields": fields}
