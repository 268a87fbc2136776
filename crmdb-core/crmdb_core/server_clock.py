"""The server's time, read from the Date header, so that a wrong local clock moves no window."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from crmdb_core.retry import parse_http_date

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ServerClock"]

_WARN_ABOVE = timedelta(seconds=60)


class ServerClock:
    """`now()` is never ahead of the server: a Date header is cut to the second and already a little old."""

    def __init__(self, local: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._local = local
        self._lock = threading.Lock()
        self._skew: timedelta | None = None

    def observe(self, date_header: str | None) -> None:
        """Take the Date header of a fresh response; garbage is ignored."""
        instant = parse_http_date(date_header) if date_header else None
        if instant is None:
            return
        skew = instant - self._local()
        with self._lock:
            first, self._skew = self._skew is None, skew
        if first and abs(skew) > _WARN_ABOVE:
            logging.getLogger(__name__).warning(
                "this machine's clock and the server's differ by %.0f s; the server's is used",
                skew.total_seconds(),
            )

    @property
    def is_known(self) -> bool:
        """Whether a Date header was seen."""
        with self._lock:
            return self._skew is not None

    def now(self) -> datetime:
        """The server's time (UTC); before the first response the local clock's."""
        with self._lock:
            return self._local() + (self._skew or timedelta(0))
