"""Chains: whatever order a list has, wherever they start and whenever they are stopped, together they read it whole."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmdb_core.concurrency import side_by_side
from crmdb_core.exceptions import ApiError
from fake_crm import FakeCrm
from tap_hubspot.chains import Chains, ListPage

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tap_hubspot.conftest import RunTap

PAGE = 3


class Source:
    """A list in any order; a cursor is the id of the next record, or where it would be. Some ids vanish on the way."""

    def __init__(self, ids: list[str], order: Callable[[str], Any], vanishing: dict[int, str] | None = None) -> None:
        self.ids = sorted(ids, key=order)
        self.order = order
        self.vanishing = vanishing or {}
        self.calls = 0
        self._lock = threading.Lock()

    def read(self, after: str | None) -> ListPage:
        with self._lock:
            self.calls += 1
            gone = self.vanishing.get(self.calls)
            if gone in self.ids:
                self.ids.remove(str(gone))
            rest = [one for one in self.ids if after is None or self.order(one) >= self.order(after)]
        time.sleep(0.0002)  # lets another chain go first now and then
        page, more = rest[:PAGE], rest[PAGE:]
        return ListPage(tuple(page), tuple({"id": one} for one in page), more[0] if more else None)


def by_number(one: str) -> Any:
    return int(one)


def by_text(one: str) -> Any:
    return one


def backwards(one: str) -> Any:
    return -int(one)


def read(
    source: Source, starts: list[str], saved: Any = None, *, stop_after: int | None = None, workers: int = 4
) -> tuple[list[str], Any]:
    """What came, and the point to go on from; both as of the piece after which it was stopped."""
    chains = Chains(source.read, lambda *_: iter(starts), saved)
    came: list[str] = []
    point = saved
    pieces = side_by_side(chains.sources(), workers=workers)
    for number, piece in enumerate(pieces):
        if stop_after is not None and number >= stop_after:
            pieces.close()
            break
        came += [row["id"] for row in piece.rows]
        point = chains.emit(piece)
    return came, json.loads(json.dumps(point))


IDS = st.lists(st.integers(1, 3000).map(str), unique=True, max_size=60)


@settings(deadline=None, max_examples=150)
@given(
    ids=IDS,
    order=st.sampled_from([by_number, by_text, backwards]),
    starts=st.lists(st.integers(1, 3000), max_size=8).map(lambda some: [str(one) for one in sorted(set(some))]),
    gone=st.dictionaries(st.integers(1, 30), st.integers(0, 59), max_size=4),
    stops=st.lists(st.integers(0, 12), max_size=3),
    workers=st.integers(1, 5),
)
def test_nothing_is_lost_in_any_order_with_any_starts_and_stops(  # noqa: PLR0917 - given by name
    ids: list[str],
    order: Callable[[str], Any],
    starts: list[str],
    gone: dict[int, int],
    stops: list[int],
    workers: int,
) -> None:
    source = Source(ids, order, {call: ids[place] for call, place in gone.items() if place < len(ids)})
    came: set[str] = set()
    saved: Any = None
    for stop in [*stops, None]:
        some, saved = read(source, starts, saved, stop_after=stop, workers=workers)
        came.update(some)
        if stop is not None and saved is None and some:
            break  # it was through before it was stopped
    assert set(source.ids) - came == set()


@settings(deadline=None, max_examples=60)
@given(ids=IDS, starts=st.lists(st.integers(1, 3000), max_size=8), workers=st.integers(2, 5))
def test_ids_that_ascend_come_once_each(ids: list[str], starts: list[int], workers: int) -> None:
    source = Source(ids, by_number)
    came, point = read(source, [str(one) for one in sorted(set(starts))], workers=workers)
    assert sorted(came, key=int) == sorted(ids, key=int)
    assert point is None


def test_chains_share_the_work() -> None:
    source = Source([str(one) for one in range(1, 301)], by_number)
    came, _ = read(source, [str(one) for one in range(25, 300, 25)])
    assert len(came) == 300
    assert source.calls <= 100 + 2 * 11  # a chain reads at most one page twice and begins with a part of one


def test_a_list_that_knows_no_start_points_is_read_once() -> None:
    source = Source([str(one) for one in range(1, 301)], by_number)
    cursors = {str(one) for one in range(1, 301, PAGE)}  # its own, and no other

    def deaf(after: str | None) -> ListPage:
        return source.read(after if after in cursors else None)

    chains = Chains(deaf, lambda *_: iter(["26", "101", "201"]))
    came = [row["id"] for piece in side_by_side(chains.sources(), workers=4) for row in piece.rows]
    assert sorted(came, key=int) == [str(one) for one in range(1, 301)]
    assert source.calls <= 100 + 3


def test_a_start_point_that_is_refused_is_done_without() -> None:
    source = Source([str(one) for one in range(1, 61)], by_number)

    def picky(after: str | None) -> ListPage:
        if after == "32":
            raise ApiError("Invalid cursor", method="GET", path="/", status=400)
        return source.read(after)

    chains = Chains(picky, lambda *_: iter(["32"]))
    came = [row["id"] for piece in side_by_side(chains.sources(), workers=2) for row in piece.rows]
    assert sorted(came, key=int) == [str(one) for one in range(1, 61)]


@pytest.mark.parametrize("as_text", [False, True], ids=["as numbers", "as text"])
def test_a_whole_read_is_exact_in_both_orders(run_tap: RunTap, as_text: bool) -> None:
    """S12. The fake orders ids as text: the parallel lists meet ids out of order and go on as one."""
    with FakeCrm(seed=3, contacts=6000, companies=0, deals=0, tickets=0) as crm:
        for one in crm.hubspot.records("contacts")[1000:3000:2]:
            crm.hubspot.archive("contacts", one["id"])
        crm.quirks.ids_as_text = as_text
        run = run_tap(crm, "contacts")
        assert run.error is None
        assert run_tap.differences(crm, "contacts", run) == []
        lists = [one for one in crm.requests if one.path.endswith("/objects/2026-09/contacts")]
        assert len({one.query.get("after", [""])[0] for one in lists}) >= 50
        if not as_text:
            assert len(set(run.ids("contacts"))) == len(run.ids("contacts"))
            assert len(lists) < 80


def test_a_whole_read_in_one_chain_makes_no_search(run_tap: RunTap) -> None:
    with FakeCrm(seed=3, contacts=2500, companies=0, deals=0, tickets=0) as crm:
        run = run_tap(crm, "contacts", parallel_lists=False)
        assert run_tap.differences(crm, "contacts", run) == []
        assert not [one for one in crm.requests if one.path.endswith("/search")]
        assert run.ids("contacts") == sorted(run.ids("contacts"), key=int)


def test_names_too_long_for_a_url_go_in_a_body(run_tap: RunTap) -> None:
    with FakeCrm(seed=3, contacts=2500, companies=0, deals=0, tickets=0, properties=900) as crm:
        run = run_tap(crm, "contacts")
        assert run_tap.differences(crm, "contacts", run) == []
        assert not [one for one in crm.requests if one.status == 414]
        assert max(len(str(one.query)) for one in crm.requests) < 300


def test_edits_while_chains_read_lose_nothing(run_tap: RunTap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tap_hubspot.starts.SHORTEST", 150)
    with FakeCrm(seed=4, contacts=3000, companies=0, deals=0, tickets=0, clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(86_400)
        numbers, turn, editing = iter(range(10_000)), threading.Lock(), threading.Event()
        editing.set()

        def edit(request: Any) -> None:
            if not editing.is_set() or not request.path.endswith("/contacts"):
                return
            with turn:
                crm.clock.advance(1)
                ids = [one.id for one in crm.hubspot.store("contacts").live.ordered()]
                crm.hubspot.archive("contacts", ids.pop(next(numbers) * 37 % (len(ids) - 1) + 1))
                crm.hubspot.merge("contacts", ids[0], ids[next(numbers) * 53 % (len(ids) - 2) + 1])
                crm.hubspot.create("contacts", {"firstname": "made meanwhile"})

        crm.on_request(edit)
        first = run_tap(crm, "contacts")
        editing.clear()
        crm.clock.advance(3600)
        second = run_tap(crm, "contacts", state=first.state)
        assert [first.error, second.error] == [None, None]
        assert run_tap.differences(crm, "contacts", first, second) == []


@settings(deadline=None, max_examples=100)
@given(ids=IDS, gone=st.dictionaries(st.integers(1, 30), st.integers(0, 59), max_size=4), workers=st.integers(2, 6))
def test_halved_chains_lose_nothing(ids: list[str], gone: dict[int, int], workers: int) -> None:
    source = Source(ids, by_number, {call: ids[place] for call, place in gone.items() if place < len(ids)})
    chains = Chains(source.read, lambda *_: iter(()), highest=lambda: max(ids, key=int, default=None))
    came = [row["id"] for piece in side_by_side(chains.sources(), workers=workers) for row in piece.rows]
    assert set(source.ids) - set(came) == set()
    assert len(came) == len(set(came))


def test_who_has_nothing_to_read_takes_half_of_the_longest_rest() -> None:
    source = Source([str(one) for one in range(1, 301)], by_number)
    readers: set[int] = set()

    def slow(after: str | None) -> ListPage:
        readers.add(threading.get_ident())
        time.sleep(0.002)
        return source.read(after)

    chains = Chains(slow, lambda *_: iter(["250"]), highest=lambda: "300")
    came = [row["id"] for piece in side_by_side(chains.sources(), workers=4) for row in piece.rows]
    assert sorted(came, key=int) == source.ids
    assert len(readers) == 4
    assert source.calls <= 100 + 30  # a half has six pages at least when it begins, and reads into the next chain


def test_heaps_of_ids_are_not_halved_for_long() -> None:
    heaps = [str(one) for one in (*range(1, 100), *range(10**9, 10**9 + 100))]
    source = Source(heaps, by_number)
    chains = Chains(source.read, lambda *_: iter(()), highest=lambda: heaps[-1])
    came = [row["id"] for piece in side_by_side(chains.sources(), workers=4) for row in piece.rows]
    assert sorted(came, key=int) == heaps
    assert source.calls <= 200 / PAGE + 12
