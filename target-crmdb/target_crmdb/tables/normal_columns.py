"""The normal columns of a table: which it has, which are missing, and which are no longer written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from target_crmdb.mapping import ColumnType, NormalColumn, Path, WantedNormal, free_name
from target_crmdb.mapping.normals import is_plain, needed
from target_crmdb.tables import statements
from target_crmdb.tables.budget import Budget
from target_crmdb.tables.catalog import StoredColumn

Cursor = psycopg.Cursor[tuple[Any, ...]]
PREFIX = "_crm_"


@dataclass(frozen=True)
class KnownNormal:
    """A normal column as it is recorded."""

    column: str
    path: str
    form: str
    is_filled: bool
    retired: bool = False

    @property
    def signature(self) -> tuple[str, str]:
        """What tells it from others of its table."""
        return self.path, self.form


@dataclass
class NormalDraft:
    """What a table's normal columns are to be; `new` and `left` are changes of the record, `without_room` is a warning.

    `cleared` are columns that are written again after a while, and must be emptied first.
    """

    columns: list[NormalColumn] = field(default_factory=list)
    new: list[KnownNormal] = field(default_factory=list)
    left: list[KnownNormal] = field(default_factory=list)
    cleared: set[str] = field(default_factory=set)
    without_room: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class NormalSituation:
    """What there is: the columns of the table, the record of normal ones, and how much room is left."""

    stored: Mapping[str, StoredColumn]
    known: Sequence[KnownNormal]
    budget: Budget
    used: set[str]
    is_empty: bool
    may_add: bool
    may_rewrite: bool


def known_normals(cursor: Cursor, schema: str, table: str) -> list[KnownNormal]:
    """Read the record."""
    cursor.execute(
        "select column_name, path, form, filled_at is not null, retired_at is not null from normal_columns"
        " where table_schema = %s and table_name = %s order by added_at, column_name",
        (schema, table),
    )
    return [KnownNormal(*row) for row in cursor.fetchall()]


def draft_normals(
    wanted: Sequence[WantedNormal], types: Mapping[Path, ColumnType], in_extra: Iterable[Path], there: NormalSituation
) -> NormalDraft:
    """Find the column of every normal form that is needed; `types` are those of the stream's own columns."""
    declared = {*types, *in_extra}
    draft = NormalDraft()
    active = {one.signature: one for one in there.known if not one.retired and one.column in there.stored}
    for one in needed([each for each in wanted if each.path.split(declared)[0] is not None], types):
        found = active.pop(one.signature, None)
        if found is not None:
            draft.columns.append(NormalColumn(found.column, one))
        elif there.may_add:
            _add(draft, one, there)
    draft.left += [one for one in there.known if not one.retired and _is_unused(one, draft)]
    return draft


def _is_unused(one: KnownNormal, draft: NormalDraft) -> bool:
    return all(column.name != one.column or column.wanted.signature != one.signature for column in draft.columns)


def _add(draft: NormalDraft, one: WantedNormal, there: NormalSituation) -> None:
    again = next((each for each in there.known if _can_serve_again(each, one, there)), None)
    if again is not None:
        name = again.column
        draft.cleared.add(name)
    elif there.budget.take(one.column):
        name = free_name((f"{PREFIX}{one.field}",), there.used)
    else:
        draft.without_room.append(one.path.text)
        return
    there.used.add(name)
    draft.columns.append(NormalColumn(name, one))
    draft.new.append(KnownNormal(name, *one.signature, is_filled=there.is_empty))


def _can_serve_again(known: KnownNormal, one: WantedNormal, there: NormalSituation) -> bool:
    return known.retired and known.signature == one.signature and known.column in there.stored and there.may_rewrite


def resolved(columns: Iterable[NormalColumn], places: Mapping[Path, int]) -> tuple[NormalColumn, ...]:
    """Say of each where its source stands in a row."""
    found = []
    for one in columns:
        path, steps = one.wanted.path.split(places)
        place = None if path is None else places[path]
        found.append(NormalColumn(one.name, one.wanted, place, steps))
    return tuple(found)


def adding(
    table: sql.Identifier, one: NormalColumn, draft: NormalDraft, source: StoredColumn | None
) -> tuple[sql.Composed, ...]:
    """Give the statements that add a column, or empty it for new use.

    `source` is the source's column as it stands before its type changes; what it says already is taken over.
    """
    name = sql.Identifier(one.name)
    if one.name in draft.cleared:
        return (sql.SQL("update {} set {column} = null where {column} is not null").format(table, column=name),)
    add = statements.add_column(table, one.name, one.type)
    if source is None or source.type is None or not is_plain(one.wanted.type, source.type, one.inside):
        return (add,)
    value = statements.widened(source.name, source.type, one.type)
    taken = sql.SQL("update {} set {} = {} where {} is not null").format(
        table, name, value, sql.Identifier(source.name)
    )
    return add, taken


def record(cursor: Cursor, schema: str, table: str, draft: NormalDraft) -> None:
    """Write down which normal columns the table has now; what was wrong with a path that is left is no issue."""
    place = (schema, table)
    cursor.executemany(
        "update normal_columns set retired_at = now(), filled_at = null, filled_until = null"
        " where table_schema = %s and table_name = %s and column_name = %s",
        [(*place, one.column) for one in draft.left],
    )
    cursor.executemany(
        "update validation_issues set closed_at = now() where table_schema = %s and table_name = %s"
        " and kind = 'field' and path = %s and closed_at is null and field <> all(%s::text[])",
        [(*place, one.path, _fields_of(draft, one.path)) for one in draft.left],
    )
    cursor.executemany(
        "insert into normal_columns (table_schema, table_name, column_name, path, form, filled_at)"
        " values (%s, %s, %s, %s, %s, case when %s then now() end)"
        " on conflict (table_schema, table_name, column_name) do update set path = excluded.path, form = excluded.form,"
        " added_at = now(), filled_at = excluded.filled_at, filled_until = null, retired_at = null",
        [(*place, one.column, one.path, one.form, one.is_filled) for one in draft.new],
    )


def _fields_of(draft: NormalDraft, path: str) -> list[str]:
    """Name the canonical fields that still read a path."""
    return [column.wanted.field for column in draft.columns if column.wanted.path.text == path]
