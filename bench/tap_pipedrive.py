"""Measure tap-pipedrive beside an ideal client and singer-io's: `.venv/bin/python bench/tap_pipedrive.py --help`."""

import argparse
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.keeping import keep, plain_environment
from bench.machine import machine
from bench.measure import Workshop
from bench.pipedrive_race import Race
from bench.pipedrive_report import pipedrive_report


def options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure tap-pipedrive beside an ideal client and singer-io's tap.")
    parser.add_argument("--deals", type=int, default=18_000, help="of the fake account (default 18,000)")
    parser.add_argument("--persons", type=int, default=5_000, help="of the fake account (default 5,000)")
    parser.add_argument("--activities", type=int, default=5_000, help="of the fake account (default 5,000)")
    parser.add_argument("--fields", type=int, default=30, help="own fields of deals, persons, … (default 30)")
    parser.add_argument("--latency", type=float, default=0.08, help="seconds before every answer (default 0.08)")
    parser.add_argument("--peer-deals", type=int, default=300, help="whose products singer-io's reads (default 300)")
    parser.add_argument("--repeats", type=int, default=3, help="how often all but the peer take turns (default 3)")
    parser.add_argument("--peer-limit", type=float, default=900, help="seconds that a run may take (default 900)")
    parser.add_argument("--own", action="store_true", help="without singer-io's tap")
    return parser.parse_args()


def main() -> None:
    """Run, print, keep the figures."""
    given = options()
    with tempfile.TemporaryDirectory(prefix="crmdb-bench-files-") as name:
        race = Race(given, Workshop(Path(name), plain_environment()))
        race.run()
    found: dict[str, object] = {
        "machine": machine(),
        "options": vars(given),
        "attempts": [asdict(one) for one in race.attempts],
    }
    keep(pipedrive_report(race), found)


if __name__ == "__main__":
    main()
