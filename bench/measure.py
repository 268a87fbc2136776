"""Run a command and say what it took."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Usage:
    """Wall seconds, CPU seconds of the process and its children, and the largest of them in MB."""

    seconds: float
    cpu: float
    peak_mb: float

    def and_also(self, other: Usage) -> Usage:
        """Join two processes of one pipe: the longer wall time, the sum of the rest."""
        return Usage(max(self.seconds, other.seconds), self.cpu + other.cpu, self.peak_mb + other.peak_mb)


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
        log = self.folder / f"{Path(command[0]).name}.log"
        started = time.perf_counter()
        with (stdin or Path(os.devnull)).open("rb") as source, (stdout or Path(os.devnull)).open("wb") as sink:
            with log.open("wb") as errors:
                process = subprocess.Popen(
                    command, stdin=source, stdout=sink, stderr=errors, cwd=cwd, env={**self.env, **(env or {})}
                )
            return _collect(process, started, log)

    def pipe(self, first: Sequence[str | Path], second: Sequence[str | Path]) -> Usage:
        """Run `first | second` to the end."""
        logs = [self.folder / f"{Path(command[0]).name}.log" for command in (first, second)]
        started = time.perf_counter()
        with logs[0].open("wb") as errors:
            writer = subprocess.Popen(first, stdout=subprocess.PIPE, stderr=errors, env=dict(self.env))
        with logs[1].open("wb") as errors:
            reader = subprocess.Popen(
                second, stdin=writer.stdout, stdout=subprocess.DEVNULL, stderr=errors, env=dict(self.env)
            )
        if writer.stdout:
            writer.stdout.close()
        return _collect(writer, started, logs[0]).and_also(_collect(reader, started, logs[1]))


def _collect(process: subprocess.Popen[bytes], started: float, log: Path) -> Usage:
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-15:])
        raise SystemExit(f"{process.args!r} ended with {process.returncode}\n{tail}")
    per_mb = 1024 * 1024 if sys.platform == "darwin" else 1024  # ru_maxrss: bytes on macOS, KiB on Linux
    return Usage(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / per_mb)
