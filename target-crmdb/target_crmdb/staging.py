"""COPY a piece of a batch into its stream's temporary, typed staging table."""

from typing import Any

import psycopg
from psycopg import sql

from target_crmdb.buffer import FULL, Piece
from target_crmdb.mapping import TablePlan

Cursor = psycopg.Cursor[tuple[Any, ...]]


class StagingTable:
    """A TEMP table of one plan's types; it is emptied by every commit and writes no WAL.

    Its columns are called c0, c1, … in the plan's order, so that no field's name can clash with its own ones. Rows
    lie in it in order of arrival, which their ctid therefore tells.
    """

    def __init__(self, plan: TablePlan, number: int) -> None:
        self.name = sql.Identifier(f"crmdb_stage_{number}")
        columns = [sql.Identifier(f"c{place}") for place in range(len(plan.written))]
        typed = [
            sql.SQL(", {} {}").format(name, sql.SQL(column.type.value))
            for name, column in zip(columns, plan.written, strict=True)
        ]
        # written out once, as the merge is
        self._create = (
            sql.SQL(
                "create temporary table if not exists {} (absent integer[], extra jsonb, extracted timestamptz,"
                " hash uuid, copy integer{}) on commit delete rows"
            )
            .format(self.name, sql.SQL("").join(typed))
            .as_bytes()
        )
        if plan.is_bag:
            columns.append(sql.Identifier("hash"))
        copy = sql.SQL("copy {} ({}) from stdin")
        self._copy_plain = copy.format(self.name, sql.SQL(", ").join(columns)).as_bytes()
        self._copy_full = copy.format(self.name, sql.SQL(", ").join([*map(sql.Identifier, FULL), *columns])).as_bytes()
        self._empty = sql.SQL("truncate {}").format(self.name)
        self._is_used = False
        self._seen_on: psycopg.Connection[tuple[Any, ...]] | None = None
        self._made_on: psycopg.Connection[tuple[Any, ...]] | None = None

    def begin(self, cursor: Cursor) -> None:
        """A transaction begins: make the table, unless the last commit or an earlier one on this connection has.

        Not within a savepoint, whose rollback would take the table along. It is empty, whatever the last one left.
        """
        self._is_used = False
        if self._made_on is not cursor.connection:
            cursor.execute(self._create)
            self._seen_on = cursor.connection

    def fill(self, cursor: Cursor, piece: Piece) -> None:
        """Replace the table's content by these rows."""
        if self._is_used:
            cursor.execute(self._empty)
        self._is_used = True
        with cursor.copy(self._copy_full if piece.full else self._copy_plain) as copy:
            for chunk in piece.data:
                copy.write(chunk)

    def accept_commit(self) -> None:
        """The table is there to stay, as long as its session."""
        self._made_on = self._seen_on

    def drop(self, cursor: Cursor) -> None:
        """Drop the table, for instance because the SCHEMA changed."""
        cursor.execute(sql.SQL("drop table if exists {}").format(self.name))
