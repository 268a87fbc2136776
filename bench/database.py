"""The server that all contenders load into, and the database that each gets for its turn."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict

from target_crmdb.embedded import EmbeddedPostgres, remove

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.table import Table

_SHOWN = ("shared_buffers", "max_wal_size", "fsync", "synchronous_commit", "full_page_writes", "autovacuum")
# the table's, its indexes' and its TOAST table's records
_ROW_RECORDS = """
    SELECT count(DISTINCT start_lsn)
    FROM pg_get_wal_block_info('0/0'::pg_lsn + %s::numeric, '0/0'::pg_lsn + %s::numeric, false)
    WHERE reldatabase = (SELECT oid FROM pg_database WHERE datname = 'bench')
    AND relfilenode = ANY(%s) AND resource_manager IN ('Heap', 'Heap2', 'Btree')
"""


@dataclass(frozen=True)
class Server:
    """The embedded server with its default configuration, durability on."""

    postgres: EmbeddedPostgres

    @property
    def psql(self) -> str:
        """The server's own psql."""
        return shlex.split(self.postgres.psql)[0]

    def settings(self) -> dict[str, str]:
        """The version, and the settings that decide over speed."""
        with psycopg.connect(self.postgres.conninfo) as connection:
            shown = {name: connection.execute("SELECT current_setting(%s)", [name]).fetchone() for name in _SHOWN}
        return {"version": self.postgres.version, **{name: row[0] for name, row in shown.items() if row}}

    @contextmanager
    def database(self) -> Iterator[Database]:
        """Make a fresh database, dropped afterwards."""
        with (
            tempfile.TemporaryDirectory(prefix="crmdb-bench-database-") as folder,
            psycopg.connect(self.postgres.conninfo, autocommit=True) as connection,
        ):
            connection.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
            connection.execute("CREATE DATABASE bench TEMPLATE template0")
            yield Database(self.postgres.conninfo.replace("/crmdb?", "/bench?"), Path(folder))
            connection.execute("DROP DATABASE bench WITH (FORCE)")

    def row_records(self, table: Table, start: int, end: int) -> int | None:
        """How many records of that stretch of the log are of the table's rows; None where the log cannot tell."""
        try:
            with psycopg.connect(self.postgres.conninfo) as connection:
                connection.execute("CREATE EXTENSION IF NOT EXISTS pg_walinspect")
                row = connection.execute(_ROW_RECORDS, [start, end, table.files()]).fetchone()
        except psycopg.Error:  # no such extension on this server, or that part of the log is gone
            return None
        return row[0] if row else None


@dataclass(frozen=True)
class Database:
    """The database of one contender's turn, and a folder for what the contender keeps beside it."""

    url: str
    folder: Path

    @property
    def sqlalchemy_url(self) -> str:
        """The same for the targets that use SQLAlchemy."""
        return self.url.replace("postgresql:", "postgresql+psycopg:", 1)

    @property
    def parts(self) -> Mapping[str, str]:
        """The same as host (the socket's folder), port, user and dbname."""
        return {name: str(value) for name, value in conninfo_to_dict(self.url).items()}

    def settle(self) -> None:
        """Let the next load begin with fresh statistics and nothing left to write."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")

    def wal_position(self) -> int:
        """How many bytes of log the server has written so far."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
        return int(row[0]) if row else 0


@contextmanager
def embedded_server() -> Iterator[Server]:
    """Start the server on data of its own, deleted afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="crmdb-bench-"))
    folder.chmod(0o711)  # as root the server runs as nobody, who must come through
    try:
        with EmbeddedPostgres(folder / "pg") as postgres:
            yield Server(postgres)
        remove(folder / "pg")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
