"""From the staging table into the stream's table: one statement that writes changed rows only.

Of several rows with one key the newest by replication key wins, then the last. A row older than the stored
one is stale and refused; an equal replication key with other content overwrites; a field that the record lacks
keeps its stored value, null stores null. A tombstone is as new as its deletion, a stored row as its replication
key: so an archived record passes although archiving did not move its modified date, and so does its restoring.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from target_crmdb.buffer import Piece
from target_crmdb.counts import Counts
from target_crmdb.mapping import DELETED_AT, EXTRA, ColumnType, TablePlan

Cursor = psycopg.Cursor[tuple[Any, ...]]

EXTRACTED_AT = "_sdc_extracted_at"
BATCHED_AT = "_sdc_batched_at"

_UPSERT = """
with newest as (
    select distinct on ({keys}) s.* from {stage} s order by {keys}, {version} desc nulls last, s.ctid desc
), judged as (
    select {outputs}, case
        when {missing} then 'created'
        when {stale} then 'stale'
        when row({stored}) is not distinct from row({compared}) then 'unchanged'
        else 'updated' end as outcome
    from newest s left join {table} t on {match}
), written as (
    insert into {table} ({columns})
    select {aliases} from judged where outcome in ('created', 'updated') order by {key_aliases}
    on conflict ({key_columns}) do update set {updates}
)
select outcome, count(*) from judged group by outcome
"""
_APPEND = "insert into {table} ({columns}) select {values} from {stage} s order by s.ctid"


@dataclass(frozen=True)
class _Output:
    """One column of the table: what is written to it, and whether a difference in it is a change."""

    name: str
    value: sql.Composable
    compared: bool = True
    key: bool = False


class Merge:
    """The merge statements of one plan: one for complete records, one for records that lack fields."""

    def __init__(self, plan: TablePlan, stage: sql.Identifier) -> None:
        self._plan = plan
        self._stage = stage
        self._complete = self._compose(careful=False)
        self._careful = self._compose(careful=True)

    def run(self, cursor: Cursor, piece: Piece) -> Counts:
        """Merge the piece that was staged; give the outcomes."""
        cursor.execute(self._careful if piece.careful else self._complete)
        if not self._plan.keys:
            return Counts(seen=len(piece), created=cursor.rowcount)
        outcomes = {str(outcome): int(count) for outcome, count in cursor.fetchall()}
        return Counts(seen=len(piece), deduplicated=len(piece) - sum(outcomes.values()), **outcomes)

    def _compose(self, *, careful: bool) -> sql.Composed:
        outputs = _outputs(self._plan, careful=careful and bool(self._plan.keys))
        if not self._plan.keys:
            return sql.SQL(_APPEND).format(
                table=sql.Identifier(self._plan.schema, self._plan.table),
                stage=self._stage,
                columns=_join(sql.Identifier(output.name) for output in outputs),
                values=_join(output.value for output in outputs),
            )
        return self._upsert(outputs)

    def _upsert(self, outputs: list[_Output]) -> sql.Composed:
        keys = [(self._plan.columns.index(column), column) for column in self._plan.key_columns]
        compared = [output for output in outputs if output.compared and not output.key]
        aliases = [sql.Identifier(f"o{place}") for place in range(len(outputs))]
        key_names = [sql.Identifier(column.name) for _, column in keys]
        return sql.SQL(_UPSERT).format(
            table=sql.Identifier(self._plan.schema, self._plan.table),
            stage=self._stage,
            keys=_join(_staged(place) for place, _ in keys),
            version=_version(self._plan) or sql.SQL("s.ctid"),
            outputs=_join(
                sql.SQL("{} as {}").format(output.value, alias) for output, alias in zip(outputs, aliases, strict=True)
            ),
            missing=sql.SQL("t.{} is null").format(key_names[0]),
            stale=_stale(self._plan),
            stored=_join(sql.SQL("t.{}").format(sql.Identifier(output.name)) for output in compared),
            compared=_join(output.value for output in compared),
            match=sql.SQL(" and ").join(
                sql.SQL("t.{} = {}").format(sql.Identifier(column.name), _staged(place)) for place, column in keys
            ),
            columns=_join(sql.Identifier(output.name) for output in outputs),
            aliases=_join(aliases),
            key_aliases=_join(alias for output, alias in zip(outputs, aliases, strict=True) if output.key),
            key_columns=_join(key_names),
            updates=_join(
                sql.SQL("{0} = excluded.{0}").format(sql.Identifier(output.name))
                for output in outputs
                if not output.key
            ),
        )


def _outputs(plan: TablePlan, *, careful: bool) -> list[_Output]:
    """List the table's columns with the value that each gets."""
    keys = {(key,) for key in plan.keys}
    outputs = [
        _Output(column.name, _value(place, column.name, careful=careful), key=column.path in keys)
        for place, column in enumerate(plan.columns)
    ]
    if not plan.tells_deletion:  # such a tap has no tombstones: a record that comes is alive
        outputs.append(_Output(DELETED_AT, sql.SQL("null::timestamptz")))
    outputs.append(_Output(EXTRA, _extra(keyed=bool(plan.keys))))
    if plan.record_metadata:
        outputs.append(_Output(EXTRACTED_AT, sql.SQL("s.extracted"), compared=False))
        outputs.append(_Output(BATCHED_AT, sql.SQL("now()"), compared=False))
    return outputs


def _value(place: int, name: str, *, careful: bool) -> sql.Composable:
    if not careful:
        return _staged(place)
    return sql.SQL("case when {place} = any(s.absent) then t.{stored} else {staged} end").format(
        place=sql.Literal(place), stored=sql.Identifier(name), staged=_staged(place)
    )


def _extra(*, keyed: bool) -> sql.Composable:
    """Fields without a column are kept like those with one: one by one, by name."""
    if not keyed:
        return sql.SQL("s.extra")
    return sql.SQL("case when s.extra is null then t.{0} else coalesce(t.{0}, '{{}}') || s.extra end").format(
        sql.Identifier(EXTRA)
    )


def _staged(place: int) -> sql.Composable:
    return sql.SQL("s.{}").format(sql.Identifier(f"c{place}"))


def _version(plan: TablePlan) -> sql.Composable | None:
    """How new a staged row is: its replication key, and for a tombstone at least its deletion."""
    column = plan.version_column
    if column is None:
        return None
    key = _staged(plan.columns.index(column))
    deletion = next((place for place, c in enumerate(plan.columns) if c.path == (DELETED_AT,)), None)
    if deletion is None or column.type != ColumnType.TIMESTAMPTZ:
        return key
    return sql.SQL("case when {deleted} is null then {key} else greatest({key}, {deleted}) end").format(
        key=key, deleted=_staged(deletion)
    )


def _stale(plan: TablePlan) -> sql.Composable:
    column, version = plan.version_column, _version(plan)
    if column is None or version is None:
        return sql.SQL("false")
    return sql.SQL("t.{} > {}").format(sql.Identifier(column.name), version)


def _join(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
