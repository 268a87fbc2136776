"""The fake's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from fake_crm.clock import Clock, iso


def test_it_stands_where_it_is_put_until_it_is_moved() -> None:
    clock = Clock("2026-11-01T00:00:00Z")
    assert datetime(2026, 11, 1, tzinfo=UTC) == clock.now() == clock.now()
    assert datetime(2026, 11, 1, 0, 0, 1, 500_000, tzinfo=UTC) == clock.advance(1.5)
    assert datetime(2030, 1, 1, tzinfo=UTC) == clock.set("2030-01-01T01:00:00+01:00") == clock.now()


def test_it_runs_on_from_a_start_if_not_frozen() -> None:
    real = [1000.0]
    clock = Clock("2026-11-01T00:00:00Z", frozen=False, real=lambda: real[0])
    real[0] += 60
    assert datetime(2026, 11, 1, 0, 1, tzinfo=UTC) == clock.now()
    clock.set(datetime(2027, 1, 1, tzinfo=timezone(timedelta(hours=2))))
    real[0] += 1
    assert datetime(2026, 12, 31, 22, 0, 1, tzinfo=UTC) == clock.now()


def test_without_a_start_it_is_the_machines_and_can_go_ahead() -> None:
    clock = Clock(real=lambda: 1000.0)
    assert 1_000_000 == clock.millis()
    clock.advance(3600)
    assert 4_600_000 == clock.millis()


def test_it_goes_back_only_by_set() -> None:
    clock = Clock("2026-11-01T00:00:00Z")
    with pytest.raises(ValueError, match="only goes forward"):
        clock.advance(-1)
    assert datetime(2020, 1, 1, tzinfo=UTC) == clock.set("2020-01-01T00:00:00Z")


def test_an_instant_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Clock("2026-11-01T00:00:00")


@pytest.mark.parametrize(
    ("millis", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1_793_404_800_007, "2026-10-31T00:00:00.007Z"),
    ],
)
def test_stamps_are_exact(millis: int, text: str) -> None:
    assert text == iso(millis)
    assert millis == Clock(text).millis()
