"""What came in this run, in tables of its own, which outlive a lost connection and end with the run."""

from typing import Any, Literal, LiteralString

import psycopg
from psycopg import sql

Cursor = psycopg.Cursor[tuple[Any, ...]]

_PREFIX = "seen_"
_CREATE = {"logged": "create table", "unlogged": "create unlogged table", "temporary": "create temporary table"}

SeenKind = Literal["logged", "unlogged", "temporary"]


class SeenTable:
    """One such table; made by the first transaction that needs it, dropped with its run.

    An unlogged one writes no WAL, but a crash of the server empties it: if it has had rows and has none, it is lost.
    """

    def __init__(self, run_id: int, number: int, columns: LiteralString, kind: SeenKind) -> None:
        self.name = sql.Identifier(f"{_PREFIX}{run_id}_{number}")
        self._create = sql.SQL("{} if not exists {} ({})").format(sql.SQL(_CREATE[kind]), self.name, sql.SQL(columns))
        self._used = False
        self._filled = False

    def use(self, cursor: Cursor) -> None:
        """See to it that the table is there; rows are about to be added."""
        self._used = True
        if not self._filled:
            cursor.execute(self._create)  # again after a rollback

    def accept_commit(self) -> None:
        """What was added is durable now."""
        self._filled |= self._used
        self._used = False

    def is_lost(self, cursor: Cursor) -> bool:
        """Tell whether the server has lost what was committed."""
        if not self._filled:
            return False
        cursor.execute(sql.SQL("select not exists (select from {})").format(self.name))
        return cursor.fetchone() == (True,)


def drop_tables(cursor: Cursor, schema: str, run_id: int) -> None:
    """Drop the tables of a run that has ended."""
    cursor.execute(
        "select relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where nspname = %s and relkind = 'r' and starts_with(relname, %s)",
        (schema, f"{_PREFIX}{run_id}_"),
    )
    for (name,) in cursor.fetchall():
        cursor.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(schema, name)))
