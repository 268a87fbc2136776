"""What `bench/run.py` does: measure, print, keep the figures."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from bench.contacts import Feed, write_feeds
from bench.database import Server, embedded_server
from bench.loading import Load, measure_loading
from bench.measure import Workshop
from bench.report import loading_table, machine, syncing_table
from bench.syncing import Sync, measure_syncing

_OUTPUT = Path(__file__).resolve().parent.parent / "output" / "bench"


def main() -> None:
    """Run what the command line asks for; figures go to the screen and, as JSON and Markdown, to output/bench."""
    options = _options()
    about = machine()
    loads: list[Load] = []
    syncs: list[Sync] = []
    with tempfile.TemporaryDirectory(prefix="crmdb-bench-files-") as name, embedded_server() as server:
        workshop = Workshop(Path(name), _environment())
        if options.only != "sync":
            print(f"file → target → Postgres, {options.rows:,} rows of 29 columns")
            feeds = _write_feeds(workshop.folder, options.rows)
            loads = measure_loading(workshop, server, feeds, options.repeats)
        if options.only != "load":
            print(f"fake HubSpot → …, {options.contacts:,} contacts of 25 properties")
            syncs = measure_syncing(workshop, server, options.contacts, options.repeats)
        _keep(options, {**about, **_server_line(server)}, loads, syncs)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure tap and target beside other tools; print ratios.")
    parser.add_argument("--rows", type=int, default=50_000, help="rows of the first load (default 50,000)")
    parser.add_argument("--contacts", type=int, default=50_000, help="contacts of the fake (default 50,000)")
    parser.add_argument("--repeats", type=int, default=3, help="how often all take turns (default 3)")
    parser.add_argument("--only", choices=("load", "sync"), help="one half only")
    return parser.parse_args()


def _environment() -> dict[str, str]:
    """Nothing of a user's own settings."""
    ours = ("TAP_", "TARGET_", "MELTANO_", "PG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "NO_COLOR": "1"}


def _write_feeds(folder: Path, rows: int) -> dict[str, Feed]:
    """Write the rows in another process: a large parent would count as memory of each child that it starts."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(write_feeds, folder, rows).result()


def _server_line(server: Server) -> dict[str, str]:
    settings = server.settings()
    version = settings.pop("version")
    shown = ", ".join(f"{name} {value}" for name, value in settings.items())
    return {"postgres": f"{version}, embedded, its default configuration ({shown})"}


def _keep(options: argparse.Namespace, about: dict[str, str], loads: list[Load], syncs: list[Sync]) -> None:
    tables = [*(loading_table(loads) if loads else []), "", *(syncing_table(syncs) if syncs else [])]
    text = "\n".join([*tables, "", *(f"- {name}: {value}" for name, value in about.items())]).strip()
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    figures = {
        "machine": about,
        "options": vars(options),
        "loads": [asdict(load) for load in loads],
        "syncs": [asdict(sync) for sync in syncs],
    }
    _OUTPUT.mkdir(parents=True, exist_ok=True)
    (_OUTPUT / f"{stamp}.json").write_text(json.dumps(figures, indent=1), "utf-8")
    (_OUTPUT / f"{stamp}.md").write_text(text + "\n", "utf-8")
    print(f"\n{text}\n\nkept in output/bench/{stamp}.json and .md")
