"""Objects of an org: what can be done with each, and its describe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.fields import Field, flag, plain, ref

if TYPE_CHECKING:
    from collections.abc import Iterable

DELETE_STAMPS = (flag("IsDeleted", settable=False),)
CREATED = (
    plain("CreatedDate", "datetime", nillable=False, settable=False),
    ref("CreatedById", "User", nillable=False, settable=False),
)
MODIFIED = (
    plain("LastModifiedDate", "datetime", nillable=False, settable=False),
    ref("LastModifiedById", "User", nillable=False, settable=False),
    plain("SystemModstamp", "datetime", nillable=False, settable=False),
)
ID = Field("Id", "id", 18, nillable=False, settable=False, label="Record ID")


@dataclass
class SObject:
    """One object of an org. `changed_at` is when its describe changed last, in epoch milliseconds.

    `filters` names fields of which a query must filter by one (`reified`: with the words for virtual tables);
    `in_bulk` is whether Bulk API takes it; `index` are the fields of a big object's index, in order.
    """

    name: str
    prefix: str
    fields: dict[str, Field]
    label: str = ""
    queryable: bool = True
    replicateable: bool = True
    retrieveable: bool = True
    createable: bool = True
    searchable: bool = False
    in_bulk: bool = True
    filters: tuple[str, ...] = ()
    reified: bool = False
    index: tuple[str, ...] = ()
    archives: bool = False
    changed_at: int = 0
    parents: dict[str, Field] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for each in list(self.fields.values()):
            self.add(each)

    @classmethod
    def of(cls, name: str, prefix: str, fields: Iterable[Field], **more: Any) -> SObject:
        """An object of these fields."""
        return cls(name, prefix, {each.name: each for each in fields}, **more)

    def add(self, new: Field) -> None:
        """Add a field, or put it in the place of the one of its name."""
        self.fields[new.name] = new
        self.names[new.name.lower()] = new.name
        if new.relationship and new.reference_to:
            self.parents[new.relationship.lower()] = new

    def remove(self, name: str) -> None:
        """Take a field away."""
        gone = self.fields.pop(name)
        self.names.pop(name.lower())
        if gone.relationship:
            self.parents.pop(gone.relationship.lower(), None)

    def find(self, name: str) -> Field | None:
        """A field by its name in any case."""
        known = self.names.get(name.lower())
        return self.fields[known] if known else None

    @property
    def custom(self) -> bool:
        """Whether people made it."""
        return self.name.endswith(("__c", "__b", "__e", "__x"))

    @property
    def big(self) -> bool:
        """Whether it is a big object."""
        return bool(self.index)

    def summary(self, base: str) -> dict[str, Any]:
        """Its entry in the list of all objects: 28 keys; `base` is the path of the version."""
        deletable = self.createable and not self.big
        return {
            "activateable": False,
            "associateEntityType": _associate(self.name),
            "associateParentEntity": None,
            "createable": self.createable,
            "custom": self.custom,
            "customSetting": False,
            "deepCloneable": False,
            "deletable": deletable,
            "deprecatedAndHidden": False,
            "feedEnabled": False,
            "hasSubtypes": False,
            "isInterface": False,
            "isSubtype": False,
            "keyPrefix": self.prefix or None,
            "label": self.label or self.name,
            "labelPlural": f"{self.label or self.name}s",
            "layoutable": self.createable and not self.big,
            "mergeable": self.name in {"Account", "Contact", "Lead"},
            "mruEnabled": self.searchable,
            "name": self.name,
            "queryable": self.queryable,
            "replicateable": self.replicateable,
            "retrieveable": self.retrieveable,
            "searchable": self.searchable,
            "triggerable": self.createable,
            "undeletable": deletable,
            "updateable": deletable,
            "urls": self._urls(base),
        }

    def _urls(self, base: str) -> dict[str, str]:
        own = f"{base}/sobjects/{self.name}"
        return {"rowTemplate": f"{own}/{{ID}}", "describe": f"{own}/describe", "sobject": own}

    def describe(self, base: str, children: list[dict[str, Any]]) -> dict[str, Any]:
        """Its describe; `children` are the objects that point to it."""
        more = {
            "actionOverrides": [],
            "childRelationships": children,
            "compactLayoutable": self.searchable,
            "defaultImplementation": None,
            "extendedBy": None,
            "extendsInterfaces": None,
            "fields": [each.describe() for each in self.fields.values()],
            "implementedBy": None,
            "implementsInterfaces": None,
            "lookupLayoutable": None,
            "listviewable": None,
            "namedLayoutInfos": [],
            "networkScopeFieldName": None,
            "recordTypeInfos": [_MASTER],
            "searchLayoutable": self.searchable,
            "sobjectDescribeOption": "FULL",
            "supportedScopes": [{"label": "All", "name": "everything"}],
        }
        return dict(sorted({**self.summary(base), **more}.items()))


_MASTER = {
    "active": True,
    "available": True,
    "defaultRecordTypeMapping": True,
    "developerName": "Master",
    "master": True,
    "name": "Master",
    "recordTypeId": "012000000000000AAA",
    "urls": {},
}


def _associate(name: str) -> str | None:
    for ending in ("History", "Share", "Feed", "ChangeEvent"):
        if name.endswith(ending) and name != "LoginHistory":
            return ending
    return None
