"""Messages go out whole, exact, in time, and never silently into a closed pipe."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
from contextlib import redirect_stdout
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.singerlib.messages import RecordMessage, SchemaMessage, StateMessage
from typing_extensions import override

from crmdb_core.messages import BufferedWriter


def record(**values: Any) -> RecordMessage:
    return RecordMessage(stream="things", record=values)


def line(message: Any) -> Any:
    return json.loads(BufferedWriter().serialize_message(message), parse_float=Decimal)


class Out(io.StringIO):
    """Counts the writes."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[str] = []

    @override
    def write(self, text: str, /) -> int:
        self.blocks.append(text)
        return super().write(text)


def test_records_are_held_until_a_state_follows(clock: Any) -> None:
    writer = BufferedWriter(clock)
    with redirect_stdout(out := Out()):
        writer.write_message(record(id=1))
        writer.write_message(record(id=2))
        assert [] == out.blocks
        writer.write_message(StateMessage(value={"bookmarks": {}}))
    assert 1 == len(out.blocks)
    assert ["RECORD", "RECORD", "STATE"] == [json.loads(text)["type"] for text in out.getvalue().splitlines()]


def test_a_second_or_256_kib_send_a_block(clock: Any) -> None:
    writer = BufferedWriter(clock)
    with redirect_stdout(out := Out()):
        clock.now += 1.0
        writer.write_message(record(id=1))
        assert 1 == len(out.blocks)
        for number in range(10):
            writer.write_message(record(id=number, text="x" * 30_000))
        assert 2 == len(out.blocks)
        assert all(block.endswith("\n") for block in out.blocks)
        writer.flush()


def test_numbers_keep_their_digits() -> None:
    values = {"a": Decimal("1.10"), "b": Decimal("1E+400"), "c": 12345678901234567890123, "d": 0.1}
    text = BufferedWriter().serialize_message(record(**values)).decode()
    assert '"a":1.10,"b":1E+400,"c":12345678901234567890123,"d":0.1' in text


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, Decimal("NaN"), Decimal("-Infinity"), Decimal("sNaN")]
)
def test_what_json_cannot_say_becomes_null(value: Any) -> None:
    assert {"a": None, "b": [{"c": None}]} == line(record(a=value, b=[{"c": value}]))["record"]


def test_the_word_nan_in_a_text_is_kept() -> None:
    assert {"a": "NaN Infinity"} == line(record(a="NaN Infinity"))["record"]


def test_a_lone_surrogate_is_escaped() -> None:
    assert {"a": "\ud83d", "b": None} == line(record(a="\ud83d", b=math.nan))["record"]


def test_times_are_rfc_3339() -> None:
    when = datetime(2026, 11, 24, 8, 0, 0, 500, tzinfo=UTC)
    message = RecordMessage(stream="s", record={"at": when}, time_extracted=when)
    assert ("2026-11-24T08:00:00.000500Z",) * 2 == (line(message)["record"]["at"], line(message)["time_extracted"])


def test_other_messages_keep_their_form() -> None:
    schema = SchemaMessage(stream="s", schema={"properties": {}}, key_properties=("id",))
    expected = {"type": "SCHEMA", "stream": "s", "schema": {"properties": {}}, "key_properties": ["id"]}
    assert expected == line(schema)
    assert {"type": "STATE", "value": {"run": {"expected": None}}} == line(
        StateMessage(value={"run": {"expected": None}})
    )


WRITE_INTO_A_CLOSED_PIPE = """
import sys
from crmdb_core.exceptions import OutputClosedError
from crmdb_core.messages import BufferedWriter
from singer_sdk.singerlib.messages import StateMessage
sys.stdin.readline()
writer = BufferedWriter()
for _ in range(2):
    try:
        writer.write_message(StateMessage(value={"a": "b"}))
    except OutputClosedError as error:
        print(error, file=sys.stderr)
"""


def test_t18_a_closed_pipe_is_an_error_each_time() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE_INTO_A_CLOSED_PIPE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, errors = process.communicate("go\n", timeout=30)
    assert 2 == errors.count("the reader of the messages is gone")
    assert "Traceback" not in errors


def test_a_full_non_blocking_pipe_is_waited_for() -> None:
    code = (
        "import os, sys\nos.set_blocking(1, False)\n"
        "from crmdb_core.messages import BufferedWriter\n"
        "from singer_sdk.singerlib.messages import StateMessage\n"
        "BufferedWriter().write_message(StateMessage(value={'a': 'x' * 1_000_000}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=30)
    assert 1_000_000 < len(done.stdout)
    assert {"a": "x" * 1_000_000} == json.loads(done.stdout)["value"]


def test_what_is_left_goes_out_at_exit() -> None:
    code = (
        "from crmdb_core.messages import BufferedWriter\n"
        "from singer_sdk.singerlib.messages import RecordMessage\n"
        "BufferedWriter().write_message(RecordMessage(stream='s', record={'id': 1}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=30)
    assert {"id": 1} == json.loads(done.stdout)["record"]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.text()
    | st.sampled_from(["NaN", "Infinity", "\ud800", 'a "record":{} b'])
    | st.decimals()
    | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    record=st.dictionaries(st.text(), VALUES, max_size=5),
    stream=st.text() | st.just('"record":{}'),
    version=st.none() | st.integers(0, 10**12),
    checks=st.booleans(),
)
def test_a_record_in_an_envelope_is_the_same_line(
    record: dict[str, Any], stream: str, version: int | None, checks: bool
) -> None:
    now = datetime(2026, 11, 26, 4, 5, 6, 123_456, tzinfo=UTC)
    lines: list[str] = []
    for straight in (True, False):
        writer = BufferedWriter()
        writer.checks_numbers = checks
        with redirect_stdout(out := io.StringIO()):
            if straight:
                writer.write_record(writer.envelope(stream, version, now), record)
            else:
                writer.write_message(RecordMessage(stream, record, version, now))
            writer.flush()
        lines.append(out.getvalue())
    assert lines[0] == lines[1]
    assert lines[0].endswith("}\n")


def test_a_lone_surrogate_beside_a_word_that_looks_like_no_number_is_escaped() -> None:
    assert {"a": "\ud800", "b": "NaN"} == line(record(a="\ud800", b="NaN"))["record"]
