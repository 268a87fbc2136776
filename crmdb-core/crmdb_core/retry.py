"""Which answers are worth another try, and how long to wait for it."""

from __future__ import annotations

import email.utils
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["RetryPolicy", "Verdict", "asked_wait", "parse_http_date"]

_RETRIED = frozenset({423, 429, 477})
"""Locked, too many requests, HubSpot's data-centre migration; besides every 5xx (52x are Cloudflare's)."""


@dataclass(frozen=True)
class Verdict:
    """A CRM's own reading of a response: try again, stop the run for now, or give up on the request."""

    action: Literal["retry", "later", "fatal"]
    reason: str = ""
    seconds: float | None = None
    until: datetime | None = None

    @classmethod
    def retry(cls, seconds: float | None = None, reason: str = "") -> Verdict:
        """Try again after so many seconds (None: own backoff); a Retry-After header of the server is stronger."""
        return cls("retry", reason, seconds=seconds)

    @classmethod
    def later(cls, reason: str, until: datetime | None = None) -> Verdict:
        """A quota is gone: the run stops with STATE and exit code 75."""
        return cls("later", reason, until=until)

    @classmethod
    def fatal(cls, reason: str) -> Verdict:
        """No retry can help. The reason is shown to the user: no token, no field value."""
        return cls("fatal", reason)


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long to try.

    `attempts` counts all tries of one request; `dns_attempts` those in which its host was not found. Own waits are
    exponential with full jitter: up to `base` s, doubling, at most `cap` s. A wait that the server asks for is kept
    exactly, but one above `max_wait` s ends the run (exit code 75). `max_elapsed` bounds tries and waits together.
    """

    attempts: int = 7
    base: float = 1.0
    cap: float = 60.0
    max_wait: float = 300.0
    max_elapsed: float = 900.0
    dns_attempts: int = 3
    minimum: float = 0.5
    jitter: Callable[[float], float] = field(default=backoff.full_jitter, repr=False)

    def waits(self) -> Iterator[float]:
        """The own waits, one after the other, in seconds."""
        growing = backoff.expo(base=2, factor=self.base, max_value=self.cap)
        next(growing)  # backoff's generators yield once before the first wait
        for ceiling in growing:
            yield self.jitter(ceiling)

    def short_wait(self) -> float:
        """A jittered minimum, for a server whose stated time is already past."""
        return self.minimum * (1 + random.random())  # noqa: S311 - spreads load, guards nothing

    @staticmethod
    def retries_status(status: int) -> bool:
        """Whether a response status is worth another try by itself; never 400, 401, 403, 404 or 414."""
        return status in _RETRIED or 500 <= status <= 599  # noqa: PLR2004 - the range of server errors


def asked_wait(header: str | None, server_now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110 §10.2.3: seconds or a date); None without or for garbage.

    A date is measured by the server's clock; one in the past gives a negative number.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    instant = parse_http_date(text)
    return None if instant is None else (instant - server_now) / timedelta(seconds=1)


def parse_http_date(text: str | None) -> datetime | None:
    """The instant of an HTTP date, None if it is none."""
    try:
        instant = email.utils.parsedate_to_datetime(text or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
