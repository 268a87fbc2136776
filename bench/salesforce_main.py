"""What `bench/tap_salesforce.py` does: the races that the command line asks for; print, keep the figures."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.environments import SINGER_SALESFORCE, CannotInstallError, meltanolabs_salesforce
from bench.keeping import keep, plain_environment
from bench.machine import machine
from bench.measure import Workshop
from bench.salesforce_races import Races
from bench.salesforce_readers import MELTANOLABS, SINGER
from bench.salesforce_report import salesforce_report

if TYPE_CHECKING:
    from bench.environments import Environment


def run_tap_salesforce() -> None:
    """Measure what the command line asks for."""
    options = _parser().parse_args()
    peers, left_out = _installed(options)
    with tempfile.TemporaryDirectory(prefix="crmdb-bench-files-") as name:
        workshop = Workshop(Path(name), plain_environment())
        races = Races(workshop, peers, options.repeats, options.peer_limit)
        for api in ("rest", "bulk") if options.rows else ():
            races.records(options.rows, api)
        if options.small:
            races.small(options.small, options.latency)
        if options.objects:
            races.discovery(options.objects, options.latency)
        if options.large:
            races.large(options.large)
    versions = {f"{who}: {package}": v for who, each in peers.items() for package, v in each.versions().items()}
    shown = {name: value if isinstance(value, int | float) else str(value) for name, value in vars(options).items()}
    figures: dict[str, object] = {"machine": machine() | versions, "options": shown, "left_out": left_out}
    keep(salesforce_report(races.runs, left_out), {**figures, "runs": [run.figures() for run in races.runs]})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure tap-salesforce beside a bare client and other people's taps.")
    parser.add_argument("--rows", type=int, default=100_000, help="records of 30 columns (default 100,000)")
    parser.add_argument("--small", type=int, default=60, help="small objects (default 60)")
    parser.add_argument("--objects", type=int, default=300, help="objects to discover (default 300)")
    parser.add_argument("--latency", type=float, default=0.15, help="seconds before every answer, of both (0.15)")
    parser.add_argument("--large", type=int, default=1_000_000, help="rows of the large Bulk result (1,000,000)")
    parser.add_argument("--repeats", type=int, default=3, help="how often all take turns (default 3)")
    parser.add_argument("--own", action="store_true", help="without the peers")
    parser.add_argument("--meltanolabs", type=Path, metavar="PATH", help="a git checkout of MeltanoLabs/tap-salesforce")
    parser.add_argument("--peer-limit", type=float, default=900, help="seconds that a run may take (default 900)")
    parser.epilog = "0 leaves a race out."
    return parser


def _installed(options: argparse.Namespace) -> tuple[dict[str, Environment], dict[str, str]]:
    """The peers that can be had here, and why others cannot."""
    wanted: dict[str, Environment] = {} if options.own else {SINGER: SINGER_SALESFORCE}
    if options.meltanolabs and not options.own:
        wanted[MELTANOLABS] = meltanolabs_salesforce(options.meltanolabs.resolve())
    left_out: dict[str, str] = {}
    for name, environment in wanted.items():
        try:
            environment.prepare()
        except CannotInstallError as error:
            print(f"{name} is left out, it cannot be installed here: {error}", flush=True)
            left_out[name] = str(error)
    return {name: each for name, each in wanted.items() if name not in left_out}, left_out
