"""The benchmark of tap-salesforce at tiny sizes: ours and the bare client only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_race_is_run() -> None:
    sizes = {"rows": 300, "small": 7, "objects": 30, "latency": 0.01, "large": 60_000, "repeats": 1}
    given = [part for name, value in sizes.items() for part in (f"--{name}", str(value))]
    command = [sys.executable, str(ROOT / "bench" / "tap_salesforce.py"), "--own", *given]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    kept = ROOT / done.stdout.splitlines()[-1].removeprefix("kept in ").removesuffix(" and .md")
    figures = json.loads(kept.read_text("utf-8"))
    kept.unlink()
    kept.with_suffix(".md").unlink()
    runs = {(run["race"], run["contender"]): run for run in figures["runs"]}
    assert [300, 300, 35, 0, 60_000, 60_000] == [run["records"] for run in runs.values()]
    assert not any(run["failure"] for run in runs.values())
    assert all(run["usage"]["cpu"] > 0 for run in runs.values())
    assert "Bulk result of 60,000 rows: less than 200 MB" in done.stdout
