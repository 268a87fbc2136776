"""Side by side, yet in order; bounded; stopping at once."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmdb_core.concurrency import Ahead, Room, in_order, side_by_side
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


@given(items=st.lists(st.integers(), max_size=20), most=st.integers(1, 5))
def test_ahead_gives_what_it_was_given(items: list[int], most: int) -> None:
    assert items == list(Ahead(items, most=most))


def test_ahead_runs_before_it_is_asked_and_no_further_than_it_may() -> None:
    drawn: list[int] = []
    full = threading.Event()

    def source() -> Iterator[int]:
        for number in range(100):
            drawn.append(number)
            if number == 3:  # three wait in the queue, one in the hand
                full.set()
            yield number

    pages = Ahead(source(), most=3)
    assert full.wait(10)
    time.sleep(0.05)
    assert [0, 1, 2, 3] == drawn
    assert 0 == next(pages)
    pages.close()
    assert [] == list(pages)


def test_an_error_ahead_comes_after_the_items_before_it() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise KeyError("second")

    pages = Ahead(source())
    assert 1 == next(pages)
    with pytest.raises(KeyError):
        next(pages)


def test_who_waits_for_ahead_is_told_so() -> None:
    go_on = threading.Event()

    def source() -> Iterator[int]:
        assert go_on.wait(10)
        yield 1

    assert [1] == list(Ahead(source(), patience=0.01, on_wait=go_on.set))


def test_a_closed_ahead_ends_its_source_where_it_ran() -> None:
    ended: list[str] = []
    over = threading.Event()

    def source() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            ended.append(threading.current_thread().name)
            over.set()

    pages = Ahead(source())
    next(pages)
    pages.close()
    assert over.wait(10)
    assert ["ahead"] == ended


@given(sources=st.lists(st.lists(st.integers(), max_size=6), max_size=6), workers=st.integers(1, 4))
def test_side_by_side_gives_every_item_and_keeps_the_order_of_each_source(
    sources: list[list[int]], workers: int
) -> None:
    numbered = [[(place, item) for item in source] for place, source in enumerate(sources)]
    came = list(side_by_side(numbered, workers=workers))
    assert numbered == [[each for each in came if each[0] == place] for place in range(len(sources))]


def test_sources_are_drawn_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=10)

    def source() -> Iterator[int]:
        yield together.wait()

    assert [0, 1, 2] == sorted(side_by_side([source() for _ in range(3)], workers=3))


@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_of_one_source_ends_all(workers: int) -> None:
    ended: list[int] = []

    def endless() -> Iterator[int]:
        while True:
            yield 1

    def failing() -> Iterator[int]:
        if not ended:
            raise KeyError("broken")
        yield 1

    with pytest.raises(KeyError):
        list(side_by_side([failing(), endless(), endless()], workers=workers))


def test_waiting_items_are_bounded() -> None:
    drawn: list[int] = []

    def source() -> Iterator[int]:
        for number in range(1000):
            drawn.append(number)
            yield number

    items = side_by_side([source(), source()], workers=2, ahead=3)
    for taken in range(1, 20):
        next(items)
        assert len(drawn) <= taken + 3 + 2 * 2  # what waits, and what each thread holds and draws
    items.close()


def test_side_by_side_needs_a_worker() -> None:
    with pytest.raises(ValueError, match="at least one worker"):
        side_by_side([[1]], workers=0)


def test_more_wait_ahead_where_there_is_room_for_their_size() -> None:
    drawn: list[int] = []
    full = threading.Event()

    def source() -> Iterator[int]:
        for number in range(100):
            drawn.append(number)
            if number == 5:  # one may wait anyway, four have room, one is in the hand
                full.set()
            yield number

    pages = Ahead(source(), most=1, size_of=lambda _: 10, room=Room(45))
    assert full.wait(10)
    time.sleep(0.05)
    assert [0, 1, 2, 3, 4, 5] == drawn
    assert list(range(100)) == list(pages)


def test_room_is_shared_and_nobody_is_locked_out() -> None:
    room = Room(100)
    greedy = Ahead(range(50), most=1, size_of=lambda _: 10, room=room)
    time.sleep(0.05)
    assert list(range(50)) == list(Ahead(range(50), most=1, size_of=lambda _: 10, room=room))
    greedy.close()
    with room.changed:
        assert room.take(100)  # all of it was given back


def test_what_has_no_known_size_takes_no_room() -> None:
    with (room := Room(100)).changed:
        assert not room.take(0)
        assert not room.take(101)
        assert room.take(100)
