"""The indexes that the model asks for, made once the rows are in."""

import logging
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql

from target_crmdb.mapping.source import FieldMapping
from target_crmdb.mapping.wanted import form_of
from target_crmdb.model.sources import SourceTable, read_sources

Cursor = psycopg.Cursor[tuple[Any, ...]]

_logger = logging.getLogger(__name__)
_INDEXED = """
select a.attname from pg_index i
join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
where nspname = %s and relname = %s and indisvalid and indpred is null
"""


def make_indexes(connection: psycopg.Connection[tuple[Any, ...]], schema: str | None = None) -> int:
    """Index the normal columns of fields that people look up, in one target schema or in all; give their number.

    Readers go on; a table's writers wait. A load goes on whatever becomes of indexes.
    """
    made = 0
    try:
        with connection.cursor() as cursor:
            missing = list(_missing(cursor, schema))
        for table, column in missing:
            connection.execute(
                sql.SQL("create index on {} ({})").format(
                    sql.Identifier(table.schema, table.name), sql.Identifier(column)
                )
            )
            made += 1
    except psycopg.Error as error:
        if connection.closed:
            raise
        _logger.warning(
            "An index for the model's views could not be made (%s %s); `crmdb mapping apply` tries again",
            *(error.sqlstate, type(error).__name__),
        )
    return made


def _missing(cursor: Cursor, schema: str | None) -> Iterator[tuple[SourceTable, str]]:
    for table in read_sources(cursor):
        wanted = [*_columns(table)] if schema in {None, table.schema} else []
        if wanted:
            cursor.execute(_INDEXED, (table.schema, table.name))
            there = {row[0] for row in cursor.fetchall()}
            yield from ((table, column) for column in dict.fromkeys(wanted) if column not in there)


def _columns(table: SourceTable) -> Iterator[str]:
    entity = table.mapping.model.entities.get(table.says.entity or "")
    if entity is None:
        return
    for one in table.says.fields:
        place = table.normals.get(_signature(one))
        if entity.fields[one.field].is_index and place is not None:
            yield place.column


def _signature(one: FieldMapping) -> tuple[str, str]:
    return one.path.text, form_of(one)[1]
