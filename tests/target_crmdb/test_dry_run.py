"""dry_run: everything is judged as in a real run, and nothing is written."""

from __future__ import annotations

import json
import logging
import subprocess
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from target_crmdb.embedded_places import Account, wheel_binaries
from target_crmdb.exceptions import CrmdbError, UnconfirmedDeletesError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.target_crmdb.conftest import Loader, Message, Singer

NAMED: dict[str, Any] = {"name": {"type": ["null", "string"]}, "size": {"type": ["null", "integer"]}}


def dump(load: Loader) -> str:
    """The whole database as SQL."""
    own = load.database.postgres.installation.bin_dir / "pg_dump"
    program = own if own.exists() else wheel_binaries(Account.current()) / "pg_dump"
    done = subprocess.run([program, load.database.url], capture_output=True, text=True, check=True)
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


@pytest.fixture
def dry(load: Loader, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Makes a dry run; gives the report's streams after seeing that the database is as it was."""

    def run(*messages: Message | bytes, **settings: Any) -> dict[str, Any]:
        path = tmp_path / "report.json"
        before = dump(load)
        try:
            assert [] == load(*messages, dry_run=True, dry_run_report=str(path), **settings)
        finally:
            assert before == dump(load)
        assert 0o600 == path.stat().st_mode & 0o777
        streams: dict[str, Any] = json.loads(path.read_text("utf-8"))["streams"]
        return streams

    return run


def filled(counts: dict[str, int]) -> dict[str, int]:
    return {name: number for name, number in counts.items() if number and name != "bytes"}


def test_into_an_empty_database(load: Loader, singer: Singer, dry: Callable[..., dict[str, Any]]) -> None:
    found = dry(singer.schema(NAMED), singer.record({"id": "1", "name": "ada"}), singer.state(1))["contacts"]
    assert {"seen": 1, "created": 1} == filled(found["counts"])
    assert ["create table"] == found["columns_planned"]
    assert ["created"] == [one["change"] for one in found["changes"]]
    assert [(None,)] == load.database.query("SELECT to_regclass('crm_test.contacts')")
    assert [(None,)] == load.database.query("SELECT to_regclass('_crmdb.runs')")


def test_every_outcome_is_that_of_the_real_run(
    load: Loader, singer: Singer, dry: Callable[..., dict[str, Any]], day: Callable[[int], str]
) -> None:
    schema = singer.schema({**NAMED, "_sdc_deleted_at": singer.instant})
    rows = [{"id": i, "at": day(5), "name": "x", "size": 1, "_sdc_deleted_at": None} for i in "abcd"]
    load(schema, *map(singer.record, rows))
    wider = singer.schema({**NAMED, "size": singer.number, "more": singer.text, "_sdc_deleted_at": singer.instant})
    messages = [
        wider,
        singer.record({**rows[0], "name": "changed", "more": "new"}),
        singer.record({**rows[0], "name": "changed again", "at": day(6)}),
        singer.record({**rows[1], "at": day(4)}),
        singer.record(rows[2]),
        singer.record({"id": "d", "_sdc_deleted_at": day(7)}),
        singer.record({**rows[0], "id": "e", "size": 2.5}),
        singer.record({**rows[0], "id": "f", "size": "no number"}),
    ]
    found = dry(*messages, batch_size_rows=1, log_values=True)["contacts"]
    load(*messages, batch_size_rows=1)
    assert load.outcomes() == filled(found["counts"])
    assert ["change type size from bigint to numeric", "add column more text"] == sorted(
        found["columns_planned"], reverse=True
    )
    changes = {one["key"]["id"]: one for one in found["changes"]}
    assert {"a": "changed", "d": "deleted", "e": "created"} == {key: one["change"] for key, one in changes.items()}
    assert ["x", "changed again"] == changes["a"]["fields"]["name"]
    assert [None, "new"] == changes["a"]["fields"]["more"]
    assert [(8, "size", "type")] == [(one["line"], one["field"], one["class"]) for one in found["rejects"]]


def test_values_are_masked_unless_they_are_asked_for(
    load: Loader, singer: Singer, dry: Callable[..., dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    load(singer.schema(NAMED), singer.record({"id": "canary 1", "name": "canary@example.com", "size": 815}))
    with caplog.at_level(logging.DEBUG):
        found = dry(singer.schema(NAMED), singer.record({"id": "canary 1", "name": "canary two", "size": 4711}))
    shown = f"{json.dumps(found)} {caplog.text}"
    assert "1 updated" in caplog.text
    assert "e-mail #" in shown
    assert [] == [secret for secret in ("canary", "815", "4711") if secret in shown.replace("[815", "")]


def test_a_sweep_is_reported_and_its_guard_too(
    load: Loader, singer: Singer, dry: Callable[..., dict[str, Any]]
) -> None:
    def whole(version: int, *ids: str) -> list[Message]:
        rows = (singer.record({"id": one}, version=version) for one in ids)
        return [singer.schema(), *rows, singer.activate(version)]

    load(*whole(1, "a", "b", "c"))
    for hard in (False, True):
        found = dry(*whole(2, "a", "c"), hard_delete=hard, log_values=True)["contacts"]
        assert {"seen": 2, "unchanged": 2, "deleted": 1} == filled(found["counts"])
        assert [("deleted", "b")] == [(one["change"], one["key"]["id"]) for one in found["changes"]]
    with pytest.raises(UnconfirmedDeletesError):
        dry(*whole(2, "a"))


def test_a_stream_without_a_key(load: Loader, singer: Singer, dry: Callable[..., dict[str, Any]]) -> None:
    def bag(*names: str) -> list[Message]:
        return [singer.schema(NAMED, key_properties=[]), *(singer.record({"id": "1", "name": n}) for n in names)]

    load(*bag("a", "a"))
    found = dry(*bag("a", "a", "a", "b"))["contacts"]
    assert {"seen": 4, "created": 2, "unchanged": 2} == filled(found["counts"])
    found = dry(*bag("a"), *bag("a"), batch_size_rows=1)["contacts"]
    assert {"seen": 2, "unchanged": 2} == filled(found["counts"])


def test_a_schema_that_changes_on_the_way(load: Loader, singer: Singer, dry: Callable[..., dict[str, Any]]) -> None:
    load(singer.schema(NAMED), singer.record({"id": "1", "name": "old"}))
    found = dry(
        singer.schema(NAMED),
        singer.record({"id": "1", "name": "new"}),
        singer.schema({**NAMED, "more": singer.text}),
        singer.record({"id": "1", "name": "new", "more": "x"}),
        singer.record({"id": "2", "name": "new"}),
        log_values=True,
    )["contacts"]
    assert [["old", "new"], [None, "new"]] == [one["fields"]["name"] for one in found["changes"]]
    assert ["add column more text"] == found["columns_planned"]


def test_it_neither_waits_for_anybody_nor_stops_a_reader(
    load: Loader, singer: Singer, dry: Callable[..., dict[str, Any]]
) -> None:
    """A real run of the stream is under way, and a reader has its transaction open."""
    load(singer.schema(NAMED), singer.record({"id": "1"}))
    wider = singer.schema({**NAMED, "size": singer.number, "more": singer.text})
    with psycopg.connect(load.database.url) as reader:
        assert [("1",)] == reader.execute("SELECT id FROM crm_test.contacts").fetchall()
        dry(wider, singer.record({"id": "1", "size": 2.5}), lock_timeout=0.2, retry_timeout=0)
        dry(wider, singer.record({"id": "1", "size": 2.5}), load_method="overwrite", lock_timeout=0.2, retry_timeout=0)


def test_a_frozen_schema_fails_as_it_would(load: Loader, singer: Singer, dry: Callable[..., dict[str, Any]]) -> None:
    load(singer.schema(NAMED))
    with pytest.raises(CrmdbError, match="freeze"):
        dry(singer.schema({**NAMED, "more": singer.text}), schema_change="freeze")


def test_append_only(load: Loader, singer: Singer, dry: Callable[..., dict[str, Any]]) -> None:
    messages = [singer.schema(NAMED), singer.record({"id": "1"})]
    load(*messages, load_method="append-only")
    found = dry(*messages, load_method="append-only")["contacts"]
    assert {"seen": 1, "created": 1} == filled(found["counts"])


def test_a_role_that_may_only_read_can_make_one(load: Loader, singer: Singer, tmp_path: Path) -> None:
    load(singer.schema(NAMED), singer.record({"id": "1", "name": "ada"}))
    role = f"reader_{load.database.name}"
    load.database.query(f"CREATE ROLE {role} LOGIN IN ROLE pg_read_all_data")
    try:
        done = load.process(
            tmp_path,
            singer.schema({**NAMED, "more": singer.text}),
            singer.record({"id": "1", "name": "eve"}),
            dry_run=True,
            dry_run_report=str(tmp_path / "report.json"),
            sqlalchemy_url=load.database.sqlalchemy_url.replace("postgres@", f"{role}@"),
        )
        assert (0, b"") == (done.returncode, done.stdout), done.stderr
        assert b"1 updated" in done.stderr
    finally:
        while load.database.query("SELECT 1 FROM pg_stat_activity WHERE usename = %s", role):
            time.sleep(0.05)  # the server ends a session, and with it what it owns, a moment after the client
        load.database.query(f"DROP ROLE {role}")
