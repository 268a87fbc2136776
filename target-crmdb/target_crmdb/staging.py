"""COPY a piece of a batch into its stream's temporary, typed staging table."""

from typing import Any

import psycopg
from psycopg import sql

from target_crmdb.buffer import FULL, Piece
from target_crmdb.mapping import TablePlan

Cursor = psycopg.Cursor[tuple[Any, ...]]

_SEND_AT_ONCE = 2**17
"""libpq slows down on larger buffers (psycopg/_copy_base.py, MAX_BUFFER_SIZE)."""


class StagingTable:
    """A TEMP table of one plan's types; it is emptied by every commit and writes no WAL.

    Its columns are called c0, c1, … in the plan's order, so that no field's name can clash with its own ones. Rows
    lie in it in order of arrival, which their ctid therefore tells.
    """

    def __init__(self, plan: TablePlan, number: int) -> None:
        self.name = sql.Identifier(f"crmdb_stage_{number}")
        columns = [sql.Identifier(f"c{place}") for place in range(len(plan.columns))]
        typed = [
            sql.SQL(", {} {}").format(name, sql.SQL(column.type.value))
            for name, column in zip(columns, plan.columns, strict=True)
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

    def begin(self) -> None:
        """A transaction begins: whatever the last one left, the table is empty now, or not there yet."""
        self._is_used = False

    def fill(self, cursor: Cursor, piece: Piece) -> None:
        """Replace the table's content by these rows."""
        cursor.execute(self._create)
        if self._is_used:
            cursor.execute(self._empty)
        self._is_used = True
        with cursor.copy(self._copy_full if piece.full else self._copy_plain) as copy:
            for chunk in piece.data:
                for begin in range(0, len(chunk), _SEND_AT_ONCE):
                    copy.write(chunk[begin : begin + _SEND_AT_ONCE])

    def drop(self, cursor: Cursor) -> None:
        """Drop the table, for instance because the SCHEMA changed."""
        cursor.execute(sql.SQL("drop table if exists {}").format(self.name))
