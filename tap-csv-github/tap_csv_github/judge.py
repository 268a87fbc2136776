"""GitHub's refusals: which of its 403 and 429 are limits, and how long they ask to wait."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crmdb_core.quota import Use
from crmdb_core.retry import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

__all__ = ["Judge", "hourly_use"]

_FORBIDDEN, _TOO_MANY = 403, 429
_SECONDARY_WAIT = 60.0


def hourly_use(headers: Mapping[str, str]) -> Use | None:
    """The calls of the hour, which every answer tells; an Enterprise server without limits tells none."""
    limit, remaining = (headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining"))
    return Use(int(limit), int(remaining)) if limit.isdecimal() and remaining.isdecimal() and int(limit) else None


class Judge:
    """Reads every answer: remembers when the hour ends, and tells limits from refusals.

    Docs, "Rate limits for the REST API": both kinds of limit are answered 403 or 429. Obey Retry-After; else wait for
    x-ratelimit-reset where nothing remains; else for a minute, and longer each time that does not help.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now = now
        self._lock = threading.Lock()
        self._reset: datetime | None = None
        self._in_a_row = 0

    def resets(self) -> datetime | None:
        """When the hour's calls are whole again, if an answer has told."""
        with self._lock:
            return self._reset

    def __call__(self, response: requests.Response) -> Verdict | None:
        """The verdict on one response; None leaves it to the common table."""
        self._learn(response.headers)
        if response.status_code not in {_FORBIDDEN, _TOO_MANY}:
            if response.ok:
                with self._lock:
                    self._in_a_row = 0
            return None
        if response.headers.get("x-ratelimit-remaining") == "0" and "secondary" not in response.text:
            return self._used_up(response)
        if response.status_code == _TOO_MANY or _is_secondary(response):
            return self._slow_down(response)
        return None

    def _learn(self, headers: Mapping[str, str]) -> None:
        reset = headers.get("x-ratelimit-reset", "")
        if reset.isdecimal():
            with self._lock:
                self._reset = datetime.fromtimestamp(int(reset), UTC)

    def _used_up(self, response: requests.Response) -> Verdict:
        response.status_code = _TOO_MANY  # so that it counts as a limit wherever it is looked at
        until = self.resets()
        if until is None:
            return Verdict.retry(_SECONDARY_WAIT, "GitHub's calls of this hour are used up")
        seconds = max((until - self.now()).total_seconds(), 0.0) + 1.0
        return Verdict.retry(seconds, "GitHub's calls of this hour are used up")

    def _slow_down(self, response: requests.Response) -> Verdict:
        response.status_code = _TOO_MANY
        with self._lock:
            wait = _SECONDARY_WAIT * 2**self._in_a_row
            if "Retry-After" not in response.headers:
                self._in_a_row += 1
        return Verdict.retry(wait, "GitHub's secondary rate limit was met")


def _is_secondary(response: requests.Response) -> bool:
    text = response.text[:2000].lower()
    return "retry-after" in response.headers or "secondary rate limit" in text or "abuse detection" in text
