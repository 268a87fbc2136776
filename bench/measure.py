"""Run commands and say what they took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import BinaryIO

BIN = Path(sys.executable).parent
_SPAWN = Path(__file__).parent / "spawn.py"


@dataclass(frozen=True)
class Usage:
    """Wall seconds, CPU seconds of the processes and their children, and the peak of the memory of each, in MB."""

    seconds: float
    cpu: float
    peak_mb: float


@dataclass(frozen=True)
class Workshop:
    """A folder for files and logs of this run, and the environment that commands get."""

    folder: Path
    env: Mapping[str, str]

    def run(
        self,
        command: Sequence[str | Path],
        *,
        stdin: Path | None = None,
        stdout: Path | None = None,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Usage:
        """Run to the end; a failing command ends the benchmark with the tail of its log."""
        with (stdin or Path(os.devnull)).open("rb") as source, (stdout or Path(os.devnull)).open("wb") as sink:
            return _usage([self._start(command, source, sink, cwd, env)])

    def pipe(self, first: Sequence[str | Path], second: Sequence[str | Path]) -> Usage:
        """Run `first | second` to the end."""
        ends = os.pipe()
        with open(ends[0], "rb") as reading, open(ends[1], "wb") as writing:  # noqa: PTH123 - descriptors
            writer = self._start(first, None, writing)
            reader = self._start(second, reading, None)
        return _usage([writer, reader])

    def _start(
        self,
        command: Sequence[str | Path],
        stdin: BinaryIO | None,
        stdout: BinaryIO | None,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> _Run:
        result, log = (self.folder / f"{Path(command[0]).name}.{kind}" for kind in ("took", "log"))
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", _SPAWN, result, *command],
                stdin=stdin or subprocess.DEVNULL,
                stdout=stdout or subprocess.DEVNULL,
                stderr=errors,
                cwd=cwd,
                env={**self.env, **(env or {})},
            )
        return _Run(process, result, log)


@dataclass(frozen=True)
class _Run:
    process: subprocess.Popen[bytes]
    result: Path
    log: Path

    def took(self) -> dict[str, float]:
        if self.process.wait():
            tail = "\n".join(self.log.read_text("utf-8", errors="replace").splitlines()[-15:])
            raise SystemExit(f"{self.log.stem} ended with {self.process.returncode}\n{tail}")
        took: dict[str, float] = json.loads(self.result.read_text("utf-8"))
        return took


def _usage(runs: Sequence[_Run]) -> Usage:
    took = [run.took() for run in reversed(runs)]  # the reader's failure explains the writer's
    return Usage(
        seconds=max(one["ended"] for one in took) - min(one["started"] for one in took),
        cpu=sum(one["cpu"] for one in took),
        peak_mb=sum(one["peak_mb"] for one in took),
    )
