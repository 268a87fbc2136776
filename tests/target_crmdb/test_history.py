"""What a run did, as the history and the `crmdb` command tell it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from target_crmdb.exceptions import ConfigError
from target_crmdb.migrations import known_migrations

if TYPE_CHECKING:
    from tests.target_crmdb.conftest import Loader, Singer


def fill(load: Loader, singer: Singer) -> None:
    """One record of every outcome."""
    schema = singer.schema({"v": singer.integer})
    old, new = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
    load(schema, *(singer.record({"id": one, "at": new, "v": 1}) for one in "abc"))
    load(
        schema,
        singer.record({"id": "a", "at": new, "v": 1}),
        singer.record({"id": "b", "at": new, "v": 2}),
        singer.record({"id": "c", "at": old, "v": 3}),
        singer.record({"id": "d", "at": new, "v": 4}),
        singer.record({"id": "d", "at": new, "v": 5}),
        singer.record({"id": "e", "at": new, "v": "six"}),
        {"type": "STATE", "value": {"bookmarks": {}, "run": {"streams": {"contacts": {"expected": 6, "calls": 2}}}}},
    )


def test_every_record_seen_has_one_outcome(load: Loader, singer: Singer) -> None:
    fill(load, singer)
    assert {
        "seen": 6, "created": 1, "updated": 1, "unchanged": 1, "stale": 1, "deduplicated": 1, "rejected": 1,
    } == load.outcomes()  # fmt: skip
    assert [("success", "success"), ("partial", "partial")] == load.database.query(
        "SELECT r.status, s.status FROM _crmdb.runs r JOIN _crmdb.run_streams s USING (run_id) ORDER BY run_id"
    )


def test_a_run_row_tells_who_when_and_with_what(load: Loader, singer: Singer) -> None:
    load(singer.schema(), source="hubspot")
    ((source, schema, versions, ended, pid),) = load.database.query(
        "SELECT source, target_schema, versions, ended_at >= started_at, pid > 0 FROM _crmdb.runs"
    )
    assert ("hubspot", "crm_test", True, True) == (source, schema, ended, pid)
    assert {"target-crmdb", "singer-sdk", "postgres"} == versions.keys()


def test_crmdb_history(load: Loader, singer: Singer, crmdb: Any) -> None:
    fill(load, singer)
    plain = crmdb("history")
    assert 0 == plain.returncode, plain.stderr
    assert "(2 rows)" in plain.stdout
    assert "p95_seconds" not in plain.stdout
    assert "p95_seconds" in crmdb("history", "--wide").stdout
    newest = json.loads(crmdb("history", "--json", "--runs", "1").stdout)
    assert [(6, 6, 1, 2)] == [(row["expected"], row["seen"], row["rejected"], row["api_calls"]) for row in newest]


def test_the_totals_are_one_line_a_run(load: Loader, singer: Singer, crmdb: Any) -> None:
    load(
        *[line for name in ("a", "b") for line in (singer.schema(stream=name), singer.record({"id": "1"}, stream=name))]
    )
    load(singer.schema(stream="a"), singer.record({"id": "2"}, stream="a"))
    runs = json.loads(crmdb("history", "--totals", "--json").stdout)
    names = ("run_id", "status", "streams", "seen", "created")
    assert [(2, "success", 1, 1, 1), (1, "success", 2, 2, 2)] == [tuple(run[name] for name in names) for run in runs]
    assert crmdb("history", "--totals", "--stream", "a").returncode == 78


def test_the_history_tells_what_a_run_took(load: Loader, singer: Singer, crmdb: Any) -> None:
    fill(load, singer)
    (newest,) = json.loads(crmdb("history", "--json", "--runs", "1").stdout)
    assert newest["changes_per_call"] == 1  # one created, one updated, two calls
    assert newest["bytes"] > 100
    assert newest["batches"] >= 1
    assert 0 < newest["p50_seconds"] <= newest["p95_seconds"]
    assert 10 < newest["peak_memory_mb"] < 10_000
    assert [(True,)] == load.database.query(
        "SELECT sum(bytes) = (SELECT sum(bytes) FROM _crmdb.run_streams) FROM _crmdb.batches"
    )


def test_the_history_has_the_state_before_and_after(load: Loader, singer: Singer, crmdb: Any) -> None:
    for number in (1, 2):
        load(singer.schema(), singer.record({"id": str(number)}), singer.state(number))
    (run,) = json.loads(crmdb("history", "--run", "2").stdout)
    assert ({"bookmarks": 1}, {"bookmarks": 2}) == (run["state_before"], run["state_after"])
    assert "upsert" == run["load_method"]


def test_crmdb_rejects_shows_no_values_unless_asked(load: Loader, singer: Singer, crmdb: Any) -> None:
    fill(load, singer)
    plain = crmdb("rejects", "list")
    assert 0 == plain.returncode, plain.stderr
    assert "breaks the SCHEMA's rule `type`" in plain.stdout
    assert "six" not in plain.stdout
    assert "six" in crmdb("rejects", "show", "1", "--values").stdout


def test_crmdb_sql_reads_and_does_not_write(load: Loader, singer: Singer, crmdb: Any) -> None:
    load(singer.schema(), singer.record({"id": "one\u202etwo"}))
    assert "one\\u202etwo" in crmdb("sql", "SELECT id FROM contacts").stdout
    assert [{"n": 1}] == json.loads(crmdb("sql", "SELECT count(*) AS n FROM contacts", "--json").stdout)
    refused = crmdb("sql", "DELETE FROM contacts")
    assert 0 != refused.returncode
    assert [("one\u202etwo",)] == load.table("id")


def test_crmdb_psql(load: Loader, singer: Singer, crmdb: Any) -> None:
    load(singer.schema(), singer.record({"id": "1"}))
    done = crmdb("psql", "-c", "SELECT 'rows: ' || count(*) FROM crm_test.contacts")
    assert (0, True) == (done.returncode, "rows: 1" in done.stdout), done.stderr


def test_crmdb_says_what_to_do_before_the_first_run(crmdb: Any) -> None:
    done = crmdb("history")
    assert 78 == done.returncode
    assert "run target-crmdb first" in done.stderr


def test_the_bookkeeping_schema_is_a_setting(load: Loader, singer: Singer) -> None:
    load(singer.schema(), bookkeeping_schema='odd "name')
    assert [("success",)] == load.database.query('SELECT status FROM "odd ""name".runs')


def test_migrations_are_numbered_without_gaps() -> None:
    versions = [migration.version for migration in known_migrations()]
    assert list(range(1, len(versions) + 1)) == versions


def test_bookkeeping_of_a_newer_version_is_refused(load: Loader, singer: Singer) -> None:
    """T21."""
    load(singer.schema())
    load.database.query("INSERT INTO _crmdb.migrations (version, name) VALUES (999, 'from the future')")
    with pytest.raises(ConfigError, match="999"):
        load(singer.schema())


def test_a_half_made_bookkeeping_schema_is_completed(load: Loader, singer: Singer) -> None:
    """T21: the schema was made beforehand, by someone who may."""
    load.database.query("CREATE SCHEMA _crmdb")
    load(singer.schema())
    assert [(len(known_migrations()),)] == load.database.query("SELECT count(*) FROM _crmdb.migrations")


@pytest.mark.parametrize(
    ("told", "status"),
    [("finished", "success"), ("running", "interrupted"), ("failed", "partial"), (None, "success")],
)
def test_a_run_ends_as_the_tap_did(load: Loader, singer: Singer, told: str | None, status: str) -> None:
    """The end of the input alone does not tell whether the tap had finished or was cut (T14)."""
    run = {"streams": {}} if told is None else {"status": told, "streams": {}}
    state = {"type": "STATE", "value": {"bookmarks": {"contacts": 1}, "run": run}}
    load(singer.schema(), singer.record({"id": "a"}), state)
    assert [(status,)] == load.database.query("SELECT status FROM _crmdb.runs")
    assert [("a",)] == load.table("id")
