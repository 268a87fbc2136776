"""People who work in the fake portal while nobody, or the tap, looks: every kind of change, chosen by two numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm import FakeCrm

TITLES = {"contacts": "lastname", "deals": "dealname"}
TYPES = ("string", "number", "bool")
# good for one type and bad for another, as old values are once a property's type was changed
VALUES = ("12.50", "0", "abc", "true", "false", "", "-3e2", " 7 ", "Ünï\n☎", "1234567890123456789.10")
PAUSES = (0.001, 1, 30, 59, 61, 95, 250, 270, 299, 400, 4000)


@dataclass(frozen=True)
class Edit:
    """One change; `a` and `b` choose among what is there, so that every edit means something in every portal."""

    verb: str
    stream: str
    a: int = 0
    b: int = 0


class People:
    """Makes edits, and remembers what the portal itself forgets: merges and purges."""

    def __init__(self, crm: FakeCrm) -> None:
        self.crm = crm
        self.merged: dict[str, dict[str, str]] = {}
        self.purged: dict[str, set[str]] = {}
        self._numbers = count(1)
        self._verbs: dict[str, Callable[[Edit], None]] = {
            "create": self._create,
            "edit": self._edit,
            "fill": self._fill,
            "archive": self._archive,
            "clear out": self._clear_out,
            "restore": self._restore,
            "merge": self._merge,
            "purge": self._purge,
            "storm": self._storm,
            "add property": self._add_property,
            "remove property": self._remove_property,
            "retype property": self._retype_property,
            "pause": self._pause,
        }

    @property
    def verbs(self) -> tuple[str, ...]:
        """All that they can do; a test may add what is about streams of its own."""
        return tuple(self._verbs)

    def make(self, edit: Edit) -> None:
        """Make one edit; one that finds nothing to change changes nothing."""
        with self.crm.hubspot.lock:  # several requests may be under way
            self._verbs[edit.verb](edit)

    def winner(self, stream: str, loser: str) -> str:
        """Where a merged record ended in the end."""
        merged = self.merged.get(stream, {})
        while loser in merged:
            loser = merged[loser]
        return loser

    def _live(self, stream: str) -> list[str]:
        return [each.id for each in self.crm.hubspot.store(stream).live.ordered()]

    def _one(self, edit: Edit) -> str | None:
        ids = self._live(edit.stream)
        return ids[edit.a % len(ids)] if ids else None

    def _create(self, edit: Edit) -> None:
        for _ in range(1 + edit.a % 3):
            self.crm.hubspot.create(edit.stream, {TITLES[edit.stream]: f"new {next(self._numbers)}"})

    def _edit(self, edit: Edit) -> None:
        if one := self._one(edit):
            self.crm.hubspot.update(edit.stream, one, {TITLES[edit.stream]: f"edited {next(self._numbers)}"})

    def _fill(self, edit: Edit) -> None:
        names = self._custom(edit.stream)
        if names and (one := self._one(edit)):
            value = VALUES[edit.b % len(VALUES)]
            self.crm.hubspot.update(edit.stream, one, {names[edit.b % len(names)]: value})

    def _archive(self, edit: Edit) -> None:
        if one := self._one(edit):
            self.crm.hubspot.archive(edit.stream, one)

    def _clear_out(self, edit: Edit) -> None:
        """Archive every second record: the recycle bin gets pages."""
        for one in self._live(edit.stream)[edit.a % 2 :: 2]:
            self.crm.hubspot.archive(edit.stream, one)

    def _restore(self, edit: Edit) -> None:
        ids = [each["id"] for each in self.crm.hubspot.archived(edit.stream)]
        if ids:
            self.crm.hubspot.restore(edit.stream, ids[edit.a % len(ids)])

    def _merge(self, edit: Edit) -> None:
        ids = self._live(edit.stream)
        winner = self._one(edit)
        others = [each for each in ids if each != winner]
        if winner and others:
            loser = others[edit.b % len(others)]
            self.crm.hubspot.merge(edit.stream, winner, loser)
            self.merged.setdefault(edit.stream, {})[loser] = winner

    def _purge(self, edit: Edit) -> None:
        if one := self._one(edit):
            self.crm.hubspot.purge(edit.stream, one)
            self.purged.setdefault(edit.stream, set()).add(one)

    def _storm(self, edit: Edit) -> None:
        """The vendor's own batch: half of all records, or all, get one millisecond."""
        self.crm.hubspot.bulk_stamp(edit.stream, self._live(edit.stream)[:: 1 + edit.a % 2])

    def _custom(self, stream: str) -> list[str]:
        return [name for name in self.crm.hubspot.store(stream).properties if name.startswith("own_")]

    def _add_property(self, edit: Edit) -> None:
        kind = TYPES[edit.a % len(TYPES)]
        self.crm.hubspot.add_property(edit.stream, f"own_{next(self._numbers)}", kind)

    def _remove_property(self, edit: Edit) -> None:
        if names := self._custom(edit.stream):
            self.crm.hubspot.remove_property(edit.stream, names[edit.a % len(names)])

    def _retype_property(self, edit: Edit) -> None:
        if names := self._custom(edit.stream):
            self.crm.hubspot.add_property(edit.stream, names[edit.a % len(names)], TYPES[edit.b % len(TYPES)])

    def _pause(self, edit: Edit) -> None:
        self.crm.clock.advance(PAUSES[edit.a % len(PAUSES)])
