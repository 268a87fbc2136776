"""What hangs on a column: views that are ours and can be made again, or something that forbids to change its type."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

Cursor = psycopg.Cursor[tuple[Any, ...]]

# Plain indexes, keys, not-null constraints and statistics follow a column's type by themselves. Anything else that
# Postgres has noted as depending on it (pg_depend) does not, or not surely: views and rules, generated columns and
# defaults, policies, triggers, checks, foreign keys, indexes on expressions, functions, publications.
_OF_COLUMNS = """
select r.ev_class, pg_describe_object(d.classid, d.objid, d.objsubid)
from pg_depend d
join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
left join pg_index i on d.classid = 'pg_class'::regclass and i.indexrelid = d.objid
left join pg_class c on c.oid = i.indexrelid
left join pg_am m on m.oid = c.relam
left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid
where d.refclassid = 'pg_class'::regclass and d.refobjid = %s and a.attname = any(%s)
and d.classid <> 'pg_statistic_ext'::regclass
and (k.oid is null or k.contype not in ('p', 'u', 'n'))
and (i.indexrelid is null or m.amname <> 'btree' or i.indexprs is not null or i.indpred is not null)
"""
_OF_VIEW = """
select r.ev_class, pg_describe_object(d.classid, d.objid, d.objsubid)
from pg_depend d
left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
where d.deptype = 'n' and r.ev_class is distinct from %(view)s and (
    (d.refclassid = 'pg_class'::regclass and d.refobjid = %(view)s)
    or (d.refclassid = 'pg_type'::regclass and d.refobjid in (
        select t.oid from pg_class v join pg_type t on t.typrelid = v.oid where v.oid = %(view)s
        union all
        select t.typarray from pg_class v join pg_type t on t.typrelid = v.oid where v.oid = %(view)s
    ))
)
"""
# a view of ours: plain, in the model's schema, owned by us, without triggers, defaults or rules of its own
_IS_OURS = """
select relkind = 'v' and nspname = %s and pg_has_role(relowner, 'USAGE')
    and not exists (select from pg_trigger where tgrelid = c.oid)
    and not exists (select from pg_attrdef where adrelid = c.oid)
    and (select count(*) from pg_rewrite where ev_class = c.oid) = 1
from pg_class c join pg_namespace n on n.oid = relnamespace where c.oid = %s
"""


@dataclass
class Dependants:
    """The views to be made again, each behind those that it reads, and what stands in the way, in words."""

    views: list[int] = field(default_factory=list)
    hindrance: str | None = None


def dependants_of(cursor: Cursor, table: int, columns: Sequence[str], model_schema: str) -> Dependants:
    """Find what depends on any of these columns, directly or through views."""
    cursor.execute(_OF_COLUMNS, (table, list(columns)))
    found = Dependants()
    views: list[int] = []
    for view in _views(cursor.fetchall(), found):
        _visit(cursor, view, model_schema, views, found)
    found.views = views[::-1]
    return found


def _visit(cursor: Cursor, view: int, model_schema: str, done: list[int], found: Dependants) -> None:
    """Put a view behind all that depend on it (depth first)."""
    if found.hindrance or view in done:
        return
    cursor.execute(_IS_OURS, (model_schema, view))
    if cursor.fetchone() != (True,):
        found.hindrance = _described(cursor, view)
        return
    cursor.execute(_OF_VIEW, {"view": view})
    for other in _views(cursor.fetchall(), found):
        _visit(cursor, other, model_schema, done, found)
    done.append(view)


def _views(rows: list[tuple[Any, ...]], found: Dependants) -> Iterator[int]:
    """Yield the views among dependants; note the first that is none."""
    for view, description in rows:
        if view is None:
            found.hindrance = found.hindrance or str(description)
        else:
            yield int(view)


def _described(cursor: Cursor, oid: int) -> str:
    cursor.execute("select pg_describe_object('pg_class'::regclass, %s, 0)", (oid,))
    row = cursor.fetchone()
    return str(row[0]) if row else "a view"
