"""What is to be done to a table, as data: named changes with their SQL, and the record of names after them."""

import logging
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import errors, sql
from typing_extensions import override

from target_crmdb.exceptions import CrmdbError
from target_crmdb.mapping import TablePlan
from target_crmdb.tables import normal_columns, record
from target_crmdb.tables.normal_columns import NormalDraft
from target_crmdb.tables.record import Place
from target_crmdb.tables.request import TableRequest

Cursor = psycopg.Cursor[tuple[Any, ...]]

_logger = logging.getLogger(__name__)
# what Postgres says where something depends on a column in a way that the catalogues did not show
_HINDERED = (
    errors.FeatureNotSupported,
    errors.InvalidTableDefinition,
    errors.InvalidObjectDefinition,
    errors.DependentObjectsStillExist,
    errors.UndefinedFunction,
    errors.DatatypeMismatch,
    errors.CannotCoerce,
)


@dataclass(frozen=True)
class Change:
    """One line of the schema log, and the statements that do it.

    `kind` is the log's `change`. Statements of changes that are made together stand with the first of these.
    """

    kind: str
    column: str | None = None
    from_type: str | None = None
    to_type: str | None = None
    details: str | None = None
    statements: tuple[sql.Composed, ...] = ()

    @override
    def __str__(self) -> str:
        """Say it in a few words: `add column amount numeric`, `change type amount from bigint to numeric`."""
        types = f"from {self.from_type} to {self.to_type}" if self.from_type else self.to_type
        details = f"({self.details})" if self.details else None
        return " ".join(part for part in (self.kind, self.column, types, details) if part)


@dataclass(frozen=True)
class TableChange:
    """A table's plan and all that is missing to it; made by `plan_table` without changing anything.

    `new` are the places of fields to record, `left` the places that fields give up, `retyped` the columns whose
    recorded type is no longer true. `is_recorded` says whether the stream has its table in the record already. `hollow`
    are the model's views that have no rows after the changes, until they get their new text.
    """

    request: TableRequest
    plan: TablePlan
    changes: tuple[Change, ...] = ()
    new: tuple[Place, ...] = ()
    left: tuple[Place, ...] = ()
    retyped: tuple[Place, ...] = ()
    is_recorded: bool = True
    warnings: tuple[str, ...] = ()
    normals: NormalDraft = field(default_factory=NormalDraft)
    hollow: tuple[str, ...] = ()


def apply(cursor: Cursor, change: TableChange, *, execute: bool = True) -> None:
    """Make the table what its plan says, in the caller's transaction, with one schema log line per change.

    Without `execute` only the record is written, which for a dry run is a temporary one.
    """
    request, table = change.request, change.plan.table
    if not change.is_recorded:
        adopted = any(one.kind == "adopt table" for one in change.changes)
        record.add_table(cursor, request, table, adopted=adopted)
    for one in change.changes:
        if execute:
            _execute(cursor, request, table, one)
        log(cursor, request.run_id, change.plan, one)
    record.retire(cursor, request.schema, table, change.left)
    record.add(cursor, request.schema, table, change.new)
    record.retype(cursor, request.schema, table, change.retyped)
    normal_columns.record(cursor, request.schema, table, change.normals)
    record.follow_mapping(cursor, request, table)
    for warning in change.warnings:
        _logger.warning(warning)


def log(cursor: Cursor, run_id: int, plan: TablePlan, change: Change, records: int | None = None) -> int:
    """Write a line of the schema log; give its id."""
    cursor.execute(
        "insert into schema_log (run_id, table_schema, table_name, change, column_name, from_type, to_type, details,"
        " records) values (%s, %s, %s, %s, %s, %s, %s, %s, %s) returning change_id",
        (
            *(run_id, plan.schema, plan.table, change.kind, change.column),
            *(change.from_type, change.to_type, change.details, records),
        ),
    )
    row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def _execute(cursor: Cursor, request: TableRequest, table: str, change: Change) -> None:
    try:
        for statement in change.statements:
            cursor.execute(statement)
    except _HINDERED as error:
        raise CrmdbError(
            f"{request.schema}.{table} must change for its SCHEMA ({change}), but a view or another object that uses "
            f"the table hinders it ({error.sqlstate} {type(error).__name__}); drop or change that object"
        ) from error
