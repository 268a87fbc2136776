"""Measure tap-hubspot beside an ideal client and other taps: `.venv/bin/python bench/tap_hubspot.py --help`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.reading_main import run_tap_hubspot

if __name__ == "__main__":
    run_tap_hubspot()
