"""A standard error that never stops the work: what a full pipe does not take is dropped, and counted.

A pipe that nobody reads is full after 64 KiB; a program that logs into it would wait for ever, with rows uncommitted
and locks held. Terminals and files are left alone.
"""

from __future__ import annotations

import io
import logging
import os
import queue
import stat
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

__all__ = ["PatientError", "install"]

_LINES = 10_000
_LAST_WORDS = 2.0
"""Seconds that the end of the process waits for the pipe to take what is left."""


class PatientError(io.TextIOBase):
    """Takes text at once; a thread of its own hands it on."""

    def __init__(self, inner: TextIO, *, most: int = _LINES) -> None:
        self._inner = inner
        self._waiting: queue.Queue[str] = queue.Queue(most)
        self._dropped = 0
        self._writer = threading.Thread(target=self._write_on, name="stderr", daemon=True)
        self._writer.start()

    @override
    def write(self, text: str) -> int:
        """Take text, or drop it if too much waits already."""
        try:
            self._waiting.put_nowait(text)
        except queue.Full:
            self._dropped += 1
        return len(text)

    @override
    def flush(self) -> None:
        """Nothing: the thread writes as soon as it can."""

    @override
    def fileno(self) -> int:
        return self._inner.fileno()

    @override
    def isatty(self) -> bool:
        return self._inner.isatty()

    @override
    def writable(self) -> bool:
        return True

    @property
    @override
    def encoding(self) -> str:  # type: ignore[override]  # read-only here, as no one sets it
        """The encoding of the stream behind."""
        return self._inner.encoding

    def drain(self, patience: float = _LAST_WORDS) -> None:
        """Wait a while for what has been taken to be written."""
        until = time.monotonic() + patience
        while self._waiting.unfinished_tasks and self._writer.is_alive() and time.monotonic() < until:
            time.sleep(0.005)

    def _write_on(self) -> None:
        while True:
            text = self._waiting.get()
            try:
                self._hand_on(text)
            except (OSError, ValueError):
                return  # the reader is gone; there is nobody to tell
            finally:
                self._waiting.task_done()

    def _hand_on(self, text: str) -> None:
        dropped, self._dropped = self._dropped, 0
        if dropped:
            self._inner.write(f"({dropped} log lines were dropped: standard error was not read)\n")
        self._inner.write(text)
        self._inner.flush()


def install() -> PatientError | None:
    """Put it in the place of `sys.stderr` if that is a pipe or a socket; give it, or None."""
    present = sys.stderr
    if isinstance(present, PatientError):
        return present
    try:
        mode = os.fstat(present.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return None
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return None
    patient = PatientError(present)
    sys.stderr = patient
    for handler in _handlers():
        if handler.stream is present:
            handler.setStream(patient)
    return patient


def _handlers() -> Iterator[logging.StreamHandler[Any]]:
    """Yield the handlers that were made earlier: the SDK makes its own while it is imported."""
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    for logger in loggers:
        if isinstance(logger, logging.Logger):
            yield from (handler for handler in logger.handlers if isinstance(handler, logging.StreamHandler))
