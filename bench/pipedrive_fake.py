"""The fake Pipedrive as a process of its own, and its control door."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.measure import BIN, tail

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class FakePipedriveServer:
    """A fake that is running."""

    url: str

    def ids(self, table: str) -> set[int]:
        """The ids of a table's live rows, archived ones included."""
        found: dict[str, list[int]] = self.asked("ids")
        return set(found[table])

    def tokens(self) -> int:
        """The tokens that all calls have cost so far."""
        total: int = self.asked("state")["tokens"]["total"]
        return total

    def calls(self, status: int | None = None) -> int:
        """How many calls there were, or how many with this status."""
        counted = self.asked("state")["calls"]
        return sum(each["count"] for each in counted if status in {None, each["status"]})

    def asked(self, path: str, order: object = None) -> Any:
        """What its control door answers."""
        body = None if order is None else json.dumps(order).encode()
        request = urllib.request.Request(f"{self.url}/_fake/{path}", data=body)  # noqa: S310 - the fake's address
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
            return json.load(answer)


@contextmanager
def served(folder: Path, sizes: Mapping[str, int], *more: str) -> Iterator[FakePipedriveServer]:
    """Serve a fake with so many rows of each table."""
    address, log_file = folder / "pipedrive.url", folder / "pipedrive-fake.log"
    address.unlink(missing_ok=True)
    counts = [part for name, count in sizes.items() for part in ("--size", f"{name}={count}")]
    command: Sequence[str | Path] = [
        BIN / "fake-crm",
        "serve",
        "pipedrive",
        "--url-file",
        address,
        "--seed",
        "1",
        *counts,
        *more,
    ]
    with log_file.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as fake:
        try:
            while not (address.exists() and (url := address.read_text("utf-8").strip())):
                if fake.poll() is not None:
                    raise SystemExit(f"the fake Pipedrive did not start\n{tail(log_file)}")
                time.sleep(0.1)
            yield FakePipedriveServer(url)
        finally:
            fake.terminate()
