"""Calls and waits, in all and per stream; and a bound on the calls of a block."""

from __future__ import annotations

import contextlib
import threading
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crmdb_core.exceptions import CrmdbError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CallLimit", "CallLimitError", "Counters", "Stats", "at_most", "spend_call"]

_LABEL: ContextVar[str | None] = ContextVar("label", default=None)


class CallLimitError(CrmdbError):
    """A block that may make so many calls wanted one more; those before it were answered well."""


class CallLimit:
    """How many calls a block has made, and may make; the threads begun in it draw on the same number."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self.spent = 0

    def spend(self) -> None:
        """Make one; raises CallLimitError beyond the bound."""
        with self._lock:
            if self.spent >= self._most:
                raise CallLimitError("no more calls are made here: this is a look, not a run")
            self.spent += 1


_LIMIT: ContextVar[CallLimit | None] = ContextVar("limit", default=None)


@contextlib.contextmanager
def at_most(calls: int) -> Iterator[CallLimit]:
    """Let the block, and the threads begun in it, make so many requests (tries do not count), then CallLimitError."""
    limit = CallLimit(calls)
    token = _LIMIT.set(limit)
    try:
        yield limit
    finally:
        _LIMIT.reset(token)


def spend_call() -> None:
    """Take one request out of the bound of this block, if it has one."""
    limit = _LIMIT.get()
    if limit is not None:
        limit.spend()


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
