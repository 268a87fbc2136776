"""Endings that an API announces in its answers, told to the user once each."""

from __future__ import annotations

import logging
import re
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crmdb_core.retry import parse_http_date

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Announcements"]

logger = logging.getLogger(__name__)

_EPOCH = re.compile(r"@(\d{1,11})")


class Announcements:
    """Warns of `Sunset` (RFC 8594: when it stops to work) and `Deprecation` (RFC 9745: since when not advised)."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def observe(self, headers: Mapping[str, str], path: str) -> None:
        """Take the headers of a response; an announcement without a date in it is not passed on."""
        for name, what in (("Sunset", "stops to work on"), ("Deprecation", "is out of favour as of")):
            day = _day(headers.get(name))
            if day and self._is_new(name, day):
                logger.warning("the API says that %s %s %s; update the tap or its api_version", path, what, day)

    def _is_new(self, name: str, day: str) -> bool:
        with self._lock:
            known = (name, day) in self._told
            self._told.add((name, day))
        return not known


def _day(text: str | None) -> str | None:
    """The day of an HTTP date, or of the `@seconds` of a structured field."""
    if text is None:
        return None
    found = _EPOCH.fullmatch(text.strip())
    instant = datetime.fromtimestamp(int(found.group(1)), UTC) if found else parse_http_date(text)
    return None if instant is None else instant.date().isoformat()
