"""Answers that several streams need, fetched once a run."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Key = TypeVar("Key")
Value = TypeVar("Value")


class Memo(Generic[Key, Value]):
    """The results of a function, each worked out once, whichever threads ask at the same time; errors are not kept."""

    def __init__(self, fn: Callable[[Key], Value]) -> None:
        self._fn = fn
        self._known: dict[Key, Value] = {}
        self._guard = threading.Lock()
        self._locks: defaultdict[Key, threading.Lock] = defaultdict(threading.Lock)

    def __call__(self, key: Key) -> Value:
        """The result for a key."""
        with self._guard:
            lock = self._locks[key]
        with lock:
            if key not in self._known:
                self._known[key] = self._fn(key)
            return self._known[key]

    def knows(self, key: Key) -> bool:
        """Whether asking costs nothing."""
        return key in self._known

    def keep(self, key: Key, value: Value) -> None:
        """Remember a result that came another way."""
        self._known[key] = value
