"""One run's session in the database: connected again when it is lost, and cut off once another run has taken over."""

import contextlib
import itertools
import logging
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, TypeVar

import psycopg
from psycopg import errors

from target_crmdb import history
from target_crmdb.blockers import blockers
from target_crmdb.database import Connection, open_connection
from target_crmdb.exceptions import CrmdbError, TryLaterError
from target_crmdb.locks import advisory_key, lock_soon, try_lock
from target_crmdb.migrations import migrate
from target_crmdb.server_errors import explain, is_lost, is_transient
from target_crmdb.settings import Config

T = TypeVar("T")
Cursor = psycopg.Cursor[tuple[Any, ...]]

_LONGEST_PAUSE = 5.0
_logger = logging.getLogger(__name__)


class FencedError(TryLaterError):
    """Another run owns the stream now; this one may write nothing more."""


class Session:
    """The connection of one run, with the locks and the fence of the streams that it loads.

    A stream belongs to the run whose number is its fence. The advisory lock tells a second run at once that the
    stream is taken; the fence stops a run that slept through the loss of its session.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._schema = str(config["bookkeeping_schema"])
        self._patience = float(config["retry_timeout"])
        self._stopped = threading.Event()
        self._stack = ExitStack()
        self._streams: dict[tuple[str, str], None] = {}
        self.run_id: int | None = None
        self.on_reconnect: Callable[[Cursor], None] = lambda _: None
        self.connection = self._open()

    def _open(self, patience: float | None = None) -> Connection:
        """Connect, for `patience` seconds if that is not what `connect_timeout` says."""
        config = self._config if patience is None else {**self._config, "connect_timeout": patience}
        with ExitStack() as stack:
            connection = open_connection(config, stack, sleep=self._sleep)
            self._stack = stack.pop_all()
        return connection

    def prepare(self) -> None:
        """Bring the bookkeeping up to date and close runs that were killed."""
        migrate(self.connection, self._schema)
        history.close_dead(self.connection, self._schema)

    def begin(self, start: Callable[[Cursor], int]) -> int:
        """Open the run's row and hold the lock by which others know that it lives."""
        with self.connection.transaction(), self.connection.cursor() as cursor:
            self.run_id = start(cursor)
            # inside the transaction: nobody may see the row before its lock is taken
            try_lock(self.connection, history.run_key(self._schema, self.run_id))
        return self.run_id

    def own(self, schema: str, stream: str) -> None:
        """Lock a stream for this run, or raise TryLaterError; `fence` makes it durable."""
        if (schema, stream) in self._streams:
            return
        self._lock(schema, stream)
        self._streams[schema, stream] = None

    def fence(self, cursor: Cursor, schema: str, stream: str) -> None:
        """Write this run's number to the stream, so that an older run can commit nothing more."""
        cursor.execute(
            "update tables set fence = %s where table_schema = %s and stream = %s and fence is distinct from %s",
            (self.run_id, schema, stream, self.run_id),
        )

    def check_fences(self, cursor: Cursor) -> None:
        """Raise FencedError if a stream of this run belongs to another one; nobody can take one until the commit."""
        if not self._streams:
            return
        cursor.execute(
            "select t.stream from tables t join unnest(%s::text[], %s::text[]) as s (table_schema, stream)"
            " using (table_schema, stream) where t.fence is distinct from %s for share of t",
            ([schema for schema, _ in self._streams], [stream for _, stream in self._streams], self.run_id),
        )
        if taken := cursor.fetchone():
            raise FencedError(
                f"Another run has taken over stream {taken[0]} while this one was cut off; nothing more is written. "
                "Run again"
            )

    def attempt(self, work: Callable[[], T], *, found: Callable[[], T | None] = lambda: None) -> T:
        """Do work in the database; a failure that passes is tried again, for `retry_timeout` seconds with backoff.

        After a lost connection `found` may know that the work was done, because only the answer was lost.
        """
        until = None
        lost = False
        for number in itertools.count(1):
            try:
                if lost:
                    self._reconnect(max(0.0, (until or 0.0) - time.monotonic()))
                    lost = False
                    if (result := found()) is not None:
                        return result
                return work()
            except psycopg.Error as error:
                until = until or time.monotonic() + self._patience
                lost = self._judge(error, until)
            self._pause(number)
        raise AssertionError("unreachable")

    def _judge(self, error: psycopg.Error, until: float) -> bool:
        """Raise what must end the run; tell whether the connection is gone."""
        lost = is_lost(error) or self.connection.closed
        if not (lost or is_transient(error)):
            raise explain(error, self.connection) from error
        if self._stopped.is_set() or time.monotonic() >= until:
            raise self._given_up(error, lost=lost) from error
        what = "The connection was lost" if lost else f"Postgres ended the transaction ({type(error).__name__})"
        _logger.warning("%s; trying again", what)
        return lost

    def _given_up(self, error: psycopg.Error, *, lost: bool) -> CrmdbError:
        if not lost and isinstance(error, errors.LockNotAvailable):
            with contextlib.suppress(psycopg.Error):
                return TryLaterError(
                    f"A lock was not to be had within lock_timeout, {blockers(self.connection, self._tables())}; "
                    "end that session, or try later"
                )
        return explain(error, self.connection)

    def _tables(self) -> list[str]:
        return sorted({schema for schema, _ in self._streams})

    def _reconnect(self, patience: float) -> None:
        """Open a new session within so many seconds, take the locks again, and see that nobody has taken over."""
        with contextlib.suppress(psycopg.Error, OSError):
            self._stack.close()
        self.connection = self._open(patience)
        if self.run_id is not None:
            lock_soon(self.connection, history.run_key(self._schema, self.run_id))
        for schema, stream in self._streams:
            self._lock(schema, stream)
        with self.connection.transaction(), self.connection.cursor() as cursor:
            self.check_fences(cursor)
            if self.run_id is not None:
                history.reopen(cursor, self.run_id)
            self.on_reconnect(cursor)

    def _lock(self, schema: str, stream: str) -> None:
        if not lock_soon(self.connection, advisory_key("stream", schema, stream)):
            raise TryLaterError(f"Another run is loading {stream} into schema {schema}; try again when it has ended")

    def _pause(self, number: int) -> None:
        self._stopped.wait(min(0.05 * 2**number, _LONGEST_PAUSE) * random.uniform(0.5, 1))  # noqa: S311 - no secret

    def _sleep(self, seconds: float) -> None:
        """Pause, unless the target is being stopped: then nothing is waited for."""
        if self._stopped.wait(seconds):
            raise TryLaterError("The connection was lost and the target is being stopped; run again")

    def cancel(self) -> None:
        """End the statement under way, from another thread; nothing is tried again."""
        self._stopped.set()
        with contextlib.suppress(psycopg.Error):
            self.connection.cancel_safe(timeout=2)

    def cut(self) -> None:
        """Cut the connection, from another thread: the server may not answer at all."""
        self._stopped.set()
        with contextlib.suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(self.connection.fileno())) as end:
            end.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def ending(self) -> Iterator[Connection | None]:
        """Give the connection a last time, or None if it is lost; then disconnect."""
        with self._stack:
            yield None if self.connection.closed or self.connection.broken else self.connection
