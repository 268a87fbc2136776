"""What a mapping asks of the tables that are there, and doing it without any call to a CRM."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Json

from target_crmdb.exceptions import TryLaterError
from target_crmdb.locks import advisory_key, lock_soon, unlock
from target_crmdb.mapping import SourceMapping, WantedNormal
from target_crmdb.mapping.wanted import wanted_normals
from target_crmdb.model.filling import Unfilled, unfilled
from target_crmdb.model.sources import SourceTable, read_sources
from target_crmdb.settings import Config, validation_level
from target_crmdb.tables import normal_columns
from target_crmdb.tables.budget import Budget, stored_cost
from target_crmdb.tables.catalog import is_empty, read_table
from target_crmdb.tables.normal_columns import NormalDraft, NormalSituation

Connection = psycopg.Connection[tuple[Any, ...]]
Cursor = psycopg.Cursor[tuple[Any, ...]]

_RECORD = """
insert into mappings (table_schema, source, own) values (%s, %s, %s)
on conflict (table_schema, source) do update set own = excluded.own, recorded_at = now()
"""


@dataclass(frozen=True)
class TableWork:
    """One table, the normal forms that its mapping asks for, and what is missing of them."""

    table: SourceTable
    wanted: Sequence[WantedNormal]
    draft: NormalDraft
    unfilled: Sequence[Unfilled] = ()

    def lines(self) -> Iterator[str]:
        """Say what applying would do."""
        forms = {column.name: column.wanted for column in self.draft.columns}
        for one in self.draft.new:
            rows = "" if one.is_filled else ", and compute it for the rows that are there"
            yield f"{self.table}: add {one.column}, the {forms[one.column].type} of {one.path}{rows}"
        yield from (f"{self.table}: stop writing {one.column} ({one.form} of {one.path})" for one in self.draft.left)
        for column in self.unfilled:
            yield f"{self.table}: compute {column.column} for the rows that were there before it"
        for path in self.draft.without_room:
            yield f"{self.table}: there is no room for the normal form of {path}"


@dataclass(frozen=True)
class Applier:
    """Applies the mapping of the settings to the tables of one target schema, and the recorded ones to all others."""

    config: Config
    mapping: SourceMapping
    target_schema: str
    tables: list[SourceTable] = field(default_factory=list)

    def read(self, cursor: Cursor) -> list[TableWork]:
        """List the tables that are mapped, and what is missing of them; changes nothing."""
        return [self._work(cursor, table) for table in read_sources(cursor, self.mapping, self.target_schema)]

    def record(self, connection: Connection) -> None:
        """Keep the user's part of the mapping, for the views and for other runs."""
        if not self.target_schema:
            return  # the settings are of no target schema: nobody's mapping changes
        own = None if self.mapping.own is None else Json(self.mapping.own)
        connection.execute(_RECORD, (self.target_schema, self.mapping.source, own))

    def add(self, connection: Connection, work: TableWork) -> None:
        """Add a table's missing columns. Raises TryLaterError while it is being loaded."""
        if not (work.draft.new or work.draft.left):
            return
        table = work.table
        key = advisory_key("stream", table.schema, table.stream)
        if not lock_soon(connection, key):
            raise TryLaterError(f"{table} is being loaded; run again when the load has ended")
        try:
            with connection.transaction(), connection.cursor() as cursor:
                self._add(cursor, table, work.draft)
        finally:
            if not connection.closed:
                unlock(connection, key)

    @staticmethod
    def _add(cursor: Cursor, table: SourceTable, draft: NormalDraft) -> None:
        name = sql.Identifier(table.schema, table.name)
        new = {one.column for one in draft.new}
        for column in draft.columns:
            if column.name in new:
                for statement in normal_columns.adding(name, column, draft, None):
                    cursor.execute(statement)
                cursor.execute(
                    "insert into schema_log (table_schema, table_name, change, column_name, to_type, details)"
                    " values (%s, %s, 'add normal column', %s, %s, %s)",
                    (table.schema, table.name, column.name, column.type.value, column.wanted.path.text),
                )
        normal_columns.record(cursor, table.schema, table.name, draft)

    def _work(self, cursor: Cursor, table: SourceTable) -> TableWork:
        wanted = list(wanted_normals(table.says, partial(validation_level, self.config, table.stream)))
        stored = read_table(cursor, table.schema, table.name)
        assert stored is not None  # it was read a moment ago
        known = normal_columns.known_normals(cursor, table.schema, table.name)
        there = NormalSituation(
            stored=stored.columns,
            known=known,
            budget=Budget.of(
                int(self.config["max_columns"]), map(stored_cost, stored.columns.values()), stored.attributes
            ),
            used={*stored.columns, *(one.column for one in known)},
            is_empty=is_empty(cursor, sql.Identifier(table.schema, table.name)),
            may_add=True,
            may_rewrite=True,
        )
        draft = normal_columns.draft_normals(wanted, table.types, table.in_extra, there)
        return TableWork(table, wanted, draft, [one for _, one in unfilled(cursor, table, wanted)])
