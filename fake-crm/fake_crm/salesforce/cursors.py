"""Queries that are not read to their end: locators of REST (vendor page "Query": they live two days)."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fake_crm.salesforce.errors import invalid_locator
from fake_crm.salesforce.values import record_id

if TYPE_CHECKING:
    from fake_crm.clock import Clock
    from fake_crm.salesforce.quirks import Quirks
    from fake_crm.salesforce.soql.binding import Plan
    from fake_crm.salesforce.table import Picked

_LOCATOR = re.compile(r"(0r8\w{15})-(\d+)")


@dataclass(frozen=True)
class Cursor:
    """A query and the rows that it found."""

    key: str
    plan: Plan
    rows: Picked
    everything: bool
    size: int
    began: int


class Cursors:
    """All open queries."""

    def __init__(self, clock: Clock, quirks: Quirks) -> None:
        self._clock = clock
        self._quirks = quirks
        self._lock = threading.Lock()
        self._open: dict[str, Cursor] = {}
        self._number = 0

    def open(self, plan: Plan, rows: Picked, size: int, *, everything: bool) -> Cursor:
        """A new cursor; it is kept only when `keep` says so."""
        with self._lock:
            self._number += 1
            key = record_id("0r8", self._number)
        return Cursor(key, plan, rows, everything, size, self._clock.millis())

    def keep(self, cursor: Cursor) -> None:
        """Let later requests go on with it."""
        with self._lock:
            self._open[cursor.key] = cursor

    def find(self, locator: str) -> tuple[Cursor, int]:
        """The cursor and offset of a locator; 400 when it is over or none of ours."""
        match = _LOCATOR.fullmatch(locator)
        with self._lock:
            cursor = self._open.get(match[1]) if match else None
            if cursor is None or match is None:
                raise invalid_locator()
            if self._clock.millis() - cursor.began >= self._quirks.cursor_seconds * 1000:
                del self._open[cursor.key]
                raise invalid_locator()
        if not 0 <= int(match[2]) < len(cursor.rows):
            raise invalid_locator()
        return cursor, int(match[2])

    def expire(self) -> None:
        """Let all be over."""
        with self._lock:
            self._open.clear()
