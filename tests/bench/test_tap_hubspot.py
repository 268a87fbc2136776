"""The benchmark of tap-hubspot at tiny sizes: ours and the ideal client only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"contacts": 230, "companies": 20, "deals": 30, "tickets": 10, "properties": 40}


def run_benchmark(**options: int) -> tuple[str, dict[str, Any]]:
    """What it printed, and the figures that it left; the files are removed."""
    given = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    script = ROOT / "bench" / "tap_hubspot.py"
    command = [sys.executable, str(script), "--own", "--latency", "0.01", "--repeats", "1", *given]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    kept = ROOT / done.stdout.splitlines()[-1].removeprefix("kept in ").removesuffix(" and .md")
    figures = json.loads(kept.read_text("utf-8"))
    kept.unlink()
    kept.with_suffix(".md").unlink()
    return done.stdout, figures


def test_it_measures_first_sync_delta_and_throughput() -> None:
    shown, figures = run_benchmark(**SIZES, changed=110, rate_contacts=300)
    runs = {run["contender"]: run for run in figures["first_syncs"]}
    assert {"ideal client": 290, "tap-hubspot": 290} == {name: run["records"] for name, run in runs.items()}
    assert not any(run["failure"] for run in runs.values())
    assert 6 == sum(runs["ideal client"]["calls"].values())
    delta = figures["delta"]
    assert (110, 110) == (delta["changed"], delta["records"])
    assert 2 == delta["calls"]["POST /crm/objects/2026-09/contacts/batch/read → 200"]
    assert [300, 300] == [run["records"] for run in figures["throughput"]]
    assert "| delta of 110 contacts: at most 2 searches |" in shown  # a loaded machine may meet a limit and ask again


def test_parts_can_be_left_out() -> None:
    shown, figures = run_benchmark(contacts=0, rate_contacts=150)
    assert [[], None] == [figures["first_syncs"], figures["delta"]]
    assert "**First sync**" not in shown
