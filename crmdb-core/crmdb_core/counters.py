"""Calls and waits, in all and per stream."""

from __future__ import annotations

import contextlib
import threading
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Counters", "Stats"]

_LABEL: ContextVar[str | None] = ContextVar("label", default=None)


@dataclass
class Stats:
    """Requests made (every try counts) and seconds spent waiting for limits and retries."""

    calls: int = 0
    waited: float = 0.0


class Counters:
    """Thread-safe counts under a label that holds for a block and for the `in_order` threads begun in it."""

    def __init__(self) -> None:
        self.total = Stats()
        self._by_label: dict[str, Stats] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def labelled(self, label: str) -> Iterator[Stats]:
        """Count under this label too."""
        token = _LABEL.set(label)
        try:
            yield self.of(label)
        finally:
            _LABEL.reset(token)

    def of(self, label: str) -> Stats:
        """The counts of one label."""
        with self._lock:
            return self._by_label.setdefault(label, Stats())

    def add(self, *, calls: int = 0, waited: float = 0.0) -> None:
        """Count for the total and the current label."""
        label = _LABEL.get()
        for stats in [self.total] if label is None else [self.total, self.of(label)]:
            with self._lock:
                stats.calls += calls
                stats.waited += waited
