"""A fake as a process of its own, and its control door."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.calls import Calls
from bench.measure import BIN, tail

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

TYPES = ("contacts", "companies", "deals", "tickets")


@dataclass(frozen=True)
class FakeServer:
    """A fake that is running."""

    url: str
    pid: int

    def ids(self) -> dict[str, list[str]]:
        """The ids of all live records by type."""
        found: dict[str, list[str]] = self._asked("ids")
        return found

    def calls(self) -> Calls:
        """How often each call got each status so far."""
        counted: Counter[tuple[str, int | None]] = Counter()
        for each in self._asked("state")["calls"]:
            counted[each["call"], each["status"]] = each["count"]
        return Calls(counted)

    def counted(self) -> int:
        """How many calls it has counted against a quota so far (Salesforce)."""
        return int(self._asked("state")["api_requests"])

    def advance(self, seconds: float) -> None:
        """Move its clock."""
        self._asked("clock", {"advance": seconds})

    def edit(self, kind: str, count: int) -> list[str]:
        """Change so many records of a type; returns their ids."""
        ids: list[str] = self._asked("edit", {"edit": {kind: count}})[kind]["edited"]
        return ids

    def _asked(self, path: str, order: object = None) -> Any:
        body = None if order is None else json.dumps(order).encode()
        request = urllib.request.Request(f"{self.url}/_fake/{path}", data=body)  # noqa: S310 - the fake's address
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
            return json.load(answer)


@contextmanager
def served(folder: Path, *more: str, properties: int, **sizes: int) -> Iterator[FakeServer]:
    """Serve a fake HubSpot with so many records of each type; types that are not named have none."""
    counts = [part for kind in TYPES for part in (f"--{kind}", str(sizes.get(kind, 0)))]
    with serving(folder, f"fake-{properties}", "--seed", "1", "--properties", str(properties), *counts, *more) as fake:
        yield fake


@contextmanager
def serving(folder: Path, name: str, *options: str) -> Iterator[FakeServer]:
    """Serve any fake as `fake-crm serve` takes options."""
    address = folder / f"{name}.url"
    address.unlink(missing_ok=True)
    command: Sequence[str | Path] = [BIN / "fake-crm", "serve", *options, "--url-file", address, "--port", "0"]
    log_file = folder / "fake.log"
    with log_file.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as fake:
        try:
            yield FakeServer(_when_ready(fake, address), fake.pid)
        except Exception as error:
            if (code := _how_it_ended(fake, error)) is not None:
                raise SystemExit(f"the fake ended meanwhile, with {code}\n{tail(log_file)}") from error
            raise
        finally:
            fake.terminate()


def _how_it_ended(fake: subprocess.Popen[bytes], error: Exception) -> int | None:
    """Its exit code; None if it still runs. One that is killed cuts its connections a moment before it is gone."""
    if isinstance(error, OSError):
        with suppress(subprocess.TimeoutExpired):
            return fake.wait(timeout=5)
    return fake.poll()


def _when_ready(fake: subprocess.Popen[bytes], address: Path) -> str:
    """Wait for its address."""
    while not (address.exists() and (url := address.read_text("utf-8").strip())):
        if fake.poll() is not None:
            raise SystemExit("the fake did not start")
        time.sleep(0.1)
    return url
