"""What is done every so many hours rather than in every run."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crmdb_core.instants import parse_instant

if TYPE_CHECKING:
    from datetime import datetime

_AHEAD = timedelta(hours=1)  # a stamp further in the future was not written by a run of ours


def is_due(last: Any, every_hours: int, now: datetime) -> bool:
    """Whether what STATE says was done at `last` is to be done again; what cannot be read was never done."""
    try:
        done = parse_instant(last)
    except ValueError:
        return True
    return done > now + _AHEAD or now - done >= timedelta(hours=every_hours)
