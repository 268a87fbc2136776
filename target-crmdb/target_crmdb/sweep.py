"""Rows that the source no longer has: found by the keys seen in a whole read, marked or deleted at its end."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from target_crmdb.mapping import DELETED_AT, TablePlan
from target_crmdb.seen import SeenTable
from target_crmdb.settings import Config

Cursor = psycopg.Cursor[tuple[Any, ...]]


@dataclass(frozen=True)
class Vanished:
    """How many of a table's rows a whole read did not have."""

    rows: int
    of: int

    @property
    def share(self) -> float:
        """The part of the rows that is gone; 0 for an empty table."""
        return self.rows / self.of if self.of else 0.0


@dataclass(frozen=True)
class SweepRule:
    """`hard`: rows are deleted, not marked. A larger share than `max_share` needs to be `confirmed`."""

    hard: bool
    max_share: float
    confirmed: bool

    @classmethod
    def of(cls, config: Config) -> "SweepRule":
        """Read the settings."""
        return cls(
            hard=bool(config.get("hard_delete")),
            max_share=float(config.get("max_delete_share", 0.5)),
            confirmed=bool(config.get("confirm_deletes")),
        )


@dataclass(frozen=True)
class Swept:
    """What a sweep did: rows removed, or in `refused` why none was, in words for a person to act on."""

    rows: int = 0
    refused: str | None = None


class SeenKeys:
    """The keys that came with a version: exact, and no write to rows that did not change.

    The cost is one narrow row per record of a versioned stream. It lives as long as the run, so a read that was killed
    and went on in another run cannot sweep: the first run's keys are gone. That a version began in another run is
    known for good (`_crmdb.versions`). The key is kept as a JSON array, whatever its types.
    """

    def __init__(self, run_id: int, number: int, *, temporary: bool = False) -> None:
        self._run_id = run_id
        columns = "version bigint, key jsonb, primary key (version, key)"
        self.table = SeenTable(run_id, number, columns, "temporary" if temporary else "unlogged")
        self._versions: set[int] = set()
        self._uncommitted: set[int] = set()
        self.lost = False

    def accept_commit(self) -> None:
        """What was added is durable now."""
        self.table.accept_commit()
        self._versions |= self._uncommitted
        self._uncommitted.clear()

    def has(self, version: int) -> bool:
        """Tell whether any record came with this version."""
        return version in self._versions | self._uncommitted

    def is_whole(self, cursor: Cursor, plan: TablePlan, version: int) -> bool:
        """Tell whether every row of this version came in this run, so that what was not seen is gone.

        A version without any row is whole too: the source is empty. What is known of older versions is of no more
        use, and forgotten.
        """
        cursor.execute(
            "delete from versions where table_schema = %s and table_name = %s and version < %s",
            (plan.schema, plan.table, version),
        )
        cursor.execute(
            "select run_id from versions where table_schema = %s and table_name = %s and version = %s",
            (plan.schema, plan.table, version),
        )
        return not self.lost and cursor.fetchone() in {None, (self._run_id,)}

    def add(self, cursor: Cursor, plan: TablePlan, stage: sql.Identifier, version: int | None) -> None:
        """Remember the keys of the rows in the staging table if they came with a version."""
        if version is None:
            return
        self.table.use(cursor)
        if version not in self._versions:
            self._begin(cursor, plan, version)  # again after a rollback
        keys = [sql.SQL("s.{}").format(sql.Identifier(column.staged)) for column in plan.match]
        cursor.execute(
            sql.SQL("insert into {} select {}, jsonb_build_array({}) from {} s on conflict do nothing").format(
                self.table.name, sql.Literal(version), sql.SQL(", ").join(keys), stage
            )
        )

    def _begin(self, cursor: Cursor, plan: TablePlan, version: int) -> None:
        self._uncommitted.add(version)
        cursor.execute(
            "insert into versions (table_schema, table_name, version, run_id) values (%s, %s, %s, %s)"
            " on conflict do nothing",
            (plan.schema, plan.table, version, self._run_id),
        )

    def sweep(self, cursor: Cursor, plan: TablePlan, version: int, rule: SweepRule) -> Swept:
        """Remove the rows that did not come with this version, unless they are too many."""
        vanished = self._vanished(cursor, plan, version, hard=rule.hard)
        if vanished.share > rule.max_share and not rule.confirmed:
            return Swept(
                refused=(
                    f"{vanished.rows} of the {vanished.of} rows of stream {plan.stream} are no longer in the "
                    f"source ({vanished.share:.0%}, max_delete_share is {rule.max_share:.0%}), so none was removed; if "
                    "that is right, read the stream whole once more with confirm_deletes: true"
                )
            )
        return Swept(self._remove(cursor, plan, version, hard=rule.hard) if vanished.rows else 0)

    def _vanished(self, cursor: Cursor, plan: TablePlan, version: int, *, hard: bool) -> Vanished:
        """Count the rows whose keys did not come with this version, and all that could be removed."""
        self.table.use(cursor)
        cursor.execute("set local enable_hashjoin = on; set local enable_mergejoin = on; set local enable_seqscan = on")
        # without statistics the planner takes the keys for few, and compares every row with every key
        cursor.execute(sql.SQL("analyze {}").format(self.table.name))
        cursor.execute(
            sql.SQL("select count(*) filter (where {}), count(*) from {} t where {}").format(
                self._unseen(plan, version), sql.Identifier(plan.schema, plan.table), _removable(hard=hard)
            )
        )
        row = cursor.fetchone()
        return Vanished(*(row or (0, 0)))

    def _remove(self, cursor: Cursor, plan: TablePlan, version: int, *, hard: bool) -> int:
        statement = "delete from {table} t where {removable} and {unseen}"
        if not hard:
            statement = "update {table} t set {deleted} = now() where {removable} and {unseen}"
        cursor.execute(
            sql.SQL(statement).format(
                table=sql.Identifier(plan.schema, plan.table),
                deleted=sql.Identifier(DELETED_AT),
                removable=_removable(hard=hard),
                unseen=self._unseen(plan, version),
            )
        )
        return cursor.rowcount

    def _unseen(self, plan: TablePlan, version: int) -> sql.Composed:
        keys = [sql.SQL("t.{}").format(sql.Identifier(column.name)) for column in plan.match]
        return sql.SQL("not exists (select from {} s where s.version = {} and s.key = jsonb_build_array({}))").format(
            self.table.name, sql.Literal(version), sql.SQL(", ").join(keys)
        )


def _removable(*, hard: bool) -> sql.Composable:
    """Which rows can be removed at all: those marked already only by deleting them."""
    return sql.SQL("true") if hard else sql.SQL("t.{} is null").format(sql.Identifier(DELETED_AT))
