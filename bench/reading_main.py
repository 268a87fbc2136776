"""What `bench/tap_hubspot.py` does: a first sync, a delta, the tap's own speed; print, keep the figures."""

from __future__ import annotations

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bench.delta import measure_delta
from bench.environments import SINGER_HUBSPOT, CannotInstallError, meltanolabs_hubspot
from bench.fake_server import TYPES, served
from bench.first_sync import FirstSync, token
from bench.keeping import keep, plain_environment
from bench.machine import machine
from bench.measure import Workshop
from bench.readers import IDEAL, MELTANOLABS, OURS, PREPARING, SINGER, Kitchen
from bench.reading import Reading
from bench.reading_report import reading_report
from bench.throughput import PROPERTIES, cores, measure_throughput
from fake_crm.hubspot.limits import TIERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.environments import Environment
    from bench.readers import Reader

_SIZES = {"contacts": 20_000, "companies": 5_000, "deals": 5_000, "tickets": 2_000}


def run_tap_hubspot() -> None:
    """Measure what the command line asks for."""
    options = _parser().parse_args()
    about, found = machine(), Reading()
    with tempfile.TemporaryDirectory(prefix="crmdb-bench-files-") as name:
        workshop = Workshop(Path(name), plain_environment())
        if options.contacts:
            about |= Race(options, workshop, found).run()
        if options.rate_contacts:
            where = "each on a core of its own" if cores()[0] is not None else "not pinned to cores"
            print(
                f"fake → … → file, {options.rate_contacts:,} contacts of {PROPERTIES} properties, {where}", flush=True
            )
            about |= {"throughput": where}
            found.paces = measure_throughput(workshop, options.rate_contacts, options.repeats)
    shown = {name: value if isinstance(value, int | float) else str(value) for name, value in vars(options).items()}
    keep(reading_report(found), {"machine": about, "options": shown, **found.figures()})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure tap-hubspot beside an ideal client and other people's taps.")
    for kind, default in _SIZES.items():
        parser.add_argument(f"--{kind}", type=int, default=default, help=f"{kind} of the fake (default {default:,})")
    parser.add_argument("--properties", type=int, default=250, help="of each of these types (default 250)")
    parser.add_argument("--latency", type=float, default=0.08, help="seconds before every answer (default 0.08)")
    parser.add_argument("--tier", choices=sorted(TIERS), default="professional", help="whose limits (professional)")
    parser.add_argument("--changed", type=int, default=1_000, help="contacts changed for the delta (default 1,000)")
    parser.add_argument("--rate-contacts", type=int, default=50_000, help="contacts of the throughput (default 50,000)")
    parser.add_argument("--repeats", type=int, default=3, help="how often all but the peers take turns (default 3)")
    parser.add_argument("--own", action="store_true", help="without the peers, which take minutes")
    parser.add_argument("--meltanolabs", type=Path, metavar="PATH", help="a git checkout of MeltanoLabs/tap-hubspot")
    parser.add_argument("--peer-limit", type=float, default=900, help="seconds that a peer may take (default 900)")
    parser.add_argument("--peer-properties", type=int, default=100, help="for a peer that fails with all (default 100)")
    parser.epilog = "0 contacts leave out first sync and delta; 0 changed the delta; 0 rate-contacts the throughput."
    return parser


class Race:
    """The first sync and the delta."""

    def __init__(self, options: argparse.Namespace, workshop: Workshop, found: Reading) -> None:
        self._options = options
        self._workshop = workshop
        self._found = found
        self._peers = dict(self._installed())

    def run(self) -> Mapping[str, str]:
        """Let all run; returns the versions of the peers."""
        options = self._options
        with ExitStack() as stack:
            first = self._open(stack, options.properties)
            own = [first.kitchen.ideal(), first.kitchen.ours()]
            first.run(own, self._readers(first), options.repeats)
            self._found.attempts += first.attempts
            if options.changed:
                changed = token(OURS, "delta")
                self._found.delta = measure_delta(first.kitchen, own[1], changed, first.state, options.changed)
        failed = {one.contender for one in first.attempts if one.failure and not one.limit_reached}
        if failed:
            self._again(failed)
        versions = {name: each.versions().items() for name, each in self._peers.items()}
        return {f"{name}: {package}": version for name, here in versions.items() for package, version in here}

    def _again(self, failed: set[str]) -> None:
        """Let those that failed try an account with fewer properties, and ours beside them."""
        with ExitStack() as stack:
            second = self._open(stack, self._options.peer_properties)
            own = [second.kitchen.ideal(), second.kitchen.ours()]
            second.run(own, [each for each in self._readers(second) if each.name in failed], 1)
            self._found.attempts += second.attempts

    def _open(self, stack: ExitStack, properties: int) -> FirstSync:
        options = self._options
        sizes = {kind: getattr(options, kind) for kind in TYPES}
        limits = ["--tier", options.tier, "--latency", str(options.latency), "--ignore-unknown-query"]
        repeats: list[int | str] = ["warm", "delta", *range(options.repeats)]
        tokens = [PREPARING, *(token(name, each) for name in (IDEAL, OURS, SINGER, MELTANOLABS) for each in repeats)]
        given = [part for each in tokens for part in ("--token", each)]
        print(f"fake → … → file, {sizes}, {properties} properties, limits of {options.tier}", flush=True)
        fake = stack.enter_context(served(self._workshop.folder, *limits, *given, properties=properties, **sizes))
        burst = TIERS[options.tier].burst or 0
        return FirstSync(Kitchen(self._workshop, fake, burst=burst), properties, options.peer_limit)

    def _installed(self) -> Iterator[tuple[str, Environment]]:
        wanted = {SINGER: SINGER_HUBSPOT}
        if self._options.meltanolabs:
            wanted[MELTANOLABS] = meltanolabs_hubspot(self._options.meltanolabs.resolve())
        for name, environment in wanted.items() if not self._options.own else ():
            try:
                environment.prepare()
            except CannotInstallError as error:
                print(f"{name} is left out, it cannot be installed here: {error}", flush=True)
                self._found.left_out[name] = str(error)
            else:
                yield name, environment

    def _readers(self, first: FirstSync) -> list[Reader]:
        kitchen, peers = first.kitchen, self._peers
        readers = [kitchen.singer()] if SINGER in peers else []
        return readers + ([kitchen.meltanolabs(peers[MELTANOLABS])] if MELTANOLABS in peers else [])
