"""Points in time: parsed and written in one place, always aware, always UTC, never compared as text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["format_instant", "from_millis", "parse_instant", "to_millis"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = re.compile(r"-?\d{9,}")


def parse_instant(value: Any) -> datetime:
    """Read a datetime, an ISO 8601 text (no offset: UTC; a date: its midnight UTC) or epoch milliseconds.

    Raises ValueError for anything else; the message does not quote the value.
    """
    if isinstance(value, bool) or value is None:
        raise ValueError("not a point in time")
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    try:
        if isinstance(value, str) and not _DIGITS.fullmatch(value.strip()):
            return parse_instant(datetime.fromisoformat(value.strip()))
        return from_millis(int(value))
    except (ValueError, TypeError, OverflowError):
        raise ValueError("not a point in time; write it like 2026-11-24T08:00:00Z") from None


def format_instant(instant: datetime) -> str:
    """Write `YYYY-MM-DDTHH:MM:SS.ffffffZ`: fixed width, so that even a reader who compares text sorts it right."""
    return parse_instant(instant).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def to_millis(instant: datetime) -> int:
    """Whole milliseconds since 1970 (rounded down)."""
    return (parse_instant(instant) - _EPOCH) // timedelta(milliseconds=1)


def from_millis(millis: int) -> datetime:
    """The instant of so many milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=millis)
