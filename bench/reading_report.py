"""What a run of `bench/tap_hubspot.py` found, as tables."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from bench.readers import IDEAL, OURS
from bench.reading_goals import reading_goals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.delta import Delta
    from bench.first_sync import Attempt
    from bench.reading import Reading


def reading_report(found: Reading) -> list[str]:
    """Markdown: first sync, delta, throughput, goals; whichever were measured."""
    lines = [f"- LEFT OUT, cannot be installed here: {name}: {why}" for name, why in found.left_out.items()]
    if found.attempts:
        lines += ["", "**First sync**, under HubSpot's limits:", "", *_first_sync(found)]
    if found.delta:
        lines += ["", f"**Delta**, {found.delta.changed:,} contacts changed:", "", *_delta(found.delta)]
    if found.paces:
        lines += ["", "**Throughput**, without latency and limits:", "", *_throughput(found)]
    lines += ["", "Goals:", "", f"| goal of {OURS} | found | |", "|---|---|---|"]
    lines += [_line(goal.says, goal.found, goal.verdict) for goal in reading_goals(found)]
    return lines


def _first_sync(found: Reading) -> list[str]:
    head = ("contender", "properties", "seconds", f"times {OURS}", "records", "calls", "429s", "CPU s", "peak MB")
    lines = [_line(*head), _line(*["---"] * len(head))]
    runs = dict.fromkeys((one.contender, one.properties) for one in found.attempts)
    for contender, properties in runs:
        mine = [one for one in found.attempts if (one.contender, one.properties) == (contender, properties)]
        lines.append(_contender(mine, found.seconds(OURS, properties)))
    lines += ["", *(f"- calls of {name}: {_said(_calls(found, name))}" for name, _ in runs)]
    return list(dict.fromkeys(lines))


def _contender(mine: Sequence[Attempt], ours: float | None) -> str:
    last = mine[-1]
    name = f"**{last.contender}**" if last.contender == OURS else last.contender
    counts = (f"{last.calls.total():,}", str(last.calls.limited()))
    good = [one.usage for one in mine if one.usage and not one.failure]
    if not good:
        said = last.failure if last.limit_reached else f"fails: {last.failure}"
        return _line(name, str(last.properties), said, "-", "-", *counts, "-", "-")
    seconds = median(one.seconds for one in good)
    return _line(
        name,
        str(last.properties),
        _range([one.seconds for one in good]),
        f"{seconds / ours:.2f}" if ours else "-",
        f"{last.records:,}",
        *counts,
        f"{median(one.cpu for one in good):.1f}",
        f"{max(one.peak_mb for one in good):.0f}",
    )


def _calls(found: Reading, contender: str) -> Mapping[str, int]:
    return [one for one in found.attempts if one.contender == contender][-1].calls.kinds()


def _delta(delta: Delta) -> list[str]:
    return [
        "| calls about | |",
        "|---|---|",
        _line("contacts", _said(delta.contacts())),
        _line("everything else", _said(delta.calls.without("contacts").kinds())),
        "",
        f"- {delta.records:,} records, {delta.usage.seconds:.2f} s, {delta.calls.limited()} calls refused with 429",
    ]


def _throughput(found: Reading) -> list[str]:
    lines = ["| contender | records/s | CPU µs/record | core busy | peak MB |", "|---|---|---|---|---|"]
    for name, shown in ((IDEAL, f"{IDEAL}, so much can the fake serve"), (OURS, f"**{OURS}**")):
        mine = [one for one in found.paces if one.contender == name]
        rate = found.rate(name)
        cpu = median(one.usage.cpu / one.records for one in mine) * 1e6
        peak = max(one.usage.peak_mb for one in mine)
        shares = f"{rate.middle:,.0f} ({rate.least:,.0f}-{rate.most:,.0f})", f"{cpu:.0f}", f"{found.busy(name):.0%}"
        lines.append(_line(shown, *shares, f"{peak:.0f}"))
    return lines


def _range(seconds: Sequence[float]) -> str:
    middle = f"{median(seconds):.2f}"
    return f"{middle} ({min(seconds):.2f}-{max(seconds):.2f})" if len(seconds) > 1 else middle


def _said(kinds: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in kinds.items()) or "none"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
