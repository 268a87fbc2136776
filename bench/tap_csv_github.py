"""Measure tap-csv-github beside Python's own reader and MeltanoLabs' tap: `bench/tap_csv_github.py --help`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.csv_main import run_tap_csv_github

if __name__ == "__main__":
    run_tap_csv_github()
