"""What a run of `bench/tap_hubspot.py` found."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.ratios import Ratio
from bench.readers import IDEAL, OURS

if TYPE_CHECKING:
    from bench.delta import Delta
    from bench.first_sync import Attempt
    from bench.throughput import Pace


@dataclass
class Reading:
    """Everything measured, and who could not take part and why."""

    attempts: list[Attempt] = field(default_factory=list)
    delta: Delta | None = None
    paces: list[Pace] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def seconds(self, contender: str, properties: int) -> float | None:
        """The median of its first syncs with so many properties; None if none came to a good end."""
        here = [one for one in self.attempts if (one.contender, one.properties) == (contender, properties)]
        found = [one.usage.seconds for one in here if one.usage and not one.failure]
        return median(found) if found else None

    def times_ideal(self, properties: int) -> Ratio:
        """How many times the ideal client's seconds ours took, turn by turn."""
        took = {(one.contender, one.repeat): one.usage for one in self.attempts if one.properties == properties}
        pairs = [(usage, took[IDEAL, repeat]) for (name, repeat), usage in took.items() if name == OURS]
        return Ratio.of((ours.seconds, ideal.seconds) for ours, ideal in pairs if ours and ideal)

    def rate(self, contender: str) -> Ratio:
        """Its records per second: median, least, most."""
        return Ratio.of((one.records, one.usage.seconds) for one in self.paces if one.contender == contender)

    def busy(self, contender: str) -> float:
        """The share of the time in which its core worked; in the rest it waited for the fake."""
        return median(one.usage.cpu / one.usage.seconds for one in self.paces if one.contender == contender)

    def peak_mb(self) -> float:
        """The most memory that ours took while its speed was measured."""
        return max(one.usage.peak_mb for one in self.paces if one.contender == OURS)

    def figures(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {
            "first_syncs": [one.figures() for one in self.attempts],
            "delta": self.delta.figures() if self.delta else None,
            "throughput": [{**vars(one), "usage": vars(one.usage)} for one in self.paces],
            "left_out": self.left_out,
        }
