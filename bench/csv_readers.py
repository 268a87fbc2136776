"""Who reads the same CSV files: Python's own reader as the floor, ours, and MeltanoLabs' tap."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.environments import Checkout, Environment
from bench.measure import BIN, FailedRunError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.csv_files import Nasty
    from bench.measure import Usage, Workshop

__all__ = ["FLOOR", "OURS", "PEER", "Bench", "Reading", "meltanolabs_csv"]

FLOOR = "csv.reader + json.dumps"
OURS = "tap-csv-github"
PEER = "MeltanoLabs/tap-csv"
_STREAM = "t"


def meltanolabs_csv(checkout: Path) -> Environment:
    """MeltanoLabs' tap-csv is on no index under a name of its own: it comes from a checkout."""
    return Environment("meltanolabs-csv", ("tap_csv.tap",), ("singer-sdk",), Checkout(checkout))


@dataclass(frozen=True)
class Reading:
    """One run over one file: what it took, and how many rows came out."""

    contender: str
    usage: Usage
    rows: int
    megabytes: float

    @property
    def rate(self) -> float:
        """Megabytes of CSV in a second of CPU."""
        return self.megabytes / self.usage.cpu


@dataclass(frozen=True)
class Bench:
    """Where they run; `peer` is None where it is left out."""

    workshop: Workshop
    peer: Environment | None

    @property
    def contenders(self) -> list[str]:
        """Those that are here."""
        return [FLOOR, OURS, *([PEER] if self.peer else [])]

    def read(self, contender: str, folder: Path, megabytes: float) -> Reading:
        """Read a folder's files and count the records."""
        out = self.workshop.folder / "out.jsonl"
        usage = self.workshop.run(self._command(contender, folder, None), stdout=out)
        return Reading(contender, usage, sum(1 for _ in _records(out)), megabytes)

    def outcome(self, contender: str, nasty: Nasty, folder: Path) -> str:
        """What comes of files that break readers: "exact", or what is wrong, in a few words."""
        for name, content in nasty.files.items():
            (folder / name).write_bytes(content)
        out = self.workshop.folder / "out.jsonl"
        try:
            self.workshop.attempt(self._command(contender, folder, nasty.key), name="nasty", stdout=out, limit=60)
        except FailedRunError:
            return "the run fails"
        found = [{name: value for name, value in row.items() if value is not None} for row in _records(out)]
        return _verdict(found, list(nasty.rows))

    def _command(self, contender: str, folder: Path, key: str | None) -> Sequence[str | Path]:
        if contender == FLOOR:
            return [sys.executable, Path(__file__).with_name("csv_floor.py"), *sorted(folder.iterdir())]
        if contender == OURS:
            entry = {"location": str(folder), "stream_name": _STREAM, **({"key_properties": [key]} if key else {})}
            return [BIN / "tap-csv-github", "--config", self._config("ours", {"files": [entry]})]
        assert self.peer is not None
        entry = {"entity": _STREAM, "path": str(folder), "keys": [key] if key else []}
        return [self.peer.program("tap-csv"), "--config", self._config("peer", {"files": [entry]})]

    def _config(self, name: str, config: Mapping[str, Any]) -> Path:
        path = self.workshop.folder / f"{name}.json"
        path.write_text(json.dumps(config), "utf-8")
        path.chmod(0o600)
        return path


def _records(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file of messages, or of bare JSON objects; without lineage."""
    with path.open("rb") as file:
        for line in file:
            message = json.loads(line)
            if "type" not in message:
                yield message
            elif message["type"] == "RECORD" and message["stream"] == _STREAM:
                record = message["record"]
                yield {name: value for name, value in record.items() if not name.startswith("_sdc_")}


def _verdict(found: list[dict[str, Any]], expected: list[dict[str, str]]) -> str:
    if found == expected:
        return "exact"
    if any(set(row) - {name for each in expected for name in each} for row in found):
        return "other column names"
    if len(found) != len(expected):
        return f"{len(found)} rows of {len(expected)}"
    return "values lost or in other columns"
