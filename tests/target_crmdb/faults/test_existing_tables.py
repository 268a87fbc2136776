"""Tables that are there before the target, or must change: adopted, changed, or refused with a plan; never dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.target_crmdb.faults.conftest import statuses

if TYPE_CHECKING:
    from typing import LiteralString

    from tests.target_crmdb.conftest import Loader, Message, Singer
    from tests.target_crmdb.faults.conftest import Starter

FITTING = "id text PRIMARY KEY, at timestamptz, v bigint"
FOREIGN: dict[str, LiteralString] = {
    "fitting": f"CREATE TABLE crm_test.contacts ({FITTING})",
    "wrong type": "CREATE TABLE crm_test.contacts (id text PRIMARY KEY, at timestamptz, v date)",
    "narrower type": "CREATE TABLE crm_test.contacts (id varchar(40) PRIMARY KEY, at timestamptz, v smallint)",
    "key of another type": "CREATE TABLE crm_test.contacts (id integer PRIMARY KEY, at timestamptz, v bigint)",
    "missing columns": "CREATE TABLE crm_test.contacts (id text PRIMARY KEY)",
    "no primary key": "CREATE TABLE crm_test.contacts (id text, at timestamptz, v bigint)",
    "another primary key": "CREATE TABLE crm_test.contacts (id text, at timestamptz, v bigint, k int PRIMARY KEY)",
    "a column that must be filled": f"CREATE TABLE crm_test.contacts ({FITTING}, extra text NOT NULL)",
    "a view": "CREATE VIEW crm_test.contacts AS SELECT '7'::text AS id, now() AS at, 7::bigint AS v",
    "a partitioned table": f"CREATE TABLE crm_test.contacts ({FITTING}) PARTITION BY HASH (id)",
    "a foreign owner": f"CREATE TABLE crm_test.contacts ({FITTING})",
}
REFUSED = {"key of another type", "a column that must be filled", "a view", "another primary key"}


def relation(load: Loader) -> list[tuple[Any, ...]]:
    """What kind of thing it is, its columns and its number."""
    rows: list[tuple[Any, ...]] = load.database.query(
        "SELECT c.oid, c.relkind, array_agg((a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull)::text"
        " ORDER BY a.attnum) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
        " WHERE c.oid = 'crm_test.contacts'::regclass GROUP BY c.oid, c.relkind"
    )
    return rows


@pytest.mark.parametrize("kind", FOREIGN)
def test_t12_a_table_of_someone_else_is_adopted_or_refused_and_its_rows_stay(
    load: Loader, start: Starter, singer: Singer, kind: str
) -> None:
    """T12: refused with exit code 78 and a line that names the table and a way out, then it is as it was."""
    load.database.query("CREATE SCHEMA crm_test")
    load.database.query(FOREIGN[kind])
    if kind not in REFUSED and kind != "a partitioned table":
        load.database.query("INSERT INTO crm_test.contacts (id) VALUES ('7')")
    before = relation(load)
    rows = load.table("to_jsonb(contacts)") if kind != "a view" else []
    run = start.whole(singer.schema({"v": singer.integer}), singer.record({"id": "1", "v": 5}), singer.state("end"))
    assert run.process.returncode in ({78} if kind in REFUSED else {0, 78}), run.log
    assert before[0][:2] == relation(load)[0][:2]
    if run.process.returncode == 0:
        assert [("1", 5)] == [row for row in load.table("id, v") if row[0] == "1"]
        assert ["end"] == run.states
        found = load.table("to_jsonb(contacts)")
        assert all(any(old.items() <= new.items() for (new,) in found) for (old,) in rows)
    else:
        assert "crm_test.contacts" in run.last_line.replace('"', "")
        assert before == relation(load)
        assert kind == "a view" or rows == load.table("to_jsonb(contacts)")
        assert [] == run.states


def schema_of(singer: Singer, name: Message, **more: Any) -> Message:
    return singer.schema({"v": name}, **more)


def test_t13_a_type_that_changes_in_the_midst_of_a_run(load: Loader, start: Starter, singer: Singer) -> None:
    """T13: integer to text while rows wait, and back; nothing is lost, every change is in the schema log."""
    run = start.whole(
        schema_of(singer, singer.integer),
        singer.record({"id": "1", "v": 5}),
        schema_of(singer, singer.text),
        singer.record({"id": "2", "v": "six"}),
        schema_of(singer, singer.integer),
        singer.record({"id": "3", "v": 7}),
        singer.state("end"),
    )
    assert 0 == run.process.returncode, run.log
    assert [("1", "5"), ("2", "six"), ("3", "7")] == load.table("id, v")
    assert [("v", "bigint", "text")] == load.database.query(
        "SELECT column_name, from_type, to_type FROM _crmdb.schema_log WHERE change = 'change type'"
    )


@pytest.mark.parametrize("keys", [["at"], ["id", "at"], []], ids=["another", "wider", "none"])
def test_t13_a_key_that_changes_is_refused_and_nothing_is_lost(
    load: Loader, start: Starter, singer: Singer, keys: list[str]
) -> None:
    """T13: what came under the old key is committed with its STATE; the message says what to do."""
    run = start.whole(
        singer.schema(),
        singer.record({"id": "1"}),
        singer.state("before"),
        singer.schema(key_properties=keys),
        singer.record({"id": "1", "at": "2026-01-01T00:00:00Z"}),
        singer.state("after"),
    )
    assert 1 == run.process.returncode, run.log
    assert "key" in run.last_line
    assert "contacts" in run.last_line
    assert ["before"] == run.states
    assert [("1", None)] == load.table("id, at")
    assert ["failed"] == statuses(load)


def test_t13_a_property_of_the_key_that_is_gone_is_refused(load: Loader, start: Starter, singer: Singer) -> None:
    """T13: the SCHEMA names a key that it no longer declares."""
    load(singer.schema(), singer.record({"id": "1"}))
    gone = singer.schema()
    del gone["schema"]["properties"]["id"]
    run = start.whole(gone, singer.record({"at": "2026-01-01T00:00:00Z"}), singer.state("end"))
    assert 1 == run.process.returncode, run.log
    assert "key" in run.last_line
    assert [("1",)] == load.table("id")
    assert [] == run.states
