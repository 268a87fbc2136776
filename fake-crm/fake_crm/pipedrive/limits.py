"""Pipedrive's two limits (vendor page "Rate limiting"): tokens of a company's day, requests of a user's two seconds.

Unverified: that a refused call costs no token, the zone of the midnight at which the day turns (here UTC), and after
how many 429s Cloudflare steps in.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fake_crm.pipedrive.errors import ApiError, limited

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from fake_crm.clock import Clock

_BURST_SECONDS = 2.0
_BLOCK_SECONDS = 60.0


@dataclass(frozen=True)
class Limits:
    """`daily` tokens of the company, `burst` requests per two seconds of one token; None: no limit.

    After `abuse` refusals in a row of burst seconds Cloudflare blocks; None: never.
    """

    daily: int | None = None
    burst: int | None = None
    abuse: int | None = None


UNLIMITED = Limits(burst=100_000)  # its headers are told all the same
# One seat; API tokens. OAuth apps have four times the burst.
PLANS: Mapping[str, Limits] = {
    "lite": Limits(30_000, 20, 60),
    "growth": Limits(60_000, 40, 60),
    "premium": Limits(150_000, 100, 60),
    "ultimate": Limits(210_000, 120, 60),
}
_OAUTH_FACTOR = 4


class BlockedError(Exception):
    """Cloudflare answers instead of Pipedrive."""


class Ledger:
    """Counts tokens and requests, and refuses those beyond the limits; `ticks` tells the seconds of bursts."""

    def __init__(self, limits: Limits | None, clock: Clock, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits or UNLIMITED
        self.tells_daily = True  # the daily headers are undocumented, and missing at times
        self._clock = clock
        self._ticks = ticks
        self._lock = threading.Lock()
        self._calls: dict[str, deque[float]] = defaultdict(deque)
        self._refused = 0
        self._blocked_until = float("-inf")
        self._day: date | None = None
        self.today = 0
        self.total = 0

    def admit(self, token: str, cost: int, *, oauth: bool) -> dict[str, str]:
        """Count a call of so many tokens; its headers, or 429, or Cloudflare's block."""
        with self._lock:
            now = self._ticks()
            if now < self._blocked_until:
                raise BlockedError
            self._turn_day()
            headers = self._burst(token, now, oauth=oauth)
            if self.limits.daily is not None and self.today + cost > self.limits.daily:
                raise self._refusal({**headers, **self._daily(0)}, now)
            self._refused = 0
            self.today += cost
            self.total += cost
            return {**headers, **self._daily()}

    def spend(self, tokens: int) -> None:
        """Count tokens that somebody else uses today."""
        with self._lock:
            self._turn_day()
            self.today += tokens

    def _burst(self, token: str, now: float, *, oauth: bool) -> dict[str, str]:
        if self.limits.burst is None:
            return {}
        limit = self.limits.burst * (_OAUTH_FACTOR if oauth else 1)
        calls = self._calls[token]
        while calls and calls[0] <= now - _BURST_SECONDS:
            calls.popleft()
        reset = max(1, round(calls[0] + _BURST_SECONDS - now + 0.5)) if calls else 2
        left = limit - len(calls) - 1
        headers = {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(max(left, 0)),
            "x-ratelimit-reset": str(reset),
        }
        if left < 0:
            raise self._refusal({**headers, **self._daily()}, now)
        calls.append(now)
        return headers

    def _daily(self, left: int | None = None) -> dict[str, str]:
        if self.limits.daily is None or not self.tells_daily:
            return {}
        remaining = max(self.limits.daily - self.today, 0) if left is None else left
        return {
            "x-daily-ratelimit-token-limit": str(self.limits.daily),
            "x-daily-ratelimit-token-remaining": str(remaining),
        }

    def _refusal(self, headers: Mapping[str, str], now: float) -> ApiError:
        self._refused += 1
        if self.limits.abuse is not None and self._refused >= self.limits.abuse:
            self._blocked_until = now + _BLOCK_SECONDS
            self._refused = 0
        return limited(headers)

    def _turn_day(self) -> None:
        today = self._clock.now().date()
        if today != self._day:
            self._day, self.today = today, 0
