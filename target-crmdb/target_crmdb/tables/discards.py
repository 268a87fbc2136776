"""What `schema_change: discard_value` leaves out: a line of the schema log per field, and a warning at the end."""

import logging
from collections.abc import Mapping
from typing import Any

import psycopg

from target_crmdb.mapping import TablePlan
from target_crmdb.tables.changes import Change, log

Cursor = psycopg.Cursor[tuple[Any, ...]]


class Discards:
    """The values left out under one plan, as numbers of records by field that only grow."""

    def __init__(self, plan: TablePlan, run_id: int) -> None:
        self._plan = plan
        self._run_id = run_id
        self._lines: dict[str, int] = {}
        self._counts: Mapping[str, int] = {}

    def record(self, cursor: Cursor, counts: Mapping[str, int]) -> None:
        """Write the numbers as they stand; what a rollback took away is written again by the next call."""
        self._counts = counts
        for field, number in counts.items():
            line = self._lines.get(field)
            cursor.execute("update schema_log set records = %s where change_id = %s", (number, line))
            if not cursor.rowcount:
                self._lines[field] = log(cursor, self._run_id, self._plan, Change("discard value", field), number)

    def warn(self, logger: logging.Logger | logging.LoggerAdapter[Any]) -> None:
        """Say once what was left out."""
        for field, number in self._counts.items():
            logger.warning(
                "Stream %s: field %s was left out of %d records (schema_change: discard_value)",
                *(self._plan.stream, field, number),
            )
        self._counts = {}
