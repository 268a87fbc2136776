"""What a run found, as tables of ratios: pairs of the same repeat, their median, and from the least to the most."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, TypeVar

from bench.contenders import FAST_PEER, FLOOR, OURS, PEER
from bench.feeds import INITIAL, UNCHANGED
from bench.goals import goals
from bench.ratios import Pairs, Ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.contest import Load
    from bench.loading import Findings
    from bench.syncing import Sync

T = TypeVar("T")


def loading_report(findings: Findings) -> list[str]:
    """Markdown: per feed, every contender's loads against psql and MeltanoLabs' target; the goals; what was relaxed."""
    lines = [f"- LEFT OUT, cannot be installed here: {name}: {why}" for name, why in findings.left_out.items()]
    lines += [""] if lines else []
    for feed in dict.fromkeys(load.feed for load in findings.loads):
        here = [load for load in findings.loads if load.feed == feed]
        rows = next(load.rows for load in here if load.step == INITIAL)
        lines += [f"**{feed}**, {rows:,} rows at first:", "", *_loading_table(here), ""]
    if findings.sizes:
        lines += [f"**{OURS} alone**:", "", *_sizes_table(findings), ""]
    lines += ["Goals:", "", *_goals_table(findings), ""]
    lines += [f"- {name}: not as in psql's table, but let pass: {said}" for name, said in findings.relaxed.items()]
    return lines


def _loading_table(loads: Sequence[Load]) -> list[str]:
    lines = [
        (
            "| load | contender | seconds | rows/s | times psql's time | times faster than target-postgres' defaults "
            "| times faster than its fastest | CPU µs/row | peak MB | WAL MB | WAL records of rows |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    pairs = Pairs(loads)
    for step in dict.fromkeys(load.step for load in loads):
        here = [load for load in loads if load.step == step]
        names = dict.fromkeys(load.contender for load in here)
        lines += [_loading_line(pairs, [load for load in here if load.contender == name]) for name in names]
    return lines


def _loading_line(pairs: Pairs, mine: Sequence[Load]) -> str:
    cells = (
        mine[0].step,
        _shown(mine[0]),
        f"{_middle(mine, lambda load: load.usage.seconds):.2f}",
        _per_second(mine),
        str(pairs.times(mine, FLOOR)),
        *(str(pairs.times_faster(mine, one)) if pairs.has(mine, one) else "-" for one in (PEER, FAST_PEER)),
        _cpu_per_row(mine),
        f"{_middle(mine, lambda load: load.usage.peak_mb):.0f}",
        f"{_middle(mine, lambda load: load.wal_mb):.1f}",
        _row_records(mine),
    )
    return f"| {' | '.join(cells)} |"


def _shown(load: Load) -> str:
    if load.contender == FLOOR:
        return f"{FLOOR}, copy + {'filtered merge' if load.step == UNCHANGED else 'ON CONFLICT'}"
    return f"**{load.contender}**" if load.contender == OURS else load.contender


def _per_second(loads: Sequence[Load]) -> str:
    return f"{_middle(loads, lambda load: load.rows / load.usage.seconds):,.0f}" if loads[0].rows else "-"


def _cpu_per_row(loads: Sequence[Load]) -> str:
    return f"{_middle(loads, lambda load: load.usage.cpu / load.rows * 1e6):.1f}" if loads[0].rows else "-"


def _row_records(loads: Sequence[Load]) -> str:
    found = [load.row_records for load in loads if load.row_records is not None]
    return f"{median(found):,.0f}" if found else "-"


def _sizes_table(findings: Findings) -> list[str]:
    lines = ["| rows | seconds | rows/s | CPU µs/row | peak MB |", "|---|---|---|---|---|"]
    for size in findings.sizes:
        took = size.usage
        cells = (
            f"{size.rows:,}",
            f"{took.seconds:.2f}",
            f"{size.rows / took.seconds:,.0f}",
            f"{took.cpu / size.rows * 1e6:.1f}",
            f"{took.peak_mb:.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _goals_table(findings: Findings) -> list[str]:
    lines = [f"| goal of {OURS} | found | | with the seconds of the start taken off both |", "|---|---|---|---|"]
    for goal in goals(findings):
        cells = (goal.says, goal.found, goal.verdict, goal.beyond_start)
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def syncing_table(syncs: Sequence[Sync]) -> list[str]:
    """Lines of a Markdown table: each way of reading or syncing beside the one that it is compared with."""
    lines = ["| what | records/s | compared with | times its time | CPU µs/record |", "|---|---|---|---|---|"]
    seconds = {(sync.what, sync.repeat): sync.usage.seconds for sync in syncs}
    for what in dict.fromkeys(sync.what for sync in syncs):
        mine = [sync for sync in syncs if sync.what == what]
        other = mine[0].beside
        pairs = [(sync.usage.seconds, seconds[other, sync.repeat]) for sync in mine] if other else []
        cells = (
            what,
            f"{_middle(mine, lambda sync: sync.records / sync.usage.seconds):,.0f}",
            other or "",
            str(Ratio.of(pairs)) if pairs else "1",
            f"{_middle(mine, lambda sync: sync.usage.cpu / sync.records * 1e6):.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _middle(measured: Sequence[T], value: Callable[[T], float]) -> float:
    return median(value(one) for one in measured)
