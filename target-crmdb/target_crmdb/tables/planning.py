"""From what a SCHEMA asks for and what the database has to a table's plan; reads only, changes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import sql

from target_crmdb.exceptions import ConfigError, CrmdbError
from target_crmdb.mapping import (
    DELETED_AT,
    EXTRA,
    ColumnType,
    Field,
    Path,
    TablePlan,
    dotted,
    fields_of,
    free_name,
    name_columns,
)
from target_crmdb.tables import adoption, record, statements
from target_crmdb.tables.budget import Budget, cost, stored_cost
from target_crmdb.tables.catalog import StoredTable, is_empty, read_table, table_bytes
from target_crmdb.tables.changes import Change, TableChange
from target_crmdb.tables.draft import Draft, plan_columns
from target_crmdb.tables.fitting import Fitting
from target_crmdb.tables.normal_columns import NormalSituation, draft_normals, known_normals
from target_crmdb.tables.record import Place
from target_crmdb.tables.request import TableRequest
from target_crmdb.tables.resettling import undeclared_before

Cursor = psycopg.Cursor[tuple[Any, ...]]
_Named = Mapping[Path, str]


@dataclass(frozen=True)
class _Situation:
    """What there is: the table's name, the relation of that name, and the places of the stream's fields."""

    request: TableRequest
    table: str
    stored: StoredTable | None
    is_recorded: bool
    places: Sequence[Place]

    @property
    def is_adopted(self) -> bool:
        """Whether the table is someone else's, to be taken over."""
        return self.stored is not None and not self.is_recorded

    @property
    def undeclared(self) -> Literal["keep", "discard", "reject"]:
        """What becomes of values without a column; a table that is made now has one for every field."""
        if self.request.policy == "discard_value":
            return "discard"
        return "reject" if self.request.policy == "reject_row" else "keep"

    @property
    def name(self) -> sql.Identifier:
        """The table's qualified name."""
        return sql.Identifier(self.request.schema, self.table)

    def active(self) -> dict[Path, Place]:
        """Give where fields stand now."""
        return {place.path: place for place in self.places if not place.retired}


def plan_table(cursor: Cursor, request: TableRequest) -> TableChange:
    """Plan the table that holds what the SCHEMA declares, and list what is missing to it.

    Reads the catalogues and the record of names, and changes nothing. Raises ConfigError for a relation that cannot
    be loaded as it is, and CrmdbError for a change that cannot be followed or that `schema_change: freeze` forbids.
    """
    situation = _look(cursor, request)
    fields = _fields(request)
    names = _names(situation, fields)
    stored = situation.stored
    if situation.is_adopted and stored is not None:
        wanted = {one.path: (names[one.path], one.type) for one in fields}
        adoption.check(cursor, request, situation.table, stored, wanted)
    draft = _draft(situation, names)
    if stored is not None:
        _fit(Fitting(cursor, request, situation.table, stored), situation, draft, fields, names)
    first = [one for one in fields if one.path in request.mapped or one.path[:1] in _leading(request)]
    _place(cursor, situation, draft, first, names)
    _add_normals(cursor, situation, draft)
    _place(cursor, situation, draft, fields, names)
    return _change(cursor, situation, draft, fields)


def _look(cursor: Cursor, request: TableRequest) -> _Situation:
    known = record.table_name(cursor, request)
    table = known or free_name(request.name, record.table_names(cursor, request.schema))
    stored = read_table(cursor, request.schema, table)
    if known and stored and not stored.is_table:
        raise ConfigError(
            f"{request.schema}.{table}, the table of stream {request.stream}, is no table any more; rename what has "
            "its name, and the table is made anew"
        )
    places = record.places(cursor, request.schema, table) if known else []
    return _Situation(request, table, stored, known is not None, places)


def _fields(request: TableRequest) -> list[Field]:
    """List the fields: the key, the replication key and the deletion lead."""
    fields = fields_of(request.json_schema, request.spread, request.leading)
    if {(key,) for key in request.keys} - {one.path for one in fields}:
        raise CrmdbError(f"Stream {request.stream} has key properties that its SCHEMA does not declare; mend the tap")
    return fields


def _names(situation: _Situation, fields: Sequence[Field]) -> dict[Path, str]:
    """Name the fields that have or could get a column; a name once given stays.

    A column that a user has added to a table of ours is never a field's; one of a table that is adopted may be.
    """
    active = situation.active()
    given = {path: place.column for path, place in active.items() if place.column != EXTRA}
    given[DELETED_AT,] = DELETED_AT
    taken = {*situation.request.technical, *(place.column for place in situation.places)}
    if situation.stored is not None and not situation.is_adopted:
        taken |= set(situation.stored.columns)
    homeless = {path for path, place in active.items() if place.column == EXTRA}
    return name_columns((one.path for one in fields if one.path not in homeless), given, taken=taken)


def _draft(situation: _Situation, names: _Named) -> Draft:
    """Begin with what the table has: its columns are spent, whatever becomes of the fields."""
    stored = situation.stored.columns if situation.stored else {}
    technical = {name: kind for name, kind in situation.request.technical.items() if name not in stored}
    costs = [*map(stored_cost, stored.values()), *map(cost, technical.values())]
    attributes = situation.stored.attributes if situation.stored else 0
    return Draft(
        table=situation.name,
        budget=Budget.of(situation.request.max_columns, costs, attributes),
        used={*stored, *situation.request.technical, *names.values(), *(place.column for place in situation.places)},
        places=situation.active(),
    )


def _fit(fitting: Fitting, situation: _Situation, draft: Draft, fields: Sequence[Field], names: _Named) -> None:
    """Fit the fields that have a column, before others take what room is left."""
    stored = fitting.stored
    for name, kind in situation.request.technical.items():
        if name in stored.columns and stored.columns[name].type != kind:
            raise fitting.foreign(stored.columns[name], kind)
    for one in fields:
        column = stored.columns.get(names.get(one.path, EXTRA))
        if one.path != (DELETED_AT,) and one.path in names and column is not None:
            fitting.fit(draft, one, column)
    draft.views = fitting.views(draft)
    declared = {one.path for one in fields}
    for place in situation.places:
        column = stored.columns.get(place.column)
        if place.retired and place.path in declared and column is not None and column.type is not None:
            draft.retire(place.path, column.name, column.type)


def _place(cursor: Cursor, situation: _Situation, draft: Draft, fields: Sequence[Field], names: _Named) -> None:
    """Place the fields that have no column yet, in the order of the SCHEMA."""
    stored = situation.stored
    is_fixed = stored is not None and situation.undeclared != "keep"
    moving: set[str] = set()
    if stored is not None and not is_fixed:
        new = [dotted(one.path) for one in fields if one.path in names and one.path not in draft.placed]
        moving = undeclared_before(cursor, situation.request, situation.table, stored, new)
    for one in fields:
        if one.path == (DELETED_AT,):
            draft.keep_technical(one)
        elif one.path not in names:
            draft.in_extra.add(one.path)
        elif one.path not in draft.placed and not is_fixed:
            draft.add(one, names[one.path], moves=dotted(one.path) in moving)


def _leading(request: TableRequest) -> set[Path]:
    return {(name,) for name in request.leading}


def _add_normals(cursor: Cursor, situation: _Situation, draft: Draft) -> None:
    """Plan the normal columns, before fields that nobody maps take what room is left."""
    request, stored = situation.request, situation.stored
    known = known_normals(cursor, request.schema, situation.table) if situation.is_recorded else []
    if not (request.normals or known):
        return
    size = table_bytes(cursor, stored.oid) if stored else 0
    draft.normals = draft_normals(
        request.normals,
        {path: column.type for path, column in draft.columns.items()},
        draft.in_extra,
        NormalSituation(
            stored=stored.columns if stored else {},
            known=known,
            budget=draft.budget,
            used=draft.used,
            is_empty=stored is None or is_empty(cursor, situation.name),
            may_add=stored is None or request.policy != "freeze",
            may_rewrite=size <= request.max_rewrite_bytes,
        ),
    )
    if waiting := [one.path for one in draft.normals.new if not one.is_filled]:
        draft.warnings.append(
            f"{request.schema}.{situation.table} gets columns for the normal forms of {', '.join(waiting)}; for the "
            "rows that are there they are null until `crmdb mapping apply` has computed them"
        )
    if without := draft.normals.without_room:
        draft.warnings.append(
            f"{request.schema}.{situation.table} has no room for the normal forms of {', '.join(without)}; "
            "in the model's views they are null. Deselect fields that nobody needs, or raise max_columns"
        )


def _change(cursor: Cursor, situation: _Situation, draft: Draft, fields: Sequence[Field]) -> TableChange:
    _refuse_if_frozen(situation, draft)
    plan = plan_columns(_plan(situation, fields), draft, [one.path for one in fields])
    active = situation.active()
    return TableChange(
        request=situation.request,
        plan=plan,
        changes=tuple(_changes(cursor, situation, draft, plan)),
        new=tuple(draft.new),
        left=tuple(draft.left),
        retyped=tuple(
            Place(column.path, column.name, column.type.value)
            for column in plan.columns
            if column.path in active and active[column.path].column == column.name != DELETED_AT
            if active[column.path].type != column.type.value
        ),
        is_recorded=situation.is_recorded,
        warnings=tuple(draft.warnings),
        normals=draft.normals,
        hollow=tuple(view.name for view in draft.views if view.is_hollow),
    )


def _plan(situation: _Situation, fields: Sequence[Field]) -> TablePlan:
    """Give what is known of the plan before its columns are."""
    request = situation.request
    return TablePlan(
        schema=request.schema,
        table=situation.table,
        stream=request.stream,
        columns=(),
        keys=request.keys,
        replication_key=request.replication_key,
        spread=request.spread if request.spreads else None,
        tells_deletion=any(one.path == (DELETED_AT,) for one in fields),
        record_metadata=request.record_metadata,
        undeclared=situation.undeclared,
    )


def _changes(cursor: Cursor, situation: _Situation, draft: Draft, plan: TablePlan) -> Iterator[Change]:
    if situation.stored is None:
        yield _creation(cursor, situation, plan)
        return
    if situation.is_adopted:
        yield Change("adopt table")
    for name, kind in situation.request.technical.items():
        if name not in situation.stored.columns:
            statement = statements.add_column(situation.name, name, kind)
            yield Change("add column", name, None, kind.value, statements=(statement,))
    yield from draft.changes()


def _creation(cursor: Cursor, situation: _Situation, plan: TablePlan) -> Change:
    types: dict[str, ColumnType] = {column.name: column.type for column in plan.written}
    keys = [column.name for column in plan.match]
    create = statements.create_table(situation.name, types | situation.request.technical, keys)
    cursor.execute("select 1 from pg_namespace where nspname = %s", (plan.schema,))
    first = () if cursor.fetchone() else (statements.create_schema(plan.schema),)
    return Change("create table", statements=(*first, create))


def _refuse_if_frozen(situation: _Situation, draft: Draft) -> None:
    """Fail where the SCHEMA asks for anything that the table does not have."""
    misfits = [
        f"change type {column.name} from {column.type.value}" for column in draft.columns.values() if column.misfit
    ]
    wanted = [*map(str, draft.added), *misfits]
    if situation.request.policy == "freeze" and situation.stored is not None and wanted:
        raise CrmdbError(
            f"The SCHEMA of stream {situation.request.stream} asks for changes of {situation.request.schema}."
            f"{situation.table}, and schema_change is freeze: {'; '.join(wanted)}. Nothing was loaded; make these "
            "changes yourself, deselect the fields in the tap, or set another policy in stream_schema_change"
        )
