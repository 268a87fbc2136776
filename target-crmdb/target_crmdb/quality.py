"""How good the data of a table are: how many of its typed fields have a valid value, and how many are at fault."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from target_crmdb.model.sources import SourceTable, read_sources

Cursor = psycopg.Cursor[tuple[Any, ...]]

_FAULTY: LiteralString = """
select field, count(*) from validation_issues
where table_schema = %s and table_name = %s and entity = %s and closed_at is null and key <> '' group by 1
union all
select null, count(distinct key) from validation_issues
where table_schema = %s and table_name = %s and entity = %s and closed_at is null and key <> ''
"""
_INSERT: LiteralString = """
insert into quality_scores (run_id, table_schema, table_name, source, entity, field, records, filled, faulty)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing
"""


def measure(
    connection: psycopg.Connection[tuple[Any, ...]], model_schema: str, run_id: int, names: Iterable[str]
) -> None:
    """Note how good these tables are after a run; `names` are qualified."""
    wanted = {*names}
    with connection.transaction(), connection.cursor() as cursor:
        # a load's session plans for single rows (database.py)
        cursor.execute("set local enable_seqscan = on; set local parallel_setup_cost = 0")
        for table in read_sources(cursor):
            if str(table) in wanted and table.says.entity:
                _measure(cursor, model_schema, run_id, table)


def _measure(cursor: Cursor, model_schema: str, run_id: int, table: SourceTable) -> None:
    entity = str(table.says.entity)
    fields = _judged_fields(table)
    counted = sql.SQL("select count(*){} from {} where source_table = {} and deleted_at is null").format(
        sql.SQL("").join(sql.SQL(", count({})").format(sql.Identifier(name)) for name in fields),
        sql.Identifier(model_schema, entity),
        sql.Literal(str(table)),
    )
    records, *filled = cursor.execute(counted).fetchone() or (0,)
    place = (table.schema, table.name, entity)
    faulty: Mapping[str | None, int] = dict(cursor.execute(_FAULTY, (*place, *place)).fetchall())
    about = (run_id, table.schema, table.name, table.mapping.source, entity)
    rows = [(*about, name, records, number, faulty.get(name, 0)) for name, number in zip(fields, filled, strict=True)]
    at_fault = faulty.get(None, 0)
    cursor.executemany(_INSERT, [(*about, "", records, max(0, records - at_fault), at_fault), *rows])


def _judged_fields(table: SourceTable) -> Sequence[str]:
    """Name the canonical fields that the table fills and whose values are judged: any text is a text."""
    entity = table.mapping.model.entities.get(table.says.entity or "")
    mapped = {one.field for one in table.says.fields}
    known = entity.fields.values() if entity else ()
    return [one.name for one in known if one.name in mapped and one.type != "text"]
