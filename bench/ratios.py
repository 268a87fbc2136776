"""Ratios, formed pair by pair: what two contenders took in the same turn, their median, from the least to the most."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from typing_extensions import override

from bench.feeds import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.contest import Load


@dataclass(frozen=True)
class Ratio:
    """How many times the first of each pair is the second."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, pairs: Iterable[tuple[float, float]]) -> Ratio:
        """Divide each pair."""
        found = sorted(first / second for first, second in pairs)
        return cls(median(found), found[0], found[-1])

    @override
    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.least:.2f}-{self.most:.2f})"


class Pairs:
    """The seconds of loads, to be held against those of another contender in the same turn."""

    def __init__(self, loads: Sequence[Load]) -> None:
        self._seconds = {(load.feed, load.step, load.contender, load.repeat): load.usage.seconds for load in loads}

    def times(self, mine: Iterable[Load], other: str) -> Ratio:
        """How many times the other's time these loads took."""
        return Ratio.of((load.usage.seconds, self._other(load, other)) for load in mine)

    def times_faster(self, mine: Iterable[Load], other: str) -> Ratio:
        """How many times these loads' time the other took."""
        return Ratio.of((self._other(load, other), load.usage.seconds) for load in mine)

    def times_beyond_start(self, mine: Iterable[Load], other: str) -> Ratio | None:
        """As `times`, from both the seconds taken off that loading nothing took in that turn; None if too few rows."""
        pairs = [(self._beyond_start(load, load.contender), self._beyond_start(load, other)) for load in mine]
        return Ratio.of(pairs) if all(min(pair) > 0 for pair in pairs) else None

    def _beyond_start(self, load: Load, contender: str) -> float:
        return self._other(load, contender) - self._seconds[load.feed, NOTHING, contender, load.repeat]

    def has(self, mine: Sequence[Load], other: str) -> bool:
        """Tell whether the other took part in these loads."""
        return all((load.feed, load.step, other, load.repeat) in self._seconds for load in mine)

    def _other(self, load: Load, other: str) -> float:
        return self._seconds[load.feed, load.step, other, load.repeat]
