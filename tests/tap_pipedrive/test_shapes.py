"""Values are brought to their declared types, and what does not fit is null and counted, never guessed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tap_pipedrive.shapes import BOOLEAN, DATE, INSTANT, INTEGER, INTEGERS, LIST, NUMBER, OBJECT, TEXT, Schema, Shape

GOOD: list[tuple[Schema, Any, Any]] = [
    (TEXT, "x", "x"),
    (TEXT, 5, "5"),
    (TEXT, {"a": 1}, '{"a": 1}'),
    (NUMBER, 5, 5),
    (NUMBER, Decimal("1.50"), Decimal("1.50")),
    (NUMBER, " 1.5 ", Decimal("1.5")),
    (INTEGER, "7", 7),
    (INTEGER, Decimal("7.0"), 7),
    (INTEGER, True, 1),
    (BOOLEAN, 1, True),
    (BOOLEAN, "0", False),
    (DATE, "2026-02-28", "2026-02-28"),
    (DATE, "2026-02-28 10:00:00", "2026-02-28"),
    (INSTANT, "2026-02-28 10:00:00", "2026-02-28T10:00:00Z"),
    (INSTANT, "2026-02-28T10:00:00+02:00", "2026-02-28T08:00:00Z"),
    (INSTANT, "2026-02-28T10:00:00.551Z", "2026-02-28T10:00:00.551Z"),
    (INTEGERS, ["1", 2, None], [1, 2]),
    (LIST, [{"a": 1}], [{"a": 1}]),
    (OBJECT, {"a": 1}, {"a": 1}),
]
BAD: list[tuple[Schema, Any]] = [
    (NUMBER, "1,5"),
    (NUMBER, "NaN"),
    (NUMBER, True),
    (INTEGER, "1.5"),
    (INTEGER, [1]),
    (BOOLEAN, "maybe"),
    (DATE, "2026-02-30"),
    (DATE, "28.02.2026"),
    (INSTANT, "0000-00-00 00:00:00"),
    (INSTANT, 5),
    (INTEGERS, "1,2"),
    (INTEGERS, ["x"]),
    (LIST, {"a": 1}),
    (OBJECT, [1]),
]


@pytest.mark.parametrize(("schema", "value", "wanted"), GOOD)
def test_what_fits_is_brought_to_its_type(schema: Schema, value: Any, wanted: Any) -> None:
    shape = Shape({"properties": {"x": schema}})
    found = shape({"x": value})["x"]
    assert (found, type(found)) == (wanted, type(wanted))
    assert not shape.misfits


@pytest.mark.parametrize(("schema", "value"), BAD)
def test_what_does_not_fit_is_null_and_counted(schema: Schema, value: Any) -> None:
    shape = Shape({"properties": {"x": schema}})
    assert shape({"x": value, "y": value}) == {"x": None, "y": value}
    assert shape.misfits == {"x": 1}


@pytest.mark.parametrize("schema", [NUMBER, INTEGER, BOOLEAN, DATE, INSTANT, OBJECT])
def test_an_empty_text_is_no_value(schema: Schema) -> None:
    shape = Shape({"properties": {"x": schema}})
    assert shape({"x": ""}) == {"x": None}
    assert not any(shape.misfits.values())
    assert shape({}) == {"x": None}
