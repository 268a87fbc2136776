"""What one run reads of a stream: [low, high), from the settings, the bookmark and the server's clock. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from crmdb_core.instants import format_instant, from_millis, parse_instant, to_millis

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "FUTURE_TOLERANCE",
    "ReadWindow",
    "WindowKind",
    "format_instant",
    "from_millis",
    "parse_instant",
    "resolve",
    "to_millis",
]

FUTURE_TOLERANCE = timedelta(hours=1)
"""A bookmark further ahead of the server's clock than this was not written by a run of ours."""

_EARLIEST = datetime(1, 1, 1, tzinfo=UTC)


class WindowKind(enum.StrEnum):
    """Where a window's low end comes from."""

    SINCE = "since"
    BOOKMARK = "bookmark"
    START_DATE = "start_date"
    FULL = "full"


@dataclass(frozen=True)
class ReadWindow:
    """Read records modified at or after `low` (None: all) and before `high`.

    `moves_bookmark`: whether the bookmark may become `high` once everything in the window was emitted. `notes` are
    warnings for the user. `bookmark` is the trusted bookmark that the window was made from, if any.
    """

    low: datetime | None
    high: datetime
    kind: WindowKind
    moves_bookmark: bool = True
    notes: tuple[str, ...] = ()
    bookmark: datetime | None = None

    @property
    def is_full(self) -> bool:
        """Whether the window leaves nothing out at its low end."""
        return self.low is None

    @property
    def is_empty(self) -> bool:
        """Whether no instant lies in the window."""
        return self.low is not None and self.low >= self.high

    @property
    def new_bookmark(self) -> datetime:
        """The bookmark after the window was read whole: its high end, never earlier than the bookmark before."""
        return self.high if self.bookmark is None else max(self.high, self.bookmark)

    def until(self, high: datetime) -> ReadWindow:
        """This window with another high end."""
        return replace(self, high=high)

    def to_state(self) -> dict[str, Any]:
        """The JSON form for a resume point in STATE."""
        return {
            "kind": str(self.kind),
            "low": None if self.low is None else format_instant(self.low),
            "high": format_instant(self.high),
        }

    def resumed(self, saved: Mapping[str, Any]) -> ReadWindow | None:
        """This window with the high end of an interrupted run's, if that run read from the same low end; else None.

        What was emitted then is not read again, and what changed since lies after the saved high end, where the
        next run begins.
        """
        try:
            low = None if saved["low"] is None else parse_instant(saved["low"])
            high = parse_instant(saved["high"])
            kind = str(saved["kind"])
        except (KeyError, ValueError, TypeError):
            return None
        if kind != self.kind or low != self.low or high > self.high + FUTURE_TOLERANCE:
            return None
        return self.until(high)


def resolve(
    *,
    now: datetime,
    bookmark: Any = None,
    since: Any = None,
    start_date: Any = None,
    full_refresh: bool = False,
    lookback: timedelta = timedelta(0),
    hold_back: timedelta = timedelta(0),
) -> ReadWindow:
    """Decide the window: since > full refresh > bookmark - lookback > start_date > everything; high = now - hold_back.

    `now` is the server's clock. A `since` later than where the stream stands (bookmark, else start_date, else
    nothing read yet) leaves the bookmark alone, for it skips records that no later run would fetch. A bookmark that
    cannot be read, or that lies in the future by more than an hour, is not trusted: the stream is read as if it had
    none, which costs time but loses nothing; `notes` says so. A `since` or `start_date` that is no instant raises
    ValueError.
    """
    high = _minus(parse_instant(now), hold_back)
    trusted, notes = _trusted_bookmark(bookmark, parse_instant(now))
    start = None if start_date is None else parse_instant(start_date)
    if since is not None:
        return _since_window(parse_instant(since), high, trusted, start, notes)
    if full_refresh:
        return ReadWindow(None, high, WindowKind.FULL, notes=notes)
    if trusted is not None:
        low = _minus(min(trusted, high), lookback)
        return ReadWindow(low, high, WindowKind.BOOKMARK, notes=notes, bookmark=trusted)
    if start is not None:
        return ReadWindow(start, high, WindowKind.START_DATE, notes=notes)
    return ReadWindow(None, high, WindowKind.FULL, notes=notes)


def _since_window(
    since: datetime,
    high: datetime,
    bookmark: datetime | None,
    start: datetime | None,
    notes: tuple[str, ...],
) -> ReadWindow:
    stands_at = bookmark or start
    if since >= high:
        notes += ("`since` is not in the past: nothing to read",)
    moves = stands_at is not None and since <= stands_at
    return ReadWindow(since, high, WindowKind.SINCE, moves_bookmark=moves, notes=notes, bookmark=bookmark)


def _trusted_bookmark(bookmark: Any, now: datetime) -> tuple[datetime | None, tuple[str, ...]]:
    if bookmark is None:
        return None, ()
    try:
        instant = parse_instant(bookmark)
    except ValueError:
        return None, ("the bookmark in the state is not a point in time; reading as if there were none",)
    if instant > now + FUTURE_TOLERANCE:
        text = f"the bookmark {format_instant(instant)} lies in the future; reading as if there were none"
        return None, (text,)
    return instant, ()


def _minus(instant: datetime, delta: timedelta) -> datetime:
    try:
        return instant - delta
    except OverflowError:
        return _EARLIEST
