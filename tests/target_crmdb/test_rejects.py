"""A bad row or line never stops good ones: it is kept, with the field and the rule, and the rest lands."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from target_crmdb.exceptions import (
    BrokenMessageError,
    InvalidSchemaError,
    MissingKeyError,
    RecordBeforeSchemaError,
    TooManyRejectsError,
)

if TYPE_CHECKING:
    from tests.target_crmdb.conftest import Loader, Message, Singer

GOOD = ({"id": "0"}, {"id": "9"})


def around(singer: Singer, bad: Message) -> list[Message]:
    """One bad record between two good ones."""
    return [singer.record(GOOD[0]), singer.record(bad), singer.record(GOOD[1])]


# a declared type, a value that is not of it, and the rule that says so
MISFITS: list[tuple[Message, Any, str]] = [
    ({"type": "integer"}, "5", "type"),
    ({"type": "integer"}, 2.5, "type"),
    ({"type": "integer"}, 2**63, "out_of_range"),
    ({"type": "integer"}, -(2**63) - 1, "out_of_range"),
    ({"type": "number"}, "1,234.50", "type"),
    ({"type": "number"}, "", "type"),
    ({"type": "boolean"}, "yes", "type"),
    ({"type": "boolean"}, 1, "type"),
    ({"type": "string"}, 5, "type"),
    ({"type": "string", "enum": ["a", "b"]}, "c", "enum"),
    ({"type": "string", "maxLength": 2}, "abc", "maxLength"),
    ({"type": "object", "properties": {"n": {"type": "integer"}}}, {"n": "x"}, "type"),
    ({"type": "string", "format": "date-time"}, "now", "invalid_datetime"),
    ({"type": "string", "format": "date-time"}, "epoch", "invalid_datetime"),
    ({"type": "string", "format": "date-time"}, "infinity", "invalid_datetime"),
    ({"type": "string", "format": "date-time"}, "Jan 5 2026", "invalid_datetime"),
    ({"type": "string", "format": "date-time"}, "2026-02-30T00:00:00Z", "invalid_datetime"),
    ({"type": "string", "format": "date-time"}, "0000-00-00T00:00:00Z", "invalid_datetime"),
    ({"type": "string", "format": "date-time"}, "10000-01-01T00:00:00Z", "invalid_datetime"),
    ({"type": "string", "format": "date-time"}, "2026-01-01T24:00:00Z", "invalid_datetime"),
    ({"type": "string", "format": "date-time"}, "2026-01-01T23:59:60Z", "invalid_datetime"),
    ({"type": "string", "format": "date-time"}, "2026-W01-1", "invalid_datetime"),
    ({"type": "string", "format": "date-time"}, "", "invalid_datetime"),
    ({"type": "string", "format": "date-time"}, 1767225600000, "type"),
    ({"type": "string", "format": "date"}, "2026-02-30", "invalid_date"),
    ({"type": "string", "format": "date"}, "2026-02-03T10:00:00Z", "invalid_date"),
    ({"type": "string", "format": "date"}, "yesterday", "invalid_date"),
    ({"type": "string", "format": "time"}, "25:00:00", "invalid_time"),
    ({"type": "string", "format": "time"}, "10:00:00+02:00", "invalid_time"),
]


def test_values_that_are_not_what_the_schema_says(load: Loader, singer: Singer) -> None:
    """D03-D06, D18: refused by our own check, before Postgres is asked; each row alone, by field and rule."""
    schema = singer.schema({f"v{n}": declared for n, (declared, _, _) in enumerate(MISFITS)})
    rows = [singer.record({"id": f"{n:02}", f"v{n}": value}) for n, (_, value, _) in enumerate(MISFITS)]
    load(schema, singer.record({"id": "first"}), *rows, singer.record({"id": "last"}))
    assert [("first",), ("last",)] == load.table("id")
    assert [(n + 3, f"v{n}", rule) for n, (_, _, rule) in enumerate(MISFITS)] == [
        (line, field.removesuffix(".n"), rule) for _, line, field, rule in load.rejects()
    ]
    assert [("validate", '["00"]')] == load.database.query("SELECT stage, key FROM _crmdb.rejects LIMIT 1")


def test_what_json_does_not_know_as_a_number(load: Loader, singer: Singer) -> None:
    """D04."""
    line = '{"type":"RECORD","stream":"contacts","record":{"id":"1","v":%s}}\n'
    bad = [(line % literal).encode() for literal in ("NaN", "Infinity", "-Infinity")]
    load(singer.schema({"v": singer.number}), singer.record(GOOD[0]), *bad, singer.record(GOOD[1]))
    assert [("0",), ("9",)] == load.table("id")
    assert [("contacts", line, "v", "type") for line in (3, 4, 5)] == load.rejects()


@pytest.mark.parametrize("validate", [True, False])
def test_rows_that_only_postgres_refuses(load: Loader, singer: Singer, validate: bool) -> None:
    """G4: COPY names the line; its neighbours, before and behind, land exactly once."""
    rows: list[Message] = [{"id": f"{number:03}", "v": number} for number in range(300)]
    lines: list[Any] = [singer.record(row) for row in rows]
    for place in (0, 17, 18, 150, 299):
        lines[place] = b'{"type":"RECORD","stream":"contacts","record":{"id":"%03d","v":1e200000}}\n' % place
    load(singer.schema({"v": singer.number}), *lines, singer.state("end"), validate_records=validate)
    bad = {0, 17, 18, 150, 299}
    assert [(f"{n:03}", n) for n in range(300) if n not in bad] == load.table("id, v::int")
    assert [("contacts", n + 2, "v", "22003 NumericValueOutOfRange") for n in sorted(bad)] == load.rejects()
    assert {"seen": 300, "created": 295, "rejected": 5} == load.outcomes()


def test_a_first_batch_that_is_refused_whole_spoils_no_other(load: Loader, singer: Singer) -> None:
    """What was made for its sake is rolled back with it, and made again."""
    bad = b'{"type":"RECORD","stream":"contacts","record":{"id":"bad","at":null,"v":1e200000}}\n'
    good = [singer.record({"id": f"{n}", "at": None, "v": n}) for n in range(3)]
    load(singer.schema({"v": singer.number}), bad, *good[:1], bad, *good[1:], batch_size_rows=1)
    assert ["0", "1", "2"] == [row[0] for row in load.table("id")]
    assert {"seen": 5, "created": 3, "rejected": 2} == load.outcomes()


def test_rows_that_only_the_merge_refuses(load: Loader, singer: Singer) -> None:
    """A key too long for an index, and a constraint that a user has added: no line is named, halves are tried."""
    load(singer.schema({"v": singer.integer}))
    load.database.query("ALTER TABLE crm_test.contacts ADD CHECK (v <> 13)")
    long_key = "".join(chr(0x4E00 + number * 7 % 20000) for number in range(4000))
    rows = [{"id": f"{n:02}", "v": n} for n in range(40)]
    rows[20]["id"] = long_key
    load(singer.schema({"v": singer.integer}), *map(singer.record, rows))
    assert [(n,) for n in range(40) if n not in {13, 20}] == load.table("v")
    classes = {found for *_, found in load.rejects()}
    assert {"23514 CheckViolation", "54000 ProgramLimitExceeded"} == classes


def test_a_null_key_is_rejected(load: Loader, singer: Singer) -> None:
    """D17."""
    schema = singer.schema({"id": singer.text})
    load(schema, *around(singer, {"id": None}))
    assert [("contacts", 3, "id", "null_key")] == load.rejects()


@pytest.mark.parametrize(
    ("line", "error", "error_class"),
    [
        (
            b'{"type":"RECORD","stream":"contacts","record":{"id":"1","secret canary"\n',
            BrokenMessageError,
            "broken_message",
        ),
        (b'{"type":"RECORD","stream":"contacts"}\n', BrokenMessageError, "broken_message"),
        (b'["no", "object"]\n', BrokenMessageError, "broken_message"),
        (b'{"type":"RECORD","stream":"contacts","record":{"id":"\xff"}}\n', BrokenMessageError, "broken_message"),
        (b"[" * 100_000 + b"\n", BrokenMessageError, "broken_message"),
        (b'{"type":"RECORD","stream":"deals","record":{"id":"1"}}\n', RecordBeforeSchemaError, "record_before_schema"),
        (b'{"type":"RECORD","stream":"contacts","record":{"at":null}}\n', MissingKeyError, "missing_key"),
    ],
    ids=["torn", "no record", "no object", "not UTF-8", "too deep", "before its schema", "without its key"],
)
def test_a_tap_that_breaks_the_protocol(  # noqa: PLR0917 - the table's columns, and fixtures
    load: Loader,
    singer: Singer,
    line: bytes,
    error: type[Exception],
    error_class: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """D10, T15, T16: all other rows land and the run fails at its end, without advancing STATE."""
    messages: list[Any] = [
        singer.schema(),
        singer.record(GOOD[0]),
        singer.state(1),
        line,
        singer.record(GOOD[1]),
        singer.state(2),
    ]
    with pytest.raises(error), caplog.at_level(logging.DEBUG):
        load.to_stdout(*messages, state_interval=0)
    assert [{"bookmarks": 1}] == [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert [("0",), ("9",)] == load.table("id")
    assert [(4, error_class)] == [(found[1], found[3]) for found in load.rejects()]
    assert [("deals",)] * (error is RecordBeforeSchemaError) == load.database.query(
        "SELECT stream FROM _crmdb.run_streams WHERE stream = 'deals' AND seen = 1 AND rejected = 1"
    )
    assert [("failed",)] == load.database.query("SELECT status FROM _crmdb.runs")
    assert "canary" not in caplog.text


def test_protocol_errors_may_be_allowed(load: Loader, singer: Singer) -> None:
    states = load(singer.schema(), b"{\n", singer.record(GOOD[0]), singer.state(1), max_protocol_errors=1)
    assert [{"bookmarks": 1}] == states
    assert [("partial",)] == load.database.query("SELECT status FROM _crmdb.runs")


def test_the_torn_end_of_an_input_is_left_out(load: Loader, singer: Singer) -> None:
    """T14: a tap that was killed within a line."""
    states = load(singer.schema(), singer.record(GOOD[0]), singer.state(1), b'{"type":"RECORD","stream":"con')
    assert [{"bookmarks": 1}] == states
    assert [] == load.rejects()


def test_too_many_rejects_fail_the_run_without_advancing_state(
    load: Loader, singer: Singer, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = [singer.record({"id": str(n), "v": "x"}) for n in range(3)]
    messages = [singer.schema({"v": singer.integer}), singer.record(GOOD[0]), *bad, singer.state("not reached")]
    with pytest.raises(TooManyRejectsError, match="max_rejects"):
        load.to_stdout(*messages, max_rejects=2)
    assert "" == capsys.readouterr().out
    assert [("0",)] == load.table("id")
    assert [] == load.database.query("SELECT * FROM _crmdb.state")
    assert [{"bookmarks": "not reached"}] == load(*messages, max_rejects=3)


def test_the_payload_is_kept_and_can_be_loaded_again(load: Loader, singer: Singer) -> None:
    line = b'{"type": "RECORD", "stream": "contacts", "record": {"id": "1", "v": "wrong \\u0000 \\ud800"}}\n'
    load(singer.schema({"v": singer.integer}), line)
    ((payload,),) = load.database.query("SELECT payload FROM _crmdb.rejects")
    assert json.loads(line) == json.loads(payload)


def test_a_rejected_row_has_no_value_in_its_reason_nor_in_any_log(
    load: Loader, singer: Singer, caplog: pytest.LogCaptureFixture
) -> None:
    """G15, whatever refuses it: validation, COPY or the merge."""
    load(singer.schema({"v": singer.number, "w": singer.text}))
    load.database.query("ALTER TABLE crm_test.contacts ADD CHECK (w <> 'canary three')")
    with caplog.at_level(logging.DEBUG):
        load(
            singer.schema({"v": singer.number, "w": singer.text}),
            singer.record({"id": "1", "v": "canary one"}),
            b'{"type":"RECORD","stream":"contacts","record":{"id":"2","v":1e190002,"w":"canary two"}}\n',
            singer.record({"id": "3", "w": "canary three"}),
        )
    assert 3 == len(load.rejects())
    reasons = load.database.query("SELECT reason FROM _crmdb.rejects")
    assert "canary" not in f"{reasons} {caplog.text}"
    assert "190002" not in f"{reasons} {caplog.text}"


def test_a_schema_that_is_no_unicode_is_refused_in_words(load: Loader) -> None:
    """D02: where such characters are not to be replaced, no column can have such a name."""
    line = b'{"type":"SCHEMA","stream":"contacts","key_properties":[],"schema":{"properties":{"\\ud800":{}}}}\n'
    with pytest.raises(InvalidSchemaError, match="Unicode"):
        load(line, sanitize_null_text_characters=False)


def test_a_nul_that_a_stream_map_makes_is_a_reject(load: Loader, singer: Singer) -> None:
    """D01: whether the row has all its fields or not; it is neither lost nor does it spoil its neighbours."""
    maps = {"contacts": {"v": r"'a\0b' if id in ('1', '2') else id"}}
    records: list[Message] = [
        {"id": "0", "at": None},
        {"id": "1", "at": "2026-01-01T00:00:00Z"},
        {"id": "2"},
        {"id": "3", "at": None},
    ]
    load(singer.schema({"v": singer.text}), *map(singer.record, records), stream_maps=maps)
    assert [("0", "0"), ("3", "3")] == load.table("id, v")
    assert ["unstorable_text"] * 2 == [found[3] for found in load.rejects()]


@pytest.mark.parametrize("sanitize", [True, False])
@pytest.mark.parametrize("place", [0, 5, 9])
def test_a_nul_among_many_common_rows(load: Loader, singer: Singer, sanitize: bool, place: int) -> None:
    """D01: it is found while the row is being written; its neighbours, before and behind, land exactly once."""
    rows: list[Message] = [{"id": f"{n}", "at": None, "v": f"{n}", "w": "x" * 50} for n in range(10)]
    rows[place]["w"] = "before\0after"
    schema = singer.schema({"v": singer.text, "w": singer.text})
    load(schema, *map(singer.record, rows), sanitize_null_text_characters=sanitize)
    rows[place]["w"] = "before\ufffdafter"
    kept = [row for n, row in enumerate(rows) if sanitize or n != place]
    assert [(row["id"], row["v"], row["w"]) for row in kept] == load.table("id, v, w")
    assert [("contacts", place + 2, None, "unstorable_text")] * (not sanitize) == load.rejects()


def test_characters_that_postgres_cannot_hold(load: Loader, singer: Singer) -> None:
    """D01, D02: replaced in texts, keys, names and JSON alike; a row is rejected where that is switched off."""
    schema = singer.schema({"v": singer.text, "j": {"type": ["null", "object"]}})
    line = (
        b'{"type":"RECORD","stream":"contacts","record":'
        b'{"id":"a\\u0000","v":"\\ud83d\\ude00 \\ud800","j":{"k\\u0000":["\\udfff"]}}}\n'
    )
    load(schema, line, singer.record({"id": "z"}))
    assert [("a\ufffd", "😀 \ufffd", {"k\ufffd": ["\ufffd"]}), ("z", None, None)] == load.table("id, v, j")
    load.database.query("TRUNCATE crm_test.contacts")
    load(schema, line, singer.record({"id": "z"}), sanitize_null_text_characters=False)
    assert [("z",)] == load.table("id")
    assert [("contacts", 2, None, "unstorable_text")] == load.rejects()
