"""What tap-hubspot is to reach, beside what was found: information, never a reason to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.goals import Goal
from bench.readers import IDEAL, OURS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.first_sync import Attempt
    from bench.reading import Reading

_TIMES_IDEAL = 1.25
_TIMES_FASTER = 10
_RECORDS_PER_SECOND = 15_000
_PEAK_MB = 200


def reading_goals(found: Reading) -> Iterator[Goal]:
    """Hold ours against every goal that this run can tell of."""
    if found.attempts:
        yield from _first_sync(found)
    if found.delta:
        for kind, (count, most) in found.delta.goals().items():
            yield Goal(f"delta of {found.delta.changed:,} contacts: at most {most} {kind}", str(count), count <= most)
    if found.paces:
        yield from _throughput(found)


def _first_sync(found: Reading) -> Iterator[Goal]:
    properties = found.attempts[0].properties
    times = found.times_ideal(properties)
    yield Goal(f"first sync: at most {_TIMES_IDEAL} times the {IDEAL}'s time", str(times), times.middle <= _TIMES_IDEAL)
    for attempt in found.attempts:
        ours = found.seconds(OURS, attempt.properties)
        if attempt.contender not in {IDEAL, OURS} and ours:
            among = "" if attempt.properties == properties else f", {attempt.properties} properties"
            yield from _faster(f"first sync{among}: at least {_TIMES_FASTER} times faster", attempt, ours)


def _faster(says: str, attempt: Attempt, ours: float) -> Iterator[Goal]:
    """Nothing for a peer that failed: there is no time to compare with."""
    says = f"{says} than {attempt.contender}"
    if attempt.limit_reached and attempt.limit:
        least = attempt.limit / ours
        yield Goal(says, f"more than {least:.1f}", least >= _TIMES_FASTER)
    elif attempt.usage and not attempt.failure:
        times = attempt.usage.seconds / ours
        yield Goal(says, f"{times:.1f}", times >= _TIMES_FASTER)


def _throughput(found: Reading) -> Iterator[Goal]:
    rate = found.rate(OURS)
    says = f"without limits: at least {_RECORDS_PER_SECOND:,} records/s"
    said = f"{rate.middle:,.0f}, busy {found.busy(OURS):.0%} of the time"
    yield Goal(says, said, rate.middle >= _RECORDS_PER_SECOND)
    peak = found.peak_mb()
    yield Goal(f"without limits: less than {_PEAK_MB} MB", f"at most {peak:.0f}", peak < _PEAK_MB)
