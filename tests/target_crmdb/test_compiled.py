"""What the compiled way accepts, the exact way accepts too, and both give the same row."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from target_crmdb.mapping import Column, TablePlan, fields_of
from target_crmdb.validation import NotAccepted, RecordValidator, RowEncoder, compile_records
from target_crmdb.validation.compiled import Number

if TYPE_CHECKING:
    from collections.abc import Mapping

Schema = dict[str, Any]

DECLARED: list[Schema] = [
    {"type": "string"},
    {"type": ["string", "null"]},
    {"type": ["null", "string"], "maxLength": 3, "title": "short"},
    {"type": "string", "minLength": 1},
    {"type": ["string", "null"], "enum": ["a", "b", None]},
    {"type": ["string", "null"], "enum": ["a", "b"]},
    {"type": "string", "format": "email"},
    {"type": ["string", "null"], "format": "date-time"},
    {"type": "string", "format": "date"},
    {"type": ["string", "null"], "format": "time"},
    {"type": "integer"},
    {"type": ["integer", "null"], "minimum": 0, "maximum": 10},
    {"type": "integer", "maximum": 10**30},
    {"type": "number"},
    {"type": ["number", "null"]},
    {"type": "number", "minimum": 1},
    {"type": ["boolean", "null"]},
    {"type": "boolean"},
    {"type": ["object", "null"]},
    {"type": "array"},
    {"type": "object", "properties": {"n": {"type": "integer"}}},
    {"type": ["string", "integer"]},
    {"type": "string", "pattern": "^a"},
    {},
]

TEXTS = [
    "a", "abcd", "", "now", "12", "2026-01-31", "2026-02-30", "2026-01-01T10:00:00Z", "2026-01-01 10:00:00",
    "2026-01-01T10:00:00.123456789+05:30", "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "10:00:00", "é\u2028😀",
]  # fmt: skip
LITERALS = ["0", "-0", "1", "1.0", "1e2", "2.50", "1E400", "12345678901234567.123456789", "9223372036854775808", "null"]
LITERALS += ["true", "false", "[]", "{}", '{"n": 1}', '{"n": "x"}', "[1.50, null]", *map(json.dumps, TEXTS)]


def way(schema: Schema) -> tuple[TablePlan, RecordValidator, RowEncoder]:
    """The exact way of records of a SCHEMA."""
    columns = tuple(Column(f"c{n}", field.path, field.type) for n, field in enumerate(fields_of(schema, "nested")))
    plan = TablePlan(schema="s", table="t", stream="t", columns=columns, spread="nested")
    return plan, RecordValidator(schema), RowEncoder(plan)


def exact_row(schema: Schema, text: str) -> tuple[Any, ...]:
    _, validator, encoder = way(schema)
    record = msgspec.json.Decoder(float_hook=Decimal).decode(text)
    assert validator.accepts(record)
    encoded = encoder.encode(record)
    assert not encoded.absent
    assert encoded.extra is None
    return encoded.values


def compiled_row(schema: Schema, text: str) -> tuple[Any, ...] | None:
    compiled = compile_records(schema, way(schema)[0])
    if compiled is None:
        return None
    try:
        rows, odd = compiled.rows([compiled.record(msgspec.Raw(text.encode()))])
    except NotAccepted:
        return None
    return None if odd else rows[0]


def as_copied(row: tuple[Any, ...]) -> list[str | None]:
    """Values as COPY writes them; of a number the digits and the exponent, however that is spelt."""
    return [None if value is None else copied(value) for value in row]


def copied(value: Any) -> str:
    if isinstance(value, bool):
        return str(value)[0].lower()
    return str(Decimal(value)) if isinstance(value, Number | Decimal) else str(value)


def object_of(fields: Mapping[str, str]) -> str:
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in fields.items()) + "}"


fields = st.lists(st.tuples(st.sampled_from(DECLARED), st.sampled_from(LITERALS)), min_size=1, max_size=6)


@settings(max_examples=400, deadline=None)
@given(outer=fields, inner=st.none() | fields, drop=st.sampled_from([None, None, "f0", "nested"]), more=st.booleans())
@example(outer=[({"type": "number"}, "null")], inner=None, drop=None, more=False)
@example(outer=[({"type": "number"}, '"12"')], inner=None, drop=None, more=False)
@example(outer=[({"type": "number"}, "1e2")], inner=None, drop=None, more=False)
def test_both_ways_agree(
    outer: list[tuple[Schema, str]], inner: list[tuple[Schema, str]] | None, drop: str | None, more: bool
) -> None:
    properties = {f"f{n}": schema for n, (schema, _) in enumerate(outer)}
    values = {f"f{n}": value for n, (_, value) in enumerate(outer)}
    if inner is not None:
        properties["nested"] = {
            "type": ["object", "null"],
            "properties": {f"g{n}": schema for n, (schema, _) in enumerate(inner)},
        }
        values["nested"] = object_of({f"g{n}": value for n, (_, value) in enumerate(inner)})
    values.pop(drop or "", None)
    if more:
        values["unknown"] = "1"
    schema: Schema = {"type": "object", "properties": properties}
    text = object_of(values)
    if (row := compiled_row(schema, text)) is not None:
        assert as_copied(exact_row(schema, text)) == as_copied(row)


COMMON: Schema = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "day": {"type": ["string", "null"], "format": "date"},
        "amount": {"type": ["number", "null"]},
        "size": {"type": ["integer", "null"]},
        "kind": {"type": ["string", "null"], "enum": ["a", None]},
        "done": {"type": ["boolean", "null"]},
        "tags": {"type": ["array", "null"]},
        "nested": {"type": ["object", "null"], "properties": {"email": {"type": ["string", "null"]}}},
    },
    "required": ["id"],
}
RECORD = {
    "id": '"1"', "at": '"2026-01-01T00:00:00.5Z"', "day": '"2026-02-28"', "amount": "12345678901234567.10", "size": "5",
    "kind": '"a"', "done": "true", "tags": "[1.10]", "nested": '{"email": "a@b"}',
}  # fmt: skip


def test_common_records_are_taken_the_fast_way() -> None:
    """Else it would be of no use, and nobody would notice."""
    row = compiled_row(COMMON, object_of(RECORD))
    assert row is not None
    assert ["1", "2026-01-01T00:00:00.5Z", "2026-02-28", "12345678901234567.10", "5", "a", "t", "[1.10]", "a@b"] == (
        as_copied(row)
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "null"), ("id", "1"), ("at", '"now"'), ("at", '"2026-02-30T00:00:00Z"'), ("day", '"yesterday"'),
        ("amount", '"1"'), ("amount", "true"), ("amount", "NaN"), ("size", "1.5"), ("size", "9223372036854775808"),
        ("kind", '"b"'), ("done", "1"), ("tags", "{}"), ("nested", "null"), ("nested", "{}"), ("more", "1"),
        ("id", '"\\ud800"'),
    ],
)  # fmt: skip
def test_others_are_left_to_the_exact_way(name: str, value: str) -> None:
    assert compiled_row(COMMON, object_of({**RECORD, name: value})) is None


def test_a_missing_field_is_left_to_the_exact_way() -> None:
    for name in RECORD:
        assert compiled_row(COMMON, object_of({n: v for n, v in RECORD.items() if n != name})) is None


def test_of_doubled_keys_both_ways_take_the_last() -> None:
    schema = {"type": "object", "properties": {"v": {"type": "string"}}}
    text = '{"v": "first", "v": "last"}'
    assert exact_row(schema, text) == compiled_row(schema, text) == ("last",)


def test_a_schema_that_says_more_is_not_compiled() -> None:
    others: list[Schema] = [
        {"patternProperties": {}},
        {"additionalProperties": {"type": "string"}},
        {"required": ["other"]},
    ]
    for more in others:
        schema = {**COMMON, **more}
        assert compile_records(schema, way(schema)[0]) is None
