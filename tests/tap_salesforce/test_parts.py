"""Stretches of records: bounds meet, nothing lies between two of them, and Ids are halved as they sort."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_salesforce.parts import Part, at_ids, in_time, long_id, midway

NOW = datetime(2026, 11, 26, tzinfo=UTC)
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
stamps = st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2026, 11, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 - made aware
ids = st.text(DIGITS, min_size=15, max_size=15).map(long_id)


@given(st.builds(Part, stamps, stamps, st.none() | ids, st.none() | ids))
def test_a_part_is_the_same_after_state(part: Part) -> None:
    assert part == Part.of(part.to_state())


@pytest.mark.parametrize("saved", [None, [], "abcd", ["x", None, None, None], [None, None, 7, None], [None] * 3])
def test_what_is_no_part_is_refused(saved: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        Part.of(saved)


@given(stamps, stamps)
def test_halves_meet_and_reach_to_both_ends(low: datetime | None, high: datetime | None) -> None:
    halves = in_time(Part(low, high), NOW)
    if halves is None:
        assert (high or NOW) - (low or datetime(1999, 1, 1, tzinfo=UTC)) < timedelta(seconds=2)
        return
    earlier, later = halves
    assert (low, high) == (earlier.low, later.high)
    assert earlier.high == later.low
    assert low is None or low < later.low  # type: ignore[operator]  # it has one, as was just seen
    assert high is None or earlier.high < high  # type: ignore[operator]  # as above


@given(ids, ids)
def test_an_id_between_two_sorts_between_them(one: str, other: str) -> None:
    first, last = sorted((one, other))
    middle = midway(first, last)
    if middle is not None:
        assert first[:15] < middle[:15] < last[:15]


def test_pieces_between_ids_meet() -> None:
    whole = Part(after="a" * 15, until="z" * 15)
    pieces = at_ids(whole, ["k" * 15, "p" * 15])
    assert [("a" * 15, "k" * 15), ("k" * 15, "p" * 15), ("p" * 15, "z" * 15)] == [
        (each.after, each.until) for each in pieces
    ]


def test_the_long_form_of_an_id_is_salesforces() -> None:
    assert long_id("001D000000IRFma") == "001D000000IRFmaIAH"  # the vendor's own example
