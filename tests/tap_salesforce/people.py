"""People who work in the fake org while nobody, or the tap, looks: every kind of change, chosen by two numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm import FakeSalesforce
    from fake_crm.salesforce.transaction import Transaction

TITLES = {"Contact": "Title", "Lead": "Title", "Account": "Site"}
PAUSES = (0.001, 1, 30, 59, 61, 95, 299, 400, 4000)


@dataclass(frozen=True)
class Edit:
    """One change; `a` and `b` choose among what is there, so that every edit means something in every org."""

    verb: str
    stream: str
    a: int = 0
    b: int = 0


class People:
    """Makes edits; some in transactions that they leave open, for minutes or hours."""

    def __init__(self, crm: FakeSalesforce) -> None:
        self.crm = crm
        self.open: list[Transaction] = []
        self._numbers = count(1)
        self._verbs: dict[str, Callable[[Edit], None]] = {
            "create": self._create,
            "edit": self._edit,
            "storm": self._storm,
            "delete": self._delete,
            "undelete": self._undelete,
            "purge": self._purge,
            "merge": self._merge,
            "begin": self._begin,
            "commit": self._commit,
            "roll back": self._roll_back,
            "pause": self._pause,
        }

    def make(self, edit: Edit) -> None:
        """Make one edit; one that finds nothing to change, or a row that another has locked, changes nothing."""
        with self.crm.org.lock:
            try:
                self._verbs[edit.verb](edit)
            except ValueError as error:
                if "UNABLE_TO_LOCK_ROW" not in str(error):
                    raise

    def commit_all(self) -> None:
        """End all that is open."""
        while self.open:
            self.open.pop().commit()

    def _ids(self, stream: str, *, gone: bool = False) -> list[str]:
        records = self.crm.org.records(stream, deleted=True)
        return [str(each["Id"]) for each in records if bool(each["IsDeleted"]) is gone]

    def _one(self, edit: Edit) -> str | None:
        ids = self._ids(edit.stream)
        return ids[edit.a % len(ids)] if ids else None

    def _new(self) -> str:
        return f"new {next(self._numbers)}"

    def _create(self, edit: Edit) -> None:
        for _ in range(1 + edit.a % 3):
            self.crm.org.create(edit.stream, {"Name" if edit.stream == "Account" else "LastName": self._new()})

    def _edit(self, edit: Edit) -> None:
        if one := self._one(edit):
            self.crm.org.update(edit.stream, one, {TITLES[edit.stream]: self._new()})

    def _storm(self, edit: Edit) -> None:
        """Half of all records, or all, get the stamp of one second."""
        for one in self._ids(edit.stream)[:: 1 + edit.a % 2]:
            self.crm.org.touch(edit.stream, one)

    def _delete(self, edit: Edit) -> None:
        if one := self._one(edit):
            self.crm.org.delete(edit.stream, one)

    def _undelete(self, edit: Edit) -> None:
        ids = self._ids(edit.stream, gone=True)
        if ids:
            self.crm.org.undelete(edit.stream, ids[edit.a % len(ids)])

    def _purge(self, edit: Edit) -> None:
        ids = [*self._ids(edit.stream), *self._ids(edit.stream, gone=True)]
        if ids:
            self.crm.org.purge(edit.stream, ids[edit.a % len(ids)])

    def _merge(self, edit: Edit) -> None:
        winner = self._one(edit)
        others = [each for each in self._ids(edit.stream) if each != winner]
        if winner and others:
            self.crm.org.merge(edit.stream, winner, [others[edit.b % len(others)]])

    def _begin(self, edit: Edit) -> None:
        """Change and make records in a transaction that stays open."""
        transaction = self.crm.org.transaction()
        self.open.append(transaction)
        if one := self._one(edit):
            transaction.update(edit.stream, one, {TITLES[edit.stream]: self._new()})
        if edit.b % 2:
            transaction.create(edit.stream, {"Name" if edit.stream == "Account" else "LastName": self._new()})

    def _commit(self, edit: Edit) -> None:
        if self.open:
            self.open.pop(edit.a % len(self.open)).commit()

    def _roll_back(self, edit: Edit) -> None:
        if self.open:
            self.open.pop(edit.a % len(self.open)).roll_back()

    def _pause(self, edit: Edit) -> None:
        self.crm.clock.advance(PAUSES[edit.a % len(PAUSES)])
