"""The fake's own clock: real time with an offset, or standing still until it is told to move."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Tells every stamp and `Date` header.

    Without `start` it is the machine's time. With `start` it stands there until `advance` or `set`, unless
    `frozen=False`, which lets it go on from there at real speed.
    """

    def __init__(
        self,
        start: datetime | str | None = None,
        *,
        frozen: bool | None = None,
        real: Callable[[], float] = time.time,
    ) -> None:
        self._real = real
        self._lock = threading.Lock()
        self._frozen = start is not None if frozen is None else frozen
        self._base = millis_of(real_instant(start)) if start is not None else int(real() * 1000)
        self._started = real()

    def millis(self) -> int:
        """Now, as epoch milliseconds."""
        with self._lock:
            return self._now()

    def now(self) -> datetime:
        """Now, in UTC, to the millisecond."""
        return instant_of(self.millis())

    def advance(self, seconds: float) -> datetime:
        """Go forward; refuses to go back (`set` may)."""
        if seconds < 0:
            raise ValueError("the clock only goes forward; use set() to put it back")
        with self._lock:
            self._base += round(seconds * 1000)
            return instant_of(self._now())

    def set(self, instant: datetime | str) -> datetime:
        """Put the clock to an instant; it goes on, or stands, as it did."""
        with self._lock:
            self._base = millis_of(real_instant(instant))
            self._started = self._real()
            return instant_of(self._base)

    def _now(self) -> int:
        return self._base if self._frozen else self._base + int((self._real() - self._started) * 1000)


def real_instant(value: datetime | str) -> datetime:
    """An instant with its zone from ISO text or a datetime; raises ValueError without a zone."""
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    if instant.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone; write it like 2026-11-01T00:00:00Z")
    return instant.astimezone(UTC)


def millis_of(instant: datetime) -> int:
    """Epoch milliseconds of an aware datetime, rounded down."""
    return int(instant.replace(microsecond=0).timestamp()) * 1000 + instant.microsecond // 1000


def instant_of(millis: int) -> datetime:
    """The UTC datetime of epoch milliseconds, exactly."""
    return datetime.fromtimestamp(millis // 1000, UTC).replace(microsecond=millis % 1000 * 1000)


@lru_cache(maxsize=200_000)
def iso(millis: int) -> str:
    """Epoch milliseconds the way CRMs write them: `2026-11-01T00:00:00.000Z`."""
    return instant_of(millis).isoformat(timespec="milliseconds").replace("+00:00", "Z")
