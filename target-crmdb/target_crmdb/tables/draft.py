"""A table's change while it is being planned: every field finds its place, one by one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from psycopg import sql

from target_crmdb.mapping import EXTRA, Column, ColumnType, Drift, Field, Path, TablePlan, dotted, free_name
from target_crmdb.tables import normal_columns, resettling, statements
from target_crmdb.tables.budget import Budget
from target_crmdb.tables.catalog import StoredColumn
from target_crmdb.tables.changes import Change
from target_crmdb.tables.normal_columns import NormalDraft
from target_crmdb.tables.record import Place
from target_crmdb.tables.views import View, rebuilt

_SHORT = {ColumnType.TIMESTAMPTZ: "timestamptz", ColumnType.TIME: "time", ColumnType.DOUBLE: "double"}


@dataclass
class Draft:
    """What is planned so far; `used` are the names that no new column may have."""

    table: sql.Identifier
    budget: Budget
    used: set[str]
    places: dict[Path, Place] = field(default_factory=dict)
    columns: dict[Path, Column] = field(default_factory=dict)
    retired: list[Column] = field(default_factory=list)
    in_extra: set[Path] = field(default_factory=set)
    added: list[Change] = field(default_factory=list)
    widened: list[tuple[StoredColumn, ColumnType]] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    new: list[Place] = field(default_factory=list)
    left: list[Place] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    normals: NormalDraft = field(default_factory=NormalDraft)

    @property
    def placed(self) -> set[Path]:
        """The fields that have found a place."""
        return {*self.columns, *self.in_extra}

    def keep(self, path: Path, name: str, kind: ColumnType, misfit: Drift | None = None) -> None:
        """Leave a field in the column that it has."""
        self.columns[path] = Column(name, path, kind, misfit)
        if path not in self.places:
            self.new.append(Place(path, name, kind.value))

    def keep_technical(self, one: Field) -> None:
        """Let a declared field stand in the column that exists in any case."""
        self.columns[one.path] = Column(one.path[-1], one.path, one.type)

    def retire(self, path: Path, name: str, kind: ColumnType) -> None:
        """Keep a column that a field has left."""
        self.retired.append(Column(name, path, kind, retired=True))

    def widen(self, path: Path, old: StoredColumn, kind: ColumnType) -> None:
        """Give a field's column a wider type."""
        self.keep(path, old.name, kind)
        self.widened.append((old, kind))

    def add(self, one: Field, name: str, *, moves: bool = False) -> None:
        """Give a field a new column while there is room; otherwise it stands in `_extra` from now on.

        `moves` says that `_extra` has values of it, which then move to the column.
        """
        if not self.budget.take(one.type):
            self.to_extra(one.path)
            return
        known = self.places.get(one.path)
        self.columns[one.path] = Column(name, one.path, one.type)
        if known is None:
            self.new.append(Place(one.path, name, one.type.value))
        self._add("add column", name, one.type)
        if moves:
            moved = resettling.move(self.table, name, dotted(one.path), one.type)
            last = self.added[-1]
            details = f"with its values from {EXTRA}"
            self.added[-1] = replace(last, details=details, statements=(*last.statements, moved))

    def to_extra(self, path: Path) -> None:
        """Let a field stand in `_extra`."""
        self._leave(path)
        self.in_extra.add(path)
        self.new.append(Place(path, EXTRA))
        self.added.append(Change("keep in _extra", dotted(path)))

    def replace(self, path: Path, old: StoredColumn, kind: ColumnType, reason: str) -> None:
        """Give a field a sibling of its column, which cannot get the wider type; or `_extra`, if there is no room."""
        self.retire(path, old.name, old.type or kind)
        if not self.budget.take(kind):
            self.to_extra(path)
            self.new[-1] = replace(self.new[-1], sibling_of=old.name)
            self._warn(old.name, kind, f"the field stands in {EXTRA}", reason)
            return
        self._leave(path)
        word = _SHORT.get(kind, kind.value)
        name = free_name((f"{old.name}_{word}",), self.used)
        self.used.add(name)
        self.columns[path] = Column(name, path, kind)
        self.new.append(Place(path, name, kind.value, sibling_of=old.name))
        self._add("add sibling", name, kind, f"takes over from {old.name}: {reason}")
        self._warn(old.name, kind, f"its new values stand in column {name}", reason)

    def changes(self) -> list[Change]:
        """List the changes in the order in which they are made."""
        return [*self._normals(), *self._widening(), *self.added]

    def _normals(self) -> Iterator[Change]:
        """Normal columns come first: what a column says plainly before its type changes is taken over."""
        new = {one.column for one in self.normals.new}
        for one in self.normals.columns:
            if one.name in new:
                path, _ = one.wanted.path.split(self.columns)
                name = self.columns[path].name if path in self.columns else None
                source = next((old for old, _ in self.widened if old.name == name), None)
                done = normal_columns.adding(self.table, one, self.normals, source)
                yield Change("add normal column", one.name, None, one.type.value, one.wanted.path.text, done)

    def _widening(self) -> list[Change]:
        """All types change in one pass over the table, between the dropping of views and their making."""
        if not self.widened:
            return []
        pass_ = statements.change_types(self.table, [(old.name, old.type, kind) for old, kind in self.widened])
        changes = [Change("change type", old.name, old.sql_type, kind.value) for old, kind in self.widened]
        changes[0] = replace(changes[0], statements=rebuilt(self.views, pass_))
        return [*changes, *(Change("rebuild view", details=f"{v.schema}.{v.name}") for v in self.views)]

    def _add(self, kind: str, name: str, column_type: ColumnType, details: str | None = None) -> None:
        statement = statements.add_column(self.table, name, column_type)
        self.added.append(Change(kind, name, None, column_type.value, details, (statement,)))

    def _leave(self, path: Path) -> None:
        if path in self.places:
            self.left.append(self.places[path])

    def _warn(self, column: str, kind: ColumnType, instead: str, reason: str) -> None:
        self.warnings.append(
            f"Column {column} of {self.table.as_string()} should become {kind.value} and was left as it is, since "
            f"{reason}; {instead}. Readers combine the two with coalesce"
        )


def plan_columns(plan: TablePlan, draft: Draft, order: Iterable[Path]) -> TablePlan:
    """Put a draft's columns into a plan: those of the SCHEMA in its order, then the retired ones."""
    live = tuple(draft.columns[path] for path in order if path in draft.columns)
    places = {column.path: place for place, column in enumerate(live)}
    return replace(
        plan,
        columns=(*live, *draft.retired),
        in_extra=frozenset(draft.in_extra),
        normals=normal_columns.resolved(draft.normals.columns, places),
    )
