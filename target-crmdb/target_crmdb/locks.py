"""Advisory locks: they end with the session that holds them, so a killed run leaves none behind."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import Connection


def advisory_key(*names: str) -> int:
    """Give the lock number of a thing, a signed 64-bit integer."""
    text = "\0".join(("target-crmdb", *names)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), signed=True)


def try_lock(connection: Connection, key: int) -> bool:
    """Take a lock for the rest of the session, if nobody has it."""
    row = connection.execute("select pg_try_advisory_lock(%s)", (key,)).fetchone()
    return bool(row and row[0])


def unlock(connection: Connection, key: int) -> None:
    """Give a lock back."""
    connection.execute("select pg_advisory_unlock(%s)", (key,))


def lock_soon(connection: Connection, key: int, *, patience: float = 1.0) -> bool:
    """Take a lock as `try_lock` does, but allow the server a moment to notice that its last holder was killed."""
    until = time.monotonic() + patience
    while not try_lock(connection, key):
        if time.monotonic() >= until:
            return False
        time.sleep(0.1)
    return True


def unlock_all(connection: Connection) -> None:
    """Give all locks of the session back: the server closes a session a little later than its client does."""
    connection.execute("select pg_advisory_unlock_all()")


@contextmanager
def waiting_lock(connection: Connection, key: int) -> Iterator[None]:
    """Hold a lock for short work, waiting for it as long as `lock_timeout` says."""
    connection.execute("select pg_advisory_lock(%s)", (key,))
    try:
        yield
    finally:
        unlock(connection, key)
