"""What `bench/tap_csv_github.py` does: a large file, files that break readers, many small ones from a fake GitHub."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.csv_files import NASTY, write_large, write_small
from bench.csv_readers import OURS, PEER, Bench, Reading, meltanolabs_csv
from bench.csv_report import csv_report
from bench.environments import CannotInstallError
from bench.keeping import keep, plain_environment
from bench.machine import machine
from bench.measure import BIN, Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.environments import Environment
    from bench.measure import Usage


def run_tap_csv_github() -> None:
    """Measure what the command line asks for."""
    options = _parser().parse_args()
    about = machine()
    with tempfile.TemporaryDirectory(prefix="crmdb-bench-files-") as name:
        folder = Path(name)
        # bytecode may be written, and is by the first run of each, as where packages are installed for good
        environment = {name: value for name, value in plain_environment().items() if name != "PYTHONDONTWRITEBYTECODE"}
        bench = Bench(Workshop(folder, environment), _peer(options.meltanolabs))
        large = _large(bench, folder / "large", options.megabytes, options.repeats) if options.megabytes else []
        nasty = _nasty(bench, folder)
        small = _small(bench, folder / "small", options) if options.small else []
        if bench.peer:
            about |= {f"{PEER}: {package}": version for package, version in bench.peer.versions().items()}
    figures: dict[str, object] = {
        "machine": about,
        "options": {key: str(value) for key, value in vars(options).items()},
        "large": [{**vars(each), "usage": vars(each.usage)} for each in large],
        "nasty": nasty,
        "small": [vars(each) for each in small],
    }
    keep(csv_report(large, nasty, small, options), figures)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure tap-csv-github beside Python's own reader and another tap.")
    parser.add_argument("--megabytes", type=int, default=60, help="of the large file (default 60; 0 leaves it out)")
    parser.add_argument("--repeats", type=int, default=3, help="how often all take turns (default 3)")
    parser.add_argument("--small", type=int, default=126, help="small files in the fake GitHub (default 126; 0: none)")
    parser.add_argument("--latency", type=float, default=0.06, help="seconds before every answer (default 0.06)")
    parser.add_argument("--meltanolabs", type=Path, metavar="PATH", help="a git checkout of MeltanoLabs/tap-csv")
    return parser


def _peer(checkout: Path | None) -> Environment | None:
    if checkout is None:
        return None
    environment = meltanolabs_csv(checkout.resolve())
    try:
        environment.prepare()
    except CannotInstallError as error:
        print(f"{PEER} is left out, it cannot be installed here: {error}", flush=True)
        return None
    return environment


def _large(bench: Bench, folder: Path, megabytes: int, repeats: int) -> list[Reading]:
    folder.mkdir()
    rows = write_large(folder / "large.csv", megabytes)
    size = (folder / "large.csv").stat().st_size / 1e6
    _warm_up(bench, folder.with_name("warm"))
    found: list[Reading] = []
    for turn in range(repeats):
        for contender in bench.contenders if turn % 2 == 0 else reversed(bench.contenders):
            print(f"{contender}: {size:.0f} MB, turn {turn + 1}", flush=True)
            reading = bench.read(contender, folder, size)
            if reading.rows != rows:
                raise SystemExit(f"{contender} gave {reading.rows:,} rows of {rows:,}")
            found.append(reading)
    return found


def _warm_up(bench: Bench, folder: Path) -> None:
    """Let each run once before anything is measured."""
    folder.mkdir()
    write_small(folder, 1)
    for contender in bench.contenders:
        bench.read(contender, folder, 1)


def _nasty(bench: Bench, folder: Path) -> dict[str, dict[str, str]]:
    outcomes: dict[str, dict[str, str]] = {}
    for number, (name, nasty) in enumerate(NASTY.items()):
        for contender in bench.contenders[1:]:
            place = folder / f"nasty-{number}-{contender.partition('/')[0]}"
            place.mkdir()
            outcomes.setdefault(name, {})[contender] = bench.outcome(contender, nasty, place)
    return outcomes


def _small(bench: Bench, folder: Path, options: argparse.Namespace) -> list[Usage]:
    """Many small files of one repository, with latency; discovery included, as without a catalog."""
    folder.mkdir()
    rows = write_small(folder, options.small)
    found: list[Usage] = []
    with _served(bench.workshop, folder, options.latency) as (url, token):
        entry = {"repository": "acme/crm", "stream_name": "t"}
        config = bench.workshop.folder / "small.json"
        config.write_text(json.dumps({"api_url": url, "auth_token": token, "files": [entry]}), "utf-8")
        config.chmod(0o600)
        for turn in range(options.repeats):
            print(f"{OURS}: {options.small} small files, turn {turn + 1}", flush=True)
            out = bench.workshop.folder / "out.jsonl"
            found.append(bench.workshop.run([BIN / "tap-csv-github", "--config", config], stdout=out))
            count = sum(b'"type":"RECORD"' in line for line in out.read_bytes().splitlines())
            if count != rows:
                raise SystemExit(f"{OURS} gave {count:,} rows of {rows:,}")
    return found


@contextmanager
def _served(workshop: Workshop, folder: Path, latency: float) -> Iterator[tuple[str, str]]:
    address = workshop.folder / "address"
    options = ["--repository", f"acme/crm={folder}", "--latency", str(latency), "--url-file", str(address)]
    command = [sys.executable, "-m", "fake_crm", "serve", "github", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        while not address.exists():
            if process.poll() is not None:
                raise SystemExit("the fake GitHub did not start")
            time.sleep(0.05)
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        yield told["api_url"], told["token"]
    finally:
        process.terminate()
        process.communicate()
