"""Database work beside the message loop: one piece at a time, in order, on a thread of its own."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class DatabaseThread:
    """Runs one piece of work after another; at most one is under way, so what waits in memory is bounded.

    A failure is raised by the next call. Waiting can be interrupted by a signal's exception; the work goes on then.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="database")
        self._pending: Future[Any] | None = None

    def start(self, work: Callable[[], object]) -> None:
        """Begin a piece of work once the one before is done."""
        self.wait()
        self._pending = self._pool.submit(work)

    def call(self, work: Callable[[], T]) -> T:
        """Do a piece of work once the one before is done, and give its result."""
        self.start(work)
        result: T = self.wait()
        return result

    def wait(self, timeout: float | None = None) -> Any:
        """Wait until nothing is under way; raise what the work raised, or TimeoutError."""
        pending = self._pending
        if pending is None:
            return None
        try:
            return pending.result(timeout)
        finally:
            if pending.done():
                self._pending = None

    def close(self) -> None:
        """End the thread; nothing may be under way."""
        self._pool.shutdown(wait=False)
