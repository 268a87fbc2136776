"""Days and instants are ISO 8601, exist, and mean to Postgres what they mean to Python."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from target_crmdb.validation.fields import field_type
from tests.target_crmdb.fields.verdicts import REFUSED, damaged, judge, normal

if TYPE_CHECKING:
    from tests.conftest import Database

DATE = field_type("date").normal
DATETIME = field_type("datetime").normal
DATES = st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]", fullmatch=True)
DATETIMES = st.from_regex(
    r"[0-9]{4}-[01][0-9]-[0-3][0-9]"
    r"([T ][012][0-9]:[0-5][0-9](:[0-6][0-9](\.[0-9]{1,9})?)?(Z|[+-][01][0-9]:?[0-5][0-9])?)?",
    fullmatch=True,
)
SHAPE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def library(value: str) -> str:
    """Give Python's reading of a day in its one form: it also reads weeks and days without hyphens."""
    midnight = re.sub(r"[T ]00:00(:00(\.0+)?)?(Z|[+-]00:?00)?\Z", "", value)
    if not SHAPE.fullmatch(midnight):
        return REFUSED
    try:
        return date.fromisoformat(midnight).isoformat()
    except ValueError:
        return REFUSED


@settings(max_examples=300, deadline=None)
@given(damaged(st.one_of(DATES, DATETIMES)))
@example("2026-02-29")
@example("2024-02-29")
@example("0000-01-01")
@example("2024-01-01\n")
@example("2024-01-01T00:00:00.000Z")
@example("2024-01-01T00:00:01Z")
@example("now")
def test_a_day_has_pythons_verdict(value: str) -> None:
    if value:
        assert library(value) == judge(DATE, value)


@settings(max_examples=300, deadline=None)
@given(damaged(DATETIMES))
@example("2024-12-31T23:59:60Z")
@example("2024-01-01T24:00:00Z")
@example("epoch")
@example("2024-02-30T10:00:00Z")
@example("2024-01-01T10:00:00Z\n")
def test_an_instant_that_is_accepted_is_one_to_python(value: str) -> None:
    ours = judge(DATETIME, value)
    if isinstance(ours, str) and ours is not REFUSED:
        assert ours == value
        spelled = re.sub(r" (?=[Zz+-])", "", ours).replace("z", "Z")
        datetime.fromisoformat(spelled)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "2024-05-06T10:11:12.345Z",
            "2024-05-06 10:11:12",
            "2024-05-06T10:11+05:30",
            "2024-05-06",
            "2024-05-06T10:11:12-08",
        ),
        *("2024-05-06t10:11:12z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z", "2024-02-29T23:59:59+1400"),
    ],
)
def test_postgres_reads_a_normal_form_as_python_does(value: str, database: Database) -> None:
    text = normal("datetime", value)
    moment = datetime.fromisoformat(text.replace("z", "Z").replace("t", "T"))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    read = database.query("select extract(epoch from %s::text::timestamptz at time zone 'UTC')::text", text)
    wanted = database.query("select extract(epoch from %s::timestamptz at time zone 'UTC')::text", moment)
    assert wanted == read


@pytest.mark.parametrize(
    ("options", "value", "expected"),
    [
        ({}, "05/06/2024", REFUSED),
        ({"formats": ["%m/%d/%Y"]}, "05/06/2024", "2024-05-06"),
        ({"formats": ["%d/%m/%Y"]}, "05/06/2024", "2024-06-05"),
        ({"formats": ["%m/%d/%Y"]}, "13/06/2024", REFUSED),
        ({"formats": ["%m/%d/%Y"]}, "2024-06-05", "2024-06-05"),
        ({"formats": ["%m/%d/%Y", "%d %b %Y"]}, "5 Jun 2024", "2024-06-05"),
        ({}, "", None),
        ({}, None, None),
        ({}, " ", REFUSED),
        ({}, "N/A", REFUSED),
        ({}, 20240605, REFUSED),
        ({}, True, REFUSED),
    ],
)
def test_days(options: dict[str, list[str]], value: object, expected: str | None) -> None:
    assert expected == normal("date", value, **options)


@pytest.mark.parametrize(
    ("options", "value", "expected"),
    [
        ({}, "2024-05-06T10:00:00", "2024-05-06T10:00:00"),
        ({"timezone": "America/New_York"}, "2024-05-06T10:00:00", "2024-05-06T10:00:00-04:00"),
        ({"timezone": "America/New_York"}, "2024-01-06 10:00", "2024-01-06T10:00:00-05:00"),
        ({"timezone": "America/New_York"}, "2024-01-06", "2024-01-06T00:00:00-05:00"),
        ({"timezone": "America/New_York"}, "2024-01-06T10:00:00Z", "2024-01-06T10:00:00Z"),
        ({"timezone": "America/New_York"}, "2024-11-03T01:30:00", "2024-11-03T01:30:00-04:00"),
        ({"formats": ["%m/%d/%Y %I:%M %p"]}, "05/06/2024 02:30 PM", "2024-05-06T14:30:00+00:00"),
        (
            {"formats": ["%m/%d/%Y %H:%M"], "timezone": "America/Chicago"},
            "05/06/2024 14:30",
            "2024-05-06T14:30:00-05:00",
        ),
        ({}, 1714990000000, REFUSED),
        ({"unit": "ms"}, 1714990000123, "2024-05-06T10:06:40.123000+00:00"),
        ({"unit": "s"}, 1714990000, "2024-05-06T10:06:40+00:00"),
        ({"unit": "ms"}, 10**30, REFUSED),
        ({"unit": "ms"}, True, REFUSED),
        ({}, "", None),
        ({}, " ", REFUSED),
        ({}, "N/A", REFUSED),
        ({}, "2024-05-06T25:00:00Z", REFUSED),
    ],
)
def test_instants(options: dict[str, object], value: object, expected: str | None) -> None:
    assert expected == normal("datetime", value, **options)


@pytest.mark.parametrize(
    "options",
    [{"timezone": "Mars/Base"}, {"unit": "days"}, {"formats": "%Y"}, {"formats": ["YYYY"]}, {"timezone": "../x"}],
)
def test_an_option_that_cannot_work_is_told(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="|".join(options)):
        field_type("datetime", **options)
