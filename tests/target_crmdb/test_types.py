"""Each JSON schema has its Postgres type, and each type takes exactly what it can hold."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk import typing as th

from target_crmdb.mapping import Column, ColumnType, column_type
from target_crmdb.validation import ConversionError, converter_for, converter_of

if TYPE_CHECKING:
    from tests.target_crmdb.conftest import Loader, Message, Singer

STRING, INTEGER, NUMBER = ({"type": kind} for kind in ("string", "integer", "number"))


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (STRING, ColumnType.TEXT),
        ({**STRING, "format": "email"}, ColumnType.TEXT),
        ({**STRING, "format": "date-time"}, ColumnType.TIMESTAMPTZ),
        ({**STRING, "format": "date"}, ColumnType.DATE),
        ({**STRING, "format": "time"}, ColumnType.TIME),
        ({"type": ["null", "string"], "format": "uuid"}, ColumnType.UUID),
        (th.SingerDecimalType.type_dict, ColumnType.NUMERIC),
        (INTEGER, ColumnType.BIGINT),
        ({**INTEGER, "minimum": 0, "maximum": 100}, ColumnType.INTEGER),
        ({**INTEGER, "minimum": -(2**31), "maximum": 2**31 - 1}, ColumnType.INTEGER),
        ({**INTEGER, "exclusiveMinimum": 0, "exclusiveMaximum": 100}, ColumnType.INTEGER),
        ({**INTEGER, "minimum": 0, "maximum": 2**31}, ColumnType.BIGINT),
        ({**INTEGER, "minimum": 0}, ColumnType.BIGINT),
        ({**INTEGER, "maximum": 100, "exclusiveMaximum": True}, ColumnType.BIGINT),
        ({**INTEGER, "minimum": 0, "maximum": 2**63}, ColumnType.NUMERIC),
        ({**INTEGER, "minimum": -(2**63) - 1}, ColumnType.NUMERIC),
        (NUMBER, ColumnType.NUMERIC),
        ({**NUMBER, "multipleOf": Decimal("0.01")}, ColumnType.NUMERIC),
        ({**NUMBER, "format": "double"}, ColumnType.DOUBLE),
        ({"type": ["number", "null"], "format": "float"}, ColumnType.DOUBLE),
        ({"type": ["integer", "number"]}, ColumnType.NUMERIC),
        ({"type": "boolean"}, ColumnType.BOOLEAN),
        ({"type": "object"}, ColumnType.JSONB),
        ({"type": ["array", "null"]}, ColumnType.JSONB),
        ({}, ColumnType.JSONB),
        ({"const": 5}, ColumnType.BIGINT),
        ({"enum": ["a", None]}, ColumnType.TEXT),
        ({"enum": ["a", 1]}, ColumnType.JSONB),
        ({"type": ["string", "integer"]}, ColumnType.JSONB),
        ({"oneOf": [{"type": "null"}, {"anyOf": [{"type": "boolean"}]}]}, ColumnType.BOOLEAN),
        ({"anyOf": [{**STRING, "format": "date-time"}, STRING]}, ColumnType.TEXT),
        ({"anyOf": [{**STRING, "format": "date-time"}, {**STRING, "format": "date"}]}, ColumnType.TEXT),
    ],
)
def test_the_type_of_a_schema(schema: dict[str, Any], expected: ColumnType) -> None:
    assert expected == column_type(schema)


@pytest.mark.parametrize(
    ("schema", "hint", "expected"),
    [
        (INTEGER, "smallint", ColumnType.INTEGER),
        (INTEGER, "INTEGER", ColumnType.INTEGER),
        (INTEGER, "numeric(20, 0)", ColumnType.NUMERIC),
        (NUMBER, "decimal(9,2)", ColumnType.NUMERIC),
        (NUMBER, "double precision", ColumnType.DOUBLE),
        (STRING, "varchar(20)", ColumnType.TEXT),
        (STRING, "uuid", ColumnType.UUID),
        (STRING, "date", ColumnType.DATE),
        ({**STRING, "format": "date-time"}, "text", ColumnType.TEXT),
        # the values of the JSON type cannot follow these, or the type is not ours
        (NUMBER, "integer", ColumnType.NUMERIC),
        (STRING, "integer", ColumnType.TEXT),
        (STRING, "money", ColumnType.TEXT),
        ({"type": "object"}, "text", ColumnType.JSONB),
        ({"type": "boolean"}, "integer", ColumnType.BOOLEAN),
    ],
)
def test_a_hint_is_heard_where_the_values_can_follow_it(
    schema: dict[str, Any], hint: str, expected: ColumnType
) -> None:
    assert expected == column_type({**schema, "x-sql-datatype": hint})


def test_each_type_holds_its_values_exactly(load: Loader, singer: Singer) -> None:
    """D06: digits, instants and ids come out as they went in."""
    fields: list[tuple[Message, str, Any]] = [
        ({**INTEGER, "minimum": 0, "maximum": 9}, "7", 7),
        ({**NUMBER, "format": "double"}, "0.1", 0.1),
        ({**NUMBER, "format": "double"}, "1.7976931348623157e308", 1.7976931348623157e308),
        ({**NUMBER, "format": "double"}, "-0.30000000000000004", -0.30000000000000004),
        (
            {**STRING, "format": "uuid"},
            '"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"',
            UUID("a0eebc99" + "9c0b4ef8bb6d6bb9bd380a11"),
        ),
        (th.SingerDecimalType.type_dict, '"12345678901234567890.123456789"', Decimal("12345678901234567890.123456789")),
        (th.SingerDecimalType.type_dict, '"-1.10"', Decimal("-1.10")),
        ({**NUMBER, "multipleOf": 0.01}, "12345678901234.07", Decimal("12345678901234.07")),
        ({**STRING, "format": "date-time"}, '"2026-01-01t05:00:00z"', dt.datetime(2026, 1, 1, 5, tzinfo=dt.UTC)),
        ({**STRING, "format": "date"}, '"2024-02-29"', dt.date(2024, 2, 29)),
        ({**STRING, "format": "time"}, '"10:00"', dt.time(10)),
    ]
    values = ",".join(f'"v{number}":{raw}' for number, (_, raw, _) in enumerate(fields))
    line = f'{{"type":"RECORD","stream":"contacts","record":{{"id":"1",{values}}}}}\n'.encode()
    load(singer.schema({f"v{number}": declared for number, (declared, _, _) in enumerate(fields)}), line)
    assert [] == load.rejects()
    assert [value for *_, value in fields] == list(load.table(", ".join(f"v{n}" for n in range(len(fields))))[0])


MISFITS: list[tuple[Message, Any, str]] = [
    ({**INTEGER, "x-sql-datatype": "integer"}, 2**31, "out_of_range"),
    ({**INTEGER, "minimum": 0, "maximum": 9}, 10, "maximum"),
    ({**STRING, "format": "uuid"}, "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "invalid_uuid"),
    ({**STRING, "format": "uuid"}, "a0eebc999c0b4ef8bb6d6bb9bd380a11", "invalid_uuid"),
    ({**STRING, "format": "uuid"}, "", "invalid_uuid"),
    ({**STRING, "format": "singer.decimal"}, "NaN", "not_number"),
    ({**STRING, "format": "singer.decimal"}, "1,5", "not_number"),
    ({**STRING, "format": "singer.decimal"}, "", "not_number"),
    ({**NUMBER, "multipleOf": 0.01}, 1.005, "multipleOf"),
    ({**STRING, "format": "date-time"}, "2026-01-01T00:00:00+16:00", "invalid_datetime"),
    ({**STRING, "format": "date-time"}, "tomorrow", "invalid_datetime"),
    ({**STRING, "format": "date"}, "-infinity", "invalid_date"),
    ({**STRING, "format": "time"}, "now", "invalid_time"),
]


def test_what_a_type_does_not_hold_is_a_reject(load: Loader, singer: Singer) -> None:
    """D05, D06: found by our own check, so that Postgres is not asked."""
    rows = [singer.record({"id": f"{n:02}", f"v{n}": value}) for n, (_, value, _) in enumerate(MISFITS)]
    big = b'{"type":"RECORD","stream":"contacts","record":{"id":"big","d":1e400}}\n'
    schema = singer.schema(
        {f"v{n}": kind for n, (kind, _, _) in enumerate(MISFITS)} | {"d": {**NUMBER, "format": "double"}}
    )
    load(schema, *rows, big, singer.record({"id": "good"}))
    assert [("good",)] == load.table("id")
    expected = [*((f"v{n}", rule) for n, (_, _, rule) in enumerate(MISFITS)), ("d", "out_of_range")]
    assert expected == [(field, rule) for _, _, field, rule in load.rejects()]
    assert {("validate",)} == set(load.database.query("SELECT stage FROM _crmdb.rejects"))


@given(
    st.datetimes(timezones=st.just(dt.UTC)),
    st.sampled_from(["T", "t", " "]),
    st.sampled_from(["Z", "z", "+00", "+0530", "-08:00", ""]),
)
def test_every_instant_is_taken_as_it_came(moment: dt.datetime, separator: str, offset: str) -> None:
    text = moment.replace(tzinfo=None).isoformat(separator) + offset
    assert text == converter_for(ColumnType.TIMESTAMPTZ)(text)


DAYS = st.tuples(st.integers(0, 9999), st.integers(0, 13), st.integers(0, 32))


@given(DAYS)
def test_only_days_that_exist_are_taken(parts: tuple[int, int, int]) -> None:
    """D05."""
    year, month, day = parts
    text = f"{year:04}-{month:02}-{day:02}"
    try:
        dt.date(year, month, day)
    except ValueError:
        for kind in (ColumnType.DATE, ColumnType.TIMESTAMPTZ):
            with pytest.raises(ConversionError):
                converter_for(kind)(text)
    else:
        assert text == converter_for(ColumnType.DATE)(text) == converter_for(ColumnType.TIMESTAMPTZ)(text)


@given(st.text(max_size=12) | st.integers() | st.booleans() | st.none() | st.lists(st.integers(), max_size=2))
def test_no_converter_fails_but_by_its_own_error(value: Any) -> None:
    for kind in ColumnType:
        for column in (Column("v", ("v",), kind), Column("v", ("v",), kind, misfit="discard")):
            try:
                written = converter_of(column)(value)
            except ConversionError:
                continue
            assert written is None or isinstance(written, str | int | Decimal)


def test_decimals_of_records_are_read_from_text_only() -> None:
    """What a numeric column is given is the number's own text."""
    value = json.loads("1.10", parse_float=Decimal)
    assert "1.10" == str(converter_for(ColumnType.NUMERIC)(value))
    assert "1.10" == str(converter_for(ColumnType.DOUBLE)(value))
