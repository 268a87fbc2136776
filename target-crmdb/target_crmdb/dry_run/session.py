"""The session of a dry run: it locks nothing, and its bookkeeping is a temporary copy."""

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import sql
from typing_extensions import override

from target_crmdb.exceptions import TryLaterError
from target_crmdb.migrations import known_migrations
from target_crmdb.session import Cursor, Session
from target_crmdb.settings import Config

_COPIED = ("tables", "columns", "normal_columns", "model_views", "versions")
_COLUMNS = "select column_name from information_schema.columns where table_schema = %s and table_name = %s"


class DrySession(Session):
    """Has tables of the bookkeeping of its own, in pg_temp, which end with the connection."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.live_schema = self._schema

    @override
    def prepare(self) -> None:
        """Make the bookkeeping as this version knows it, with what is recorded of names."""
        with self.connection.transaction(), self.connection.cursor() as cursor:
            cursor.execute("set search_path to pg_temp")
            for migration in known_migrations():
                cursor.execute(migration.text.encode())
            cursor.execute("alter table versions drop constraint versions_run_id_fkey")  # the runs are not copied
            for table in _COPIED:
                self._copy(cursor, table)
            self._number(cursor)

    def _copy(self, cursor: Cursor, table: str) -> None:
        """Copy a table of the real bookkeeping, if it is there, whatever its version."""
        cursor.execute(_COLUMNS, (self.live_schema, table))
        live = {row[0] for row in cursor.fetchall()}
        cursor.execute("select attname from pg_attribute where attrelid = %s::regclass and attnum > 0", (table,))
        names = [row[0] for row in cursor.fetchall() if row[0] in live]
        if names:
            cursor.execute(_copying(self.live_schema, table, names))

    def _number(self, cursor: Cursor) -> None:
        """Give this run a number that no real run has."""
        cursor.execute(_COLUMNS, (self.live_schema, "runs"))
        if cursor.fetchall():
            query = sql.SQL("select coalesce(max(run_id), 0) + 1 from {}")
            row = cursor.execute(query.format(sql.Identifier(self.live_schema, "runs"))).fetchone()
            restart = sql.SQL("alter table runs alter column run_id restart with {}")
            cursor.execute(restart.format(sql.Literal(row[0] if row else 1)))

    @override
    def begin(self, start: Callable[[Cursor], int]) -> int:
        with self.connection.transaction(), self.connection.cursor() as cursor:
            self.run_id = start(cursor)
        return self.run_id

    @override
    def own(self, schema: str, stream: str) -> None:
        """A dry run takes no stream from anybody."""

    @override
    def fence(self, cursor: Cursor, schema: str, stream: str) -> None:
        """As `own`."""

    @override
    def check_fences(self, cursor: Cursor) -> None:
        """As `own`."""

    @override
    def _reconnect(self, patience: float) -> None:
        raise TryLaterError("The connection was lost, and what the dry run had found with it; run it again")


def _copying(schema: str, table: str, names: Sequence[str]) -> sql.Composed:
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    return sql.SQL("insert into {} ({columns}) select {columns} from {}").format(
        sql.Identifier(table), sql.Identifier(schema, table), columns=columns
    )


def last_epoch(connection: psycopg.Connection[tuple[Any, ...]], schema: str, request_schema: str, stream: str) -> int:
    """Give the epoch that an append-only stream would have; 0, which no run has, for a new one."""
    if connection.execute("select to_regclass(%s)", (f'"{schema}".runs',)).fetchone() == (None,):
        return 0
    query = sql.SQL(
        "select t.epoch, (select status from {streams} s where s.table_schema = t.table_schema"
        " and s.stream = t.stream order by run_id desc limit 1) from {tables} t"
        " where table_schema = %s and stream = %s"
    ).format(streams=sql.Identifier(schema, "run_streams"), tables=sql.Identifier(schema, "tables"))
    row = connection.execute(query, (request_schema, stream)).fetchone()
    if row is None or row[0] is None or row[1] in {"success", "partial"}:
        return 0
    return int(row[0])
