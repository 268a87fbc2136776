"""How fast the tap itself is: contacts from a fake without latency and limits, each of the two on a core of its own."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.emitted import Emitted
from bench.fake_server import served
from bench.readers import IDEAL, PREPARING, Kitchen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.measure import Usage, Workshop
    from bench.readers import Reader

PROPERTIES = 25
_WORKERS = 4


@dataclass(frozen=True)
class Pace:
    """One run."""

    contender: str
    repeat: int
    records: int
    usage: Usage


def measure_throughput(workshop: Workshop, contacts: int, repeats: int) -> list[Pace]:
    """Let both read everything in turn, after each has once; refuse a run in which a record is missing."""
    first, second = cores()
    with ExitStack() as stack:
        with _on_core(second):
            fake = served(workshop.folder, "--token", PREPARING, properties=PROPERTIES, contacts=contacts)
            kitchen = Kitchen(workshop, stack.enter_context(fake), ("contacts",))
        readers = [kitchen.ideal(_WORKERS), kitchen.ours(searches_per_second=100_000)]
        turns = [(repeat, reader) for repeat in range(-1, repeats) for reader in readers[:: -1 if repeat % 2 else 1]]
        return [_measured(kitchen, reader, repeat, first) for repeat, reader in turns][len(readers) :]


def cores() -> tuple[int, int] | tuple[None, None]:
    """Two cores, one for each, where this machine can give them."""
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) == 1:
        return None, None
    first, second, *_ = sorted(os.sched_getaffinity(0))
    return first, second


def _measured(kitchen: Kitchen, reader: Reader, repeat: int, core: int | None) -> Pace:
    output = kitchen.workshop.folder / "emitted"
    with _on_core(core):
        usage = kitchen.workshop.run(reader.command(PREPARING, None), stdout=output)
    wanted = kitchen.ids["contacts"]
    if reader.name == IDEAL:
        lost = len(wanted) - int(output.read_text("utf-8"))
    else:
        lost = Emitted.read(output, reader.keys).missing({"contacts": wanted})
    if lost:
        raise SystemExit(f"{reader.name}: {lost:,} contacts are missing")
    if repeat >= 0:
        print(f"  {reader.name}: {len(wanted) / usage.seconds:,.0f} records/s", flush=True)
    return Pace(reader.name, repeat, len(wanted), usage)


@contextmanager
def _on_core(core: int | None) -> Iterator[None]:
    """Let what is started meanwhile run on that core only."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
