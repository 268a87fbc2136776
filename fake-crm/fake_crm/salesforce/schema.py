"""The objects of an org by name, and what points to what."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fake_crm.salesforce.fields import Field
    from fake_crm.salesforce.objects import SObject

_IRREGULAR = {
    "Opportunity": "Opportunities",
    "AccountHistory": "Histories",
    "OpportunityHistory": "OpportunityHistories",
}


class Schema:
    """All objects; `changed_at` is when any of them changed last."""

    def __init__(self, objects: Iterable[SObject], changed_at: int) -> None:
        self._objects: dict[str, SObject] = {}
        self._names: dict[str, str] = {}
        self._prefixes: dict[str, str] = {}
        self._lock = threading.RLock()
        self.changed_at = changed_at
        for each in objects:
            self.add(each, changed_at)

    def add(self, kind: SObject, at: int) -> None:
        """Add an object."""
        with self._lock:
            kind.changed_at = at
            self._objects[kind.name] = kind
            self._names[kind.name.lower()] = kind.name
            self._prefixes.setdefault(kind.prefix, kind.name)
            self.changed_at = max(self.changed_at, at)

    def remove(self, name: str, at: int) -> None:
        """Take an object away."""
        with self._lock:
            kind = self._objects.pop(name)
            self._names.pop(kind.name.lower())
            self._prefixes.pop(kind.prefix, None)
            self.changed_at = max(self.changed_at, at)

    def add_field(self, name: str, new: Field, at: int) -> None:
        """Add a field to an object, or change it."""
        with self._lock:
            kind = self.find(name)
            kind.add(new)
            kind.changed_at = at
            self.changed_at = max(self.changed_at, at)

    def remove_field(self, name: str, field: str, at: int) -> None:
        """Take a field away from an object."""
        with self._lock:
            kind = self.find(name)
            kind.remove(field)
            kind.changed_at = at
            self.changed_at = max(self.changed_at, at)

    def find(self, name: str) -> SObject:
        """An object by its name in any case; ValueError if there is none."""
        found = self.get(name)
        if found is None:
            raise ValueError(f"sObject type '{name}' is not supported")
        return found

    def get(self, name: str) -> SObject | None:
        """An object by its name in any case, if there is one."""
        known = self._names.get(name.lower())
        return self._objects.get(known) if known else None

    def of_id(self, key: str) -> SObject | None:
        """The object that an id's first three characters name."""
        known = self._prefixes.get(key[:3])
        return self._objects.get(known) if known else None

    def __iter__(self) -> Iterator[SObject]:
        with self._lock:
            return iter(sorted(self._objects.values(), key=lambda kind: kind.name))

    def children(self, name: str) -> list[dict[str, Any]]:
        """Who points to an object, as its describe tells it."""
        return [
            {
                "cascadeDelete": False,
                "childSObject": kind.name,
                "deprecatedAndHidden": False,
                "field": field.name,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
                "relationshipName": relationship(kind, field),
                "restrictedDelete": False,
            }
            for kind, field in self._pointing(name)
        ]

    def child(self, name: str, wanted: str) -> tuple[SObject, Field] | None:
        """The object and field behind the name of a child relationship."""
        for kind, field in self._pointing(name):
            if (relationship(kind, field) or "").lower() == wanted.lower():
                return kind, field
        return None

    def _pointing(self, name: str) -> Iterator[tuple[SObject, Field]]:
        for kind in self:
            for field in kind.fields.values():
                if name in field.reference_to:
                    yield kind, field


def relationship(kind: SObject, field: Field) -> str | None:
    """The name under which a parent gives these children; None where it does not."""
    if field.name in {"CreatedById", "LastModifiedById", "OwnerId", "MasterRecordId"}:
        return None
    if kind.custom:
        return f"{kind.name.rsplit('__', 1)[0]}s__r"
    return _IRREGULAR.get(kind.name, f"{kind.name}s")
