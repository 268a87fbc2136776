"""Rows that the source no longer has: found by the keys seen in a whole read, marked or deleted at its end."""

from typing import Any

import psycopg
from psycopg import sql

from target_crmdb.mapping import DELETED_AT, TablePlan

Cursor = psycopg.Cursor[tuple[Any, ...]]


class SeenKeys:
    """The keys that came with a version, in a TEMP table: exact, and no write to rows that did not change.

    The cost is one narrow temporary row per record of a versioned stream. It lives as long as the session, so a read
    that was killed and went on in another run cannot sweep: the first run's keys are gone. That a version began in
    another run is known for good (`_crmdb.versions`). The key is kept as a JSON array, whatever its types.
    """

    def __init__(self, number: int, run_id: int) -> None:
        self._name = sql.Identifier(f"crmdb_seen_{number}")
        self._run_id = run_id
        self._versions: set[int] = set()
        self._uncommitted: set[int] = set()

    def has(self, version: int) -> bool:
        """Tell whether any record came with this version: without one, nothing was read and nothing may go."""
        return version in self._versions | self._uncommitted

    def accept_commit(self) -> None:
        """What was added is durable now."""
        self._versions |= self._uncommitted
        self._uncommitted.clear()

    def is_whole(self, cursor: Cursor, plan: TablePlan, version: int) -> bool:
        """Tell whether every row of this version came in this run, so that what was not seen is gone.

        What is known of older versions is of no more use, and forgotten.
        """
        cursor.execute(
            "delete from versions where table_schema = %s and table_name = %s and version < %s",
            (plan.schema, plan.table, version),
        )
        cursor.execute(
            "select run_id from versions where table_schema = %s and table_name = %s and version = %s",
            (plan.schema, plan.table, version),
        )
        return cursor.fetchone() == (self._run_id,)

    def add(self, cursor: Cursor, plan: TablePlan, stage: sql.Identifier, version: int | None) -> None:
        """Remember the keys of the rows in the staging table if they came with a version."""
        if version is None:
            return
        if version not in self._versions:
            self._begin(cursor, plan, version)  # again after a rollback
        keys = [sql.SQL("s.{}").format(sql.Identifier(f"c{plan.columns.index(c)}")) for c in plan.key_columns]
        cursor.execute(
            sql.SQL("insert into {} select {}, jsonb_build_array({}) from {} s on conflict do nothing").format(
                self._name, sql.Literal(version), sql.SQL(", ").join(keys), stage
            )
        )

    def _begin(self, cursor: Cursor, plan: TablePlan, version: int) -> None:
        self._uncommitted.add(version)
        cursor.execute(
            sql.SQL(
                "create temporary table if not exists {} (version bigint, key jsonb, primary key (version, key))"
            ).format(self._name)
        )
        cursor.execute(
            "insert into versions (table_schema, table_name, version, run_id) values (%s, %s, %s, %s)"
            " on conflict do nothing",
            (plan.schema, plan.table, version, self._run_id),
        )

    def sweep(self, cursor: Cursor, plan: TablePlan, version: int, *, hard: bool) -> int:
        """Mark (or delete) the live rows whose keys did not come with this version; give their number."""
        cursor.execute("set local enable_hashjoin = on; set local enable_mergejoin = on; set local enable_seqscan = on")
        # without statistics the planner takes the keys for few, and compares every row with every key
        cursor.execute(sql.SQL("analyze {}").format(self._name))
        table = sql.Identifier(plan.schema, plan.table)
        keys = [sql.SQL("t.{}").format(sql.Identifier(column.name)) for column in plan.key_columns]
        unseen = sql.SQL("not exists (select from {} s where s.version = {} and s.key = jsonb_build_array({}))").format(
            self._name, sql.Literal(version), sql.SQL(", ").join(keys)
        )
        deleted_at = sql.Identifier(DELETED_AT)
        if hard:
            cursor.execute(sql.SQL("delete from {} t where {}").format(table, unseen))
        else:
            cursor.execute(
                sql.SQL("update {table} t set {deleted} = now() where t.{deleted} is null and {unseen}").format(
                    table=table, deleted=deleted_at, unseen=unseen
                )
            )
        return cursor.rowcount
