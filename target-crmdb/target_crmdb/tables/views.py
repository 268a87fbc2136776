"""Views that are dropped and made again around a change of type, with their options, comments, grants and owner."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

Cursor = psycopg.Cursor[tuple[Any, ...]]


@dataclass(frozen=True)
class View:
    """A view as it stands: its name, and the statements that make it again.

    One of the model's is made again without rows, since its text may not fit the new type; `is_hollow` says so, and
    whoever changes the type gives it its new text in the same transaction (model/views.py).
    """

    schema: str
    name: str
    create: tuple[sql.Composed, ...]
    is_hollow: bool = False

    @property
    def drop(self) -> sql.Composed:
        """The statement that drops it; it drops nothing else."""
        return sql.SQL("drop view {}").format(sql.Identifier(self.schema, self.name))


def rebuilt(views: Sequence[View], change: sql.Composed) -> tuple[sql.Composed, ...]:
    """Put a change between the dropping of views and their making; each view stands behind those that it reads."""
    drops = (view.drop for view in reversed(views))
    return (*drops, change, *(statement for view in views for statement in view.create))


def read_view(cursor: Cursor, oid: int) -> View:
    """Read a view's definition and all that belongs to it."""
    cursor.execute(
        "select nspname, relname, pg_get_viewdef(c.oid), coalesce(reloptions, '{}'), pg_get_userbyid(relowner)"
        " from pg_class c join pg_namespace n on n.oid = relnamespace where c.oid = %s",
        (oid,),
    )
    row = cursor.fetchone()
    assert row is not None
    schema, name, definition, options, owner = row
    view = sql.Identifier(schema, name)
    is_hollow = _is_of_the_model(cursor, schema, name)
    query = _hollow(cursor, oid) if is_hollow else sql.SQL(definition)
    create = sql.SQL("create view {}{} as {}").format(view, _options(options), query)
    owned = sql.SQL("alter view {} owner to {}").format(view, sql.Identifier(owner))
    return View(schema, name, (create, *_comments(cursor, oid, view), *_grants(cursor, oid, view), owned), is_hollow)


def _is_of_the_model(cursor: Cursor, schema: str, name: str) -> bool:
    cursor.execute("select 1 from model_views where view_schema = %s and view_name = %s", (schema, name))
    return cursor.fetchone() is not None


def _hollow(cursor: Cursor, oid: int) -> sql.Composed:
    cursor.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute where attrelid = %s and attnum > 0"
        " and not attisdropped order by attnum",
        (oid,),
    )
    columns = (
        sql.SQL("null::{} as {}").format(sql.SQL(kind), sql.Identifier(column)) for column, kind in cursor.fetchall()
    )
    return sql.SQL("select {} where false").format(sql.SQL(", ").join(columns))


def _options(options: Sequence[str]) -> sql.Composable:
    if not options:
        return sql.SQL("")
    pairs = (option.partition("=") for option in options)
    written = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value)) for name, _, value in pairs]
    return sql.SQL(" with ({})").format(sql.SQL(", ").join(written))


def _comments(cursor: Cursor, oid: int, view: sql.Identifier) -> Iterator[sql.Composed]:
    cursor.execute(
        "select attname, description from pg_description d"
        " left join pg_attribute a on a.attrelid = d.objoid and a.attnum = d.objsubid and d.objsubid > 0"
        " where d.classoid = 'pg_class'::regclass and d.objoid = %s",
        (oid,),
    )
    for column, text in cursor.fetchall():
        if column is None:
            yield sql.SQL("comment on view {} is {}").format(view, sql.Literal(text))
        else:
            yield sql.SQL("comment on column {}.{} is {}").format(view, sql.Identifier(column), sql.Literal(text))


def _grants(cursor: Cursor, oid: int, view: sql.Identifier) -> Iterator[sql.Composed]:
    """Yield what others may do with the view; what its owner may needs no grant."""
    cursor.execute(
        "select attname, privilege_type, case when grantee <> 0 then pg_get_userbyid(grantee) end, is_grantable from ("
        " select null::name as attname, relowner, (aclexplode(relacl)).* from pg_class where oid = %(view)s"
        " union all"
        " select attname, relowner, (aclexplode(attacl)).*"
        " from pg_attribute join pg_class c on c.oid = attrelid where c.oid = %(view)s"
        ") granted where grantee <> relowner",
        {"view": oid},
    )
    for column, privilege, role, grantable in cursor.fetchall():
        yield sql.SQL("grant {}{} on {} to {}{}").format(
            sql.SQL(privilege),
            sql.SQL(" ({})").format(sql.Identifier(column)) if column else sql.SQL(""),
            view,
            sql.Identifier(role) if role else sql.SQL("public"),
            sql.SQL(" with grant option" if grantable else ""),
        )
