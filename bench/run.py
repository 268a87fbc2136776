"""Run the benchmarks: `.venv/bin/python bench/run.py --help`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.main import run_all

if __name__ == "__main__":
    run_all()
