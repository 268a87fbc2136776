"""Measure tap-salesforce beside a bare client and other taps: `.venv/bin/python bench/tap_salesforce.py --help`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.salesforce_main import run_tap_salesforce

if __name__ == "__main__":
    run_tap_salesforce()
