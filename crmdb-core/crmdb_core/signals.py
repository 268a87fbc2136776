"""SIGTERM and SIGINT become one exception, never in the middle of a critical section."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crmdb_core.exceptions import Terminated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ["SignalGate", "critical", "install_signals"]

_ECHO_SECONDS = 1.0
"""A second signal this soon is the same one: Meltano forwards what the terminal already sent to the group."""


class SignalGate:
    """The handler of SIGTERM and SIGINT: raises `Terminated` once; a later second signal ends the process at once."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, leave: Callable[[int], None] = os._exit) -> None:
        self._clock = clock
        self._leave = leave
        self._critical_depth = 0
        self._held: int | None = None
        self._first_at: float | None = None

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        """Take a signal."""
        del frame
        if self._first_at is not None:
            if self._clock() - self._first_at >= _ECHO_SECONDS:
                self._leave(128 + signum)
            return
        self._first_at = self._clock()
        if self._critical_depth:
            self._held = signum
            return
        raise Terminated(signum)

    @contextmanager
    def critical(self) -> Iterator[None]:
        """Hold a signal back until the block is done (writing a message line must not be cut)."""
        self._critical_depth += 1
        try:
            yield
        finally:
            self._critical_depth -= 1
        if self._held is not None and not self._critical_depth:
            held, self._held = self._held, None
            raise Terminated(held)


def install_signals() -> SignalGate:
    """Make one gate the handler of SIGTERM and SIGINT and return it; a gate already there is kept.

    Only the main thread may set handlers; elsewhere a gate without signals is returned.
    """
    present = _installed()
    if present is not None:
        return present
    gate = SignalGate()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, gate)
        signal.signal(signal.SIGINT, gate)
    return gate


@contextmanager
def critical() -> Iterator[None]:
    """Hold back signals in the main thread if a gate is installed; otherwise do nothing."""
    gate = _installed()
    if gate is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    with gate.critical():
        yield


def _installed() -> SignalGate | None:
    handler = signal.getsignal(signal.SIGTERM)
    return handler if isinstance(handler, SignalGate) else None
