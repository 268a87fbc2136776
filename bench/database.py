"""The server that all contenders load into, and what a table that was loaded right looks like."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from bench.contacts import COLUMNS, STREAM
from target_crmdb.embedded import EmbeddedPostgres, remove

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = "bench"
_SHOWN = ("shared_buffers", "max_wal_size", "fsync", "synchronous_commit", "full_page_writes", "autovacuum")


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
        with psycopg.connect(self.postgres.conninfo, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
            connection.execute("CREATE DATABASE bench TEMPLATE template0")
            yield Database(self.postgres.conninfo.replace("/crmdb?", "/bench?"))
            connection.execute("DROP DATABASE bench WITH (FORCE)")


@dataclass(frozen=True)
class Database:
    """The database of one contender's turn."""

    url: str

    @property
    def sqlalchemy_url(self) -> str:
        """The same for the targets."""
        return self.url.replace("postgresql:", "postgresql+psycopg:", 1)

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

    def fingerprint(self) -> tuple[Any, ...]:
        """Rows, distinct keys, and of every column the number of values and their sum or the sum of their hashes."""
        parts: list[sql.Composable] = [sql.SQL("count(*), count(DISTINCT id)")]
        for name, (_, kind) in COLUMNS.items():
            parts.append(sql.SQL("count({0}), sum({1})").format(sql.Identifier(name), _summed(name, kind)))
        query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(parts), sql.Identifier(SCHEMA, STREAM))
        with psycopg.connect(self.url, options="-c TimeZone=UTC") as connection:
            return connection.execute(query).fetchone() or ()


def _summed(name: str, kind: str) -> sql.Composed:
    forms = {
        "text": "hashtextextended({}::text, 0)::numeric",
        "numeric": "round({}::numeric, 4)",
        "bigint": "{}::numeric",
        "boolean": "{}::int",
        "timestamptz": "extract(epoch FROM {})::numeric",
        "date": "extract(epoch FROM {}::date)::numeric",
    }
    return sql.SQL(forms[kind]).format(sql.Identifier(name))


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
