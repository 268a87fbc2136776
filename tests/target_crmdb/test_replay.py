"""`crmdb rejects`: what was refused is shown without values, loaded again by the same road, or set aside."""

from __future__ import annotations

import json
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from target_crmdb import TargetCrmdb, migrations
from target_crmdb.database import open_connection
from target_crmdb.exceptions import TryLaterError
from target_crmdb.locks import advisory_key, try_lock
from target_crmdb.replay import Outcome, ReplayLedger, replay
from target_crmdb.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.target_crmdb.conftest import Loader, Message, Singer


def rejects(load: Loader) -> list[tuple[Any, ...]]:
    """Status, attempts, class, and whether the run that settled it is known, in order."""
    rows: list[tuple[Any, ...]] = load.database.query(
        "SELECT status, attempts, error_class, resolved_run_id FROM _crmdb.rejects ORDER BY reject_id"
    )
    return rows


def narrow(load: Loader, singer: Singer, *, rows: int = 4, **more: Any) -> Message:
    """A table whose check refuses values above 10, and as many rejects; gives the SCHEMA."""
    schema = singer.schema({"v": singer.integer}, **more)
    load(schema)
    load.database.query("ALTER TABLE crm_test.contacts ADD CONSTRAINT small CHECK (v <= 10)")
    load(schema, *(singer.record({"id": f"{n:03}", "v": 90 + n}) for n in range(rows)), singer.state("tap"))
    assert [("open", 0, "23514 CheckViolation", None)] * rows == rejects(load)
    return schema


def replay_all(load: Loader) -> Outcome:
    """Replay in this process."""
    config = dict(TargetCrmdb(config=load.config).config)
    with ExitStack() as stack:
        return replay(config, open_connection(config, stack), Selection(schema="crm_test"))


def mend(load: Loader) -> None:
    load.database.query("ALTER TABLE crm_test.contacts DROP CONSTRAINT small")


def test_a_mended_table_takes_what_it_refused(load: Loader, singer: Singer, crmdb: Any) -> None:
    narrow(load, singer)
    mend(load)
    done = crmdb("rejects", "replay", "--all")
    assert (0, "4 replayed\n") == (done.returncode, done.stdout), done.stderr
    assert [(f"{n:03}", 90 + n) for n in range(4)] == load.table("id, v")
    assert [("replayed", 0, "23514 CheckViolation", 3)] * 4 == rejects(load)
    assert {"seen": 4, "created": 4} == load.outcomes()
    assert [("load", "success"), ("load", "partial"), ("replay", "success")] == load.database.query(
        "SELECT kind, status FROM _crmdb.runs ORDER BY run_id"
    )
    assert [(2,)] == load.database.query("SELECT run_id FROM _crmdb.state"), "a replay has no STATE"
    again = crmdb("rejects", "replay", "--all")
    assert (0, "0 replayed\n") == (again.returncode, again.stdout)
    assert "replay" in crmdb("history").stdout


def test_what_is_refused_again_stays_open_and_makes_no_new_reject(load: Loader, singer: Singer, crmdb: Any) -> None:
    narrow(load, singer)
    load.database.query(
        "ALTER TABLE crm_test.contacts DROP CONSTRAINT small, ADD CHECK (v <> 92), ALTER v TYPE numeric"
    )
    done = crmdb("rejects", "replay", "--class", "23514")
    assert 1 == done.returncode
    assert "3 replayed, 1 refused again" in done.stdout
    assert "1 of these rejects still open" in done.stderr
    assert ["replayed", "replayed", "open", "replayed"] == [row[0] for row in rejects(load)]
    assert ("open", 1, "23514 CheckViolation", None) == rejects(load)[2]
    assert {"seen": 4, "created": 3, "rejected": 1} == load.outcomes()
    assert 1 == crmdb("rejects", "replay", "--all", max_rejects=0).returncode
    assert ("open", 2, "23514 CheckViolation", None) == rejects(load)[2]


def test_the_reason_is_the_last_one(load: Loader, singer: Singer, crmdb: Any) -> None:
    load(singer.schema({"v": singer.integer}), singer.record({"id": "1", "v": "x"}))
    load(singer.schema({"v": singer.text | {"maxLength": 0}}))
    assert 1 == crmdb("rejects", "replay", "--all").returncode
    assert [("open", 1, "maxLength", None)] == rejects(load)


def test_the_newest_schema_is_the_one_that_counts(load: Loader, singer: Singer, crmdb: Any) -> None:
    """The usual repair is a mended SCHEMA; the original one can be asked for. A replay makes none the newest."""
    old, new = singer.schema({"v": singer.integer}), singer.schema({"v": singer.text})
    load(old, singer.record({"id": "1", "v": "x"}), singer.record({"id": "2", "v": "y"}))
    load(new)
    load(old)
    load(new)
    assert [(2,)] == load.database.query("SELECT count(*) FROM _crmdb.stream_schemas")
    assert 1 == crmdb("rejects", "replay", "1", "--original-schema").returncode
    assert 0 == crmdb("rejects", "replay", "1").returncode
    assert 0 == crmdb("rejects", "replay", "--stream", "contacts").returncode
    assert [("1", "x"), ("2", "y")] == load.table("id, v")


def test_the_same_guard(load: Loader, singer: Singer, crmdb: Any, day: Callable[[int], str]) -> None:
    """A newer row is not overwritten by an old reject; that is an outcome like any other."""
    old = singer.schema({"v": singer.integer})
    load(old, singer.record({"id": "1", "v": "old", "at": day(1)}), singer.record({"id": "2", "v": "a", "at": day(1)}))
    load(singer.schema({"v": singer.text}), singer.record({"id": "1", "v": "new", "at": day(2)}))
    assert 0 == crmdb("rejects", "replay", "--run", "1").returncode
    assert [("1", "new"), ("2", "a")] == load.table("id, v")
    assert {"seen": 2, "created": 1, "stale": 1} == load.outcomes()
    assert [("replayed", 0, "type", 3)] * 2 == rejects(load)


def test_several_rejects_of_one_row(load: Loader, singer: Singer, crmdb: Any, day: Callable[[int], str]) -> None:
    load(
        singer.schema({"v": singer.integer}),
        *(singer.record({"id": "1", "v": f"v{n}", "at": day(n)}) for n in (2, 3, 1)),
    )
    load(singer.schema({"v": singer.text}))
    assert 0 == crmdb("rejects", "replay", "--all").returncode
    assert [("1", "v3")] == load.table("id, v")
    assert {"seen": 3, "created": 1, "deduplicated": 2} == load.outcomes()


@pytest.mark.parametrize("point", ["before_commit:2", "after_commit:2", "after_merge:2"])
def test_kill_9_leaves_a_reject_open_without_its_row_or_replayed_with_it(
    load: Loader, singer: Singer, crmdb: Any, point: str
) -> None:
    """T10; a table without a key would show a row that came twice."""
    schema = singer.schema({"v": singer.integer}) | {"key_properties": []}
    load(schema)
    load.database.query("ALTER TABLE crm_test.contacts ADD CONSTRAINT small CHECK (v <= 10)")
    load(schema, *(singer.record({"id": f"{n:03}", "v": 90}) for n in range(50)))
    mend(load)
    killed = crmdb("rejects", "replay", "--all", env={"CRMDB_FAILPOINTS": f"{point}=kill"}, batch_size_rows=10)
    assert -signal.SIGKILL == killed.returncode
    landed = [row[0] for row in load.table("id")]
    assert (20 if point == "after_commit:2" else 10) == len(landed)
    marked = load.database.query("SELECT payload FROM _crmdb.rejects WHERE status = 'replayed' ORDER BY reject_id")
    assert landed == [json.loads(payload)["record"]["id"] for (payload,) in marked]
    clean = crmdb("rejects", "replay", "--all", batch_size_rows=10)
    assert 0 == clean.returncode, clean.stderr
    assert [(f"{n:03}",) for n in range(50)] == load.table("id")
    assert ["partial", "interrupted", "success"] == [
        row[0] for row in load.database.query("SELECT status FROM _crmdb.runs WHERE run_id > 1 ORDER BY run_id")
    ]


def test_a_stream_with_maps(load: Loader, singer: Singer, crmdb: Any) -> None:
    """The payload is the record before its maps; of two tables only the one that refused it gets it again."""
    maps = {"contacts": {"v": "v.upper()", "__alias__": "people"}, "copies": {"__source__": "contacts"}}
    load(singer.schema({"v": singer.text}), stream_maps=maps)
    load.database.query("ALTER TABLE crm_test.people ADD CONSTRAINT small CHECK (v <> 'X')")
    load(singer.schema({"v": singer.text}), singer.record({"id": "1", "v": "x"}), stream_maps=maps)
    load.database.query("ALTER TABLE crm_test.people DROP CONSTRAINT small")
    load.database.query("DELETE FROM crm_test.copies")
    forgotten = crmdb("rejects", "replay", "--all")
    assert 78 == forgotten.returncode
    assert "stream_maps" in forgotten.stderr
    renamed = crmdb("rejects", "replay", "--all", stream_maps={"contacts": {"__alias__": "persons"}})
    assert 1 == renamed.returncode
    assert "1 left out by the stream maps" in renamed.stdout
    done = crmdb("rejects", "replay", "--stream", "people", stream_maps=maps)
    assert 0 == done.returncode, done.stderr
    assert [("1", "X")] == load.table("id, v", "people")
    assert [] == load.table("id, v", "copies")


def test_what_the_maps_leave_out_is_said(load: Loader, singer: Singer, crmdb: Any) -> None:
    load(singer.schema({"v": singer.integer}), singer.record({"id": "1", "v": "x"}))
    done = crmdb("rejects", "replay", "--all", stream_maps={"contacts": {"__filter__": "False"}})
    assert 1 == done.returncode
    assert "1 left out by the stream maps" in done.stdout
    assert [("open", 0, "type", None)] == rejects(load)


def test_two_streams_and_two_schemas(load: Loader, singer: Singer, crmdb: Any) -> None:
    """Streams may be mixed; the rejects of another target schema wait for their own settings."""
    bad, good = singer.integer, singer.text
    for schema in ("crm_test", "other"):
        mixed = [singer.record({"id": str(n), "v": "x"}, stream=("contacts", "deals")[n % 2]) for n in range(6)]
        schemas = [singer.schema({"v": kind}, stream=one) for kind in (bad, good) for one in ("contacts", "deals")]
        load(*schemas[:2], *mixed, default_target_schema=schema)
        load(*schemas[2:], default_target_schema=schema)
    assert "other" in crmdb("rejects", "list").stdout
    assert "2 of the rejects named" in crmdb("rejects", "replay", "1", "12", "99").stderr
    assert 0 == crmdb("rejects", "replay", "--all").returncode
    assert ([("0",), ("2",), ("4",)], [("1",), ("3",), ("5",)]) == (load.table("id"), load.table("id", "deals"))
    assert {("crm_test", "replayed"), ("other", "open")} == set(
        load.database.query("SELECT target_schema, r.status FROM _crmdb.rejects r JOIN _crmdb.runs USING (run_id)")
    )
    assert [] == load.database.query("SELECT * FROM other.contacts")


def test_what_is_no_record_stays_open(load: Loader, singer: Singer, crmdb: Any) -> None:
    """D10, T15, T16: broken lines never can; a record before its SCHEMA can once that has come."""
    early = singer.record({"id": "1"}, stream="deals")
    unknown = singer.record({"id": "1"}, stream="never")
    load(singer.schema(), b"{broken\n", early, unknown, singer.record({"at": None}), max_protocol_errors=9)
    load.database.query(
        "INSERT INTO _crmdb.rejects (run_id, stage, error_class, reason) VALUES (1, 'load', '', 'has no payload')"
    )
    load(singer.schema(stream="deals"))
    done = crmdb("rejects", "replay", "--all")
    assert 1 == done.returncode
    assert "1 replayed, 1 refused again, 2 no records" in done.stdout
    assert "1 of streams whose SCHEMA never came" in done.stdout
    assert [("1",)] == load.table("id", "deals")
    assert ["open", "replayed", "open", "open", "open"] == [row[0] for row in rejects(load)]
    assert [0, 0, 0, 1, 0] == [row[1] for row in rejects(load)]


def test_records_of_a_batch_file(load: Loader, singer: Singer, crmdb: Any, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b'{"id": "1", "v": 0.10000000000000000001}\n{"id": "2", "v": 1}\n')
    message = {"type": "BATCH", "stream": "contacts", "encoding": {"format": "jsonl"}}
    load(singer.schema({"v": singer.integer}), message | {"manifest": [(tmp_path / "f").as_uri()]})
    load(singer.schema({"v": singer.number}))
    (tmp_path / "f").unlink()
    assert 0 == crmdb("rejects", "replay", "--all").returncode
    assert [("1", "0.10000000000000000001"), ("2", "1")] == load.table("id, v::text")


def test_a_replay_deletes_nothing(load: Loader, singer: Singer, crmdb: Any) -> None:
    """The version that a reject came with belongs to a read that is over."""
    load(singer.schema({"v": singer.text}), singer.record({"id": "stays"}, version=1))
    load(singer.schema({"v": singer.integer}), singer.record({"id": "1", "v": "x"}, version=2))
    load(singer.schema({"v": singer.text}))
    assert 0 == crmdb("rejects", "replay", "--all").returncode
    assert [("1", None), ("stays", None)] == load.table("id, _sdc_deleted_at")
    assert [(1,)] == load.database.query("SELECT version FROM _crmdb.versions")


def test_rejects_settled_by_someone_else_meanwhile(
    load: Loader, singer: Singer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of that batch lands."""
    narrow(load, singer)
    mend(load)
    original = ReplayLedger.settle

    def late(self: ReplayLedger, *arguments: Any) -> None:
        load.database.query("UPDATE _crmdb.rejects SET status = 'discarded', resolved_at = now() WHERE reject_id = 2")
        original(self, *arguments)

    monkeypatch.setattr(ReplayLedger, "settle", late)
    with pytest.raises(TryLaterError, match="meanwhile"):
        replay_all(load)
    assert [] == load.table("id")
    assert ["open", "discarded", "open", "open"] == [row[0] for row in rejects(load)]


def test_a_lost_connection_settles_nothing_twice(load: Loader, singer: Singer, monkeypatch: pytest.MonkeyPatch) -> None:
    """T01: the batch is written whole again."""
    narrow(load, singer)
    load.database.query("ALTER TABLE crm_test.contacts DROP CONSTRAINT small, ADD CHECK (v <> 92)")
    original, lost = ReplayLedger.settle, iter([True, False])

    def cut(self: ReplayLedger, cursor: Any, *arguments: Any) -> None:
        original(self, cursor, *arguments)
        if next(lost):
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(ReplayLedger, "settle", cut)
    assert Outcome(selected=4, replayed=3, refused=1) == replay_all(load)
    assert [0, 0, 1, 0] == [row[1] for row in rejects(load)]


def test_a_stream_that_another_run_loads(load: Loader, singer: Singer, crmdb: Any) -> None:
    """T11."""
    narrow(load, singer)
    mend(load)
    with psycopg.connect(load.database.url, autocommit=True) as connection:
        assert try_lock(connection, advisory_key("stream", "crm_test", "contacts"))
        assert 75 == crmdb("rejects", "replay", "--all").returncode
    assert [("open", 0)] * 4 == [row[:2] for row in rejects(load)]


def test_a_signal_commits_what_has_come(load: Loader, singer: Singer, crmdb: Any) -> None:
    """T09."""
    narrow(load, singer, rows=40)
    mend(load)
    done = crmdb("rejects", "replay", "--all", env={"CRMDB_FAILPOINTS": "before_commit:2=term"}, batch_size_rows=10)
    assert 143 == done.returncode
    assert len(load.table("id")) == [row[0] for row in rejects(load)].count("replayed") > 0
    assert [("interrupted",)] == load.database.query("SELECT status FROM _crmdb.runs WHERE kind = 'replay'")


def test_discard(load: Loader, singer: Singer, crmdb: Any) -> None:
    narrow(load, singer)
    refused = crmdb("rejects", "discard", "--all")
    assert 1 == refused.returncode
    assert "Nothing was discarded" in refused.stderr
    done = crmdb("rejects", "discard", "1", "2", "--yes")
    assert (0, "2 discarded\n") == (done.returncode, done.stdout), done.stderr
    mend(load)
    named = crmdb("rejects", "replay", "1", "3")
    assert 1 == named.returncode
    assert "1 of the rejects named are no open ones of target schema crm_test" in named.stderr
    assert ["discarded", "discarded", "replayed", "open"] == [row[0] for row in rejects(load)]
    assert "0 discarded" in crmdb("rejects", "discard", "--schema", "other", "--all", "--yes").stdout


@pytest.mark.parametrize("command", ["replay", "discard"])
def test_which_ones_must_be_said(load: Loader, singer: Singer, crmdb: Any, command: str) -> None:
    load(singer.schema())
    done = crmdb("rejects", command)
    assert 78 == done.returncode
    assert "--all" in done.stderr


def test_list_and_show(load: Loader, singer: Singer, crmdb: Any) -> None:
    """No value in any of it unless asked for, the key included."""
    line = {"id": "canary", "v": "canary \u202e" + "x" * 100}
    load(singer.schema({"v": singer.integer}), singer.record(line), b"{canary\n", max_protocol_errors=1)
    listed = crmdb("rejects", "list", "--stream", "contacts", "--class", "type")
    assert "(1 row)" in listed.stdout
    assert ["contacts", None] == [row["stream"] for row in json.loads(crmdb("rejects", "list", "--json").stdout)]
    assert [] == json.loads(crmdb("rejects", "list", "--status", "replayed", "--json").stdout)
    assert 2 == len(json.loads(crmdb("rejects", "list", "--status", "all", "--json").stdout))
    shown = crmdb("rejects", "show", "2")
    assert "(a value; shown with --values)" in shown.stdout
    values = crmdb("rejects", "show", "2", "--values")
    assert "canary \\u202e" + "x" * 100 in values.stdout
    assert '["canary"]' == json.loads(crmdb("rejects", "show", "2", "--values", "--json").stdout)["key"]
    load(singer.schema({"v": singer.text | {"maxLength": 1}}))
    replayed = crmdb("rejects", "replay", "--all", debug=True)
    assert "1 refused again" in replayed.stdout
    for done in (listed, shown, replayed, crmdb("rejects", "list", "--json")):
        assert "canary" not in done.stdout + done.stderr
    assert 1 == crmdb("rejects", "show", "99").returncode


def test_bookkeeping_of_the_version_before(load: Loader, crmdb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`crmdb` brings it up to date as a run would."""
    old = [migration for migration in migrations.known_migrations() if migration.version < 5]
    with monkeypatch.context() as patch, psycopg.connect(load.database.url, autocommit=True) as connection:
        patch.setattr(migrations, "known_migrations", lambda: old)
        migrations.migrate(connection, "_crmdb")
    done = crmdb("rejects", "list")
    assert "(0 rows)" in done.stdout, done.stderr
