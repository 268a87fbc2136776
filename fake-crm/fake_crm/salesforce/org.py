"""An org: its objects, its records, and whoever edits them."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from fake_crm.salesforce.conversion import compound
from fake_crm.salesforce.describing import DescribeTexts
from fake_crm.salesforce.fields import COMPOUNDS
from fake_crm.salesforce.schema import Schema
from fake_crm.salesforce.table import Table
from fake_crm.salesforce.transaction import Transaction
from fake_crm.salesforce.values import any_id, key_of, record_id
from fake_crm.salesforce.writes import Writes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fake_crm.clock import Clock
    from fake_crm.salesforce.fields import Field
    from fake_crm.salesforce.objects import SObject
    from fake_crm.salesforce.reports import Definition
    from fake_crm.salesforce.values import Row

ORG_ID = "00D000000000001EAA"
_IN_BIN = 15 * 86_400_000  # milliseconds (vendor page "Recycle Bin")


class Org(Writes):
    """What is behind the API. All methods may be called from any thread."""

    def __init__(self, clock: Clock, objects: Iterable[SObject], defined_at: int) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.schema = Schema(objects, defined_at)
        self.describes = DescribeTexts()
        self.definitions: dict[str, Definition] = {}
        self.deletions: dict[str, dict[str, int]] = {}
        self._tables: dict[str, Table] = {}
        self._open: list[Transaction] = []
        self._thread = threading.local()
        self._counted: tuple[int, dict[str, int]] | None = None

    # -- reading ----------------------------------------------------------------------------------------------------

    def table(self, name: str) -> Table:
        """The rows of an object that are committed."""
        with self.lock:
            return self._tables.setdefault(self.schema.find(name).name, Table())

    def record(self, name: str, key: str) -> dict[str, Any] | None:
        """One record with all its fields, deleted or not; None if there is none."""
        row = self.table(name).get(any_id(key))
        return None if row is None else whole_row(self.schema.find(name), row)

    def records(self, name: str, *, deleted: bool = False) -> list[dict[str, Any]]:
        """All records with all their fields: the truth to compare with; `deleted` adds those in the recycle bin."""
        kind = self.schema.find(name)
        with self.lock:
            rows = list(self.table(name).scan())
        return [whole_row(kind, row) for row in rows if deleted or not row.get("IsDeleted")]

    def counts(self) -> dict[str, int]:
        """How many rows each object has that has any, deleted ones too."""
        with self.lock:
            return {name: len(table) for name, table in sorted(self._tables.items()) if len(table)}

    def recent_counts(self, seconds: float) -> dict[str, int]:
        """How many live records each object had, not longer ago than so many seconds."""
        now = self.clock.millis()
        with self.lock:
            counted = self._counted
            if counted is None or now - counted[0] >= seconds * 1000:
                counted = self._counted = (now, {name: table.live for name, table in self._tables.items()})
            return counted[1]

    @property
    def oldest_open(self) -> int | None:
        """When the longest open transaction began, in epoch milliseconds."""
        with self.lock:
            return min((each.began for each in self._open), default=None)

    # -- the schema -------------------------------------------------------------------------------------------------

    def add_object(self, kind: SObject) -> None:
        """Add an object, such as `custom("Thing__c", "a05", text("Color__c"))` makes one."""
        self.schema.add(kind, self._millis())

    def remove_object(self, name: str) -> None:
        """Take an object and its records away."""
        self.schema.remove(name, self._millis())
        self._tables.pop(name, None)

    def add_field(self, name: str, new: Field) -> None:
        """Add a field to an object, or change the one of its name; the records are left as they are."""
        self.schema.add_field(name, new, self._millis())

    def remove_field(self, name: str, field: str) -> None:
        """Take a field away from an object."""
        self.schema.remove_field(name, field, self._millis())

    def add_report(self, name: str, definition: Definition) -> str:
        """Add a report; returns its id."""
        values = {"Name": name, "DeveloperName": name.replace(" ", "_"), "FolderName": "Public Reports"}
        key = self.create("Report", values)
        self.definitions[key] = definition
        return key

    def add_list_view(self, name: str, definition: Definition) -> str:
        """Add a list view to the object that its definition names; returns its id."""
        values = {"Name": name, "DeveloperName": name.replace(" ", "_"), "SobjectType": definition.kind}
        key = self.create("ListView", {**values, "IsSoqlCompatible": True})
        self.definitions[key] = definition
        return key

    # -- transactions -----------------------------------------------------------------------------------------------

    def transaction(self) -> Transaction:
        """A transaction that is open until `commit`, or as a context manager until the end of its block.

        It has the org's own edits (`create`, `update`, …). In its block the org's edits from the same thread belong to
        it too. Nobody sees them before the commit, and they keep the stamps of when they were made.
        """
        opened = Transaction(self)
        with self.lock:
            self._open.append(opened)
        return opened

    @contextmanager
    def within(self, transaction: Transaction) -> Iterator[None]:
        """Let this thread's edits belong to a transaction."""
        self._thread.current = transaction
        try:
            yield
        finally:
            self._thread.current = None

    def close(self, transaction: Transaction) -> None:
        """Forget a transaction that is over."""
        with self.lock:
            self._open.remove(transaction)

    @override
    def _get(self, name: str, key: str) -> Row | None:
        current = self._current()
        return current._get(name, key) if current else self.table(name).get(key)  # noqa: SLF001 - one family

    @override
    def _put(self, name: str, row: Row) -> None:
        current = self._current()
        if current:
            current._put(name, row)  # noqa: SLF001 - one family
            return
        with self.lock:
            self.check_unlocked(name, key_of(row), None)
            self.table(name).put(row)

    @override
    def _drop(self, name: str, key: str) -> None:
        current = self._current()
        if current:
            current._drop(name, key)  # noqa: SLF001 - one family
            return
        with self.lock:
            self.check_unlocked(name, key, None)
            self.table(name).drop(key)

    def check_unlocked(self, name: str, key: str, writer: Transaction | None) -> None:
        """Refuse to write what another transaction has written and not committed."""
        if any(each.holds(name, key) for each in self._open if each is not writer):
            raise ValueError(f"UNABLE_TO_LOCK_ROW: another transaction has written {key}")

    def _current(self) -> Transaction | None:
        return getattr(self._thread, "current", None)

    @override
    def _next_number(self, name: str) -> int:
        with self.lock:
            table = self.table(name)
            table.number += 1
            return table.number

    @override
    def _millis(self) -> int:
        return self.clock.millis()

    @override
    def _user(self) -> str:
        return record_id("005", 1)

    @override
    def _note_deletion(self, name: str, key: str, *, undone: bool = False) -> None:
        current = self._current()
        if current:
            current._note_deletion(name, key, undone=undone)  # noqa: SLF001 - one family
            return
        self.note_deletion(name, key, None if undone else self._millis())

    def note_deletion(self, name: str, key: str, at: int | None) -> None:
        """Let getDeleted tell that a record went at an instant; None takes that back."""
        with self.lock:
            noted = self.deletions.setdefault(name, {})
            if at is None:
                noted.pop(key, None)
            else:
                noted[key] = at

    def is_emptied(self, name: str, key: str) -> bool:
        """Whether a deleted record has left the recycle bin by age."""
        at = self.deletions.get(name, {}).get(key)
        return at is not None and self.clock.millis() - at > _IN_BIN

    @override
    def _pointing_at(self, name: str, keys: set[str]) -> list[tuple[str, str, str]]:
        return [
            (kind.name, key_of(row), field.name)
            for kind in self.schema
            for field in kind.fields.values()
            if name in field.reference_to
            for row in self.table(kind.name).scan()
            if row.get(field.name) in keys
        ]


def whole_row(kind: SObject, row: Row) -> dict[str, Any]:
    """A record with all fields of its object, compounds too."""
    return {
        each.name: compound(each, row) if each.type in COMPOUNDS else row.get(each.name)
        for each in kind.fields.values()
    }
