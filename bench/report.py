"""What a run found, as tables of ratios: pairs of the same repeat, their median, and from the least to the most."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, TypeVar

from bench.loading import FLOOR, OURS, PEER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.loading import Load
    from bench.syncing import Sync

T = TypeVar("T")
_PACKAGES = (
    "crmdb-target-crmdb",
    "crmdb-tap-hubspot",
    "meltanolabs-target-postgres",
    "singer-sdk",
    "psycopg",
    "meltano",
)


def machine() -> dict[str, str]:
    """Where the run took place, and with which versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": _cpu(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "load": f"{os.getloadavg()[0]:.1f} at the start",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def ratio(pairs: Sequence[tuple[float, float]]) -> str:
    """How many times the first is the second, pair by pair: median (least to most)."""
    found = sorted(first / second for first, second in pairs)
    return f"{median(found):.2f} ({found[0]:.2f}-{found[-1]:.2f})"


def loading_table(loads: Sequence[Load]) -> list[str]:
    """Lines of a Markdown table: every contender's three loads, against psql and against MeltanoLabs' defaults."""
    lines = [
        (
            "| load | contender | seconds | rows/s | times psql's time | times faster than target-postgres' defaults "
            "| CPU µs/row | peak MB | WAL MB |"
        ),
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for step in dict.fromkeys(load.step for load in loads):
        here = [load for load in loads if load.step == step]
        lines += [_loading_line(step, name, here) for name in dict.fromkeys(load.contender for load in loads)]
    return lines


def _loading_line(step: str, name: str, loads: Sequence[Load]) -> str:
    seconds = {(load.contender, load.repeat): load.usage.seconds for load in loads}
    mine = sorted((load for load in loads if load.contender == name), key=lambda load: load.repeat)
    against_floor = [(load.usage.seconds, seconds[FLOOR, load.repeat]) for load in mine]
    against_peer = [(seconds[PEER, load.repeat], load.usage.seconds) for load in mine]
    shown = f"**{name}**" if name == OURS else name
    cells = (
        step,
        shown,
        f"{_middle(mine, lambda load: load.usage.seconds):.2f}",
        _per_second(mine),
        ratio(against_floor),
        ratio(against_peer),
        _cpu_per_row(mine),
        f"{_middle(mine, lambda load: load.usage.peak_mb):.0f}",
        f"{_middle(mine, lambda load: load.wal_mb):.0f}",
    )
    return f"| {' | '.join(cells)} |"


def _per_second(loads: Sequence[Load]) -> str:
    return f"{_middle(loads, lambda load: load.rows / load.usage.seconds):,.0f}" if loads[0].rows else "-"


def _cpu_per_row(loads: Sequence[Load]) -> str:
    return f"{_middle(loads, lambda load: load.usage.cpu / load.rows * 1e6):.1f}" if loads[0].rows else "-"


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
            ratio(pairs) if pairs else "1",
            f"{_middle(mine, lambda sync: sync.usage.cpu / sync.records * 1e6):.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _middle(measured: Sequence[T], value: Callable[[T], float]) -> float:
    return median(value(one) for one in measured)
