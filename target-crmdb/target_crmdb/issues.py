"""What is wrong with records that are loaded all the same: an issue is opened, and closed by a clean later version.

All of it happens in the transaction that loads the rows. An issue counts only if the row that is stored has it: one of
a record that was refused as stale, or that another one of the same batch replaced, opens and closes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from target_crmdb.counts import Counts
from target_crmdb.mapping import DELETED_AT, ColumnType, TablePlan
from target_crmdb.mapping.canonical import LINKS
from target_crmdb.validation.findings import FieldIssue
from target_crmdb.validation.values import CopyValue, to_json

Cursor = psycopg.Cursor[tuple[Any, ...]]
_LONGEST = 1000

_SETTLE = """
with kinds as (
    select * from unnest({arrays}) with ordinality as k ({names}, kind_number)
), found as (
    select {key_of_found} as key, f.*, k.*
    from rows from ({texts}) with ordinality as f ({columns}, number)
    join kinds k on k.kind_number = f.of_kind::bigint
), valid as (
    select distinct on (f.key, f.field, f.rule) f.* from found f where {is_stored}
    order by f.key, f.field, f.rule, number desc
), opened as (
    insert into validation_issues as i (
        run_id, source, table_schema, table_name, stream, entity, key, kind, field, path, rule, level, reason, original
    )
    select {run}, {source}, {schema}, {table}, {stream}, f.entity, f.key, f.kind, f.field, nullif(f.path, ''), f.rule,
        'lenient', f.reason, f.original
    from valid f {unless_known}
)
"""
_UNLESS_KNOWN = """
    on conflict (table_schema, table_name, key, field, rule) where closed_at is null do update
    set reason = excluded.reason, original = excluded.original, path = excluded.path, changed_at = now()
    where (i.reason, i.original) is distinct from (excluded.reason, excluded.original)
"""
# The planner knows nothing of what the steps before give: each of a batch's rows looks its issues up by the index, and
# what was found is looked up in a hash table. Any join that it would choose instead may be quadratic.
_CLOSE = """
, places as (
    select * from unnest({fields}::text[], {paths}::text[], {places}::integer[]) as p (field, path, place)
), touched as materialized (
    select {key_of_stage} as key, s.absent, {is_gone} as is_gone from {stage} s {unless_stale}
), settled as materialized (
    select i.issue_id
    from touched x cross join lateral (
        select * from validation_issues i
        where i.table_schema = {schema} and i.table_name = {table} and i.key = x.key and i.closed_at is null offset 0
    ) i left join places p on (p.field, p.path) = (i.field, i.path)
    where (i.kind <> 'set' or (x.is_gone and i.entity <> {links}))
        and (x.is_gone or x.absent is null or p.place <> all(x.absent))
        and (i.key, i.field, i.rule) not in (select f.key, f.field, f.rule from valid f)
)
update validation_issues i set closed_at = now(), closed_run_id = {run}
where i.issue_id = any(array(select issue_id from settled))
"""
_ARRAY = "\x01"
_NOTHING_MORE = "select"
_HAS_OPEN = (
    "select exists (select from validation_issues where (table_schema, table_name) = (%s, %s) and closed_at is null)"
)


class RowIssue(NamedTuple):
    """An issue of one row: its key as COPY has it, and what is wrong; `kind` is `field` or `record`."""

    line: int
    key: Sequence[CopyValue]
    kind: str
    issue: FieldIssue


@dataclass(frozen=True)
class Origin:
    """Whose issues they are: the run, its source, and the names under which the table is known."""

    run_id: int
    source: str
    schema: str
    table: str


class IssueBook:
    """The issues of one plan."""

    def __init__(self, plan: TablePlan, stage: sql.Identifier, origin: Origin) -> None:
        self._plan = plan
        self._stage = stage
        self._origin = origin
        self._has_open: bool | None = None
        self._had_open = True
        self._places = {(one.wanted.path.text, one.wanted.field): at for at, one in enumerate(plan.normals)}
        self._keys = list(plan.key_columns)

    def settle(self, cursor: Cursor, issues: Sequence[RowIssue], counts: Counts) -> None:
        """The staged rows are merged: open their issues, and close those that they do not have any more."""
        if self._has_open is None:
            found = cursor.execute(_HAS_OPEN, (self._origin.schema, self._origin.table)).fetchone()
            self._has_open = self._had_open = bool(found and found[0])
        is_new = counts.created == counts.seen  # such rows have nothing that could be closed
        if not issues and (is_new or not self._has_open):
            return
        replaced = bool(counts.stale or counts.deduplicated)
        is_closing = self._keys and self._has_open and not is_new
        closing = self._closing(stale=bool(counts.stale)) if is_closing else sql.SQL(_NOTHING_MORE)
        # of a table that had no issue, those of new rows are new: looking for them would cost a third more
        is_first, self._had_open, self._has_open = is_new and not self._had_open, True, True
        opening = self._opening(replaced=replaced, all_new=is_first)
        statement = (opening + closing).as_bytes().replace(b"%", b"%%")  # names may have one
        cursor.execute(statement.replace(_ARRAY.encode(), b"%s"), self._columns(issues))
        self._had_open = not is_first  # only now: what failed is tried again with care

    def _opening(self, *, replaced: bool, all_new: bool) -> sql.Composed:
        keys = [sql.Identifier(f"k{at}") for at in range(len(self._keys))]
        arrays = [sql.SQL(_ARRAY + "::{}[]").format(sql.SQL(kind)) for kind in _OF_KIND.values()]
        texts = [sql.SQL(f"json_array_elements_text({_ARRAY}::json)")] * (len(keys) + len(_OF_ISSUE))
        return sql.SQL(_SETTLE).format(
            key_of_found=_joined(self._cast(f"f.k{at}", column.type) for at, column in enumerate(self._keys)),
            arrays=sql.SQL(", ").join(arrays),
            names=sql.SQL(", ").join(map(sql.Identifier, _OF_KIND)),
            texts=sql.SQL(", ").join(texts),
            columns=sql.SQL(", ").join([*keys, *map(sql.Identifier, _OF_ISSUE)]),
            is_stored=self._is_stored() if replaced else sql.SQL("true"),
            unless_known=sql.SQL("" if all_new else _UNLESS_KNOWN),
            **self._about(),
        )

    def _closing(self, *, stale: bool) -> sql.Composed:
        width = len(self._plan.columns)
        key = _joined(sql.SQL("s.{}").format(sql.Identifier(column)) for column in self._staged_keys())
        paths, fields = zip(*self._places, strict=True) if self._places else ((), ())
        deleted = next((at for at, one in enumerate(self._plan.columns) if one.path == (DELETED_AT,)), None)
        gone = (
            sql.SQL("false") if deleted is None else sql.SQL("s.{} is not null").format(sql.Identifier(f"c{deleted}"))
        )
        return sql.SQL(_CLOSE).format(
            fields=sql.Literal([*fields]),
            paths=sql.Literal([*paths]),
            places=sql.Literal([width + at for at in self._places.values()]),
            key_of_stage=key,
            is_gone=gone,
            links=sql.Literal(LINKS),
            stage=self._stage,
            unless_stale=self._unless_stale() if stale else sql.SQL(""),
            **self._about(),
        )

    def _about(self) -> dict[str, sql.Composable]:
        one = self._origin
        about = {"run": one.run_id, "source": one.source, "schema": one.schema, "table": one.table}
        return {name: sql.Literal(value) for name, value in {**about, "stream": self._plan.stream}.items()}

    def _is_stored(self) -> sql.Composable:
        """Say that the stored row lacks the normal form of a value that it has."""
        whens = [
            sql.SQL("when {} then t.{} is null{}").format(
                sql.Literal(at),
                sql.Identifier(one.name),
                sql.SQL("")
                if one.source is None
                else sql.SQL(" and t.{} is not null").format(sql.Identifier(self._plan.columns[one.source].name)),
            )
            for at, one in enumerate(self._plan.normals)
        ]
        if not whens or not self._keys:
            return sql.SQL("true")
        match = sql.SQL(" and ").join(
            sql.SQL("t.{} = {}").format(sql.Identifier(column.name), self._cast(f"f.k{at}", column.type))
            for at, column in enumerate(self._keys)
        )
        return sql.SQL("exists (select from {} t where {} and case f.place {} else true end)").format(
            self._table, match, sql.SQL(" ").join(whens)
        )

    def _unless_stale(self) -> sql.Composable:
        version = self._plan.version_column
        if version is None:
            return sql.SQL("")
        match = sql.SQL(" and ").join(
            sql.SQL("t.{} = s.{}").format(sql.Identifier(column.name), sql.Identifier(staged))
            for column, staged in zip(self._keys, self._staged_keys(), strict=True)
        )
        return sql.SQL("join {} t on {} and not t.{} > s.{}").format(
            *(self._table, match, sql.Identifier(version.name)),
            sql.Identifier(f"c{self._plan.columns.index(version)}"),
        )

    @property
    def _table(self) -> sql.Identifier:
        return sql.Identifier(self._plan.schema, self._plan.table)

    def _staged_keys(self) -> list[str]:
        return [f"c{self._plan.columns.index(column)}" for column in self._keys]

    @staticmethod
    def _cast(name: str, kind: ColumnType) -> sql.Composable:
        return sql.SQL(f"{name}::{kind.value}")

    def _columns(self, issues: Iterable[RowIssue]) -> list[Any]:
        """Give what kinds of issues there are, one array for each name, and behind them the issues.

        The texts of the issues are arrays of JSON: writing those of Postgres takes ten times as long in Python.
        """
        kinds: dict[_Kind, str] = {}
        rows: list[tuple[str | None, ...]] = []
        for _, key, kind, (entity, field, path, rule, reason, original) in issues:
            number = kinds.setdefault((entity, kind, field, path, rule), str(len(kinds) + 1))
            rows.append((*[None if part is None else str(part) for part in key], reason, _original(original), number))
        about = [(*kind, self._places.get((kind[3], kind[2]), -1)) for kind in kinds]
        return [*_turned(about, len(_OF_KIND)), *map(to_json, _turned(rows, len(self._keys) + len(_OF_ISSUE)))]


_Kind = tuple[str, str, str, str, str]
_OF_KIND: Mapping[str, str] = {
    **dict.fromkeys(("entity", "kind", "field", "path", "rule"), "text"),
    "place": "integer",
}
_OF_ISSUE = ("reason", "original", "of_kind")


def _turned(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Make columns of rows."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def _joined(parts: Iterable[sql.Composable]) -> sql.Composable:
    texts = list(parts)
    return sql.SQL("concat_ws(':', {})").format(sql.SQL(", ").join(texts)) if texts else sql.SQL("''")


def _original(value: Any) -> str | None:
    if value is None:
        return None
    return (value if isinstance(value, str) else to_json(value))[:_LONGEST]
