"""Records as JSON, kept while they are unchanged: a large account is served about as fast as it can be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from fake_crm.hubspot.records import Record

_MOST_BYTES = 256_000_000  # of one object type


class Texts:
    """Texts by shape (what else decides them) and record; all are forgotten when they get too much."""

    def __init__(self, most: int = _MOST_BYTES) -> None:
        self._most = most
        self._bytes = 0
        self._kept: dict[Hashable, dict[int, tuple[Record, str]]] = {}

    def find(self, shape: Hashable, record: Record) -> str | None:
        """The text of this very record; None if there is none, or one of an earlier state."""
        kept = self._kept.get(shape, {}).get(record.number)
        return kept[1] if kept is not None and kept[0] is record else None

    def keep(self, shape: Hashable, record: Record, text: str) -> str:
        """Keep a record's text and return it."""
        if self._bytes + len(text) > self._most:
            self._kept.clear()
            self._bytes = 0
        self._kept.setdefault(shape, {})[record.number] = (record, text)
        self._bytes += len(text)
        return text
