"""What a run reads: the start points in their order, the server's clock, and bookmarks that cannot be true."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmdb_core.window import ReadWindow, WindowKind, format_instant, from_millis, parse_instant, resolve, to_millis

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
INSTANTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive


def test_without_anything_all_is_read() -> None:
    window = resolve(now=NOW)
    assert (None, NOW, WindowKind.FULL, True) == (window.low, window.high, window.kind, window.moves_bookmark)
    assert window.is_full


def test_a_bookmark_is_read_with_lookback_and_hold_back() -> None:
    window = resolve(
        now=NOW,
        bookmark="2026-11-20T00:00:00Z",
        start_date="2020-01-01",
        lookback=timedelta(seconds=30),
        hold_back=timedelta(seconds=60),
    )
    low, high = datetime(2026, 11, 19, 23, 59, 30, tzinfo=UTC), NOW - timedelta(seconds=60)
    assert (low, high, WindowKind.BOOKMARK, True) == (window.low, window.high, window.kind, window.moves_bookmark)
    assert high == window.new_bookmark


def test_start_date_counts_only_without_a_bookmark_and_has_no_lookback() -> None:
    window = resolve(now=NOW, start_date="2026-01-01", lookback=DAY)
    assert (datetime(2026, 1, 1, tzinfo=UTC), WindowKind.START_DATE) == (window.low, window.kind)


def test_a_full_refresh_is_stronger_than_bookmark_and_start_date() -> None:
    window = resolve(now=NOW, bookmark=NOW - DAY, start_date=NOW - DAY, full_refresh=True)
    assert (None, True, NOW) == (window.low, window.moves_bookmark, window.new_bookmark)


@pytest.mark.parametrize(
    ("bookmark", "start_date", "moves"),
    [
        (NOW - 3 * DAY, None, False),  # since skips what lies between bookmark and since
        (NOW - 1 * DAY, None, True),  # since covers everything from the bookmark on
        (NOW - 2 * DAY, None, True),
        (None, None, False),  # nothing was read yet: what lies before since would be lost
        (None, NOW - 1 * DAY, True),
        (None, NOW - 3 * DAY, False),
    ],
)
def test_since_is_strongest_and_moves_the_bookmark_only_if_nothing_is_skipped(
    bookmark: datetime | None,
    start_date: datetime | None,
    moves: bool,
) -> None:
    since = NOW - 2 * DAY
    window = resolve(now=NOW, since=since, bookmark=bookmark, start_date=start_date, full_refresh=True, lookback=DAY)
    assert (since, WindowKind.SINCE, moves) == (window.low, window.kind, window.moves_bookmark)


def test_a_since_in_the_future_reads_nothing_and_says_so() -> None:
    window = resolve(now=NOW, since=NOW + DAY)
    assert window.is_empty
    assert any("not in the past" in note for note in window.notes)


@pytest.mark.parametrize("bookmark", ["2999-01-01T00:00:00Z", "garbage", "", {}, [], True, 1e400])
def test_a_bookmark_that_cannot_be_true_reads_all_again_with_a_warning(bookmark: Any) -> None:
    window = resolve(now=NOW, bookmark=bookmark)
    assert (None, NOW) == (window.low, window.new_bookmark)
    assert 1 == len(window.notes)
    assert datetime(2020, 1, 1, tzinfo=UTC) == resolve(now=NOW, bookmark=bookmark, start_date="2020-01-01").low


def test_a_bookmark_slightly_ahead_is_kept_and_never_goes_back() -> None:
    ahead = NOW + timedelta(seconds=30)  # after hold_back was raised, or by clock jitter
    window = resolve(now=NOW, bookmark=ahead, hold_back=timedelta(seconds=60))
    assert () == window.notes
    assert window.is_empty
    assert ahead == window.new_bookmark


def test_lookback_stops_at_the_beginning_of_time() -> None:
    assert datetime(1, 1, 1, tzinfo=UTC) == resolve(now=NOW, bookmark="0001-01-01T00:00:00Z", lookback=DAY).low


def test_an_interrupted_window_goes_on_with_its_own_end() -> None:
    first = resolve(now=NOW, bookmark=NOW - DAY)
    again = resolve(now=NOW + DAY, bookmark=NOW - DAY).resumed(first.to_state())
    assert again is not None
    assert (first.low, first.high, first.new_bookmark) == (again.low, again.high, again.new_bookmark)


@pytest.mark.parametrize(
    "other",
    [
        resolve(now=NOW + DAY),
        resolve(now=NOW + DAY, bookmark=NOW - 2 * DAY),
        resolve(now=NOW + DAY, since=NOW - DAY),
        resolve(now=NOW - DAY, bookmark=NOW - DAY),
    ],
)
def test_a_resume_point_of_another_window_is_dropped(other: ReadWindow) -> None:
    assert other.resumed(resolve(now=NOW, bookmark=NOW - DAY).to_state()) is None


@pytest.mark.parametrize("saved", [{}, {"low": 1}, {"kind": "full", "low": None, "high": "x"}, {"low": [], "high": {}}])
def test_a_garbled_resume_point_is_dropped(saved: dict[str, Any]) -> None:
    assert resolve(now=NOW).resumed(saved) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-24T08:00:00Z", NOW),
        ("2026-11-24T08:00:00.000Z", NOW),
        ("2026-11-24T10:00:00+02:00", NOW),
        ("2026-11-24T08:00:00", NOW),
        ("2026-11-24", datetime(2026, 11, 24, tzinfo=UTC)),
        (1795507200000, NOW),
        ("1795507200000", NOW),
        (NOW.astimezone(timezone(timedelta(hours=-8))), NOW),
        (NOW.replace(tzinfo=None), NOW),
    ],
)
def test_instants_are_read_in_every_form(value: Any, expected: datetime) -> None:
    assert expected == parse_instant(value)


@pytest.mark.parametrize("value", [None, True, "now", "yesterday", "2026-13-01", [], "24.11.2026", 10**30])
def test_anything_else_is_no_instant_and_is_not_quoted(value: Any) -> None:
    with pytest.raises(ValueError, match="not a point in time") as caught:
        parse_instant(value)
    assert str(value) not in str(caught.value)


@given(INSTANTS, INSTANTS)
def test_written_instants_are_read_back_and_sort_as_text(one: datetime, other: datetime) -> None:
    assert one == parse_instant(format_instant(one))
    assert (one < other) == (format_instant(one) < format_instant(other))


@given(INSTANTS)
def test_millis_round_down(instant: datetime) -> None:
    back = from_millis(to_millis(instant))
    assert timedelta(0) <= instant - back < timedelta(milliseconds=1)


SITUATIONS = st.fixed_dictionaries(
    {
        "now": INSTANTS,
        "bookmark": st.none() | INSTANTS,
        "since": st.none() | INSTANTS,
        "start_date": st.none() | INSTANTS,
        "lookback": st.timedeltas(timedelta(0), timedelta(days=400)),
        "hold_back": st.timedeltas(timedelta(0), timedelta(days=2)),
    },
)


@given(SITUATIONS)
def test_a_window_that_moves_the_bookmark_begins_where_the_stream_stands(situation: dict[str, Any]) -> None:
    window = resolve(**situation)
    stands_at = window.bookmark or situation["start_date"]
    if window.moves_bookmark and window.low is not None:
        assert stands_at is not None
        assert window.low <= stands_at
    if window.bookmark is not None:
        assert window.new_bookmark >= window.bookmark
