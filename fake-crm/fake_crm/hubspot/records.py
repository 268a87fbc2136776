"""Records and where they are kept: live, archived, and as the search index sees them."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fake_crm.clock import iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fake_crm.hubspot.kinds import Kind

NOTHING: Mapping[str, str | None] = MappingProxyType({})
UNEDITED: Mapping[str, tuple[Version, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Version:
    """One value that a property had: from when, and where it came from (`user` edited it by hand)."""

    value: str | None
    at: int
    source: str = "INTEGRATION"
    source_id: str = "fake-crm"
    user: int | None = None

    @classmethod
    def of(cls, value: str | None, at: int, user: int | None) -> Version:
        """A value that a user typed in, or that came through the API."""
        return cls(value, at) if user is None else cls(value, at, "CRM_UI", f"userId:{user}", user)

    def rendered(self) -> dict[str, Any]:
        """As the API gives it in `propertiesWithHistory`."""
        by = {} if self.user is None else {"updatedByUserId": self.user}
        label = "Fake CRM" if self.source == "INTEGRATION" else None
        return {
            "value": self.value,
            "timestamp": iso(self.at),
            "sourceType": self.source,
            "sourceId": self.source_id,
            "sourceLabel": label,
            **by,
        }


@dataclass(frozen=True, slots=True)
class Record:
    """One record; each write makes a new one, so that an index may hold on to an old one.

    Instants are epoch milliseconds. `own` are its own values, `common` values that it shares with other records.
    """

    number: int
    created: int
    updated: int
    own: Mapping[str, str | None]
    common: Mapping[str, str | None] = field(default_factory=lambda: NOTHING)
    archived_at: int | None = None
    history: Mapping[str, tuple[Version, ...]] = field(default_factory=lambda: UNEDITED)

    @property
    def id(self) -> str:
        """The id as the API gives it."""
        return str(self.number)

    def value(self, name: str, kind: Kind) -> str | None:
        """A property as the API gives it: text or null."""
        if name == "hs_object_id":
            return str(self.number)
        if name == kind.modified:
            return iso(self.updated)
        if name == kind.created:
            return iso(self.created)
        own = self.own.get(name)
        return own if own is not None or name in self.own else self.common.get(name)

    def versions(self, name: str, kind: Kind) -> tuple[Version, ...]:
        """All values that a property had, latest first."""
        if name in self.history:
            return self.history[name]
        value = self.value(name, kind)
        return () if value is None else (Version(value, self.created),)


class Shelf:
    """Records by id, with their ascending order worked out once per change."""

    def __init__(self) -> None:
        self._records: dict[int, Record] = {}
        self._ordered: list[Record] | None = None
        self._as_text: list[Record] | None = None
        self.version = 0

    def __len__(self) -> int:
        return len(self._records)

    def get(self, key: str) -> Record | None:
        """The record of an id as text."""
        return self._records.get(int(key)) if key.isascii() and key.isdecimal() else None

    def put(self, record: Record) -> None:
        """Keep a record, in place of the one with its id."""
        self._records[record.number] = record
        self._changed()

    def drop(self, number: int) -> None:
        """Take a record away."""
        if self._records.pop(number, None) is not None:
            self._changed()

    def ordered(self) -> list[Record]:
        """All records by ascending id; not to be changed."""
        if self._ordered is None:
            self._ordered = [self._records[number] for number in sorted(self._records)]
        return self._ordered

    def from_id(self, number: int, *, as_text: bool = False) -> list[Record]:
        """Records whose id is at least this, as a number or as text."""
        ordered = self.ordered()
        if as_text:
            if self._as_text is None:
                self._as_text = sorted(ordered, key=lambda record: record.id)
            return self._as_text[bisect_left(self._as_text, str(number), key=lambda record: record.id) :]
        return ordered[bisect_left(ordered, number, key=lambda record: record.number) :]

    def _changed(self) -> None:
        self.version += 1
        self._ordered = self._as_text = None


class Index(Shelf):
    """What searches see: writes appear when they are due."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[tuple[int, int, Record | None]] = deque()

    def note(self, number: int, record: Record | None, due: int | None) -> None:
        """A write; None for a record that is gone, `due` None for at once."""
        if due is None and not self._waiting:
            self._apply(number, record)
        else:
            self._waiting.append((due or 0, number, record))

    def settle(self, now: int) -> None:
        """Let the writes that are due appear, in the order in which they were made."""
        while self._waiting and self._waiting[0][0] <= now:
            _, number, record = self._waiting.popleft()
            self._apply(number, record)

    def _apply(self, number: int, record: Record | None) -> None:
        if record is None:
            self.drop(number)
        else:
            self.put(record)
