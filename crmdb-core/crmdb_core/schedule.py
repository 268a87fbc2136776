"""What is done every so many hours rather than in every run."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crmdb_core.instants import parse_instant

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["instant_or_none", "is_due"]

_AHEAD = timedelta(hours=1)  # a stamp further in the future than this was not written by a run of ours


def is_due(last: Any, every_hours: int, now: datetime) -> bool:
    """Whether what STATE says was done at `last` is to be done again; one that cannot be read was never done."""
    done = instant_or_none(last)
    return done is None or done > now + _AHEAD or now - done >= timedelta(hours=every_hours)


def instant_or_none(text: Any) -> datetime | None:
    """An instant from STATE, None where there is none that can be read."""
    try:
        return None if text is None else parse_instant(text)
    except (ValueError, TypeError):
        return None
