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
from target_crmdb.modes import WriteMode

Cursor = psycopg.Cursor[tuple[Any, ...]]

EXTRACTED_AT = "_sdc_extracted_at"
BATCHED_AT = "_sdc_batched_at"

# Rows are judged first, then written by what they are: inserting what is new and updating what differs costs a third
# less than ON CONFLICT. The staged rows are looked up again by their ctid, so that no wide row is kept in between.
_MERGE = """
with judged as materialized (
    select s.place, case
        when {missing} then {outcome_of_missing}
        when {stale} then 'stale'
        when {gone} then 'removed'
        when row({stored}) is not distinct from row({compared}) then 'unchanged'
        else 'updated' end as outcome
    from ({newest}) s left join {table} t on {match}
), created as (
    insert into {table} ({columns})
    select {new} from judged j join {stage} s on s.ctid = j.place where j.outcome = 'created'
), updated as (
    update {table} t set {updates}
    from judged j join {stage} s on s.ctid = j.place where j.outcome = 'updated' and {match}
){removed}
"""
# besides, rows that are sorted by their keys meet those that are stored in about the order in which they lie there
_NEWEST = """
    select distinct on ({keys}) s.*, s.ctid as place from {stage} s
    order by {keys}, {version} desc nulls last, s.ctid desc
"""
_ALL = "select s.*, s.ctid as place from {stage} s"
_COUNT = b"select outcome, count(*), (%s - sum(count(*)) over ())::bigint from judged group by outcome"
_REMOVED = """, removed as (
    delete from {table} t using judged j join {stage} s on s.ctid = j.place
    where j.outcome = 'removed' and {match}
)"""


@dataclass(frozen=True)
class _Output:
    """One column of the table: what a stored row and a new one get, and whether a difference in it is a change."""

    name: str
    value: sql.Composable
    new: sql.Composable
    compared: bool = True
    key: bool = False


class Merge:
    """The merge statements of one plan, by what its pieces are."""

    def __init__(self, plan: TablePlan, stage: sql.Identifier, mode: WriteMode) -> None:
        self._plan = plan
        self._stage = stage
        self._mode = mode
        self._statements: dict[tuple[bool, bool], bytes] = {}

    def run(self, cursor: Cursor, piece: Piece) -> Counts:
        """Merge the piece that was staged; give the outcomes.

        Parsing hundreds of columns takes longer than planning with them, so it is done once. The plan is made anew each
        time, since the statement has a parameter and the session's `plan_cache_mode` is to be so.
        """
        cursor.execute(self.statement(piece), (len(piece),), prepare=True)
        found = cursor.fetchall()
        outcomes = {str(outcome): int(count) for outcome, count, _ in found}
        removed = outcomes.pop("removed", 0)
        outcomes["updated"] = outcomes.get("updated", 0) + removed
        return Counts(seen=len(piece), deduplicated=found[0][2], deleted=removed, **outcomes)

    def statement(self, piece: Piece) -> bytes:
        """Give the statement for such pieces, written out once: psycopg would put hundreds of names together anew."""
        kind = (piece.careful and not self._plan.is_bag, piece.is_sorted)
        if kind not in self._statements:
            composed = self._compose(careful=kind[0], in_order=kind[1])
            self._statements[kind] = composed.as_bytes().replace(b"%", b"%%") + _COUNT
        return self._statements[kind]

    def _compose(self, *, careful: bool, in_order: bool) -> sql.Composed:
        outputs = _outputs(self._plan, careful=careful)
        written = [output for output in outputs if not output.key]
        compared = [output for output in written if output.compared]
        keys = self._plan.match
        stored = [sql.SQL("t.{}").format(sql.Identifier(column.name)) for column in keys]
        gone = _deletion(self._plan) if self._mode.hard_delete else None
        names = {
            "table": sql.Identifier(self._plan.schema, self._plan.table),
            "stage": self._stage,
            "match": _equal(stored, [_staged(column.staged) for column in keys]),
        }
        newest = sql.SQL(_ALL if in_order else _NEWEST).format(
            stage=self._stage,
            keys=_join(_staged(column.staged) for column in keys),
            version=_version(self._plan) or sql.SQL("s.ctid"),
        )
        return sql.SQL(_MERGE).format(
            **names,
            newest=newest,
            missing=sql.SQL("{} is null").format(stored[0]),
            outcome_of_missing=_outcome_of_missing(gone),
            stale=_stale(self._plan) if self._mode.guarded else sql.SQL("false"),
            gone=gone or sql.SQL("false"),
            stored=_join(sql.SQL("t.{}").format(sql.Identifier(output.name)) for output in compared),
            compared=_join(output.value for output in compared),
            columns=_join(sql.Identifier(output.name) for output in outputs),
            new=_join(output.new for output in outputs),
            updates=_join(sql.SQL("{} = {}").format(sql.Identifier(output.name), output.value) for output in written),
            removed=sql.SQL(_REMOVED).format(**names) if gone else sql.SQL(""),
        )


def _outputs(plan: TablePlan, *, careful: bool) -> list[_Output]:
    """List the table's columns with the value that each gets."""
    keys = {column.name for column in plan.match}
    outputs = [
        _Output(
            column.name,
            _value(place, column.name, careful=careful),
            _staged(f"c{place}"),
            key=column.name in keys,
        )
        for place, column in enumerate(plan.written)
    ]
    if plan.is_bag:
        outputs += [_same(column.name, _staged(column.staged), key=True) for column in plan.match]
    if not plan.tells_deletion:  # such a tap has no tombstones: a record that comes is alive
        outputs.append(_same(DELETED_AT, sql.SQL("null::timestamptz")))
    outputs.append(_Output(EXTRA, _extra(keyed=not plan.is_bag), sql.SQL("s.extra")))
    if plan.record_metadata:
        outputs.append(_same(EXTRACTED_AT, sql.SQL("s.extracted"), compared=False))
        outputs.append(_same(BATCHED_AT, sql.SQL("now()"), compared=False))
    return outputs


def _same(name: str, value: sql.Composable, *, compared: bool = True, key: bool = False) -> _Output:
    return _Output(name, value, value, compared, key)


def _value(place: int, name: str, *, careful: bool) -> sql.Composable:
    if not careful:
        return _staged(f"c{place}")
    return sql.SQL("case when {place} = any(s.absent) then t.{stored} else {staged} end").format(
        place=sql.Literal(place), stored=sql.Identifier(name), staged=_staged(f"c{place}")
    )


def _extra(*, keyed: bool) -> sql.Composable:
    """Fields without a column are kept like those with one: one by one, by name."""
    if not keyed:
        return sql.SQL("s.extra")
    return sql.SQL("case when s.extra is null then t.{0} else coalesce(t.{0}, '{{}}') || s.extra end").format(
        sql.Identifier(EXTRA)
    )


def _outcome_of_missing(gone: sql.Composable | None) -> sql.Composable:
    """A row that is not stored is created, unless it is a tombstone that would delete it."""
    if gone is None:
        return sql.SQL("'created'")
    return sql.SQL("case when {} then 'unchanged' else 'created' end").format(gone)


def _deletion(plan: TablePlan) -> sql.Composable | None:
    """Whether a staged row is a tombstone, for plans whose SCHEMA tells."""
    place = _deletion_place(plan)
    return None if place is None else sql.SQL("{} is not null").format(_staged(f"c{place}"))


def _deletion_place(plan: TablePlan) -> int | None:
    return next((place for place, column in enumerate(plan.columns) if column.path == (DELETED_AT,)), None)


def _staged(name: str) -> sql.Composable:
    return sql.SQL("s.{}").format(sql.Identifier(name))


def _equal(first: Iterable[sql.Composable], second: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(one, other) for one, other in zip(first, second, strict=True)
    )


def _version(plan: TablePlan) -> sql.Composable | None:
    """How new a staged row is: its replication key, and for a tombstone at least its deletion."""
    column = plan.version_column
    if column is None or plan.is_bag:
        return None
    key = _staged(f"c{plan.columns.index(column)}")
    deletion = _deletion_place(plan)
    if deletion is None or column.type != ColumnType.TIMESTAMPTZ:
        return key
    return sql.SQL("case when {deleted} is null then {key} else greatest({key}, {deleted}) end").format(
        key=key, deleted=_staged(f"c{deletion}")
    )


def _stale(plan: TablePlan) -> sql.Composable:
    column, version = plan.version_column, _version(plan)
    if column is None or version is None:
        return sql.SQL("false")
    return sql.SQL("t.{} > {}").format(sql.Identifier(column.name), version)


def _join(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
