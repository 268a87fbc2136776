"""Making the model's views what they should be, so that nobody who reads them waits for long.

A view is replaced in place, and what depends on it stays. Only where a column goes or gets another type is it dropped
and made anew; if anything depends on it, it stays as it is, and what is in the way is said.
"""

import hashlib
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import errors, sql

from target_crmdb.locks import advisory_key
from target_crmdb.mapping.canonical import Entity, Model
from target_crmdb.mapping.reading import shipped_model
from target_crmdb.model.place import ViewPlace
from target_crmdb.model.select import Definition, define
from target_crmdb.model.sources import SourceTable, read_sources

Cursor = psycopg.Cursor[tuple[Any, ...]]

_logger = logging.getLogger(__name__)
_BUDGET = 1.0
"""Seconds that one attempt may wait for readers to finish, and make others wait behind it."""
_PAUSE = 2.0
_COLUMNS = """
select attname, format_type(atttypid, atttypmod) from pg_attribute
where attrelid = %s and attnum > 0 and not attisdropped order by attnum
"""
_DEPENDANTS = """
select distinct pg_describe_object('pg_class'::regclass, r.ev_class, 0)
from pg_depend d join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
where d.refclassid = 'pg_class'::regclass and d.refobjid = %(view)s and r.ev_class <> %(view)s
union
select pg_describe_object(d.classid, d.objid, d.objsubid)
from pg_depend d join pg_class c on c.oid = %(view)s
where d.classid <> 'pg_rewrite'::regclass and d.deptype = 'n' and (
    (d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid)
    or (d.refclassid = 'pg_type'::regclass and d.refobjid = c.reltype)
)
"""


@dataclass(frozen=True)
class PlannedView:
    """What is to be done about one view: statements, or the reason why nothing can be done."""

    name: str
    digest: str = ""
    statements: tuple[sql.Composed, ...] = ()
    waits_for: str | None = None


@dataclass
class Rebuilt:
    """What became of the views; `is_done` says whether all that can be made is made."""

    made: list[str] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    is_done: bool = True


def rebuild(connection: psycopg.Connection[tuple[Any, ...]], place: ViewPlace, *, patience: float = 0.0) -> Rebuilt:
    """Make all views what they should be, in one transaction; tried again for `patience` seconds."""
    until = time.monotonic() + patience
    while True:
        try:
            with connection.transaction(), connection.cursor() as cursor:
                return _rebuild(cursor, place)
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            if time.monotonic() >= until:
                return Rebuilt(is_done=False)
            time.sleep(_PAUSE)


def restore(cursor: Cursor, place: ViewPlace, names: Sequence[str]) -> None:
    """Give views of ours their text that have none, in the caller's transaction, which made them."""
    for one in planned_views(cursor, place, hollow=names):
        if one.name in names:
            for statement in one.statements:
                cursor.execute(statement)
            _record(cursor, place.schema, one)


def planned_views(cursor: Cursor, place: ViewPlace, *, hollow: Sequence[str] = ()) -> list[PlannedView]:
    """List the views that are not what they should be, and those that have no text; changes nothing."""
    tables = read_sources(cursor, place.own, place.target_schema)
    known = _known(cursor, place.schema) | dict.fromkeys(hollow, ("", None))
    if not tables and not known:
        return []
    found = [
        planned
        for entity in _model(tables, place).entities.values()
        if (planned := _plan(cursor, place.schema, define(entity, tables), known.get(entity.name))) is not None
    ]
    return [one for one in found if one.statements or one.waits_for]


def _rebuild(cursor: Cursor, place: ViewPlace) -> Rebuilt:
    cursor.execute("select pg_advisory_xact_lock(%s)", (advisory_key("model", place.schema),))
    done = Rebuilt()
    planned = planned_views(cursor, place)
    if any(one.statements for one in planned):
        _make_schema(cursor, place.schema)
    until = time.monotonic() + _BUDGET
    for one in planned:
        if one.waits_for is not None:
            done.waiting[one.name] = one.waits_for
        for statement in one.statements:
            _limit_waiting(cursor, until)
            cursor.execute(statement)
        if one.statements:
            done.made.append(one.name)
        _record(cursor, place.schema, one)
    return done


def _limit_waiting(cursor: Cursor, until: float) -> None:
    left = max(1, int((until - time.monotonic()) * 1000))
    cursor.execute("select set_config('lock_timeout', %s, true)", (str(left),))


def _model(tables: Sequence[SourceTable], place: ViewPlace) -> Model:
    """Give the entities of all mappings together; what two of them add under one name is the first one's."""
    entities: dict[str, Entity] = dict(shipped_model().entities)
    models = [*([place.own.model] if place.own else []), *(table.mapping.model for table in tables)]
    for model in models:
        for name, entity in model.entities.items():
            old = entities.get(name, entity)
            entities[name] = Entity(name, old.description, {**entity.fields, **old.fields})
    return Model({name: _ordered(entity) for name, entity in entities.items()})


def _ordered(entity: Entity) -> Entity:
    """Put the shipped fields first, in their order."""
    shipped = shipped_model().entities.get(entity.name)
    first = shipped.fields if shipped else {}
    return Entity(entity.name, entity.description, {**first, **entity.fields})


def _known(cursor: Cursor, schema: str) -> dict[str, tuple[str, str | None]]:
    cursor.execute("select view_name, digest, waits_for from model_views where view_schema = %s", (schema,))
    return {name: (digest, waits_for) for name, digest, waits_for in cursor.fetchall()}


@dataclass(frozen=True)
class _Stored:
    """A relation of a view's name as it stands: its columns with their types, in their order."""

    oid: int
    columns: dict[str, str]


def _stored(cursor: Cursor, schema: str, name: str) -> _Stored | None:
    found = cursor.execute(
        "select c.oid from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = %s and relname = %s",
        (schema, name),
    ).fetchone()
    if found is None:
        return None
    return _Stored(int(found[0]), {str(row[0]): str(row[1]) for row in cursor.execute(_COLUMNS, found).fetchall()})


def _plan(
    cursor: Cursor, schema: str, definition: Definition, known: tuple[str, str | None] | None
) -> PlannedView | None:
    name = definition.entity.name
    stored = _stored(cursor, schema, name)
    if stored is not None and known is None:
        return PlannedView(name, waits_for=f"{schema}.{name} is there already and was not made by target-crmdb")
    wanted = {column: kind.value for column, kind in definition.types.items()}
    before = stored.columns if stored else {}
    is_kept = before.items() <= wanted.items()
    order = [*before, *(column for column in wanted if column not in before)] if is_kept else [*wanted]
    query = definition.select(order)
    digest = hashlib.blake2b(query.as_bytes(), digest_size=16).hexdigest()
    if stored is not None and known == (digest, None):
        return None
    if stored is not None and not is_kept and (hindrances := _dependants(cursor, stored)):
        reason = f"{', '.join(hindrances)} uses it, and it must lose a column or change the type of one"
        return PlannedView(name, waits_for=reason)
    view = sql.Identifier(schema, name)
    make = sql.SQL("create or replace view {} as {}").format(view, query)
    drop = () if is_kept else (sql.SQL("drop view {}").format(view),)
    return PlannedView(name, digest, (*drop, make, _described(view, definition)))


def _dependants(cursor: Cursor, view: _Stored) -> list[str]:
    cursor.execute(_DEPENDANTS, {"view": view.oid})
    return sorted(str(row[0]) for row in cursor.fetchall())


def _described(view: sql.Identifier, definition: Definition) -> sql.Composed:
    said = [sql.SQL("comment on view {} is {}").format(view, sql.Literal(definition.entity.description))]
    said += [
        sql.SQL("comment on column {}.{} is {}").format(view, sql.Identifier(name), sql.Literal(text))
        for name, text in definition.comments()
    ]
    return sql.SQL("; ").join(said)


def _make_schema(cursor: Cursor, schema: str) -> None:
    if not cursor.execute("select 1 from pg_namespace where nspname = %s", (schema,)).fetchone():
        cursor.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))


def _record(cursor: Cursor, schema: str, one: PlannedView) -> None:
    if one.waits_for is not None:
        cursor.execute(
            "update model_views set waits_for = %s where view_schema = %s and view_name = %s",
            (one.waits_for, schema, one.name),
        )
        return
    cursor.execute(
        "insert into model_views (view_schema, view_name, digest) values (%s, %s, %s)"
        " on conflict (view_schema, view_name) do update"
        " set digest = excluded.digest, made_at = now(), waits_for = null",
        (schema, one.name, one.digest),
    )


def tell(rebuilt: Rebuilt, schema: str) -> Iterator[str]:
    """Yield what somebody should know."""
    for name, reason in rebuilt.waiting.items():
        yield f"View {schema}.{name} stays as it was: {reason}. Change that, and run `crmdb mapping apply`"
    if not rebuilt.is_done:
        yield f"The views in {schema} are in use; they stay as they were until the next run or `crmdb mapping apply`"


def refresh(connection: psycopg.Connection[tuple[Any, ...]], place: ViewPlace, *, patience: float = 0.0) -> bool:
    """Rebuild for a load, which goes on whatever becomes of views; tell whether there is nothing left to do."""
    try:
        done = rebuild(connection, place, patience=patience)
    except psycopg.Error as error:
        if connection.closed:
            raise
        _logger.warning(
            "The views in %s could not be made (%s %s); the load goes on, and `crmdb mapping apply` makes them",
            *(place.schema, error.sqlstate, type(error).__name__),
        )
        return True
    if patience or done.is_done:
        for line in tell(done, place.schema):
            _logger.warning(line)
    return done.is_done
