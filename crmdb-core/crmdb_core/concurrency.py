"""Fetch side by side, hand out in order: a small thread pool whose results come as the items went in."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

__all__ = ["in_order"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    fn: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int = 4,
    ahead: int | None = None,
) -> Generator[Result, None, None]:
    """Yield `fn(item)` for each item, in order, computed by `workers` threads at most `ahead` items in advance.

    `items` is drawn in the calling thread, never further than the look-ahead (default: twice the workers). The first
    error, by order, of `fn` or of `items` is raised after the results before it. Closing the iterator (break, error,
    termination) stops at once: nothing new is begun and what is under way is not waited for (the threads are
    daemons). Context variables of the caller are seen by `fn`. With one worker nothing is threaded.
    """
    if workers < 1:
        raise ValueError("in_order needs at least one worker")
    if workers == 1:
        return (fn(item) for item in items)
    return _threaded(fn, items, workers, ahead or 2 * workers)


def _threaded(
    fn: Callable[[Item], Result], items: Iterable[Item], workers: int, ahead: int
) -> Generator[Result, None, None]:
    pool = _Pool(fn, workers)
    pending: deque[Future[Result]] = deque()
    try:
        source = iter(items)
        failure: Exception | None = None
        exhausted = False
        while True:
            while not exhausted and len(pending) < ahead:
                try:
                    pending.append(pool.submit(next(source)))
                except StopIteration:
                    exhausted = True
                except Exception as error:  # noqa: BLE001 - raised below, after the results that came before it
                    failure, exhausted = error, True
            if not pending:
                break
            yield pending.popleft().result()
        if failure is not None:
            raise failure
    finally:
        pool.stop()


class _Pool(Generic[Item, Result]):
    """Daemon threads that compute `fn` of what is submitted; concurrent.futures' own would be joined at exit."""

    def __init__(self, fn: Callable[[Item], Result], workers: int) -> None:
        self._fn = fn
        self._workers = workers
        self._tasks: queue.SimpleQueue[tuple[Future[Result], contextvars.Context, Item] | None] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._threads = 0

    def submit(self, item: Item) -> Future[Result]:
        future: Future[Result] = Future()
        self._tasks.put((future, contextvars.copy_context(), item))
        if self._threads < self._workers:
            self._threads += 1
            threading.Thread(target=self._work, name=f"in-order-{self._threads}", daemon=True).start()
        return future

    def stop(self) -> None:
        self._stopped.set()
        for _ in range(self._threads):
            self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            if self._stopped.is_set():
                return
            future, context, item = task
            try:
                future.set_result(context.run(self._fn, item))
            except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
                future.set_exception(error)
