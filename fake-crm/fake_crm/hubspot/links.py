"""Associations between records, both ways, with their types and labels."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

# Type ids from the vendor's page "Associations": (from, to) -> default type, primary type or None.
_TYPES: dict[tuple[str, str], tuple[int, int | None]] = {
    ("contacts", "companies"): (279, 1),
    ("companies", "contacts"): (280, 2),
    ("deals", "companies"): (341, 5),
    ("companies", "deals"): (342, 6),
    ("deals", "contacts"): (3, None),
    ("contacts", "deals"): (4, None),
    ("tickets", "contacts"): (16, None),
    ("contacts", "tickets"): (15, None),
    ("tickets", "companies"): (339, 26),
    ("companies", "tickets"): (340, 25),
    ("deals", "line_items"): (19, None),
    ("line_items", "deals"): (20, None),
    ("contacts", "contacts"): (449, None),
    ("companies", "companies"): (450, None),
    ("deals", "deals"): (451, None),
    ("tickets", "tickets"): (452, None),
    ("calls", "contacts"): (194, None),
    ("contacts", "calls"): (193, None),
    ("calls", "companies"): (182, None),
    ("companies", "calls"): (181, None),
    ("notes", "contacts"): (202, None),
    ("contacts", "notes"): (201, None),
    ("tasks", "contacts"): (204, None),
    ("contacts", "tasks"): (203, None),
    ("leads", "contacts"): (578, None),
}
# Pairs that exist in one direction only: leads lead to deals, deals to no lead (observed on the live API).
_ONE_WAY = frozenset({("leads", "deals")})
_FIRST_MADE_UP = 10_001  # pairs without an entry above get ids of the fake's own, in the order of their first use
_FIRST_LABEL = 28


@dataclass(frozen=True)
class LinkType:
    """One type of association."""

    type_id: int
    label: str | None = None
    category: str = "HUBSPOT_DEFINED"

    def rendered(self) -> dict[str, Any]:
        """As the API gives it."""
        return {"category": self.category, "typeId": self.type_id, "label": self.label}


class Links:
    """All associations of an account."""

    def __init__(self) -> None:
        self._types: dict[tuple[str, str], list[LinkType]] = {}
        self._links: dict[tuple[str, str], dict[int, dict[int, set[int]]]] = defaultdict(dict)
        self._made_up = _FIRST_MADE_UP
        self._next_label = _FIRST_LABEL

    def labels(self, pair: tuple[str, str]) -> list[LinkType]:
        """The types of a pair that exists, none of others.

        A pair exists by HubSpot's own table, or once records or labels were put on it. Unverified: that labels of a
        pair that does not exist are an empty list, not a refusal.
        """
        exists = pair in _TYPES or pair in _ONE_WAY or pair in self._types
        return self.types(pair) if exists else []

    def types(self, pair: tuple[str, str]) -> list[LinkType]:
        """The types of a pair, which exists from now on; the first is the one without a label."""
        if pair not in self._types:
            plain, primary = _TYPES.get(pair, (self._made_up, None))
            self._made_up += plain == self._made_up
            made = [LinkType(plain)] + ([LinkType(primary, "Primary")] if primary else [])
            self._types[pair] = made
        return self._types[pair]

    def add_label(self, pair: tuple[str, str], label: str) -> int:
        """A label that users made, for one direction; returns its type id."""
        made = LinkType(self._next_label, label, "USER_DEFINED")
        self._next_label += 1
        self.types(pair).append(made)
        return made.type_id

    def add(self, pair: tuple[str, str], a: int, b: int, type_ids: tuple[int, ...] = ()) -> None:
        """Associate a with b; the other direction gets its plain type. A primary one takes that from the one before."""
        back = (pair[1], pair[0])
        plain = self.types(pair)[0].type_id
        primary = next((each.type_id for each in self.types(pair) if each.label == "Primary"), None)
        if primary in type_ids:
            for others in self._links[pair].get(a, {}).values():
                others.discard(primary)
        self._links[pair].setdefault(a, {}).setdefault(b, set()).update({plain, *type_ids})
        if pair in _ONE_WAY:
            return
        self._links[back].setdefault(b, {}).setdefault(a, set()).add(self.types(back)[0].type_id)

    def remove(self, pair: tuple[str, str], a: int, b: int) -> None:
        """End every association of a with b, both ways."""
        self._links[pair].get(a, {}).pop(b, None)
        self._links[(pair[1], pair[0])].get(b, {}).pop(a, None)

    def of(self, pair: tuple[str, str], a: int) -> list[tuple[int, list[LinkType]]]:
        """What a is associated with: ids ascending, each with its types."""
        linked = self._links[pair].get(a, {})
        if not linked:
            return []
        known = {each.type_id: each for each in self.types(pair)}
        return [(b, [known[type_id] for type_id in sorted(linked[b])]) for b in sorted(linked)]

    def move(self, kind: str, loser: int, winner: int) -> None:
        """Give all associations of a merged record to the one that stays."""
        for pair in [pair for pair in self._links if pair[0] == kind]:
            for b in list(self._links[pair].get(loser, {})):
                self.remove(pair, loser, b)
                if b != winner:
                    self.add(pair, winner, b)

    def known(self, pair: tuple[str, str], type_id: int) -> bool:
        """Whether a pair has a type of this id."""
        return any(each.type_id == type_id for each in self.labels(pair))

    def target(self, kind: str, type_ids: set[int]) -> str:
        """The type that these type ids of a kind lead to; KeyError if none does."""
        pairs = [pair for pair in (*_TYPES, *self._types) if pair[0] == kind]
        for pair in pairs:
            if type_ids & {each.type_id for each in self.types(pair)}:
                return pair[1]
        raise KeyError(f"no association of {kind} has a type of {sorted(type_ids)}")
