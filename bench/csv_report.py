"""What a run of `bench/tap_csv_github.py` found, as tables."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from bench.csv_readers import FLOOR, OURS, PEER
from bench.goals import Goal

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

    from bench.csv_readers import Reading
    from bench.measure import Usage

_TIMES_FASTER = 5
_PEAK_MB = 120
_SMALL_SECONDS = 2.0


def csv_report(
    large: Sequence[Reading],
    nasty: Mapping[str, Mapping[str, str]],
    small: Sequence[Usage],
    options: argparse.Namespace,
) -> list[str]:
    """Markdown: the large file, the files that break readers, the small files, goals; whichever were measured."""
    lines: list[str] = []
    if large:
        lines += [f"**One file of {large[0].megabytes:.0f} MB**, {large[0].rows:,} rows of 20 columns:", ""]
        lines += [*_large(large), ""]
    lines += ["**Files that break readers**, nothing set but the key:", "", *_nasty(nasty), ""]
    if small:
        seconds = [one.seconds for one in small]
        said = f"{median(seconds):.2f} s ({min(seconds):.2f}-{max(seconds):.2f}), start and discovery included"
        wait = f"{options.latency * 1000:.0f} ms before every answer"
        lines += [f"**{options.small} small files** in a fake GitHub, {wait}: {said}", ""]
    lines += [f"| goal of {OURS} | found | |", "|---|---|---|"]
    goals = _goals(large, nasty, small)
    return lines + [_line(goal.says, goal.found, goal.verdict) for goal in goals]


def _large(large: Sequence[Reading]) -> list[str]:
    lines = [_line("contender", "CPU s", "MB per CPU s", f"times {FLOOR}", "peak MB"), _line(*["---"] * 5)]
    for name in dict.fromkeys(each.contender for each in large):
        mine = [each for each in large if each.contender == name]
        shown = f"**{name}**" if name == OURS else name
        times = _cpu(large, name) / _cpu(large, FLOOR)
        peak = max(each.usage.peak_mb for each in mine)
        lines.append(
            _line(shown, f"{_cpu(large, name):.2f}", f"{_rate(large, name):.1f}", f"{times:.2f}", f"{peak:.0f}")
        )
    return lines


def _nasty(nasty: Mapping[str, Mapping[str, str]]) -> list[str]:
    names = list(next(iter(nasty.values())))
    rows = [_line(what, *(outcomes[name] for name in names)) for what, outcomes in nasty.items()]
    return [_line("file", *names), _line(*["---"] * (1 + len(names))), *rows]


def _goals(large: Sequence[Reading], nasty: Mapping[str, Mapping[str, str]], small: Sequence[Usage]) -> Iterator[Goal]:
    exact = [outcomes[OURS] == "exact" for outcomes in nasty.values()]
    yield Goal("every file that breaks readers row-exact", f"{sum(exact)} of {len(exact)}", all(exact))
    if any(each.contender == PEER for each in large):
        times = _rate(large, OURS) / _rate(large, PEER)
        yield Goal(f"at least {_TIMES_FASTER} times {PEER}'s MB per CPU second", f"{times:.1f}", times >= _TIMES_FASTER)
    if large:
        peak = max(each.usage.peak_mb for each in large if each.contender == OURS)
        yield Goal(f"less than {_PEAK_MB} MB of memory for the large file", f"{peak:.0f}", peak < _PEAK_MB)
    if small:
        seconds = median(one.seconds for one in small)
        yield Goal(f"small files: under {_SMALL_SECONDS:g} s", f"{seconds:.2f}", seconds < _SMALL_SECONDS)


def _cpu(large: Sequence[Reading], name: str) -> float:
    return median(each.usage.cpu for each in large if each.contender == name)


def _rate(large: Sequence[Reading], name: str) -> float:
    return median(each.rate for each in large if each.contender == name)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
