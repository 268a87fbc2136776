"""What `bench/run.py` and `bench/target.py` do: measure, print, keep the figures."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import asdict
from pathlib import Path

from bench.database import Server, embedded_server
from bench.keeping import keep, plain_environment
from bench.loading import Course, Findings
from bench.machine import machine
from bench.measure import Workshop
from bench.report import loading_report, syncing_table
from bench.syncing import Sync, measure_syncing


def run_all() -> None:
    """Measure targets, and reading and the whole line, or the one of them that the command line asks for."""
    parser = _parser("Measure tap and target beside other tools; print ratios.")
    parser.add_argument("--contacts", type=int, default=50_000, help="contacts of the fake (default 50,000)")
    parser.add_argument("--only", choices=("load", "sync"), help="one half only")
    options = parser.parse_args()
    _run(options, loading=options.only != "sync", syncing=options.only != "load")


def run_target() -> None:
    """Measure targets alone."""
    _run(_parser("Measure target-crmdb beside psql and other tools; print ratios.").parse_args(), loading=True)


def _parser(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rows", type=int, default=200_000, help="contacts of the first load (default 200,000)")
    parser.add_argument("--wide-rows", type=int, default=50_000, help="rows of 250 columns (default 50,000)")
    parser.add_argument("--mapped-rows", type=int, default=200_000, help="contacts with a mapping (default 200,000)")
    parser.add_argument("--repeats", type=int, default=3, help="how often all take turns (default 3)")
    parser.add_argument(
        "--memory-rows",
        type=int,
        default=0,
        help="load a tenth of so many contacts, then all of them, with target-crmdb alone (default: not at all)",
    )
    parser.add_argument("--own", action="store_true", help="targets: psql and target-crmdb only")
    parser.epilog = "0 rows leave that part out."
    return parser


def _run(options: argparse.Namespace, *, loading: bool = False, syncing: bool = False) -> None:
    """Figures go to the screen and, as JSON and Markdown, to output/bench."""
    about = machine()
    findings = Findings()
    syncs: list[Sync] = []
    with tempfile.TemporaryDirectory(prefix="crmdb-bench-files-") as name, embedded_server() as server:
        workshop = Workshop(Path(name), plain_environment())
        if loading:
            _load(options, Course(workshop, server, findings, is_own=options.own))
        if syncing:
            print(f"fake HubSpot → …, {options.contacts:,} contacts of 25 properties")
            syncs = measure_syncing(workshop, server, options.contacts, options.repeats)
        about |= {**findings.versions, **_server_line(server)}
    tables = [*(loading_report(findings) if loading else []), "", *(syncing_table(syncs) if syncs else [])]
    keep(tables, {"machine": about, "options": vars(options), **asdict(findings), "syncs": [*map(asdict, syncs)]})


def _load(options: argparse.Namespace, course: Course) -> None:
    if options.rows:
        print(f"file → target → Postgres, {options.rows:,} contacts of 29 columns", flush=True)
        course.contacts(options.rows, options.repeats)
    if options.mapped_rows:
        print(f"file → target → Postgres, {options.mapped_rows:,} contacts, mapped and checked", flush=True)
        course.mapped(options.mapped_rows, options.repeats)
    if options.wide_rows:
        print(f"file → target → Postgres, {options.wide_rows:,} rows of 250 columns", flush=True)
        course.wide(options.wide_rows, options.repeats)
    if options.memory_rows:
        print(f"file → target-crmdb → Postgres, up to {options.memory_rows:,} contacts", flush=True)
        course.memory(options.memory_rows)


def _server_line(server: Server) -> dict[str, str]:
    settings = server.settings()
    version = settings.pop("version")
    shown = ", ".join(f"{name} {value}" for name, value in settings.items())
    return {"postgres": f"{version}, embedded, its default configuration ({shown})"}
