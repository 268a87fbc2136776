"""Fetch side by side, hand out in order: results come as the items went in, whole streams run ahead of their turn."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

__all__ = ["Ahead", "Room", "in_order", "side_by_side"]

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


class Room:
    """Bytes that may wait beyond what each look-ahead may hold anyway; several can share it."""

    def __init__(self, size: int = 0) -> None:
        self.changed = threading.Condition()
        self._free = size

    def take(self, size: int) -> bool:
        """Take so many bytes if they are free; `changed` is held."""
        if not 0 < size <= self._free:
            return False
        self._free -= size
        return True

    def give(self, size: int) -> None:
        """Give back what was taken, or 0, and tell all who wait; `changed` is held."""
        self._free += size
        self.changed.notify_all()


class Ahead(Generic[Item]):
    """Draws an iterable in a thread of its own, at most `most` items before they are asked for; an iterator of them.

    More than `most` wait where `size_of` tells how large an item is (in bytes; 0: unknown) and `room` has so much left.
    It begins at once and sees the caller's context variables. An error of the iterable is raised after the items before
    it. `close()` stops it where it stands; the thread is a daemon and is not waited for. While nothing comes, `on_wait`
    is called every `patience` seconds in the thread that asks.
    """

    def __init__(
        self,
        items: Iterable[Item],
        *,
        most: int = 4,
        patience: float = 1.0,
        on_wait: Callable[[], object] = lambda: None,
        size_of: Callable[[Item], int] = lambda _: 0,
        room: Room | None = None,
    ) -> None:
        self._items = items
        self._most = most
        self._waiting: deque[tuple[Item, int]] = deque()  # with the bytes of room that each took
        self._room = room or Room()
        self._size_of = size_of
        self._patience = patience
        self._on_wait = on_wait
        self._drawn = False
        self._failure: Exception | None = None
        self._closed = False
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._draw,), name="ahead", daemon=True).start()

    def __iter__(self) -> Iterator[Item]:
        return self

    def __next__(self) -> Item:
        while not self._closed:
            with self._room.changed:
                self._room.changed.wait_for(lambda: self._waiting or self._drawn, self._patience)
                if self._waiting:
                    item, taken = self._waiting.popleft()
                    self._room.give(taken)
                    return item
                over = self._drawn
            if not over:
                self._on_wait()
                continue
            self._closed = True
            if self._failure is not None:
                raise self._failure
        raise StopIteration

    def close(self) -> None:
        """Let the thread end at its next item."""
        with self._room.changed:
            self._closed = True
            self._room.give(sum(taken for _, taken in self._waiting))
            self._waiting.clear()

    def _draw(self) -> None:
        source = iter(self._items)
        try:
            for item in source:
                if not self._put(item):
                    return
        except Exception as error:  # noqa: BLE001 - handed to the thread that asks
            self._failure = error
        finally:
            with self._room.changed:
                self._drawn = True
                self._room.changed.notify_all()
            close = getattr(source, "close", None)
            if close is not None:
                close()  # here, where it ran: it may hold threads of its own

    def _put(self, item: Item) -> bool:
        """Wait until one more may wait; False if meanwhile nobody wants it any more."""
        size, taken = self._size_of(item), 0
        with self._room.changed:
            while len(self._waiting) >= self._most and not self._closed:
                if self._room.take(size):
                    taken = size
                    break
                self._room.changed.wait()
            if self._closed:
                self._room.give(taken)
                return False
            self._waiting.append((item, taken))
            self._room.changed.notify_all()
        return True


def side_by_side(
    sources: Iterable[Iterable[Item]], *, workers: int = 4, ahead: int | None = None
) -> Generator[Item, None, None]:
    """Yield the items of several iterables as they come, `workers` of them drawn at once, each by one thread.

    The items of one source keep their order. `sources` is drawn as threads become free, by one at a time, so it may
    be lazy. At most `ahead` items (default: as many as workers) wait to be asked for. The first error of any is raised
    as soon as it is met; closing the iterator, or an error, stops all at their next item. Context variables of the
    caller are seen. With one worker nothing is threaded.
    """
    if workers < 1:
        raise ValueError("side_by_side needs at least one worker")
    if workers == 1:
        return (item for source in sources for item in source)
    return _drawn(_Sources(sources, workers, ahead or workers), workers)


def _drawn(sources: _Sources[Item], workers: int) -> Generator[Item, None, None]:
    sources.start()
    try:
        while workers:
            is_item, value = sources.queue.get()
            if is_item:
                yield value  # type: ignore[misc]  # an item, as its flag says
                continue
            workers -= 1
            if isinstance(value, BaseException):
                raise value
    finally:
        sources.stopped.set()


class _Sources(Generic[Item]):
    """Daemon threads that draw one source after the other into a bounded queue; each says when it is done."""

    def __init__(self, sources: Iterable[Iterable[Item]], workers: int, ahead: int) -> None:
        self.queue: queue.Queue[tuple[bool, Item | BaseException | None]] = queue.Queue(ahead)
        self.stopped = threading.Event()
        self._sources = iter(sources)
        self._lock = threading.Lock()
        self._workers = workers

    def start(self) -> None:
        for number in range(self._workers):
            context = contextvars.copy_context()
            threading.Thread(target=context.run, args=(self._work,), name=f"beside-{number}", daemon=True).start()

    def _work(self) -> None:
        last: BaseException | None = None
        try:
            while (source := self._next()) is not None:
                for item in source:
                    if not _put(self.queue, (True, item), unless=self.stopped):
                        return
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
            last = error
        _put(self.queue, (False, last), unless=self.stopped)

    def _next(self) -> Iterable[Item] | None:
        with self._lock:
            return None if self.stopped.is_set() else next(self._sources, None)


def _put(waiting: queue.Queue[Item], entry: Item, *, unless: threading.Event) -> bool:
    """Wait for room; False if meanwhile nobody wants it any more."""
    while not unless.is_set():
        try:
            waiting.put(entry, timeout=0.2)
        except queue.Full:
            continue
        return True
    return False
