"""Odd data, each a small file of tests/messages: kept whole, or rejected by field and rule, and good rows land."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.target_crmdb.conftest import FILES
from tests.target_crmdb.faults.conftest import rows_of

if TYPE_CHECKING:
    from tests.target_crmdb.conftest import Loader, Message, Singer
    from tests.target_crmdb.faults.conftest import Starter

END = [{"bookmarks": "end"}]


def records_of(name: str) -> list[Message]:
    lines = (FILES / f"{name}.singer").read_text("utf-8").splitlines()
    return [message["record"] for message in map(json.loads, lines) if message["type"] == "RECORD"]


def as_sent(load: Loader, row_id: str) -> Message:
    """A row by the names of its fields: out of the columns by the recorded mapping, and out of `_extra`."""
    columns = load.database.query("SELECT path[1], column_name FROM _crmdb.columns WHERE table_name = 'contacts'")
    rows = load.database.query("SELECT to_jsonb(c) FROM crm_test.contacts c WHERE id = %s", row_id)
    row = rows[0][0]
    return {path: row[name] for path, name in columns if row[name] is not None} | (row["_extra"] or {})


def test_nul_in_value_key_json_and_name(load: Loader) -> None:
    """D01: Postgres holds no NUL; each becomes U+FFFD, in every place where it may stand."""
    assert END == load.file("nul_everywhere")
    assert [] == load.rejects()
    assert ["a\ufffdb", "good"] == [row[0] for row in load.table("id")]
    sent = {"id": "a\ufffdb", "name": "x\ufffd", "j": {"k\ufffd": ["v\ufffd"]}, "more\ufffd": "m\ufffd"}
    found = as_sent(load, "a\ufffdb")
    assert "o\ufffd" == found.pop(next(name for name in found if name.startswith("odd")))
    assert sent == found


def test_lone_surrogates_in_value_key_and_json(load: Loader) -> None:
    """D02: a pair stays, what is alone becomes U+FFFD."""
    assert END == load.file("surrogates_in_keys_and_json")
    assert [] == load.rejects()
    assert ["good", "\ufffd"] == [row[0] for row in load.table("id")]
    assert {"id": "\ufffd", "name": "\ufffd\ufffd", "j": {"\ufffd": ["😀", "\ufffd"]}, "more\ufffd": 1} == as_sent(
        load, "\ufffd"
    )


def test_numbers_beyond_every_machine(load: Loader) -> None:
    """D03: kept to the last digit or rejected, never rounded."""
    assert END == load.file("numbers_beyond")
    assert [("b", "i"), ("c", "i"), ("h", "n")] == [
        (json.loads(key)[0], field) for key, field in load.database.query("SELECT key, field FROM _crmdb.rejects")
    ]
    assert {
        "a": (2**63 - 1, None),
        "d": (0, "0"),
        "e": (None, "1" + "0" * 400),
        "f": (None, "0.1000000000000000055511151231257827"),
        "g": (None, "9" * 400),
        "i": (None, "0." + "0" * 399 + "1"),
        "good": (None, None),
    } == {key: (i, n) for key, i, n in load.table("id, i, trim_scale(n)::text")}


def test_numbers_that_are_none(load: Loader) -> None:
    """D04: NaN and Infinity are not JSON; a column of numbers never holds them."""
    assert END == load.file("nan_and_infinity")
    assert [("good", None)] == load.table("id, n")
    assert [("contacts", 2, "n"), ("contacts", 3, "n"), ("contacts", 4, "n"), ("contacts", 5, "n")] == [
        found[:3] for found in load.rejects()
    ][:4]
    assert [6] == [found[1] for found in load.rejects()][4:]


def test_the_ends_of_the_calendar(load: Loader) -> None:
    """D05: what Postgres can hold as an instant is stored as that, the rest is rejected."""
    assert END == load.file("ends_of_the_calendar")
    load.database.query(f"ALTER DATABASE {load.database.name} SET timezone TO 'UTC'")
    instants = dict(load.table("id, at::text"))
    assert "0001-01-01 00:00:00+00" == instants["a"]
    assert "9999-12-31 23:59:59.999999+00" == instants["b"]
    assert {"c", "d", "e", "f", "g"}.isdisjoint(instants)
    assert {"h": "10000-01-01 13:59:59+00", "i": "0001-12-31 10:00:00+00 BC"}.items() >= {
        key: instants[key] for key in ("h", "i") if key in instants
    }.items()
    assert 10 - len(instants) == len(load.rejects())
    assert {("at", "invalid_datetime")} == {found[2:] for found in load.rejects()}
    assert "good" in instants


def test_days_and_hours_that_are_none(load: Loader) -> None:
    """D06: 30 February, 24:00, a leap second; offsets up to 14 hours; a time without an offset is one in UTC."""
    assert END == load.file("days_and_hours_that_are_none")
    load.database.query(f"ALTER DATABASE {load.database.name} SET timezone TO 'UTC'")
    assert {
        "d": "2026-03-29 02:30:00+00",
        "e": "2026-10-25 00:30:00+00",
        "f": "2026-10-25 01:30:00+00",
        "g": "2025-12-31 10:00:00+00",
        "h": "2026-01-01 14:00:00+00",
    } == {key: at for key, at in load.table("id, at::text") if at}
    assert ["good", "k"] == [key for key, at in load.table("id, at") if not at]
    assert [
        ("a", "invalid_datetime"), ("b", "invalid_datetime"), ("c", "invalid_datetime"), ("i", "invalid_datetime"),
        ("j", "invalid_datetime"), ("l", "invalid_date"), ("m", "invalid_time"),
    ] == [
        (json.loads(key)[0], found)
        for key, found in load.database.query("SELECT key, error_class FROM _crmdb.rejects ORDER BY reject_id")
    ]  # fmt: skip


def test_texts_of_a_megabyte_keep_the_target_small(load: Loader, start: Starter, singer: Singer) -> None:
    """D09: a hundred of them land, and the process never holds more than a batch of them."""
    schema = singer.schema({"text": singer.text})
    run = start(schema, *(singer.record({"id": f"{n:03}", "text": "x" * 1_000_000}) for n in range(100)))
    run.until(lambda: rows_of(load) >= 64)
    status = Path(f"/proc/{run.process.pid}/status").read_text("ascii")
    assert 0 == run.finish(singer.state("end")), run.log
    assert [(100, 1_000_000, 1_000_000)] == load.database.query(
        "SELECT count(*), min(length(text)), max(length(text)) FROM crm_test.contacts"
    )
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert peak < 150 * 1024


@pytest.mark.long
def test_a_text_of_a_hundred_megabytes(load: Loader, start: Starter, singer: Singer) -> None:
    """D09: it lands, or is rejected; its neighbours land whichever."""
    schema = singer.schema({"text": singer.text})
    big = singer.record({"id": "2", "text": "x" * 100_000_000})
    run = start.whole(schema, singer.record({"id": "1"}), big, singer.record({"id": "3"}), singer.state("end"))
    assert 0 == run.process.returncode, run.log
    assert ["end"] == run.states
    lengths = dict(load.table("id, length(text)"))
    assert {"1", "3"} <= lengths.keys()
    assert lengths.get("2") == 100_000_000 or [("contacts", 3)] == [found[:2] for found in load.rejects()]


def test_deep_nesting(load: Loader) -> None:
    """D10: 50 levels are stored, 2,000 are rejected, declared or not; no RecursionError, and neighbours land."""
    assert END == load.file("nested_2000_deep", max_protocol_errors=10)
    assert [("a",), ("good",)] == load.table("id")
    assert [3, 4] == [line for _, line, _, _ in load.rejects()]


@pytest.mark.parametrize("depth", [10_000, 100_000])
def test_nesting_deeper_than_any_stack(load: Loader, start: Starter, singer: Singer, depth: int) -> None:
    """D10: rejected in a process of its own, which must not die of it."""
    line = b'{"type":"RECORD","stream":"contacts","record":{"id":"deep","j":%s1%s}}\n' % (
        b'{"d":' * depth,
        b"}" * depth,
    )
    schema = singer.schema({"j": {"type": "object"}})
    run = start.whole(
        schema, singer.record({"id": "1"}), line, singer.record({"id": "2"}), singer.state("end"), max_protocol_errors=1
    )
    assert 0 == run.process.returncode, run.log
    assert [("1",), ("2",)] == load.table("id")
    assert [3] == [found[1] for found in load.rejects()]


@pytest.mark.parametrize("name", ["keys_alike", "names_that_break_sql"])
def test_names_that_are_alike_or_break_sql(load: Loader, name: str) -> None:
    """D11, D12: each field has a column of its own, safe and at most 63 bytes, and is found by the recorded mapping."""
    assert END == load.file(name)
    assert [] == load.rejects()
    (record,) = records_of(name)
    assert record == as_sent(load, "a")
    columns = load.database.query(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'crm_test.contacts'::regclass AND attnum > 0"
    )
    assert all(0 < len(column.encode()) <= 63 for (column,) in columns)
    assert END == load.file(name)
    assert {"seen": 1, "unchanged": 1} == load.outcomes()
    assert columns == load.database.query(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'crm_test.contacts'::regclass AND attnum > 0"
    )


def test_more_columns_than_a_table_can_have(load: Loader, singer: Singer) -> None:
    """D13: 1,650 fields; what has no column is in `_extra`, and all of it comes back, also when one of them changes."""
    fields = {f"p{number}": singer.text for number in range(1650)}
    record = {"id": "1", **{name: f"value {name}" for name in fields}}
    load(singer.schema(fields), singer.record(record))
    assert [] == load.rejects()
    assert record == as_sent(load, "1")
    changed = {**record, "p3": "changed", "p1649": "changed"}
    load(singer.schema(fields), singer.record(changed))
    assert changed == as_sent(load, "1")
    assert {"seen": 1, "updated": 1} == load.outcomes()


def test_seven_hundred_full_texts_fit_into_a_row(load: Loader, singer: Singer) -> None:
    """D13: 20 to 200 characters each; a row of Postgres is limited to 8,160 bytes."""
    fields = {f"p{number}": singer.text for number in range(700)}
    record = {"id": "1", **{f"p{n}": chr(97 + n % 26) * (20 + n * 180 // 700) for n in range(700)}}
    load(singer.schema(fields), singer.record(record), singer.record({"id": "2"}))
    assert [] == load.rejects()
    assert record == as_sent(load, "1")


def test_every_kind_of_text_comes_back_byte_by_byte(load: Loader) -> None:
    """D14: emoji, joiners, overrides, combining marks, controls, what COPY takes for its own."""
    assert END == load.file("every_kind_of_text")
    assert [] == load.rejects()
    assert sorted((record["id"], record["name"]) for record in records_of("every_kind_of_text")) == load.table(
        "id, name"
    )


def test_keys_missing_null_and_of_two_types(load: Loader) -> None:
    """D17: no row without a key, none whose key is guessed; of a name given twice the last counts."""
    assert END == load.file("keys_missing_null_and_of_two_types", max_protocol_errors=1)
    assert [("", "empty"), ("1", "text"), ("3", "last"), ("good", "kept")] == load.table("id, name")
    assert [(3, "id", "type"), (4, "id", "type"), (5, "id", "missing_key"), (8, "id", "type"), (9, "id", "type")] == [
        found[1:] for found in load.rejects()
    ]


def test_broken_lines(load: Loader, caplog: pytest.LogCaptureFixture) -> None:
    """T15: each is a reject with its line number; what stands in it is in no log."""
    caplog.set_level("DEBUG")
    assert END == load.file("broken_lines", max_protocol_errors=20)
    assert [("1", "a"), ("2", "b")] == load.table("id, name")
    assert list(range(3, 15)) == [found[1] for found in load.rejects()]
    assert "canary" not in caplog.text


def test_t15_more_broken_lines_than_allowed_fail_the_run(load: Loader, start: Starter) -> None:
    """T15: exit code 1, the first line's number in the last line of the log, STATE stays, good rows are there."""
    run = start.whole((FILES / "broken_lines.singer").read_bytes(), max_protocol_errors=11)
    assert 1 == run.process.returncode, run.log
    assert [] == run.states
    assert "canary" not in run.log
    assert [("1", "a"), ("2", "b")] == load.table("id, name")


def test_messages_before_their_schema(load: Loader, caplog: pytest.LogCaptureFixture) -> None:
    """T16: a record is a reject, a version is ignored; blank lines are none; of an unknown type one warning each."""
    assert END == load.file("before_its_schema", max_protocol_errors=1)
    assert [("1", "a")] == load.table("id, name")
    assert [("contacts", 3, None, "record_before_schema")] == load.rejects()
    warned = [record for record in caplog.records if record.levelname == "WARNING" and "unknown type" in record.message]
    assert 2 == len(warned)
    assert "canary" not in caplog.text


def test_t16_a_batch_before_its_schema(load: Loader) -> None:
    """T16: a reject of its line like a record, and not a reason to stop."""
    assert END == load.file("batch_before_its_schema", max_protocol_errors=1)
    assert [("1", "a")] == load.table("id, name")
    assert [1] == [found[1] for found in load.rejects()]


def test_t16_a_batch_whose_file_is_gone(load: Loader, start: Starter, singer: Singer) -> None:
    """T16: nobody knows what was in it, so the run fails and STATE stays before it; what came earlier is there."""
    batch = {
        "type": "BATCH",
        "stream": "contacts",
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "manifest": ["file:///nowhere/canary.jsonl.gz"],
    }
    messages = [singer.schema(), singer.record({"id": "1"}), singer.state("before"), batch, singer.state("behind")]
    run = start.whole(*messages, state_interval=0)
    assert 1 == run.process.returncode, run.log
    assert ["before"] == run.states
    assert "Traceback" not in run.log
    assert [("1",)] == load.table("id")


@pytest.mark.parametrize("settings", [{}, {"sweep_at_end": True}], ids=str)
def test_t14_an_input_cut_within_a_line_removes_no_row(
    load: Loader, start: Starter, singer: Singer, settings: dict[str, Any]
) -> None:
    """T14: what was read of it is loaded, its last STATE printed, and no row is taken for gone."""
    load(
        singer.schema({"name": singer.text}), *(singer.record({"id": n}, version=1) for n in "123"), singer.activate(1)
    )
    run = start.whole((FILES / "torn_within_a_full_read.singer").read_bytes(), **settings)
    assert 0 == run.process.returncode, run.log
    assert ["half"] == run.states
    assert 3 == rows_of(load)
    assert [] == load.database.query("SELECT id FROM crm_test.contacts WHERE _sdc_deleted_at IS NOT NULL")
    assert [] == load.rejects()


def test_t14_an_input_that_ends_before_its_first_line(load: Loader, start: Starter) -> None:
    """T14: the tap died at once; nothing is made, nothing is printed."""
    run = start.whole()
    assert 0 == run.process.returncode, run.log
    assert [] == run.states
    assert [("success",)] == load.database.query("SELECT status FROM _crmdb.runs")
