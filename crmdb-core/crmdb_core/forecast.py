"""What a stream would cost: how many records and calls, found out by a call or two instead of by reading it."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crmdb_core.counters import CallLimitError, at_most

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crmdb_core.stream import CrmStream

__all__ = ["Forecast", "by_first_pages", "draw_first"]

_CALLS_TO_LOOK = 2
"""Enough for a stream that needs the ids of one list to ask for another, and to see whether a second page comes."""


@dataclass(frozen=True)
class Forecast:
    """How many records a stream would give (None: unknown) and how many calls it would make, by rate bucket.

    `certainty`: known, estimated from what is known, or a lower bound. `cost` is what the calls take from the quota,
    where that is counted in something else.
    """

    records: int | None
    calls: Mapping[str, int]
    certainty: Literal["exactly", "about", "at least"] = "about"
    cost: int | None = None

    @property
    def calls_in_all(self) -> int:
        """Calls of all buckets."""
        return sum(self.calls.values())

    @property
    def cost_in_all(self) -> int:
        """What all of it takes from the quota."""
        return self.calls_in_all if self.cost is None else self.cost


def draw_first(stream: CrmStream) -> None:
    """Fetch the first page of a stream, or its first record, by at most two calls; raises what it is refused with."""
    # a second call that was cut short proves that the first was answered well
    with contextlib.suppress(CallLimitError), at_most(_CALLS_TO_LOOK):
        pages = stream.fetch() if stream.can_run_ahead else iter(stream.get_records(None))
        next(pages, None)


def by_first_pages(stream: CrmStream) -> Forecast | None:
    """Forecast by the first pages: exact if they are all, else from the total that the API tells, else a lower bound.

    A stream that does not `fetch` tells nothing.
    """
    if not stream.can_run_ahead:
        return None
    rows = 0
    with at_most(_CALLS_TO_LOOK) as calls:
        try:
            for page in stream.fetch():
                rows += len(page.rows)
        except CallLimitError:
            return _beyond(rows, calls.spent, stream.expected)
    return Forecast(rows, {"default": calls.spent}, "exactly")


def _beyond(rows: int, calls: int, expected: int | None) -> Forecast:
    """The forecast where there is more than what was looked at."""
    if expected is None or not rows:
        return Forecast(rows, {"default": calls}, "at least")
    return Forecast(expected, {"default": math.ceil(expected / rows * calls)}, "about")
