"""A stream's table as it would be: the rows that a dry run touches, before and after, in temporary tables."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from target_crmdb.mapping import ColumnType, TablePlan
from target_crmdb.tables import TableChange
from target_crmdb.tables.catalog import read_table
from target_crmdb.tables.statements import create_table, widened

Cursor = psycopg.Cursor[tuple[Any, ...]]

_TEMPORARY = "pg_temp"


@dataclass(frozen=True)
class Difference:
    """A row that would change: None stands for a row that is not there."""

    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Shadow:
    """The twin tables of one plan; a live row is copied to both when it is first touched."""

    def __init__(self, cursor: Cursor, change: TableChange, number: int, earlier: "Shadow | None") -> None:
        self._live = sql.Identifier(change.plan.schema, change.plan.table)
        self.plan = replace(change.plan, schema=_TEMPORARY, table=f"after_{number}")
        self._before = sql.Identifier(_TEMPORARY, f"before_{number}")
        self._after = sql.Identifier(_TEMPORARY, f"after_{number}")
        self._types: dict[str, ColumnType] = {column.name: column.type for column in change.plan.written}
        self._types |= change.request.technical
        self._stored = self._stored_types(cursor, change.plan)
        keys = [column.name for column in change.plan.match]
        for table in (self._before, self._after):
            cursor.execute(create_table(table, self._types, keys))
        if earlier is not None:
            self._take_over(cursor, earlier)

    @staticmethod
    def _stored_types(cursor: Cursor, plan: TablePlan) -> dict[str, ColumnType | None]:
        stored = read_table(cursor, plan.schema, plan.table)
        return {name: column.type for name, column in stored.columns.items()} if stored else {}

    def _take_over(self, cursor: Cursor, earlier: "Shadow") -> None:
        """Go on with the rows of a plan that a changed SCHEMA has replaced."""
        pairs = ((earlier._before, self._before), (earlier._after, self._after))  # noqa: SLF001 - of the same class
        names = [name for name in self._types if name in earlier._types]  # noqa: SLF001
        values = [widened(name, earlier._types[name], self._types[name]) for name in names]  # noqa: SLF001
        for old, new in pairs:
            cursor.execute(
                sql.SQL("insert into {} ({}) select {} from {}").format(
                    new, _list(map(sql.Identifier, names)), _list(values), old
                )
            )

    def touch(self, cursor: Cursor, stage: sql.Identifier) -> None:
        """Copy the live rows whose keys are in the staging table."""
        if not self._stored:
            return
        keys = self.plan.match
        staged = _list(sql.SQL("s.{}").format(sql.Identifier(column.staged)) for column in keys)
        found = _list(self._value(column.name) for column in keys)
        self._copy(cursor, sql.SQL("where ({}) in (select {} from {} s)").format(found, staged, stage))

    def touch_all(self, cursor: Cursor) -> None:
        """Copy all live rows: a sweep must see them."""
        if self._stored:
            self._copy(cursor, sql.SQL(""))

    def _copy(self, cursor: Cursor, condition: sql.Composable) -> None:
        names = [name for name in self._types if name in self._stored]
        cursor.execute(
            sql.SQL(
                "with fresh as (insert into {before} ({names}) select {values} from {live} l {condition}"
                " on conflict do nothing returning {names})"
                " insert into {after} ({names}) select {names} from fresh on conflict do nothing"
            ).format(
                before=self._before,
                after=self._after,
                live=self._live,
                names=_list(map(sql.Identifier, names)),
                values=_list(map(self._value, names)),
                condition=condition,
            )
        )

    def _value(self, name: str) -> sql.Composable:
        """Give a live column's value in the type that it would have."""
        old, new = self._stored[name], self._types[name]
        if old == new:
            return sql.Identifier(name)
        return widened(name, old, new)

    def differences(self, cursor: Cursor, at_most: int) -> Iterator[Difference]:
        """Yield the rows that would change, up to a number."""
        using = _list(sql.Identifier(column.name) for column in self.plan.match)
        cursor.execute("set local enable_hashjoin = on; set local enable_mergejoin = on; set local enable_seqscan = on")
        cursor.execute(
            sql.SQL(
                "select to_jsonb(b), to_jsonb(a) from {} b full join {} a using ({})"
                " where to_jsonb(b) is distinct from to_jsonb(a) order by {} limit %s"
            ).format(self._before, self._after, using, using),
            (at_most,),
        )
        yield from (Difference(before, after) for before, after in cursor.fetchall())


def _list(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
