"""How records are made and changed: what stamps move, what is checked. Shared by the org and its transactions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.conversion import kept, person_name, worked_out
from fake_crm.salesforce.values import EMPTY_ID, any_id, record_id, stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fake_crm.salesforce.objects import SObject
    from fake_crm.salesforce.schema import Schema
    from fake_crm.salesforce.values import Row


class Writes(ABC):
    """Edits of records. Every edit has the clock's second in SystemModstamp, unless it says otherwise."""

    schema: Schema

    # -- where they go ----------------------------------------------------------------------------------------------

    @abstractmethod
    def _get(self, name: str, key: str) -> Row | None:
        """A row as this writer sees it."""

    @abstractmethod
    def _put(self, name: str, row: Row) -> None:
        """Keep a row."""

    @abstractmethod
    def _drop(self, name: str, key: str) -> None:
        """Remove a row for good."""

    @abstractmethod
    def _next_number(self, name: str) -> int:
        """The number of a new record."""

    @abstractmethod
    def _millis(self) -> int:
        """Now."""

    @abstractmethod
    def _user(self) -> str:
        """The id of the user that writes."""

    @abstractmethod
    def _note_deletion(self, name: str, key: str, *, undone: bool = False) -> None:
        """Tell getDeleted."""

    @abstractmethod
    def _pointing_at(self, name: str, keys: set[str]) -> list[tuple[str, str, str]]:
        """The (object, id, field) of all that refers to these records."""

    # -- edits ------------------------------------------------------------------------------------------------------

    def create(self, name: str, values: Mapping[str, Any] | None = None) -> str:
        """Make a record and return its id; system fields may be given, as an import with audit fields does."""
        kind = self.schema.find(name)
        number = self._next_number(kind.name)
        key = record_id(kind.prefix or "000", number)
        row: Row = {each.name: kept(each, each.default) for each in kind.fields.values() if not each.parts}
        row |= {"Id": EMPTY_ID, "_key": key} if kind.big else {"Id": key}
        row |= self._stamps(kind, ("CreatedDate", "LastModifiedDate", "SystemModstamp"))
        row |= {each: self._user() for each in ("CreatedById", "LastModifiedById", "OwnerId") if each in kind.fields}
        row |= {each.name: f"{number:08d}" for each in kind.fields.values() if each.auto_number}
        self._put(kind.name, self._finished(kind, row, values or {}))
        return key

    def update(self, name: str, key: str, values: Mapping[str, Any]) -> None:
        """Change a record, as a user does."""
        self._change(name, key, values, ("LastModifiedDate", "SystemModstamp"))

    def touch(self, name: str, key: str, values: Mapping[str, Any] | None = None) -> None:
        """Change a record as the system does: only SystemModstamp moves."""
        self._change(name, key, values or {}, ("SystemModstamp",))

    def alter(self, name: str, key: str, values: Mapping[str, Any]) -> None:
        """Change a record so that no stamp moves, as some fields of Salesforce's own do."""
        self._change(name, key, values, ())

    def recalculate(self, name: str, key: str, values: Mapping[str, Any]) -> None:
        """Let formulas have other results, because something else changed: no stamp moves."""
        kind = self.schema.find(name)
        others = [each for each in values if not kind.fields[each].calculated]
        if others:
            raise ValueError(f"{', '.join(others)} of {name} is no formula")
        row = self._found(kind, key)
        self._put(kind.name, {**row, **{each: kept(kind.fields[each], value) for each, value in values.items()}})

    def delete(self, name: str, key: str) -> None:
        """Put a record into the recycle bin; where the object has none, remove it."""
        kind = self.schema.find(name)
        row = self._found(kind, key)
        self._note_deletion(kind.name, any_id(key))
        if "IsDeleted" not in kind.fields:
            self._drop(kind.name, any_id(key))
            return
        self._put(kind.name, {**row, "IsDeleted": True, **self._stamps(kind, ("LastModifiedDate", "SystemModstamp"))})

    def undelete(self, name: str, key: str) -> None:
        """Take a record out of the recycle bin."""
        kind = self.schema.find(name)
        row = self._found(kind, key)
        if not row.get("IsDeleted"):
            raise ValueError(f"{key} is not in the recycle bin")
        self._note_deletion(kind.name, any_id(key), undone=True)
        back = {"IsDeleted": False, **self._stamps(kind, ("LastModifiedDate", "SystemModstamp"))}
        self._put(kind.name, {**row, **back})

    def purge(self, name: str, key: str) -> None:
        """Remove a record for good; queryAll gives it no more."""
        kind = self.schema.find(name)
        if not self._found(kind, key).get("IsDeleted"):
            self._note_deletion(kind.name, any_id(key))
        self._drop(kind.name, any_id(key))

    def merge(self, name: str, winner: str, losers: Iterable[str]) -> None:
        """Merge records into one: the losers are deleted and name it, what referred to them refers to it."""
        kind = self.schema.find(name)
        if "MasterRecordId" not in kind.fields:
            raise ValueError(f"records of {name} cannot be merged")
        lost = {any_id(each) for each in losers}
        for other, key, field in self._pointing_at(kind.name, lost):
            if key not in lost and field != "MasterRecordId":
                self.touch(other, key, {field: winner})
        for key in sorted(lost):
            self.delete(name, key)
            self.alter(name, key, {"MasterRecordId": winner})
        self.update(name, winner, {})

    # -- parts ------------------------------------------------------------------------------------------------------

    def _change(self, name: str, key: str, values: Mapping[str, Any], stamps: Iterable[str]) -> None:
        kind = self.schema.find(name)
        row = self._found(kind, key)
        self._put(kind.name, self._finished(kind, {**row, **self._stamps(kind, stamps)}, values))

    def _found(self, kind: SObject, key: str) -> Row:
        row = self._get(kind.name, any_id(key))
        if row is None:
            raise ValueError(f"{kind.name} has no record {key}")
        return row

    def _stamps(self, kind: SObject, names: Iterable[str]) -> Row:
        now = stamp(self._millis())
        return {each: now for each in names if each in kind.fields}

    def _finished(self, kind: SObject, row: Row, values: Mapping[str, Any]) -> Row:
        row |= _checked(kind, values)
        if kind.fields.get("Name") and kind.fields["Name"].parts:
            row["Name"] = person_name(row)
        for each in kind.fields.values():
            if each.type == "base64":
                row |= _sizes(kind, row.get(each.name))
            if each.formula is not None:
                row[each.name] = worked_out(each, row)
        return row


def _checked(kind: SObject, values: Mapping[str, Any]) -> Row:
    unknown = [name for name in values if name not in kind.fields]
    if unknown:
        raise ValueError(f"No such column '{unknown[0]}' on sobject of type {kind.name}")
    return {name: kept(kind.fields[name], value) for name, value in values.items()}


def _sizes(kind: SObject, blob: Any) -> Row:
    size = len(blob) if isinstance(blob, bytes) else 0
    return {name: size for name in ("BodyLength", "ContentSize") if name in kind.fields}
