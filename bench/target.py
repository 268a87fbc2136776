"""Measure the target beside psql and other tools: `.venv/bin/python bench/target.py --help`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.main import run_target

if __name__ == "__main__":
    run_target()
