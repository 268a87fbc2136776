"""Values get the type their SCHEMA declares, exactly, or become null and are counted."""

from __future__ import annotations

import calendar
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_hubspot.casting import Casts
from tap_hubspot.schema import BOOLEAN, DATE, INSTANT, NUMBER, TEXT


@pytest.mark.parametrize(
    ("schema", "text", "expected"),
    [
        (NUMBER, "12.50", Decimal("12.50")),
        (NUMBER, " 7 ", Decimal(7)),
        (NUMBER, "-0.1", Decimal("-0.1")),
        (NUMBER, "12345678901234567890.123456789", Decimal("12345678901234567890.123456789")),
        (NUMBER, "1E+3", Decimal("1E+3")),
        (BOOLEAN, "true", True),
        (BOOLEAN, "FALSE", False),
        (DATE, "2024-02-29", "2024-02-29"),
        (DATE, "1704067200000", "2024-01-01"),
        (DATE, "2024-01-01T00:00:00Z", "2024-01-01"),
        (INSTANT, "2024-09-11T13:27:39.356Z", "2024-09-11T13:27:39.356Z"),
        (INSTANT, "2024-09-11T13:27:39+02:00", "2024-09-11T13:27:39+02:00"),
        (INSTANT, "1704067200123", "2024-01-01T00:00:00.123Z"),
        (INSTANT, "1704067200123.0", "2024-01-01T00:00:00.123Z"),
        (TEXT, "", ""),
        (TEXT, " a;b\n", " a;b\n"),
    ],
)
def test_a_value_that_fits_keeps_its_meaning(schema: dict[str, object], text: str, expected: object) -> None:
    casts = Casts({"p": schema})
    assert (casts({"p": text}), str(casts.misfits)) == ({"p": expected}, "")
    assert type(casts({"p": text})["p"]) is type(expected)


@pytest.mark.parametrize("schema", [NUMBER, BOOLEAN, DATE, INSTANT])
@pytest.mark.parametrize("text", ["", "  ", None])
def test_an_empty_value_of_a_typed_property_is_null_and_no_misfit(schema: dict[str, object], text: str | None) -> None:
    casts = Casts({"p": schema})
    assert casts({"p": text}) == {"p": None}
    assert not casts.misfits


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (NUMBER, "N/A"),
        (NUMBER, "1234;5678"),
        (NUMBER, "1,234.50"),
        (NUMBER, "1_000"),
        (NUMBER, "NaN"),
        (NUMBER, "Infinity"),
        (NUMBER, "١٢"),
        (NUMBER, "1e99999"),
        (BOOLEAN, "yes"),
        (BOOLEAN, "1"),
        (DATE, "2023-02-30"),
        (DATE, "0000-01-01"),
        (DATE, "1704067200001"),
        (DATE, "01/02/2024"),
        (INSTANT, "2024-09-11"),
        (INSTANT, "2024-09-11T13:27:39"),
        (INSTANT, "2024-02-30T00:00:00Z"),
        (INSTANT, "now"),
        (INSTANT, "999999999999999"),
    ],
)
def test_a_value_that_does_not_fit_is_null_and_counted(schema: dict[str, object], text: str) -> None:
    casts = Casts({"p": schema, "q": TEXT})
    assert casts({"p": text, "q": "kept"}) == {"p": None, "q": "kept"}
    assert str(casts.misfits) == "p: 1"


def test_misfits_are_listed_most_first_without_values() -> None:
    casts = Casts({"a": NUMBER, "b": NUMBER})
    for values in ({"a": "secret", "b": "secret"}, {"b": "secret"}):
        casts(values)
    assert str(casts.misfits) == "b: 2, a: 1"


def test_only_selected_properties_come_out_and_an_absent_one_is_null() -> None:
    assert Casts({"email": TEXT})({"hs_object_id": "1"}) == {"email": None}


@given(st.text())
@pytest.mark.parametrize("schema", [NUMBER, BOOLEAN, DATE, INSTANT])
def test_no_text_breaks_a_cast(schema: dict[str, object], text: str) -> None:
    assert set(Casts({"p": schema})({"p": text})) == {"p"}


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_every_number_survives_exactly(number: Decimal) -> None:
    assert Casts({"p": NUMBER})({"p": format(number, "f")}) == {"p": number}


TEXTS = st.sampled_from([
    None, "", " ", "1", "12.50", " 7 ", "1_000", "NaN", "true", "TRUE", "yes", "2024-01-31", "2023-02-30",
    "2024-02-29T00:00:00Z", "2023-02-29T00:00:00Z", "2024-04-31T00:00:00Z", "2024-12-31T23:59:59.999Z",
    "2024-01-01T00:00:00Z\n2024-01-01T00:00:00Z", "2024-01-01T00:00:00+02:00", "1704067200000", 12, True,
])  # fmt: skip
SCHEMAS = {
    f"{place}{number}": schema for place in "ab" for number, schema in enumerate((NUMBER, BOOLEAN, DATE, INSTANT))
}


@given(rows=st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(SCHEMAS, TEXTS)), max_size=4))
def test_all_properties_at_once_are_cast_as_each_one_alone(rows: list[dict[str, object]]) -> None:
    together = Casts(SCHEMAS)
    alone = {name: Casts({name: schema}) for name, schema in SCHEMAS.items()}
    for row in rows:
        one_by_one = {name: alone[name]({name: row.get(name)})[name] for name in SCHEMAS}
        found = together(row)
        assert list(found.items()) == list(one_by_one.items())
        assert [type(value) for value in found.values()] == [type(value) for value in one_by_one.values()]
    missed = sum(int(str(casts.misfits).partition(": ")[2] or 0) for casts in alone.values())
    assert missed == sum(int(part.rpartition(": ")[2]) for part in str(together.misfits).split(", ") if part)


@pytest.mark.parametrize("month", range(1, 13))
def test_every_day_of_a_year_is_an_instant_and_no_other(month: int) -> None:
    casts = Casts({"p": INSTANT})
    for day in range(33):
        text = f"2023-{month:02}-{day:02}T10:00:00Z"
        exists = 0 < day <= calendar.monthrange(2023, month)[1]
        assert casts({"p": text}) == {"p": text if exists else None}
