"""Run commands and say what they took."""

from __future__ import annotations

import json
import os
import signal
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


TOO_LONG = "more than"


class FailedRunError(Exception):
    """A command did not come to a good end; says why in a few words."""


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
            return _usage([self._start(command, source, sink, cwd=cwd, env=env)])

    def attempt(self, command: Sequence[str | Path], *, name: str, stdout: Path, limit: float | None) -> Usage:
        """Run what may fail, or take longer than `limit` seconds: raises FailedRunError."""
        with Path(os.devnull).open("rb") as source, stdout.open("wb") as sink:
            run = self._start(command, source, sink, name=name, apart=True)
        run.wait(limit)
        return _usage([run])

    def log(self, name: str) -> str:
        """The end of what a command of that name wrote to stderr."""
        return tail(self.folder / f"{name}.log")

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
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        name: str = "",
        apart: bool = False,  # in a session of its own, to be ended as a whole
    ) -> _Run:
        result, log = (self.folder / f"{name or Path(command[0]).name}.{kind}" for kind in ("took", "log"))
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", _SPAWN, result, *command],
                stdin=stdin or subprocess.DEVNULL,
                stdout=stdout or subprocess.DEVNULL,
                stderr=errors,
                cwd=cwd,
                env={**self.env, **(env or {})},
                start_new_session=apart,
            )
        return _Run(process, result, log)


@dataclass(frozen=True)
class _Run:
    process: subprocess.Popen[bytes]
    result: Path
    log: Path

    def wait(self, limit: float | None) -> None:
        """Wait for a good end; raises FailedRunError for any other, and ends what runs longer than `limit`."""
        try:
            code = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise FailedRunError(f"{TOO_LONG} {limit:,.0f} s") from None
        finally:
            self._end()
        if code:
            raise FailedRunError(f"exit code {code}")

    def took(self) -> dict[str, float]:
        if self.process.wait():
            raise SystemExit(f"{self.log.stem} ended with {self.process.returncode}\n{tail(self.log)}")
        took: dict[str, float] = json.loads(self.result.read_text("utf-8"))
        return took

    def _end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def tail(log: Path) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-15:])


def _usage(runs: Sequence[_Run]) -> Usage:
    took = [run.took() for run in reversed(runs)]  # the reader's failure explains the writer's
    return Usage(
        seconds=max(one["ended"] for one in took) - min(one["started"] for one in took),
        cpu=sum(one["cpu"] for one in took),
        peak_mb=sum(one["peak_mb"] for one in took),
    )
