"""N06: a row for which Pipedrive answers a server error, whatever is asked with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import SyncFailedError
from tests.tap_pipedrive.conftest import Poisoned, Table, differences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fake_crm import FakePipedrive
    from tests.tap_pipedrive.conftest import Run, RunTap

pytestmark = pytest.mark.usefixtures("waits")
ALL = ("deals", "persons", "organizations", "activities", "products")


def by_update(crm: FakePipedrive, table: str) -> list[Any]:
    rows = sorted(crm.pipedrive.live(table), key=lambda row: (row["update_time"], row["id"]))
    return [row["id"] for row in rows if not row.get("is_archived")]


def failure(run: Run, stream: str) -> str:
    assert isinstance(run.error, SyncFailedError)
    assert list(run.error.failures) == [stream]
    return str(run.error.failures[stream])


def everything_changes(crm: FakePipedrive, table: str) -> None:
    crm.clock.advance(3600)
    for number, row in enumerate(crm.pipedrive.live(table)):
        if number % 4 == 0:
            crm.clock.advance(1)
        crm.pipedrive.update(table, row["id"])
    crm.clock.advance(3600)


@pytest.mark.parametrize("place", [0, 3, 14, 21, -2, -1])
@pytest.mark.parametrize("size", [7, 500])
@pytest.mark.parametrize("whole", [True, False], ids=["first sync", "delta"])
def test_n06_all_others_are_read_and_nothing_is_claimed_of_the_sick_one(
    run_tap: RunTap, crm: FakePipedrive, whole: bool, size: int, place: int
) -> None:
    runs = []
    if not whole:
        runs.append(run_tap(crm, "persons", "stages"))
        everything_changes(crm, "persons")
    sick = by_update(crm, "persons")[place]
    poisoned = Poisoned(crm, "/persons$", {sick})
    for _ in range(2):  # it is no different the next time
        state = runs[-1].state if runs else None
        runs.append(run_tap(crm, "persons", "stages", state=state, retry_attempts=2, page_size=size))
        # where it is all that is left to read, the list itself may be ill
        told = "answered 500" if state and whole and place == -1 else "all others were read"
        assert told in failure(runs[-1], "persons")
        assert runs[-1].bookmark("persons") == (None if whole else runs[0].bookmark("persons"))
        assert len(runs[-1].records("stages")) == 6
    healthy = {row["id"] for row in crm.pipedrive.live("persons")} - {sick}
    assert set(runs[-1].ids("persons")) | set(runs[-2].ids("persons")) == healthy
    activated = {m["stream"] for run in runs[-2:] for m in run.messages if m["type"] == "ACTIVATE_VERSION"}
    assert "persons" not in activated
    poisoned.ids = set()
    runs.append(run_tap(crm, "persons", state=runs[-1].state, page_size=size))
    assert runs[-1].error is None
    assert differences(crm, "persons", *runs) == []


@pytest.mark.parametrize("stream", ALL)
@pytest.mark.parametrize("whole", [True, False], ids=["first sync", "delta"])
def test_n06_every_list_by_cursor_is_read_around_it(
    run_tap: RunTap, crm: FakePipedrive, stream: str, whole: bool
) -> None:
    first = run_tap(crm, stream)
    if not whole:
        everything_changes(crm, stream)
    sick = by_update(crm, stream)[2]
    Poisoned(crm, f"/{stream}$", {sick})
    run = run_tap(crm, stream, state=None if whole else first.state, retry_attempts=2, page_size=5)
    assert "all others were read" in failure(run, stream)
    assert set(run.ids(stream)) == {row["id"] for row in crm.pipedrive.live(stream)} - {sick}


def test_n06_of_two_sick_ones_what_stands_between_them_waits(run_tap: RunTap, crm: FakePipedrive) -> None:
    order = by_update(crm, "persons")
    poisoned = Poisoned(crm, "/persons$", {order[10], order[20]})
    first = run_tap(crm, "persons", retry_attempts=2, page_size=7)
    assert f"between id {order[9]} and id {order[21]}" in failure(first, "persons")
    assert set(first.ids("persons")) == set(order[:10] + order[21:])
    poisoned.ids = set()
    second = run_tap(crm, "persons", state=first.state)
    assert second.error is None
    assert differences(crm, "persons", first, second) == []


def test_n06_a_list_that_is_down_is_not_asked_for_every_row(run_tap: RunTap, crm: FakePipedrive) -> None:
    crm.faults.add(path=r"/api/v2/persons\?", times=None, status=500)
    run = run_tap(crm, "persons", retry_attempts=2)
    assert "answered 500" in failure(run, "persons")
    assert sum(entry.path == "/api/v2/persons" for entry in crm.requests) <= 2 * 3


@pytest.mark.parametrize("place", [0, 5, 17, -1])
def test_n06_a_sick_row_costs_tokens_by_the_hundred_at_most(run_tap: RunTap, crm: FakePipedrive, place: int) -> None:
    Poisoned(crm, "/persons$", {by_update(crm, "persons")[place]})
    before = crm.ledger.total
    run = run_tap(crm, "persons", retry_attempts=2)
    assert "all others were read" in failure(run, "persons")
    assert crm.ledger.total - before < 400


@pytest.mark.parametrize("stream", ["leads", "notes", "files"])
@pytest.mark.parametrize("place", [0, 2, -1])
@pytest.mark.parametrize("size", [3, 500])
@pytest.mark.parametrize("whole", [True, False], ids=["first sync", "delta"])
def test_n06_a_list_by_offset_passes_over_it(
    run_tap: RunTap, crm: FakePipedrive, stream: str, *, place: int, size: int, whole: bool
) -> None:
    runs = []
    if not whole:
        runs.append(run_tap(crm, stream))
        everything_changes(crm, stream)
    sick = by_update(crm, stream)[place]
    poisoned = Poisoned(crm, f"/{stream}$", {sick})
    for _ in range(2):
        state = runs[-1].state if runs else None
        runs.append(run_tap(crm, stream, "stages", state=state, retry_attempts=2, page_size=size))
        assert "for 1 rows" in failure(runs[-1], stream)
        assert runs[-1].bookmark(stream) == (None if whole else runs[0].bookmark(stream))
    read = set(runs[-1].ids(stream)) | set(runs[-2].ids(stream))
    assert read == {row["id"] for row in crm.pipedrive.live(stream)} - {sick}
    poisoned.ids = set()
    runs.append(run_tap(crm, stream, state=runs[-1].state, page_size=size))
    assert runs[-1].error is None
    assert differences(crm, stream, *runs) == []


@pytest.mark.parametrize(
    ("stream", "path"),
    [("notes", "/v1/notes"), ("deal_products", "/api/v2/deals/products")],
    ids=["list by offset", "bulk call"],
)
def test_n06_what_is_down_is_not_asked_for_by_every_row(
    run_tap: RunTap, crm: FakePipedrive, stream: str, path: str
) -> None:
    crm.faults.add(path=path, times=None, status=500)
    run = run_tap(crm, stream, retry_attempts=2)
    assert "answered 500" in failure(run, stream)
    assert sum(entry.path == path for entry in crm.requests) <= 2 * 3


def sick_deal(crm: FakePipedrive, table: str) -> int:
    """A deal in the middle of those that have such rows."""
    deals = sorted({row["deal_id"] for row in crm.pipedrive.live(table)})
    return int(deals[len(deals) // 2])


@pytest.mark.parametrize("stream", ["deal_products", "deal_installments", "deal_participants", "deal_followers"])
@pytest.mark.parametrize("workers", [1, 4])
def test_n06_what_hangs_on_all_other_deals_is_read(
    run_tap: RunTap, crm: FakePipedrive, stream: str, workers: int
) -> None:
    table = {"deal_products": stream}.get(stream, stream.removeprefix("deal_"))
    sick = sick_deal(crm, table)
    path = "/products$|/installments$" if stream in {"deal_products", "deal_installments"} else f"/deals/{sick}/"
    if path.startswith("/deals"):
        crm.faults.add(path=path, times=None, status=500)
    else:
        poisoned = Poisoned(crm, path, {sick}, "deal_id")
    first = run_tap(crm, stream, retry_attempts=2, concurrency=workers)
    assert f"for 1 deals, among them {sick}" in failure(first, stream)
    rows = [row for row in crm.pipedrive.live(table) if row["deal_id"] != sick]
    assert len(first.records(stream)) == len(rows)
    assert {row["deal_id"] for row in first.records(stream)} == {row["deal_id"] for row in rows}
    assert "ACTIVATE_VERSION" not in {message["type"] for message in first.messages}
    asked = len(crm.requests)
    second = run_tap(crm, stream, state=first.state, retry_attempts=2, concurrency=workers)
    assert f"for 1 deals, among them {sick}" in failure(second, stream)
    assert (second.records(stream), len(crm.requests) - asked < 12) == ([], True)
    crm.faults.clear()
    if not path.startswith("/deals"):
        poisoned.ids = set()
    third = run_tap(crm, stream, state=second.state)
    assert third.error is None
    assert {row["deal_id"] for row in third.records(stream)} == {sick}
    fourth = run_tap(crm, stream, state=third.state)
    assert (fourth.error, fourth.records(stream)) == (None, [])


def test_n06_a_sweep_that_met_a_sick_deal_is_not_made_again_at_once(run_tap: RunTap, crm: FakePipedrive) -> None:
    sweep: Any = {"sweep_ids_every": 24, "retry_attempts": 2}
    first = run_tap(crm, "deal_products", **sweep)
    sick = sick_deal(crm, "deal_products")
    gone = next(row["id"] for row in crm.pipedrive.live("deal_products") if row["deal_id"] != sick)
    crm.pipedrive.purge("deal_products", gone)
    poisoned = Poisoned(crm, "/products$", {sick}, "deal_id")
    crm.clock.advance(90_000)
    second = run_tap(crm, "deal_products", state=first.state, **sweep)
    assert f"for 1 deals, among them {sick}" in failure(second, "deal_products")
    asked = len(crm.requests)
    crm.clock.advance(3600)
    third = run_tap(crm, "deal_products", state=second.state, **sweep)
    assert f"for 1 deals, among them {sick}" in failure(third, "deal_products")
    assert (third.records("deal_products"), len(crm.requests) - asked < 12) == ([], True)
    poisoned.ids = set()
    crm.clock.advance(90_000)
    fourth = run_tap(crm, "deal_products", state=third.state, **sweep)
    table = Table()
    for run in (first, second, third, fourth):
        table.load(run.messages, "deal_products")
    assert {key[0] for key in table.live} == {row["id"] for row in crm.pipedrive.live("deal_products")}


def test_n06_children_are_read_where_a_deal_cannot_be_listed(run_tap: RunTap, crm: FakePipedrive) -> None:
    order = by_update(crm, "deals")
    sick = next(one for one in order[3:] if one in {row["deal_id"] for row in crm.pipedrive.live("deal_products")})
    poisoned = Poisoned(crm, "/deals$", {sick})
    first = run_tap(crm, "deal_products", retry_attempts=2, page_size=5)
    assert "all others were read" in failure(first, "deal_products")
    assert {row["deal_id"] for row in first.records("deal_products")} == {
        row["deal_id"] for row in crm.pipedrive.live("deal_products")
    } - {sick}
    poisoned.ids = set()
    second = run_tap(crm, "deal_products", state=first.state)
    table = Table()
    messages: Sequence[Any] = [*first.messages, *second.messages]
    table.load(list(messages), "deal_products")
    assert {key[0] for key in table.live} == {row["id"] for row in crm.pipedrive.live("deal_products")}


def test_n06_deals_that_all_fail_end_the_stream_soon(run_tap: RunTap, crm: FakePipedrive) -> None:
    crm.faults.add(path=r"/followers", times=None, status=500)
    run = run_tap(crm, "deal_followers", retry_attempts=1, concurrency=1)
    assert "answered 500" in failure(run, "deal_followers")
    assert sum("/followers" in entry.path for entry in crm.requests) <= 6
