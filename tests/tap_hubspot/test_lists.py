"""Lists and who is on them: all of them, also above the search's 10,000, and nobody who left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import ForbiddenError
from fake_crm import FakeCrm
from tap_hubspot.list_search import ListsMovedError, TooManyListsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot.conftest import Run, RunTap

STREAMS = ("lists", "list_memberships")


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(seed=5, contacts=600, companies=0, deals=0, tickets=0, clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(86_400)
        yield crm


@pytest.fixture
def bare() -> Iterator[FakeCrm]:
    with FakeCrm(contacts=0, companies=0, deals=0, tickets=0) as crm:
        yield crm


def members(crm: FakeCrm) -> set[tuple[str, str]]:
    return {
        (each.id, str(number)) for each in crm.hubspot.lists.values() if not each.deleted for number in each.members
    }


def got(run: Run) -> list[tuple[str, str]]:
    return [(row["listId"], row["recordId"]) for row in run.records("list_memberships")]


def activated(run: Run, stream: str) -> list[Any]:
    return [m["version"] for m in run.messages if m["type"] == "ACTIVATE_VERSION" and m["stream"] == stream]


def list_ids(run: Run) -> list[str]:
    return [row["listId"] for row in run.records("lists")]


def test_lists_arrive_whole_with_filters_and_size(run_tap: RunTap, crm: FakeCrm) -> None:
    run = run_tap(crm, "lists")
    assert (["1", "2", "3"], 1) == (list_ids(run), len(activated(run, "lists")))
    berlin = run.records("lists")[1]
    assert (200, "DYNAMIC", "Berlin") == (berlin["size"], berlin["processingType"], berlin["name"])
    assert berlin["filterBranch"]["filterBranches"][0]["filters"][0]["property"] == "city"
    assert berlin["additionalProperties"]["hs_list_size"] == "200"
    # the clock, one search, one reading by id
    assert run.state["run"]["streams"]["lists"]["calls"] == 2


def test_every_record_fits_its_schema(run_tap: RunTap, crm: FakeCrm) -> None:
    run = run_tap(crm, *STREAMS)
    assert run.error is None
    for stream in STREAMS:
        assert run.records(stream)
        assert run.misfits(stream) == []


def test_a_deleted_list_is_gone_after_the_next_run(run_tap: RunTap, crm: FakeCrm) -> None:
    first = run_tap(crm, *STREAMS)
    crm.hubspot.remove_list("1")
    second = run_tap(crm, *STREAMS, state=first.state)
    assert ["2", "3"] == list_ids(second)
    assert set(got(second)) == members(crm)
    for stream in STREAMS:
        assert activated(second, stream) != activated(first, stream)


def test_the_members_of_all_lists_come_250_a_call(run_tap: RunTap, crm: FakeCrm) -> None:
    run = run_tap(crm, "list_memberships")
    assert sorted(got(run)) == sorted(members(crm))
    # one search; 600, 200 and 0 members
    assert run.state["run"]["streams"]["list_memberships"]["calls"] == 1 + 3 + 1 + 1
    first = run.records("list_memberships")[0]
    assert first == {"listId": "1", "recordId": "91", "membershipTimestamp": "2026-10-02T00:00:00.000Z"}


def test_who_left_is_gone_and_who_came_is_there(run_tap: RunTap, crm: FakeCrm) -> None:
    first = run_tap(crm, "list_memberships")
    crm.hubspot.remove_members("1", "91", "92")
    crm.hubspot.add_members("3", "93")
    second = run_tap(crm, "list_memberships", state=first.state)
    assert sorted(got(second)) == sorted(members(crm))
    assert {("1", "91"), ("1", "92")} == set(got(first)) - set(got(second))
    assert 1 == len(activated(second, "list_memberships"))


def test_a_cut_read_goes_on_inside_the_list(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.faults.add(path="/1/memberships", status=404, after=1, times=None)
    crm.faults.add(path="/2/memberships", status=400, times=None)
    cut = run_tap(crm, "list_memberships")
    assert cut.error is not None
    # the list's first page came, the rest was not found, as if it were deleted; then the next list failed
    assert (250, "1") == (len(got(cut)), cut.state["bookmarks"]["list_memberships"]["resume"]["point"]["list_id"])
    crm.faults.clear()
    resumed = run_tap(crm, "list_memberships", state=cut.state)
    assert sorted([*got(cut), *got(resumed)]) == sorted(members(crm))
    versions = {m["version"] for run in (cut, resumed) for m in run.messages if m["type"] == "RECORD"}
    assert versions == set(activated(resumed, "list_memberships"))
    assert "resume" not in resumed.state["bookmarks"]["list_memberships"]


def test_a_cursor_that_is_refused_after_a_cut_begins_the_list_again(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.faults.add(path="/1/memberships", status=400, after=1, times=None)
    cut = run_tap(crm, "list_memberships")
    assert 250 == len(got(cut))
    crm.faults.clear()
    state = cut.state
    state["bookmarks"]["list_memberships"]["resume"]["point"]["after"] = "no longer known"
    resumed = run_tap(crm, "list_memberships", state=state)
    assert resumed.error is None
    assert sorted(got(resumed)) == sorted(members(crm))


def test_a_list_that_is_deleted_meanwhile_fails_nothing(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.on_request(lambda request: crm.hubspot.remove_list("2") if "/1/memberships" in request.path else None)
    run = run_tap(crm, "list_memberships")
    assert (None, {"1"}) == (run.error, {list_id for list_id, _ in got(run)})


def test_a_list_that_slips_to_a_page_already_read_is_found(run_tap: RunTap, bare: FakeCrm) -> None:
    for number in range(700):
        bare.hubspot.add_list(f"List {number}")
    deleted: list[str] = []

    def delete_one(request: Any) -> None:
        if request.path.endswith("/search") and request.json["offset"] == 499 and not deleted:
            deleted.append("3")
            bare.hubspot.remove_list("3")

    bare.on_request(delete_one)
    run = run_tap(bare, "lists")
    assert deleted
    assert set(list_ids(run)) == {each.id for each in bare.hubspot.lists.values() if not each.deleted}


def test_lists_that_never_keep_still_fail_the_stream(run_tap: RunTap, bare: FakeCrm) -> None:
    for number in range(700):
        bare.hubspot.add_list(f"List {number}")
    ids = iter(range(1, 700))
    bare.on_request(lambda request: bare.hubspot.remove_list(str(next(ids))) if "search" in request.path else None)
    run = run_tap(bare, "lists")
    failures = run.error.failures  # type: ignore[union-attr]  # SyncFailedError
    assert isinstance(failures["lists"], ListsMovedError)


def test_more_than_ten_thousand_lists_are_read_by_parts(run_tap: RunTap, bare: FakeCrm) -> None:
    for number in range(10_400):
        kind = ("contacts", "companies")[number % 2] if number < 10_200 else "deals"
        bare.hubspot.add_list(f"List {number}", kind, processing="SNAPSHOT" if number < 10_200 else "DYNAMIC")
    run = run_tap(bare, "lists", concurrency=8)
    assert run.error is None
    assert (10_400, 10_400) == (len(list_ids(run)), len(set(list_ids(run))))


def test_more_than_ten_thousand_of_one_part_are_read_from_the_beta(run_tap: RunTap, bare: FakeCrm) -> None:
    for number in range(10_600):
        bare.hubspot.add_list(f"List {number}")
    run = run_tap(bare, "lists", concurrency=8)
    assert (None, 10_600, 10_600) == (run.error, len(list_ids(run)), len(set(list_ids(run))))


def test_lists_out_of_reach_are_told_and_nothing_is_dropped(run_tap: RunTap, bare: FakeCrm) -> None:
    for number in range(10_600):
        bare.hubspot.add_list(f"List {number}")
    bare.faults.add(path="-beta/all", status=404, times=None)
    run = run_tap(bare, "lists", concurrency=8)
    assert run.error is not None
    failure = run.error.failures["lists"]  # type: ignore[attr-defined]  # SyncFailedError
    assert isinstance(failure, TooManyListsError)
    assert "600 lists are out of reach" in str(failure)
    assert (10_000, []) == (len(list_ids(run)), activated(run, "lists"))


def test_a_missing_scope_fails_both_streams_and_no_other(run_tap: RunTap, crm: FakeCrm) -> None:
    token = crm.access.add_token("narrow", scopes=["crm.objects.owners.read"])
    run = run_tap(crm, catalog=run_tap.catalog(crm, *STREAMS, "owners"), access_token=token)
    failures = run.error.failures  # type: ignore[union-attr]  # SyncFailedError
    assert {*STREAMS} <= failures.keys()
    assert isinstance(failures["lists"], ForbiddenError)
    assert "crm.lists.read" in str(failures["lists"])
    assert run.records("owners")
