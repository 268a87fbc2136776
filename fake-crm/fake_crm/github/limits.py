"""GitHub's limits: so many calls in an hour (primary), and the secondary ones against bursts."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fake_crm.clock import Clock
    from fake_crm.github.access import Caller

__all__ = ["Limiter", "RateLimits"]

_HOUR = 3600


@dataclass(frozen=True)
class RateLimits:
    """Calls in an hour with and without a token, and points in a minute (a GET is one); None: without limit."""

    hourly: int | None = None
    anonymous: int | None = None
    per_minute: int | None = None


@dataclass
class _Window:
    used: int = 0
    reset: int = 0
    recent: deque[float] = field(default_factory=deque)


class Limiter:
    """Counts the calls of each caller in the hour that began with its first one."""

    def __init__(self, limits: RateLimits, clock: Clock) -> None:
        self.limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[str, _Window] = {}

    def limit_of(self, caller: Caller) -> int:
        """The calls in an hour; GitHub's own numbers where the fake counts only."""
        given = self.limits.anonymous if caller.is_anonymous else self.limits.hourly
        return given if given is not None else (60 if caller.is_anonymous else 5000)

    def is_used_up(self, caller: Caller) -> bool:
        """Whether the hour has no call left."""
        enforced = self.limits.anonymous if caller.is_anonymous else self.limits.hourly
        with self._lock:
            return enforced is not None and self._window(caller).used >= enforced

    def is_burst(self, caller: Caller) -> bool:
        """Whether one more call within a minute is too many; counts it."""
        if self.limits.per_minute is None:
            return False
        with self._lock:
            recent, now = self._window(caller).recent, self._clock.now().timestamp()
            while recent and recent[0] <= now - 60:
                recent.popleft()
            recent.append(now)
            return len(recent) > self.limits.per_minute

    def count(self, caller: Caller) -> None:
        """Take one call out of the hour."""
        with self._lock:
            self._window(caller).used += 1

    def give_back(self, caller: Caller) -> None:
        """Let a call not count: it was answered 304."""
        with self._lock:
            self._window(caller).used -= 1

    def used(self, caller: Caller) -> int:
        """How many calls of the hour are gone."""
        with self._lock:
            return self._window(caller).used

    def resource(self, caller: Caller) -> dict[str, Any]:
        """What `GET /rate_limit` says of it."""
        limit = self.limit_of(caller)
        with self._lock:
            window = self._window(caller)
            return {
                "limit": limit,
                "used": window.used,
                "remaining": max(limit - window.used, 0),
                "reset": window.reset,
            }

    def headers(self, caller: Caller) -> dict[str, str]:
        """What every answer says of it."""
        told = {f"X-RateLimit-{name.title()}": str(value) for name, value in self.resource(caller).items()}
        return {**told, "X-RateLimit-Resource": "core"}

    def _window(self, caller: Caller) -> _Window:
        now = int(self._clock.now().timestamp())
        window = self._windows.get(caller.key)
        if window is None or now >= window.reset:
            window = self._windows[caller.key] = _Window(0, now + _HOUR, window.recent if window else deque())
        return window
