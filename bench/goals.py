"""What target-crmdb is to reach, beside what was found: information, never a reason to fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.contacts import CONTACTS
from bench.contenders import FAST_PEER, FLOOR, OURS, PEER, WITHOUT_RULES
from bench.feeds import INITIAL, UNCHANGED, UPDATE
from bench.mapped import MAPPED
from bench.ratios import Pairs
from bench.wide import WIDE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.contest import Load
    from bench.loading import Findings

_STEPS = (INITIAL, UPDATE, UNCHANGED)
_TIMES_PSQL = {CONTACTS.stream: 1.7, WIDE.stream: 2.5}
_TIMES_FASTER = {PEER: 20, FAST_PEER: 4}
_TIMES_PSQL_MAPPED = {INITIAL: 2.6, UPDATE: 2.1}
_PEAK_MB = 150


@dataclass(frozen=True)
class Goal:
    """One goal, what was found, whether the median of it is good enough, and what it would be without the start.

    What has no threshold (None) is told for comparison.
    """

    says: str
    found: str
    met: bool | None
    beyond_start: str = ""

    @property
    def verdict(self) -> str:
        """Met, not met, or a dash."""
        return "-" if self.met is None else "met" if self.met else "not met"


def goals(findings: Findings) -> Iterator[Goal]:
    """Hold ours against every goal that this run can tell of."""
    pairs = Pairs(findings.loads)
    for feed, most in _TIMES_PSQL.items():
        for step, mine in _steps(findings, feed):
            times = pairs.times(mine, FLOOR)
            says = f"{feed}, {step}: at most {most} times psql's time"
            yield Goal(says, str(times), times.middle <= most, str(pairs.times_beyond_start(mine, FLOOR) or "-"))
    for contender, alone in ((OURS, ""), (WITHOUT_RULES, ", without rules and quality")):
        for step, mine in _steps(findings, MAPPED.stream, contender):
            if step in _TIMES_PSQL_MAPPED:
                times, most = pairs.times(mine, FLOOR), _TIMES_PSQL_MAPPED[step]
                says = f"{MAPPED.stream}, {step}{alone}: at most {most} times psql's time, which checks nothing"
                yield Goal(says, str(times), times.middle <= most, str(pairs.times_beyond_start(mine, FLOOR) or "-"))
    for other, least in _TIMES_FASTER.items():
        for step, mine in _steps(findings, CONTACTS.stream):
            if not pairs.has(mine, other):
                continue
            faster = pairs.times_faster(mine, other)
            says = f"{CONTACTS.stream}, {step}: at least {least} times faster than {other}"
            yield Goal(says, str(faster), faster.middle >= least)
    yield from _nothing_written(findings)
    yield from _memory(findings)


def _steps(findings: Findings, feed: str, contender: str = OURS) -> Iterator[tuple[str, list[Load]]]:
    for step in _STEPS:
        here = [load for load in findings.loads if (load.feed, load.step, load.contender) == (feed, step, contender)]
        if here:
            yield step, here


def _nothing_written(findings: Findings) -> Iterator[Goal]:
    for feed in _TIMES_PSQL:
        for step, mine in _steps(findings, feed):
            counts = [load.row_records for load in mine if load.row_records is not None]
            if step == UNCHANGED and counts:
                says = f"{feed}, {step}: no record of a row in the WAL"
                yield Goal(says, f"{max(counts)}", met=max(counts) == 0)


def _memory(findings: Findings) -> Iterator[Goal]:
    loads = [load.usage.peak_mb for load in findings.loads if load.contender == OURS]
    peaks = {"every load here": loads, "any size": [size.usage.peak_mb for size in findings.sizes]}
    for what, found in peaks.items():
        if found:
            yield Goal(f"less than {_PEAK_MB} MB, {what}", f"at most {max(found):.0f}", max(found) < _PEAK_MB)
