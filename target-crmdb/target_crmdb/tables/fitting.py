"""What a field's declared type means for the column that it has: keep, widen, replace by a sibling, or leave out."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from target_crmdb.exceptions import ConfigError, CrmdbError
from target_crmdb.mapping import ColumnType, Drift, Field, wider
from target_crmdb.tables.adoption import retyping
from target_crmdb.tables.catalog import StoredColumn, StoredTable, table_bytes
from target_crmdb.tables.dependants import dependants_of
from target_crmdb.tables.draft import Draft
from target_crmdb.tables.request import TableRequest
from target_crmdb.tables.views import View, read_view

Cursor = psycopg.Cursor[tuple[Any, ...]]


@dataclass(frozen=True)
class Fitting:
    """Fits declared fields to the columns of one table."""

    cursor: Cursor
    request: TableRequest
    table: str
    stored: StoredTable

    def fit(self, draft: Draft, one: Field, column: StoredColumn) -> None:
        """Decide on one field that has a column."""
        if column.type is None or not (column.is_exact or self.request.policy == "evolve"):
            raise self.foreign(column, one.type)
        kind = wider(column.type, one.type)
        if kind == column.type and column.is_exact:
            draft.keep(one.path, column.name, kind)
        elif self.request.policy == "evolve":
            self._widen(draft, one, column, kind)
        else:
            draft.keep(one.path, column.name, column.type, self._misfit(one))

    def views(self, draft: Draft) -> list[View]:
        """Read the views that the widening makes again, each behind those that it reads."""
        if not draft.widened:
            return []
        names = [column.name for column, _ in draft.widened]
        found = dependants_of(self.cursor, self.stored.oid, names, self.request.model_schema)
        return [read_view(self.cursor, oid) for oid in found.views]

    def foreign(self, column: StoredColumn, wanted: ColumnType) -> ConfigError:
        """Say that a column has a type that we did not give it, and how to mend that."""
        place = sql.Identifier(self.request.schema, self.table)
        return ConfigError(
            f"Column {self.request.schema}.{self.table}.{column.name} has the type {column.sql_type}, which "
            f"target-crmdb did not give it; run: {retyping(place, column, wanted).as_string(self.cursor)};"
        )

    def _misfit(self, one: Field) -> Drift:
        """A key or a replication key cannot be left out of a row: without it, the row has no place or no age."""
        leaves_out = self.request.policy == "discard_value" and not self.request.is_ordering(one.path)
        return "discard" if leaves_out else "reject"

    def _widen(self, draft: Draft, one: Field, column: StoredColumn, kind: ColumnType) -> None:
        found = dependants_of(self.cursor, self.stored.oid, [column.name], self.request.model_schema)
        reason = self._hindrance(column, kind, found.hindrance)
        if reason is None and draft.budget.change(column, kind):
            draft.widen(one.path, column, kind)
            return
        reason = reason or "its rows could then be too long for Postgres"
        if self.request.is_ordering(one.path) or column.not_null:
            raise CrmdbError(
                f"Column {self.request.schema}.{self.table}.{column.name} (key, replication key or not null) must "
                f"become {kind.value}, which cannot be done: {reason}; remove that obstacle, or change it yourself"
            )
        draft.replace(one.path, column, kind, reason)

    def _hindrance(self, column: StoredColumn, kind: ColumnType, dependant: str | None) -> str | None:
        if dependant is not None:
            return f"{dependant} depends on it"
        if column.type == kind and not column.is_rewritten:
            return None  # a limit is lifted without touching a row
        size = table_bytes(self.cursor, self.stored.oid)
        if size > self.request.max_rewrite_bytes:
            return f"the table has {size} bytes and max_rewrite_bytes is {self.request.max_rewrite_bytes}"
        return None
