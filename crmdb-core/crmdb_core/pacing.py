"""Rate budgets: how many requests may start in which window, learned from what the server says."""

from __future__ import annotations

import bisect
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Budget", "Pacer"]

_ALL = "*"


@dataclass(frozen=True)
class Budget:
    """At most `limit` requests in any window of `per_seconds`.

    A request counts from its start on, or, `until_answered`, from its answer on: only then has the server counted it
    for sure. That costs an answer's time per window, and nothing where a request that was long under way (a first
    connection, a busy machine) is followed a window later by quicker ones.
    """

    limit: int
    per_seconds: float
    until_answered: bool = False

    def __post_init__(self) -> None:
        """Refuse a budget that nothing could ever pass."""
        if self.limit < 1 or self.per_seconds <= 0:
            raise ValueError(f"a budget needs limit >= 1 and per_seconds > 0, not {self}")

    def seconds_for(self, calls: int) -> float:
        """How long after the first of so many calls the last one may start."""
        return max(calls - 1, 0) // self.limit * self.per_seconds


@dataclass(frozen=True)
class Slot:
    """When a request may start, and what was waited for that."""

    bucket: str
    at: float
    waited: float


class Pacer:
    """Spreads requests of all threads over the budgets of their buckets; a bucket without a budget is free.

    `rate_limit` is a ceiling in requests per second over all buckets together, evenly spaced. `clock` gives
    monotonic seconds and `sleep` waits; tests give their own.
    """

    def __init__(
        self,
        budgets: Mapping[str, Budget] | None = None,
        *,
        rate_limit: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._windows = {name: _Window(budget) for name, budget in (budgets or {}).items()}
        if rate_limit is not None:
            self._windows[_ALL] = _Window(Budget(1, 1 / rate_limit))

    def wait(self, bucket: str = "default") -> float:
        """Take the next free slot of the bucket and sleep until it comes; returns the seconds waited."""
        return self.take(bucket).waited

    def take(self, bucket: str = "default") -> Slot:
        """As `wait`; the slot is given back to `answered` when the answer is there, or will not come."""
        with self._lock:
            now = self._clock()
            windows = [self._windows[name] for name in (bucket, _ALL) if name in self._windows]
            slot = max((window.next_slot(now) for window in windows), default=now)
            for window in windows:
                window.take(slot)
        delay = slot - now
        if delay > 0:
            self._sleep(delay)
        return Slot(bucket, slot, max(delay, 0.0))

    def answered(self, slot: Slot) -> None:
        """Count a request from now on, where its budget says so."""
        with self._lock:
            window = self._windows.get(slot.bucket)
            if window is not None:
                window.move(slot.at, self._clock())

    def seconds_for(self, calls: Mapping[str, int]) -> float:
        """How long so many calls by bucket take at least, the buckets side by side, each at its full rate."""
        with self._lock:
            counts = {**calls, _ALL: sum(calls.values())}
            known = ((self._windows[name].budget, count) for name, count in counts.items() if name in self._windows)
            return max((budget.seconds_for(count) for budget, count in known if budget is not None), default=0.0)

    def rates(self, buckets: Iterable[str]) -> dict[str, Budget]:
        """The budgets of these buckets, as far as they have any."""
        with self._lock:
            found = {name: self._windows[name].budget for name in buckets if name in self._windows}
        return {name: budget for name, budget in found.items() if budget is not None}

    def hold(self, bucket: str, seconds: float) -> None:
        """Let no request of the bucket start for so long (the server said 429)."""
        with self._lock:
            window = self._windows.setdefault(bucket, _Window(None))
            window.held_until = max(window.held_until, self._clock() + seconds)

    def learn(
        self,
        bucket: str = "default",
        *,
        limit: int | None = None,
        remaining: int | None = None,
        per_seconds: float | None = None,
    ) -> None:
        """Take over what a response says of the bucket: its limit, its window, how many requests are left in it.

        Fewer left than counted here means that somebody else uses the same quota: their requests are counted as
        made just now, so the budget is never overdrawn.
        """
        with self._lock:
            window = self._windows.setdefault(bucket, _Window(None))
            window.adjust(limit, per_seconds)
            if remaining is not None:
                window.count_strangers(remaining, self._clock())


class _Window:
    """Start times of the requests in one budget's sliding window; times in the future are slots given away."""

    def __init__(self, budget: Budget | None) -> None:
        self.budget = budget
        self.held_until = float("-inf")
        self._slots: deque[float] = deque()

    def next_slot(self, now: float) -> float:
        """The earliest time at which one more request may start."""
        free = max(now, self.held_until)
        if self.budget is None:
            return free
        self._forget(now)
        if len(self._slots) < self.budget.limit:
            return free
        return max(free, self._slots[-self.budget.limit] + self.budget.per_seconds)

    def take(self, slot: float) -> None:
        """Give a slot away."""
        if self.budget is not None:
            self._slots.append(slot)

    def move(self, slot: float, now: float) -> None:
        """Let a slot begin now; one that was taken before there was a budget counts as a stranger's."""
        if self.budget is not None and self.budget.until_answered and slot in self._slots:
            self._slots.remove(slot)
            bisect.insort(self._slots, now)

    def adjust(self, limit: int | None, per_seconds: float | None) -> None:
        """Follow a limit or window that the server states."""
        if self.budget is not None:
            self.budget = replace(
                self.budget,
                limit=limit if limit and limit > 0 else self.budget.limit,
                per_seconds=per_seconds if per_seconds and per_seconds > 0 else self.budget.per_seconds,
            )
        elif limit and limit > 0 and per_seconds and per_seconds > 0:
            self.budget = Budget(limit, per_seconds, until_answered=True)

    def count_strangers(self, remaining: int, now: float) -> None:
        """Count requests that others made from the same quota as made now."""
        if self.budget is None:
            return
        self._forget(now)
        strangers = self.budget.limit - len(self._slots) - max(remaining, 0)
        for _ in range(strangers):
            self._slots.append(now)
        if strangers > 0:
            self._slots = deque(sorted(self._slots))

    def _forget(self, now: float) -> None:
        assert self.budget is not None
        while self._slots and self._slots[0] + self.budget.per_seconds <= now:
            self._slots.popleft()
