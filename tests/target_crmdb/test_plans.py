"""The merge finds stored rows by their key, whatever the planner knows of the table: no batch reads a whole table."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql

from target_crmdb import TargetCrmdb
from target_crmdb.buffer import Piece
from target_crmdb.database import open_connection
from target_crmdb.merge import Merge
from target_crmdb.modes import WriteMode
from target_crmdb.staging import StagingTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_crmdb.mapping import TablePlan
    from tests.target_crmdb.conftest import Loader, Singer


def plan_of(load: Loader, singer: Singer, columns: int, **settings: Any) -> TablePlan:
    """Make a table of so many columns as the target does, and give its plan."""
    target = TargetCrmdb(config={**load.config, "max_columns": 1000, **settings})
    target._process_schema_message(singer.schema({f"p{n}": singer.integer for n in range(columns)}))
    plan = target.sinks[0].plan
    target._close("success")
    return plan


def explained(load: Loader, plan: TablePlan, staged: int, *, in_order: bool = False) -> dict[str, Any]:
    """Give the plan of a merge of so many rows, in a session as the target opens it."""
    stage = StagingTable(plan, 1)
    with ExitStack() as stack:
        connection = open_connection(dict(TargetCrmdb(config=load.config).config), stack)
        with connection.transaction(), connection.cursor() as cursor:
            stage.begin(cursor)
            key = sql.Identifier(plan.match[0].staged)
            cursor.execute(
                sql.SQL("insert into {} ({}) select n::text from generate_series(1, %s) n").format(stage.name, key),
                (staged,),
            )
            merge = Merge(plan, stage.name, WriteMode())
            piece = Piece([], [], None, full=False, careful=False, is_sorted=in_order)
            cursor.execute(b"explain (format json, analyze) " + merge.statement(piece), (staged,))
            row = cursor.fetchone()
            assert row is not None
            return dict(row[0][0])


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def reads_of(found: dict[str, Any], table: str) -> list[str]:
    """How the stream's table is read."""
    reads = [
        node for node in nodes(found["Plan"]) if node.get("Relation Name") == table and "Scan" in node["Node Type"]
    ]
    return [f"{node['Node Type']} by {'key' if 'Index Cond' in node else 'nothing'}" for node in reads]


@pytest.mark.parametrize("columns", [5, 300])
@pytest.mark.parametrize("state", ["empty", "not analysed", "analysed when it was empty", "analysed"])
def test_rows_are_found_by_their_key(load: Loader, singer: Singer, columns: int, state: str) -> None:
    plan = plan_of(load, singer, columns)
    load.database.query("ALTER TABLE crm_test.contacts SET (autovacuum_enabled = off)")
    if state == "analysed when it was empty":
        load.database.query("ANALYZE crm_test.contacts")
    if state != "empty":
        load.database.query("INSERT INTO crm_test.contacts (id) SELECT n::text FROM generate_series(1, 20000) n")
    if state == "analysed":
        load.database.query("ANALYZE crm_test.contacts")
    for in_order in (False, True):
        found = explained(load, plan, 1000, in_order=in_order)
        assert {"Index Scan by key"} == set(reads_of(found, "contacts")), json.dumps(found, indent=1)[:5000]
        assert "JIT" not in found


def test_a_row_of_many_columns_is_compiled_by_nobody(load: Loader, singer: Singer) -> None:
    """A merge of 500 columns took 13 s with jit, 0.2 s without."""
    plan = plan_of(load, singer, 500)
    load.database.query("INSERT INTO crm_test.contacts (id) SELECT n::text FROM generate_series(1, 20000) n")
    found = explained(load, plan, 1000)
    assert "JIT" not in found
    assert {"Index Scan by key"} == set(reads_of(found, "contacts"))


def test_copies_of_a_bag_are_found_by_their_key(load: Loader, singer: Singer) -> None:
    plan = plan_of(load, singer, 5, load_method="append-only")
    load.database.query(
        "INSERT INTO crm_test.contacts (id, _crmdb_hash, _crmdb_copy)"
        " SELECT n::text, gen_random_uuid(), 1 FROM generate_series(1, 20000) n"
    )
    stage = StagingTable(plan, 1)
    with ExitStack() as stack:
        connection = open_connection(dict(TargetCrmdb(config=load.config).config), stack)
        with connection.transaction(), connection.cursor() as cursor:
            stage.begin(cursor)
            cursor.execute(
                sql.SQL("insert into {} (hash, copy) select gen_random_uuid(), 1 from generate_series(1, 1000)").format(
                    stage.name
                )
            )
            statement = Merge(plan, stage.name, WriteMode()).statement(Piece([], [], None, full=False, careful=False))
            cursor.execute(b"explain (format json) " + statement, (1000,))
            row = cursor.fetchone()
    assert row is not None
    assert {"Index Scan by key"} == set(reads_of(row[0][0], "contacts"))


def test_a_merge_is_parsed_once_and_planned_each_time(load: Loader, singer: Singer) -> None:
    """A kept plan, made for an empty table, would read all of a full one; a table may have a name with a percent."""
    plan = plan_of(load, singer, 5)
    load.database.query('ALTER TABLE crm_test.contacts RENAME TO "100%s"')
    plan = replace(plan, table="100%s")
    stage = StagingTable(plan, 1)
    merge = Merge(plan, stage.name, WriteMode())
    with ExitStack() as stack:
        connection = open_connection(dict(TargetCrmdb(config=load.config).config), stack)
        for number in range(3):
            with connection.transaction(), connection.cursor() as cursor:
                stage.begin(cursor)
                cursor.execute(
                    sql.SQL("insert into {} ({}) values ({}), ('twice'), ('twice')").format(
                        stage.name, sql.Identifier(plan.match[0].staged), sql.Literal(f"number {number}")
                    )
                )
                counts = merge.run(cursor, Piece([], [(0, b"")] * 3, None, full=False, careful=False))
                assert (counts.created, counts.unchanged, counts.deduplicated) == (1 + (number == 0), number > 0, 1)
        kept = connection.execute("select generic_plans, custom_plans from pg_prepared_statements").fetchall()
    assert kept == [(0, 3)]
