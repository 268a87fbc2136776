"""Data, rejects, counters and STATE become durable together, and STATE is printed only then."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from target_crmdb.exceptions import CrmdbError, InvalidSchemaError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.target_crmdb.conftest import Loader, Singer

UNSURVIVABLE = {"type": "SCHEMA", "stream": "broken", "schema": {}}


def test_state_is_printed_once_after_its_data(load: Loader, singer: Singer) -> None:
    states = load(singer.schema(), singer.record({"id": "1"}), singer.state(1), singer.record({"id": "2"}))
    assert [{"bookmarks": 1}] == states
    assert [("1",), ("2",)] == load.table("id")


def test_a_full_batch_commits_the_rows_of_every_stream(
    load: Loader, singer: Singer, capsys: pytest.CaptureFixture[str]
) -> None:
    """T17: the STATE that follows a full stream must not be ahead of another stream that is not full."""
    with pytest.raises(InvalidSchemaError):
        load.to_stdout(
            singer.schema(),
            singer.schema(stream="deals"),
            singer.record({"id": "d"}, stream="deals"),
            singer.state("one deal"),
            singer.record({"id": "1"}),
            singer.record({"id": "2"}),
            singer.record({"id": "3"}),
            singer.state("too far"),
            UNSURVIVABLE,
            batch_size_rows=2,
        )
    assert [{"bookmarks": "one deal"}] == [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [("d",)] == load.table("id", "deals")
    assert [("1",), ("2",)] == load.table("id")


def test_a_batch_ends_by_its_bytes(load: Loader, singer: Singer) -> None:
    big = {"id": "1", "text": "x" * 2000}
    states = load(
        singer.schema({"text": singer.text}),
        singer.state("first"),
        singer.record(big),
        singer.state("second"),
        singer.record({**big, "id": "2"}),
        max_batch_bytes=1000,
    )
    assert [{"bookmarks": "first"}, {"bookmarks": "second"}] == states


def test_a_batch_ends_by_its_age(load: Loader, singer: Singer) -> None:
    messages = [singer.schema()]
    for number in range(3):
        messages += [singer.record({"id": str(number)}), singer.state(number)]
    assert [{"bookmarks": 0}, {"bookmarks": 1}, {"bookmarks": 2}] == load(*messages, state_interval=0)
    assert [{"bookmarks": 2}] == load(*messages, state_interval=3600)


def test_a_silent_tap_keeps_no_row_back(load: Loader, singer: Singer, tmp_path: Path) -> None:
    """The input stays open and says nothing more: what came is committed by its age all the same."""
    process = load.start(tmp_path, state_interval=0.5)
    assert process.stdin
    assert process.stdout
    lines = [singer.schema(), singer.record({"id": "1"}), singer.state("all that came")]
    process.stdin.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    process.stdin.flush()
    assert {"bookmarks": "all that came"} == json.loads(process.stdout.readline())
    assert [("1",)] == load.table("id")
    process.communicate(timeout=30)
    assert 0 == process.returncode


def test_the_reserved_part_of_state_goes_to_the_history(load: Loader, singer: Singer) -> None:
    run = {"streams": {"contacts": {"expected": 7, "calls": 3, "waited_ms": 250}}}
    states = load(
        singer.schema(), singer.record({"id": "1"}), {"type": "STATE", "value": {"bookmarks": {}, "run": run}}
    )
    assert [{"bookmarks": {}}] == states
    assert [(7, 3, 0.25)] == load.database.query(
        "SELECT expected, api_calls, waited_seconds::float FROM _crmdb.run_streams"
    )


def test_a_state_of_another_tap_with_a_part_called_run_is_left_alone(load: Loader, singer: Singer) -> None:
    assert [{"run": 5}] == load(singer.schema(), {"type": "STATE", "value": {"run": 5}})


def test_an_empty_state_is_not_printed(load: Loader, singer: Singer) -> None:
    """meltano/sdk#3000: a final empty STATE clears what Meltano has."""
    assert [] == load(singer.schema(), {"type": "STATE", "value": {}})


def test_numbers_in_state_keep_their_digits(load: Loader, singer: Singer, capsys: pytest.CaptureFixture[str]) -> None:
    load.to_stdout(singer.schema(), b'{"type":"STATE","value":{"n":12345678901234567.10,"x":1e400}}\n')
    assert capsys.readouterr().out == '{"n":12345678901234567.10,"x":1E+400}\n'


def test_the_state_of_a_run_is_stored_with_its_data(load: Loader, singer: Singer) -> None:
    load(singer.schema(), singer.record({"id": "1"}), singer.state("durable"))
    assert [({"bookmarks": "durable"},)] == load.database.query("SELECT state FROM _crmdb.state")


def test_a_changed_schema_commits_what_came_under_the_old_one(load: Loader, singer: Singer) -> None:
    wider = singer.schema({"a": singer.text})
    load(
        singer.schema(),
        singer.record({"id": "1"}),
        wider,
        singer.record({"id": "2", "a": "x"}),
        singer.schema(),
        singer.record({"id": "3"}),
        wider,
        singer.record({"id": "4", "a": "y"}),
    )
    assert [("1", None), ("2", "x"), ("3", None), ("4", "y")] == load.table("id, a")


def test_a_failed_run_says_so_in_the_history(load: Loader, singer: Singer) -> None:
    with pytest.raises(InvalidSchemaError):
        load(singer.schema(), UNSURVIVABLE)
    assert [("failed", True)] == load.database.query("SELECT status, error LIKE '%properties%' FROM _crmdb.runs")


def test_a_batch_message_is_refused_in_plain_words(load: Loader, singer: Singer) -> None:
    with pytest.raises(CrmdbError, match="batch_config"):
        load(singer.schema(), {"type": "BATCH", "stream": "contacts", "encoding": {}, "manifest": []})


def test_unknown_messages_and_blank_lines_are_ignored(load: Loader, singer: Singer) -> None:
    load(singer.schema(), b"\n", {"type": "PING"}, {"type": "PING"}, singer.record({"id": "1"}))
    assert [("1",)] == load.table("id")


def test_an_empty_input_is_a_run_too(load: Loader) -> None:
    assert [] == load()
    assert [("success",)] == load.database.query("SELECT status FROM _crmdb.runs")


def test_a_reader_of_state_that_is_gone_does_not_undo_the_commit(load: Loader, singer: Singer, tmp_path: Path) -> None:
    """T18: standard output is closed; the data is committed all the same, and the exit code says that it failed."""
    process = load.start(tmp_path, state_interval=0)
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    lines = [singer.schema(), singer.record({"id": "1"}), singer.state(1)]
    process.stdin.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    process.stdin.close()
    process.stderr.read()
    process.stderr.close()
    assert 1 == process.wait(30)
    assert [("1",)] == load.table("id")


def test_records_map_through_the_sdks_stream_maps(load: Loader, singer: Singer) -> None:
    maps = {"contacts": {"__alias__": "people", "loud": "name.upper()", "__filter__": "id != '2'"}}
    load(
        singer.schema({"name": singer.text}),
        singer.record({"id": "1", "name": "ada"}),
        singer.record({"id": "2", "name": "bob"}),
        stream_maps=maps,
    )
    assert [("1", "ada", "ADA")] == load.table("id, name, loud", "people")


def test_metadata_columns_tell_when_a_row_last_changed(load: Loader, singer: Singer, day: Callable[[int], str]) -> None:
    def once(extracted: str) -> Any:
        load(singer.schema(), singer.record({"id": "1"}, time_extracted=extracted), add_record_metadata=True)
        return load.table("_sdc_extracted_at, _sdc_batched_at")

    assert once(day(1)) == once(day(2))
    assert {"seen": 1, "unchanged": 1} == load.outcomes()
