"""The benchmark of tap-pipedrive at tiny sizes: ours and the ideal client only."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"deals": 60, "persons": 20, "activities": 20, "fields": 4, "repeats": 1}


def test_it_measures_lists_products_and_the_bookmarks_second() -> None:
    given = [part for name, value in SIZES.items() for part in (f"--{name}", str(value))]
    command = [sys.executable, "bench/tap_pipedrive.py", "--own", "--latency", "0", *given]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    kept = ROOT / done.stdout.splitlines()[-1].removeprefix("kept in ").removesuffix(" and .md")
    figures = json.loads(kept.read_text("utf-8"))
    kept.unlink()
    kept.with_suffix(".md").unlink()
    runs = {(run["contest"], run["contender"]): run for run in figures["attempts"]}
    assert set(runs) == {
        ("lists", "ideal client"),
        ("lists", "tap-pipedrive"),
        ("products", "ideal client"),
        ("products", "tap-pipedrive"),
        ("bookmark", "tap-pipedrive"),
    }
    assert not any(run["failure"] or run["lost"] or run["refused"] for run in runs.values())
    assert runs["products", "ideal client"]["tokens"] == 40
    assert "| no row lost | 0 (singer-io's: 0) | met |" in done.stdout
