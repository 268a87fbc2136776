"""Budgets are never overdrawn, and what the server says is believed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmdb_core.pacing import Budget, Pacer


def starts(pacer: Pacer, clock: Any, count: int, bucket: str = "default") -> list[float]:
    times = []
    for _ in range(count):
        pacer.wait(bucket)
        times.append(round(clock.now - 1000.0, 6))
    return times


def test_a_burst_is_free_until_the_budget_is_used(clock: Any) -> None:
    pacer = Pacer({"default": Budget(3, 10)}, clock=clock, sleep=clock.sleep)
    assert [0, 0, 0, 10, 10, 10, 20] == starts(pacer, clock, 7)


def test_buckets_are_independent_and_unknown_ones_free(clock: Any) -> None:
    pacer = Pacer({"search": Budget(1, 1)}, clock=clock, sleep=clock.sleep)
    assert [0, 1] == starts(pacer, clock, 2, "search")
    assert [1, 1, 1] == starts(pacer, clock, 3, "default")


def test_the_users_rate_limit_spaces_all_buckets_together(clock: Any) -> None:
    pacer = Pacer({"search": Budget(5, 1)}, rate_limit=2, clock=clock, sleep=clock.sleep)
    assert [0, 0.5] == starts(pacer, clock, 2, "search")
    assert [1.0, 1.5] == starts(pacer, clock, 2, "default")


def test_a_held_bucket_waits(clock: Any) -> None:
    pacer = Pacer(clock=clock, sleep=clock.sleep)
    pacer.hold("default", 4)
    assert [4, 4] == starts(pacer, clock, 2)


def test_a_larger_limit_is_learned(clock: Any) -> None:
    pacer = Pacer({"default": Budget(1, 10)}, clock=clock, sleep=clock.sleep)
    pacer.learn(limit=4)
    assert [0, 0, 0, 0, 10] == starts(pacer, clock, 5)


def test_a_budget_is_learned_for_a_free_bucket(clock: Any) -> None:
    pacer = Pacer(clock=clock, sleep=clock.sleep)
    pacer.learn("search", limit=2, per_seconds=1)
    assert [0, 0, 1] == starts(pacer, clock, 3, "search")


def test_requests_of_others_count(clock: Any) -> None:
    pacer = Pacer({"default": Budget(5, 10)}, clock=clock, sleep=clock.sleep)
    assert [0] == starts(pacer, clock, 1)
    pacer.learn(remaining=1)
    assert [0, 10, 10] == starts(pacer, clock, 3)


def test_own_requests_are_not_counted_twice(clock: Any) -> None:
    pacer = Pacer({"default": Budget(3, 10)}, clock=clock, sleep=clock.sleep)
    for remaining in (2, 1, 0):
        assert [0] == starts(pacer, clock, 1)
        pacer.learn(limit=3, remaining=remaining)
    assert [10, 10] == starts(pacer, clock, 2)


def test_waiting_is_reported(clock: Any) -> None:
    pacer = Pacer({"default": Budget(1, 2)}, clock=clock, sleep=clock.sleep)
    assert [0.0, 2.0] == [pacer.wait(), pacer.wait()]


@pytest.mark.parametrize(("limit", "seconds"), [(0, 1), (1, 0), (1, -1)])
def test_an_impossible_budget_is_refused(limit: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="a budget needs"):
        Budget(limit, seconds)


@given(
    limit=st.integers(1, 6),
    per=st.floats(0.1, 20),
    pauses=st.lists(st.floats(0, 15), min_size=1, max_size=60),
)
def test_no_window_ever_holds_more_than_the_limit(limit: int, per: float, pauses: list[float]) -> None:
    now = [0.0]
    times: list[float] = []
    pacer = Pacer(
        {"default": Budget(limit, per)},
        clock=lambda: now[0],
        sleep=lambda seconds: now.__setitem__(0, now[0] + seconds),
    )
    for pause in pauses:
        now[0] += pause
        pacer.wait()
        times.append(now[0])
    assert all(later - earlier >= per - 1e-6 for earlier, later in zip(times, times[limit:], strict=False))


def test_a_request_counts_from_its_answer_on_where_the_budget_says_so(clock: Any) -> None:
    """A first connection may take long; the server counts the request at its end, and quicker ones follow."""
    pacer = Pacer({"default": Budget(2, 10, until_answered=True)}, clock=clock, sleep=clock.sleep)
    first, second = pacer.take(), pacer.take()
    clock.now += 3
    pacer.answered(second)
    clock.now += 1
    pacer.answered(first)
    assert [13, 14] == starts(pacer, clock, 2)


def test_a_request_counts_from_its_start_on_otherwise(clock: Any) -> None:
    pacer = Pacer({"default": Budget(1, 10)}, clock=clock, sleep=clock.sleep)
    slot = pacer.take()
    clock.now += 3
    pacer.answered(slot)
    assert [10] == starts(pacer, clock, 1)


def test_what_was_answered_before_there_was_a_budget_is_counted_by_the_server(clock: Any) -> None:
    pacer = Pacer(clock=clock, sleep=clock.sleep)
    slot = pacer.take()
    pacer.answered(slot)
    pacer.learn(limit=2, remaining=1, per_seconds=10)
    assert [0, 10] == starts(pacer, clock, 2)
