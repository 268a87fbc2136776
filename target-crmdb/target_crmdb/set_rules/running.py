"""Running the rules over many records, once after a load, over what it has changed."""

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from target_crmdb.mapping.canonical import LINKS
from target_crmdb.model.expressions import Reader
from target_crmdb.model.sources import SourceTable, read_sources
from target_crmdb.server_errors import is_transient
from target_crmdb.set_rules.reading import SetRule

Cursor = psycopg.Cursor[tuple[Any, ...]]
_logger = logging.getLogger(__name__)

# a load looks single rows up and its session plans for that (database.py); rules read whole tables, and of what they
# find nothing is known beforehand, so that a nested loop that looks cheap may be quadratic
_WHOLE_TABLES: LiteralString = """
set local enable_hashjoin = on; set local enable_seqscan = on; set local enable_nestloop = off;
set local parallel_setup_cost = 0; set local parallel_tuple_cost = 0.001
"""
_CHANGED: LiteralString = """
create temporary table changed (
    entity text, crm_source text, source_table text, source_id text
) on commit drop
"""
_JUDGED: LiteralString = """
update tables set unjudged_since = null where table_schema || '.' || table_name = any(%s)
"""
# apart from what writes, so that several processes may read the tables
_JUDGE: LiteralString = """
create temporary table judged on commit drop as
with standing as materialized (
    select table_schema || '.' || table_name as source_table, key as source_id from validation_issues
    where kind = 'set' and rule = {rule} and closed_at is null
)
select q.source_table::text, q.source_id::text, {is_broken} as is_broken, {reason} as reason from (
{query}
) q left join standing s on (s.source_table, s.source_id) = (q.source_table::text, q.source_id::text)
where {is_broken} or s.source_id is not null
"""
_SETTLE: LiteralString = """
with broken as (
    select distinct on (t.table_schema, t.table_name, j.source_id)
        coalesce(t.source, t.table_schema) as source, t.table_schema, t.table_name, t.stream, j.source_id, j.reason
    from judged j join tables t on t.table_schema || '.' || t.table_name = j.source_table
    where j.is_broken and j.source_id is not null
), opened as (
    insert into validation_issues as i (
        run_id, source, table_schema, table_name, stream, entity, key, kind, field, rule, level, reason
    )
    select {run}, source, table_schema, table_name, stream, {entity}, source_id, 'set', '', {rule}, 'lenient', reason
    from broken
    on conflict (table_schema, table_name, key, field, rule) where closed_at is null do update
    set reason = excluded.reason, changed_at = now() where i.reason is distinct from excluded.reason
    returning 1
), closed as (
    update validation_issues i set closed_at = now(), closed_run_id = {run}
    where i.kind = 'set' and i.rule = {rule} and i.closed_at is null
        and not exists (
            select from broken b
            where (b.table_schema, b.table_name, b.source_id) = (i.table_schema, i.table_name, i.key)
        ) and {is_judged}
    returning 1
)
select (select count(*) from opened), (select count(*) from closed)
"""
_IS_NAMED: LiteralString = """
exists (select from judged j where j.source_table = i.table_schema || '.' || i.table_name and j.source_id = i.key)
"""
_GONE: LiteralString = """
with gone as materialized (
    select i.issue_id from validation_issues i
    where i.table_schema = {schema} and i.table_name = {table} and i.closed_at is null and i.key <> ''
        and i.entity <> {links}
        and not exists (select from {name} t where t._sdc_deleted_at is null and {key} = i.key)
)
update validation_issues i set closed_at = now(), closed_run_id = {run}
where i.issue_id = any(array(select issue_id from gone))
"""


class SetRules:
    """The rules of one run; what goes wrong with one is a warning, since the rows are loaded."""

    def __init__(self, rules: Sequence[SetRule], model_schema: str, bookkeeping: str, *, max_shared_email: int) -> None:
        self._rules = rules
        self._path = sql.SQL(", ").join([sql.Identifier(model_schema), sql.Identifier(bookkeeping)])
        self._max_shared_email = max_shared_email

    def run(
        self,
        connection: psycopg.Connection[tuple[Any, ...]],
        run_id: int,
        since: Mapping[str, str],
        shrunk: Collection[str],
    ) -> None:
        """Run all rules over the rows of some tables that were changed since a transaction of each; they are judged.

        `shrunk` are those tables among them that may have lost rows meanwhile.
        """
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(sql.SQL("set local search_path to {}").format(self._path))
            cursor.execute("select set_config('crmdb.max_shared_email', %s, true)", (str(self._max_shared_email),))
            cursor.execute(_JUDGED, ([*since],))
            tables = [table for table in read_sources(cursor) if str(table) in since and table.says.entity]
            if not tables:
                return
            cursor.execute(_WHOLE_TABLES)
            self._note_changed(cursor, tables, since)
            for table in tables:
                if str(table) in shrunk:
                    self._close_gone(cursor, table, run_id)
            for rule in self._rules:
                self._ask(cursor, rule, run_id)

    @staticmethod
    def _note_changed(cursor: Cursor, tables: Sequence[SourceTable], since: Mapping[str, str]) -> None:
        cursor.execute(_CHANGED)
        for table in tables:
            cursor.execute(
                sql.SQL(
                    "insert into changed select {}, {}, {}, {} from {} t where age(t.xmin) <= age({}::xid8::xid)"
                ).format(
                    *map(sql.Literal, (table.says.entity, table.mapping.source, str(table))),
                    Reader(table).source_id(),
                    sql.Identifier(table.schema, table.name),
                    sql.Literal(since[str(table)]),
                )
            )

    @staticmethod
    def _close_gone(cursor: Cursor, table: SourceTable, run_id: int) -> None:
        """Close what was wrong with records that a sweep has found to be gone; tombstones have done so themselves."""
        keys = [sql.SQL("t.{}").format(sql.Identifier(name)) for name in _key_columns(table)]
        if keys and "_sdc_deleted_at" in table.stored:
            cursor.execute(
                sql.SQL(_GONE).format(
                    run=sql.Literal(run_id),
                    schema=sql.Literal(table.schema),
                    table=sql.Literal(table.name),
                    links=sql.Literal(LINKS),
                    name=sql.Identifier(table.schema, table.name),
                    key=sql.SQL("concat_ws(':', {})").format(sql.SQL(", ").join(keys)),
                )
            )

    def _ask(self, cursor: Cursor, rule: SetRule, run_id: int) -> None:
        query = sql.SQL(rule.query)
        try:
            with cursor.connection.transaction():
                cursor.execute(sql.SQL("select * from (\n{}\n) q limit 0").format(query))
                columns = {column.name for column in cursor.description or ()}
                cursor.execute(_judging(rule, query, columns))
                cursor.execute(_settling(rule, columns, run_id))
                opened, closed = cursor.fetchone() or (0, 0)
                cursor.execute("drop table judged")
        except psycopg.Error as error:
            if is_transient(error):
                raise  # the next run asks all rules again
            _logger.warning(
                "Rule %s could not be asked (%s %s); correct it, or switch it off in the setting rules",
                *(rule.name, error.sqlstate, type(error).__name__),
            )
            return
        if opened or closed:
            _logger.info(
                "Rule %s: %d records break it that did not before, %d do not any more", rule.name, opened, closed
            )


def _judging(rule: SetRule, query: sql.SQL, columns: set[str]) -> sql.Composed:
    return sql.SQL(_JUDGE).format(
        query=query,
        is_broken=sql.SQL("coalesce(q.is_broken, false)" if "is_broken" in columns else "true"),
        reason=sql.SQL("q.reason::text") if "reason" in columns else sql.Literal(rule.reason),
        rule=sql.Literal(rule.name),
    )


def _settling(rule: SetRule, columns: set[str], run_id: int) -> sql.Composed:
    return sql.SQL(_SETTLE).format(
        is_judged=sql.SQL(_IS_NAMED if "is_broken" in columns else "true"),
        run=sql.Literal(run_id),
        entity=sql.Literal(rule.entity),
        rule=sql.Literal(rule.name),
    )


def _key_columns(table: SourceTable) -> list[str]:
    return [table.places[key,] for key in table.keys if (key,) in table.places]
