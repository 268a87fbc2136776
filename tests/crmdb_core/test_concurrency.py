"""Side by side, yet in order; bounded; stopping at once."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmdb_core.concurrency import in_order
from crmdb_core.counters import Counters

if TYPE_CHECKING:
    from collections.abc import Iterator


@given(items=st.lists(st.integers(), max_size=30), workers=st.integers(1, 4), ahead=st.none() | st.integers(1, 6))
def test_results_come_in_the_order_of_the_items(items: list[int], workers: int, ahead: int | None) -> None:
    assert [item * 2 for item in items] == list(in_order(lambda item: item * 2, items, workers=workers, ahead=ahead))


def test_a_slow_first_item_is_waited_for() -> None:
    def work(item: int) -> int:
        time.sleep(0.2 if item == 0 else 0)
        return item

    assert list(range(8)) == list(in_order(work, range(8), workers=4))


def test_items_are_worked_on_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=10)
    assert [0, 1, 2] == sorted(in_order(lambda _: together.wait(), range(3), workers=3))


def test_never_more_items_are_drawn_than_the_look_ahead() -> None:
    drawn: list[int] = []

    def source() -> Iterator[int]:
        for number in range(100):
            drawn.append(number)
            yield number

    results = in_order(lambda item: item, source(), workers=2, ahead=5)
    for taken in range(10):
        assert taken == next(results)
        assert len(drawn) <= taken + 5


def test_the_first_error_comes_in_its_place() -> None:
    def work(item: int) -> int:
        if item == 3:
            raise KeyError(item)
        return item

    seen: list[int] = []
    with pytest.raises(KeyError):
        seen.extend(in_order(work, range(10), workers=4))
    assert [0, 1, 2] == seen


def test_an_error_of_the_source_comes_after_the_results_before_it() -> None:
    def source() -> Iterator[int]:
        yield 1
        yield 2
        raise KeyError

    seen: list[int] = []
    with pytest.raises(KeyError):
        seen.extend(in_order(lambda item: item, source(), workers=2))
    assert [1, 2] == seen


def test_closing_does_not_wait_for_what_is_under_way() -> None:
    release = threading.Event()
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        if item > 0:
            release.wait(10)
        return item

    results = in_order(work, range(100), workers=2, ahead=4)
    assert 0 == next(results)
    started = time.monotonic()
    results.close()
    assert time.monotonic() - started < 1
    release.set()
    time.sleep(0.1)
    assert len(begun) <= 3


def test_the_threads_count_for_the_callers_stream() -> None:
    counters = Counters()
    with counters.labelled("contacts"):
        list(in_order(lambda _: counters.add(calls=1), range(20), workers=4))
    counters.add(calls=1)
    assert (20, 21) == (counters.of("contacts").calls, counters.total.calls)


def test_no_worker_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one worker"):
        in_order(lambda item: item, [1], workers=0)
