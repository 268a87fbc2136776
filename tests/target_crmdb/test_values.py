"""What was sent is what is stored: digits, instants, empty texts, any Unicode, any nesting."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.target_crmdb.conftest import Loader, Message, Singer

NUMBER: Message = {"type": "number"}
INTEGER: Message = {"type": "integer"}
TEXT: Message = {"type": "string"}
INSTANT: Message = {"type": "string", "format": "date-time"}


def store(load: Loader, singer: Singer, *fields: tuple[Message, str]) -> list[Any]:
    """Load one record with these fields, each a type and its raw JSON; give what the columns hold."""
    values = ",".join(f'"v{number}":{raw}' for number, (_, raw) in enumerate(fields))
    line = f'{{"type":"RECORD","stream":"contacts","record":{{"id":"1",{values}}}}}\n'.encode()
    load(singer.schema({f"v{number}": declared for number, (declared, _) in enumerate(fields)}), line)
    assert [] == load.rejects()
    return list(load.table(", ".join(f"v{number}" for number in range(len(fields))))[0])


def test_numbers_never_pass_through_a_float(load: Loader, singer: Singer) -> None:
    raw = ["12345678901234.123456789", "1e400", "0.1", "-0.0", "1.10", "9" * 400, "5"]
    stored = store(load, singer, *((NUMBER, text) for text in raw))
    assert [Decimal(text) for text in raw] == stored
    assert "1.10" == str(stored[4])


def test_integers(load: Loader, singer: Singer) -> None:
    big: Message = {"type": "integer", "maximum": 10**31}
    fields = [(INTEGER, "9223372036854775807"), (INTEGER, "1.0"), (INTEGER, "-0"), (INTEGER, "1e3"), (big, "9" * 30)]
    assert [2**63 - 1, 1, 0, 1000, int("9" * 30)] == store(load, singer, *fields)


def test_offsets_are_kept_as_instants_whatever_the_servers_zone(load: Loader, singer: Singer) -> None:
    """D06: a time without an offset is one in UTC."""
    name = load.database.query("SELECT current_database()")[0][0]
    load.database.query(f"ALTER DATABASE {name} SET timezone TO 'America/New_York'")
    texts = [
        "2026-01-01T00:00:00Z",
        "2026-01-01T05:00:00+05:00",
        "2025-12-31T16:00:00-08:00",
        "2026-01-01 05:30:00+0530",
        "2026-01-01 02:00:00 +02",
        "2026-01-01T00:00:00.000Z",
        "2026-01-01T00:00",
        "2026-01-01",
        "2026-01-01T14:00:00+14:00",
    ]
    stored = store(load, singer, *((INSTANT, f'"{text}"') for text in texts))
    assert [datetime(2026, 1, 1, tzinfo=UTC)] * len(texts) == stored


def test_the_ends_of_the_calendar(load: Loader, singer: Singer) -> None:
    """D05."""
    assert [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)] == [
        instant.replace(tzinfo=UTC)
        for instant in load_utc(load, singer, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z")
    ]


def load_utc(load: Loader, singer: Singer, *texts: str) -> list[datetime]:
    """Store instants and read them without a zone, which Python could not hold at the ends of its calendar."""
    fields = ((INSTANT, f'"{text}"') for text in texts)
    name = load.database.query("SELECT current_database()")[0][0]
    load.database.query(f"ALTER DATABASE {name} SET timezone TO 'UTC'")
    return store(load, singer, *fields)


def test_other_values(load: Loader, singer: Singer) -> None:
    """D07, D14: an empty text is never NULL."""
    union: Message = {"type": ["string", "integer", "object"]}
    fields: list[tuple[Message, str, Any]] = [
        ({"type": "string", "format": "date"}, '"2024-02-29"', date(2024, 2, 29)),
        ({"type": "string", "format": "time"}, '"23:59:59.5"', time(23, 59, 59, 500000)),
        ({"type": "boolean"}, "false", False),
        (TEXT, '""', ""),
        (TEXT, '" "', " "),
        (TEXT, '"a\\tb\\nc\\\\n\\\\N"', "a\tb\nc\\n\\N"),
        (TEXT, '"\u202eabc e\u0301 👩\u200d👩\u200d👧 \ufe0f"', "\u202eabc e\u0301 👩\u200d👩\u200d👧 \ufe0f"),
        ({"type": "array", "items": {"type": "integer"}}, "[1, 2]", [1, 2]),
        ({"type": "object"}, '{"a": {"b": [null, "\u00e9"]}}', {"a": {"b": [None, "é"]}}),
        (union, '"text"', "text"),
        (union, "5", 5),
        ({}, "[true]", [True]),
        ({"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}, '"2026-01-02"', date(2026, 1, 2)),
    ]
    assert [value for *_, value in fields] == store(load, singer, *((kind, raw) for kind, raw, _ in fields))


def test_numbers_within_json_keep_their_digits(load: Loader, singer: Singer) -> None:
    store(load, singer, ({"type": "object"}, '{"n": 12345678901234.123456789, "i": 123456789012345678901234567890}'))
    assert [("12345678901234.123456789", "123456789012345678901234567890")] == load.table("v0->>'n', v0->>'i'")


def test_a_text_of_a_megabyte(load: Loader, singer: Singer) -> None:
    """D09."""
    (text,) = store(load, singer, (TEXT, '"' + "x" * 1_000_000 + '"'))
    assert 1_000_000 == len(text)


def test_without_validation_the_columns_still_hold_what_fits_only(load: Loader, singer: Singer) -> None:
    schema = singer.schema({"n": {"type": "integer"}, "s": {"type": "string"}})
    rows: list[Message] = [{"id": "1", "n": "x"}, {"id": "2", "n": True}, {"id": "3", "n": 3, "s": 5}]
    rows.append({"id": "4", "s": {"a": 1}})
    load(schema, *map(singer.record, rows), validate_records=False)
    assert [("3", 3, "5"), ("4", None, '{"a":1}')] == load.table("id, n, s")
    assert ["not_integer", "not_integer"] == [found for *_, found in load.rejects()]
