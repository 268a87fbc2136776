"""What a run of `bench/tap_salesforce.py` found, as tables, beside the goals."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from bench.goals import Goal
from bench.salesforce_readers import BARE, OURS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.salesforce_races import Run

_TIMES_PER_CPU = 5
_PER_CPU_SECOND = 25_000
_TIMES_SMALL = 8
_TIMES_CALLS = 12
_PEAK_MB = 200


def salesforce_report(runs: Sequence[Run], left_out: Mapping[str, str]) -> list[str]:
    """Markdown: a table of all races, and one of the goals."""
    lines = [f"- LEFT OUT, cannot be installed here: {name}: {why}" for name, why in left_out.items()]
    head = ("race", "contender", "seconds", "CPU s", "records per CPU s", "calls counted", "peak MB")
    lines += ["", _line(*head), _line(*["---"] * len(head))]
    for race, contender in dict.fromkeys((run.race, run.contender) for run in runs):
        mine = [run for run in runs if (run.race, run.contender) == (race, contender)]
        lines.append(_row(race, contender, mine))
    lines += ["", f"| goal of {OURS} | found | |", "|---|---|---|"]
    lines += [_line(goal.says, goal.found, goal.verdict) for goal in goals(runs)]
    return lines


def _row(race: str, contender: str, runs: Sequence[Run]) -> str:
    name = f"**{contender}**" if contender == OURS else contender
    good = [run.usage for run in runs if run.usage and not run.failure]
    if not good:
        return _line(race, name, f"fails: {runs[-1].failure.splitlines()[0]}", "-", "-", f"{runs[-1].calls:,}", "-")
    rate = median(run.per_cpu_second for run in runs if run.usage)
    return _line(
        race,
        name,
        f"{median(one.seconds for one in good):.1f}",
        f"{median(one.cpu for one in good):.2f}",
        f"{rate:,.0f}" if rate else "-",
        f"{runs[-1].calls:,}" if runs[-1].calls else "-",
        f"{max(one.peak_mb for one in good):.0f}",
    )


def goals(runs: Sequence[Run]) -> Iterator[Goal]:
    """Hold ours against every goal that this run can tell of."""
    for race in dict.fromkeys(run.race for run in runs):
        here = [run for run in runs if run.race == race and run.usage and not run.failure]
        mine = [run for run in here if run.contender == OURS]
        peers = [run for run in here if run.contender not in {OURS, BARE}]
        if "columns" in race:
            yield from _of_speed(race, mine, peers)
        elif "small" in race:
            yield from _of_each(race, mine, peers)
        elif "discovery" in race:
            calls = min((run.calls for run in peers), default=0)
            yield from _times(race, "calls", mine[0].calls, calls, _TIMES_CALLS, whose="the better peer")
        else:
            yield from _of_size(race, mine, [run for run in here if run.contender == BARE])


def _of_speed(race: str, mine: Sequence[Run], peers: Sequence[Run]) -> Iterator[Goal]:
    rate = median(run.per_cpu_second for run in mine)
    says = f"{race}: at least {_PER_CPU_SECOND:,} per CPU second"
    yield Goal(says, f"{rate:,.0f}", rate >= _PER_CPU_SECOND)
    best = _best(peers)
    if best:
        says = f"{race}: at least {_TIMES_PER_CPU} times the records per CPU second of the better peer"
        yield Goal(says, f"{rate / best:.1f}", rate / best >= _TIMES_PER_CPU)


def _of_each(race: str, mine: Sequence[Run], peers: Sequence[Run]) -> Iterator[Goal]:
    for name in dict.fromkeys(run.contender for run in peers):
        theirs = [run for run in peers if run.contender == name]
        yield from _times(race, "seconds", _seconds(mine), _seconds(theirs), _TIMES_SMALL, whose=name)


def _times(race: str, what: str, ours: float, theirs: float, least: int, *, whose: str) -> Iterator[Goal]:
    if theirs:
        says = f"{race}: at most a {least}th of the {what} of {whose}"
        yield Goal(says, f"{theirs / ours:.1f} times fewer", theirs / ours >= least)


def _of_size(race: str, mine: Sequence[Run], bare: Sequence[Run]) -> Iterator[Goal]:
    peak = max(run.usage.peak_mb for run in mine if run.usage)
    yield Goal(f"{race}: less than {_PEAK_MB} MB", f"{peak:.0f}", peak < _PEAK_MB)
    if bare:
        times = _seconds(mine) / _seconds(bare)
        yield Goal(f"{race}: how many times the {BARE}'s seconds", f"{times:.2f}", met=None)


def _seconds(runs: Sequence[Run]) -> float:
    return median(run.usage.seconds for run in runs if run.usage)


def _best(runs: Sequence[Run]) -> float:
    """The most records per CPU second that a peer's runs have in the median; 0 without peers."""
    of_each = [[run for run in runs if run.contender == name] for name in {run.contender for run in runs}]
    return max((median(run.per_cpu_second for run in each) for each in of_each), default=0)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
