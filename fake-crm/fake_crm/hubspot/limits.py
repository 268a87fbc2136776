"""Rate limits (vendor page "API usage guidelines"): burst per app, searches per account, a day's calls.

Unverified: that searches count in the daily limit, and the fields of associations' own limits.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from fake_crm.hubspot.errors import limited

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from fake_crm.clock import Clock


@dataclass(frozen=True)
class Limits:
    """Calls allowed: `burst` per app and `burst_seconds`, `search` per account and second, `daily`; None: no limit."""

    burst: int | None = None
    search: int | None = None
    daily: int | None = None
    associations: int | None = None
    burst_seconds: float = 10.0
    search_seconds: float = 1.0


TIERS: Mapping[str, Limits] = {
    "free": Limits(100, 5, 250_000, 100),
    "starter": Limits(100, 5, 250_000, 100),
    "professional": Limits(190, 5, 625_000, 150),
    "enterprise": Limits(190, 5, 1_000_000, 200),
}


class Window:
    """Calls within the last seconds."""

    def __init__(self) -> None:
        self._at: deque[float] = deque()

    def used(self, now: float, seconds: float) -> int:
        """How many calls are in the window that ends now."""
        while self._at and self._at[0] <= now - seconds:
            self._at.popleft()
        return len(self._at)

    def add(self, now: float) -> None:
        """Count a call."""
        self._at.append(now)

    def free_in(self, now: float, seconds: float) -> float:
        """Seconds until the oldest call leaves the window."""
        return self._at[0] + seconds - now if self._at else 0.0


class Limiter:
    """Counts calls and refuses those beyond the limits.

    `ticks` tells the seconds of the short windows: real ones by default, so that pacing is measured honestly. The day
    is always the fake clock's, in the portal's time zone.
    """

    def __init__(
        self,
        limits: Limits | None,
        clock: Clock,
        zone: Callable[[], str],
        *,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits or Limits()
        self._clock = clock
        self._zone = zone
        self._ticks = ticks
        self._lock = threading.Lock()
        self._windows: dict[str, Window] = defaultdict(Window)
        self._day: date | None = None
        self.today = 0

    def admit(self, bucket: str, app: str, *, oauth: bool, retry_after: bool) -> dict[str, str]:
        """Count a call in its bucket (default, search, associations or none); its rate headers, or 429."""
        with self._lock:
            self._turn_day()
            if self.limits.daily is not None and self.today >= self.limits.daily:
                raise limited("DAILY")
            headers = self._take(bucket, app, retry_after=retry_after)
            self.today += 1
        if bucket == "default" and self.limits.daily is not None and not oauth:
            headers |= {
                "X-HubSpot-RateLimit-Daily": str(self.limits.daily),
                "X-HubSpot-RateLimit-Daily-Remaining": str(max(self.limits.daily - self.today, 0)),
            }
        return headers

    def spend(self, calls: int) -> None:
        """Count calls that somebody else makes today from the same daily limit."""
        with self._lock:
            self._turn_day()
            self.today += calls

    def _take(self, bucket: str, app: str, *, retry_after: bool) -> dict[str, str]:
        limit, seconds, policy = self._rule(bucket)
        if limit is None:
            return {}
        now = self._ticks()
        # searches and associations are counted per account, the burst per app
        window = self._windows[bucket if bucket != "default" else f"app {app}"]
        used = window.used(now, seconds)
        headers = self._burst_headers(limit, limit - used - 1, seconds) if bucket == "default" else {}
        if used >= limit:
            wait = {"Retry-After": str(max(1, round(window.free_in(now, seconds) + 0.5)))} if retry_after else {}
            raise limited(policy, {**headers, **wait})
        window.add(now)
        return headers

    def _rule(self, bucket: str) -> tuple[int | None, float, str]:
        limits = self.limits
        if bucket == "search":
            return limits.search, limits.search_seconds, "SECONDLY"
        limit = limits.associations if bucket == "associations" else limits.burst
        return limit, limits.burst_seconds, "TEN_SECONDLY_ROLLING"

    @staticmethod
    def _burst_headers(limit: int, left: int, seconds: float) -> dict[str, str]:
        return {
            "X-HubSpot-RateLimit-Max": str(limit),
            "X-HubSpot-RateLimit-Remaining": str(max(left, 0)),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(round(seconds * 1000)),
            # deprecated, but still sent
            "X-HubSpot-RateLimit-Secondly": str(max(1, round(limit / seconds))),
            "X-HubSpot-RateLimit-Secondly-Remaining": str(max(0, round(left / seconds))),
        }

    def _turn_day(self) -> None:
        today = self._clock.now().astimezone(ZoneInfo(self._zone())).date()
        if today != self._day:
            self._day, self.today = today, 0
