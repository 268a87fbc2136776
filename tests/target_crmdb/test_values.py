"""What was sent is what is stored: digits, instants, empty texts, any Unicode, any nesting."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.target_crmdb.conftest import Loader, Message, Singer


@pytest.fixture
def stored(load: Loader, singer: Singer) -> Any:
    """Stores one raw JSON value under a SCHEMA; gives what the column holds."""

    def store(declared: Message, raw: str) -> Any:
        line = f'{{"type":"RECORD","stream":"contacts","record":{{"id":"1","v":{raw}}}}}\n'.encode()
        load(singer.schema({"v": declared}), line)
        assert [] == load.rejects()
        return load.table("id, v")[0][1]

    return store


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("12345678901234.123456789", "12345678901234.123456789"),
        ("1e400", "1" + "0" * 400),
        ("0.1", "0.1"),
        ("-0.0", "0.0"),
        ("1.10", "1.10"),
        ("9" * 400, "9" * 400),
        ("5", "5"),
    ],
)
def test_numbers_never_pass_through_a_float(stored: Any, raw: str, expected: str) -> None:
    assert Decimal(expected) == stored({"type": "number"}, raw)


@pytest.mark.parametrize(
    ("raw", "expected"), [("9223372036854775807", 2**63 - 1), ("1.0", 1), ("-0", 0), ("1e3", 1000)]
)
def test_integers(stored: Any, raw: str, expected: int) -> None:
    assert expected == stored({"type": "integer"}, raw)


def test_integers_that_the_schema_says_are_big(stored: Any) -> None:
    assert 10**30 == stored({"type": "integer", "maximum": 10**31}, str(10**30))


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T00:00:00Z",
        "2026-01-01T05:00:00+05:00",
        "2025-12-31T16:00:00-08:00",
        "2026-01-01 05:30:00+0530",
        "2026-01-01T00:00:00.000Z",
        "2026-01-01T00:00",
        "2026-01-01",
        "2026-01-01T14:00:00+14:00",
    ],
)
def test_offsets_are_kept_as_instants_whatever_the_servers_zone(load: Loader, stored: Any, text: str) -> None:
    """D06: a time without an offset is one in UTC."""
    name = load.database.query("SELECT current_database()")[0][0]
    load.database.query(f"ALTER DATABASE {name} SET timezone TO 'America/New_York'")
    instant = stored({"type": "string", "format": "date-time"}, f'"{text}"')
    assert datetime(2026, 1, 1, tzinfo=UTC) == instant


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_the_ends_of_the_calendar(load: Loader, stored: Any, text: str) -> None:
    """D05."""
    stored({"type": "string", "format": "date-time"}, f'"{text}"')
    assert [(datetime.fromisoformat(text),)] == load.database.query(
        "SELECT v AT TIME ZONE 'UTC' AT TIME ZONE 'UTC' FROM crm_test.contacts"
    )


@pytest.mark.parametrize(
    ("declared", "raw", "expected"),
    [
        ({"type": "string", "format": "date"}, '"2024-02-29"', date(2024, 2, 29)),
        ({"type": "string", "format": "time"}, '"23:59:59.5"', time(23, 59, 59, 500000)),
        ({"type": "boolean"}, "false", False),
        ({"type": "string"}, '""', ""),
        ({"type": "string"}, '" "', " "),
        ({"type": "string"}, '"a\\tb\\nc\\\\n\\\\N"', "a\tb\nc\\n\\N"),
        ({"type": "string"}, '"\u202eabc e\u0301 👩‍👩‍👧 \ufe0f"', "\u202eabc e\u0301 👩‍👩‍👧 \ufe0f"),
        ({"type": "array", "items": {"type": "integer"}}, "[1, 2]", [1, 2]),
        ({"type": "object"}, '{"a": {"b": [null, "\u00e9"]}}', {"a": {"b": [None, "é"]}}),
        ({"type": ["string", "integer", "object"]}, '"text"', "text"),
        ({"type": ["string", "integer", "object"]}, "5", 5),
        ({}, "[true]", [True]),
        ({"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}, '"2026-01-02"', date(2026, 1, 2)),
    ],
)
def test_other_values(stored: Any, declared: Message, raw: str, expected: Any) -> None:
    """D07, D14: an empty text is never NULL."""
    assert expected == stored(declared, raw)


def test_numbers_within_json_keep_their_digits(load: Loader, stored: Any) -> None:
    stored({"type": "object"}, '{"n": 12345678901234.123456789, "i": 123456789012345678901234567890}')
    assert [("12345678901234.123456789", "123456789012345678901234567890")] == load.table("v->>'n', v->>'i'")


def test_a_text_of_a_megabyte(stored: Any) -> None:
    """D09."""
    assert 1_000_000 == len(stored({"type": "string"}, '"' + "x" * 1_000_000 + '"'))


def test_without_validation_the_columns_still_hold_what_fits_only(load: Loader, singer: Singer) -> None:
    schema = singer.schema({"n": {"type": "integer"}, "s": {"type": "string"}})
    rows = [{"id": "1", "n": "x"}, {"id": "2", "n": True}, {"id": "3", "n": 3, "s": 5}, {"id": "4", "s": {"a": 1}}]
    load(schema, *map(singer.record, rows), validate_records=False)
    assert [("3", 3, "5"), ("4", None, '{"a":1}')] == load.table("id, n, s")
    assert ["not_integer", "not_integer"] == [found for *_, found in load.rejects()]
