"""Servers that break: one of the test's own that crashes and comes back, disks that are full, sessions ended."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from target_crmdb.embedded import EmbeddedPostgres, remove
from target_crmdb.embedded_places import Account
from tests.conftest import Database, Postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Installation

__all__ = ["FullDisk", "OwnServer", "end_sessions", "full_disk", "own_server", "wait_for"]

PATIENCE = 60.0


def wait_for(condition: Callable[[], Any], what: str = "what was waited for") -> Any:
    """Wait until the condition holds; give what it gave."""
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.02)
    return result


def end_sessions(database: Database, pid: int | None = None) -> int:
    """End all sessions in this database, or that of one backend, and wait until they are gone; give their number."""
    pids = [
        row[0]
        for row in database.query(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend' AND (%s::int IS NULL OR pid = %s)",
            pid,
            pid,
        )
    ]
    for one in pids:
        database.query("SELECT pg_terminate_backend(%s)", one)
    wait_for(lambda: not database.query("SELECT 1 FROM pg_stat_activity WHERE pid = ANY(%s)", pids), "the end")
    return len(pids)


@dataclass(frozen=True)
class OwnServer:
    """A server that belongs to one test, which may crash it. What is committed is on disk, as on a real one."""

    postgres: Postgres

    @property
    def database(self) -> Database:
        return Database(self.postgres, "crmdb")

    def crash(self) -> None:
        """Stop all its processes at once, as a crash does: nothing is written, the next start recovers."""
        self._pg_ctl("stop", "--mode=immediate")

    def come_back(self) -> None:
        """Start it again with the options that it had, and wait until it answers."""
        self._pg_ctl("restart", "--log=server.log")

    def crash_and_come_back(self, *_: object) -> None:
        self.crash()
        self.come_back()

    def _pg_ctl(self, *arguments: str) -> None:
        data = self.postgres.server.home / "data"
        command = [str(self.postgres.installation.bin_dir / "pg_ctl"), *arguments, "--wait", "--timeout=60"]
        done = Account.current().run(command, cwd=data, PGDATA=str(data))
        assert 0 == done.returncode, done.stderr


@contextmanager
def own_server(installation: Installation, **settings: str) -> Iterator[OwnServer]:
    """Run a server for the time of the block; `fsync` is off, since only its processes die, not the machine."""
    folder = Path(tempfile.mkdtemp(prefix="crmdb-own-"))
    folder.chmod(0o711)  # so that the server, which as root runs as nobody, can go through
    try:
        wanted = {"fsync": "off", **settings}
        with EmbeddedPostgres(folder / "pg", bin_dir=installation.bin_dir, settings=wanted) as server:
            yield OwnServer(Postgres(installation, server))
        remove(folder / "pg", bin_dir=installation.bin_dir)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class FullDisk:
    """A disk with no room for a table; by a real one of a megabyte where this user may mount, else by the same error.

    `hold` puts a table there, `free` makes room.
    """

    def __init__(self, database: Database, folder: Path, *, mounted: bool) -> None:
        self._database = database
        self._folder = folder
        self.mounted = mounted

    def hold(self, table: str) -> None:
        if not self.mounted:
            self._database.query(_NO_ROOM)
            self._database.query(
                f"CREATE TRIGGER no_room AFTER INSERT ON {table} REFERENCING NEW TABLE AS fresh"
                " EXECUTE FUNCTION no_room()"
            )
            return
        self._database.query(f"CREATE TABLESPACE small LOCATION '{self._folder}'")
        self._database.query(f"ALTER TABLE {table} SET TABLESPACE small")

    def free(self) -> None:
        if self.mounted:
            subprocess.run(["mount", "-o", "remount,size=64m", self._folder], check=True)
        else:
            self._database.query("DROP FUNCTION no_room CASCADE")


_NO_ROOM = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT sum(length(fresh::text)) FROM fresh) > 500000 THEN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
    END IF;
    RETURN NULL;
END $$
"""


@contextmanager
def full_disk(server: OwnServer) -> Iterator[FullDisk]:
    """Give a small disk for the time of the block; the server must end within it."""
    folder = Path(tempfile.mkdtemp(prefix="crmdb-disk-"))
    account = Account.current()
    options = f"size=1m,uid={account.uid},gid={account.gid},mode=0700"
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False, capture_output=True
        ).returncode
    )
    try:
        yield FullDisk(server.database, folder, mounted=mounted)
        if mounted:
            server.crash()
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", folder], check=True)
        folder.rmdir()
