"""COPY a piece of a batch into its stream's temporary, typed staging table."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from target_crmdb.mapping import TablePlan
from target_crmdb.validation import EncodedRow

Cursor = psycopg.Cursor[tuple[Any, ...]]


class BufferedRow(NamedTuple):
    """A row on its way: its values, and where it came from for the case that it is refused."""

    row: EncodedRow
    version: int | None
    extracted: str | None
    line: int
    payload: bytes | str


class StagingTable:
    """A TEMP table of one plan's types; it is emptied by every commit and writes no WAL.

    Its columns are called c0, c1, … in the plan's order, so that no field's name can clash with its own:
    n (order of arrival), absent (places of columns that the record lacks), extra, version, extracted.
    """

    def __init__(self, plan: TablePlan, number: int) -> None:
        self.name = sql.Identifier(f"crmdb_stage_{number}")
        self._create = sql.SQL(
            "create temporary table if not exists {} ("
            "n integer, absent integer[], extra jsonb, version bigint, extracted timestamptz{}) on commit delete rows"
        ).format(self.name, sql.SQL("").join(map(_definition, range(len(plan.columns)), plan.columns)))
        columns = [sql.Identifier(f"c{place}") for place in range(len(plan.columns))]
        self._copy = sql.SQL("copy {} ({}) from stdin").format(
            self.name,
            sql.SQL(", ").join([*map(sql.Identifier, ("n", "absent", "extra", "version", "extracted")), *columns]),
        )
        self._empty = sql.SQL("truncate {}").format(self.name)

    def fill(self, cursor: Cursor, rows: Sequence[BufferedRow]) -> None:
        """Replace the table's content by these rows; numbers, dates and JSON go as the text that came."""
        cursor.execute(self._create)
        cursor.execute(self._empty)
        with cursor.copy(self._copy) as copy:
            for number, (row, version, extracted, _, _) in enumerate(rows):
                copy.write_row((number, list(row.absent) or None, row.extra, version, extracted, *row.values))

    def drop(self, cursor: Cursor) -> None:
        """Drop the table, for instance because the SCHEMA changed."""
        cursor.execute(sql.SQL("drop table if exists {}").format(self.name))


def _definition(place: int, column: Any) -> sql.Composed:
    return sql.SQL(", {} {}").format(sql.Identifier(f"c{place}"), sql.SQL(column.type.value))
