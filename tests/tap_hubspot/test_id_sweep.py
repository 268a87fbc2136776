"""A listing of all ids tells what is gone for good, and changes nothing of what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeCrm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.tap_hubspot.conftest import Json, Run, RunTap


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(seed=5, contacts=250, companies=3, deals=3, tickets=3, clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(86_400)
        yield crm


@pytest.fixture
def sync(run_tap: RunTap, crm: FakeCrm) -> Callable[..., Run]:
    """Runs the contacts; a day and an hour later, so that the next sweep is due."""

    def run(state: Any = None, **settings: Any) -> Run:
        done = run_tap(crm, "contacts", state=state, **{"sweep_ids_every": 24, **settings})
        assert done.error is None
        crm.clock.advance(25 * 3600)
        return done

    return run


def of_contacts(run: Run) -> list[Json]:
    return [message for message in run.messages if message.get("stream") == "contacts"]


def version(run: Run) -> int | None:
    """The version that a run activated, after all its records, each of which must carry it."""
    sent = of_contacts(run)
    if sent[-1]["type"] != "ACTIVATE_VERSION":
        assert not [message for message in sent if message["type"] == "ACTIVATE_VERSION"]
        return None
    number: int = sent[-1]["version"]
    assert {message["version"] for message in sent if message["type"] == "RECORD"} == {number}
    return number


def ids(crm: FakeCrm, count: int) -> list[str]:
    return [record["id"] for record in crm.hubspot.records("contacts")[:count]]


def test_what_is_still_there_is_listed_under_a_version_of_its_own(sync: Callable[..., Run], crm: FakeCrm) -> None:
    first = sync()
    purged, binned, edited = ids(crm, 3)
    crm.hubspot.purge("contacts", purged)
    crm.hubspot.archive("contacts", binned)
    crm.hubspot.update("contacts", edited, {"firstname": "new"})
    crm.clock.advance(3600)
    second = sync(first.state)
    assert version(second) not in {None, version(first)}
    left = {record["id"] for record in (*crm.hubspot.records("contacts"), *crm.hubspot.archived("contacts"))}
    assert set(second.ids("contacts")) == left
    assert purged not in left
    bare = [record for record in second.records("contacts") if "properties" not in record]
    assert len(bare) == 249
    assert {frozenset(record) for record in bare} <= {
        frozenset({"id", "archived", "archivedAt", "merged_into_id", "_sdc_deleted_at"}),
        frozenset({"id", "archived", "archivedAt", "_sdc_deleted_at"}),
    }


def test_archived_records_keep_their_tombstones(sync: Callable[..., Run], crm: FakeCrm) -> None:
    (binned,) = ids(crm, 1)
    crm.hubspot.archive("contacts", binned)
    crm.clock.advance(3600)
    second = sync(sync().state)
    (record,) = [record for record in second.records("contacts") if record["id"] == binned]
    (source,) = crm.hubspot.archived("contacts")
    assert record == {
        "id": binned,
        "archived": True,
        "archivedAt": source["archivedAt"],
        "_sdc_deleted_at": source["archivedAt"],
    }


def test_it_is_done_when_due_only(sync: Callable[..., Run], run_tap: RunTap, crm: FakeCrm) -> None:
    first = sync()
    second = sync(first.state)
    assert version(second) is not None
    again = run_tap(crm, "contacts", state=second.state, sweep_ids_every=48)
    assert again.records("contacts") == []
    assert run_tap(crm, "contacts", state=second.state).records("contacts") == []  # switched off


def test_it_costs_a_list_of_a_hundred_a_call(sync: Callable[..., Run]) -> None:
    run = sync(sync().state, parallel_lists=False)
    # a search, the bin, three lists, the bin again
    assert run.state["run"]["streams"]["contacts"]["calls"] == 1 + 1 + 3 + 1


@pytest.mark.parametrize(
    "settings",
    [
        {"since": "2026-11-02T00:00:00Z"},
        {"max_records": 1000},
        {"start_date": "2026-01-01T00:00:00Z"},
        {"emit_activate_version_messages": False},
    ],
)
def test_never_where_more_would_go_than_is_gone(
    sync: Callable[..., Run], crm: FakeCrm, settings: dict[str, Any]
) -> None:
    first = sync()
    crm.hubspot.purge("contacts", ids(crm, 1)[0])
    second = sync(first.state, **settings)
    assert second.records("contacts") == []
    assert not [message for message in of_contacts(second) if message["type"] == "ACTIVATE_VERSION"]
    third = sync(second.state)
    assert len(third.records("contacts")) == 249  # it did not count as done


@pytest.mark.parametrize("fault", ["archived=false.*after=", "archived=true"])
def test_a_list_that_broke_removes_nothing_and_is_made_anew(run_tap: RunTap, crm: FakeCrm, fault: str) -> None:
    settings: Any = {"sweep_ids_every": 24, "parallel_lists": False}
    first = run_tap(crm, "contacts", **settings)
    crm.clock.advance(90_000)
    crm.faults.add(path=fault, status=400, after=1)
    broken = run_tap(crm, "contacts", state=first.state, **settings)
    assert broken.error is not None
    assert not [message for message in of_contacts(broken) if message["type"] == "ACTIVATE_VERSION"]
    rest = run_tap(crm, "contacts", state=broken.state, **settings)
    before = {message["version"] for message in of_contacts(broken) if message["type"] == "RECORD"}
    assert version(rest) not in {None, *before}
    assert len(set(rest.ids("contacts"))) == 250  # all, for a target counts the rows of one run


def test_a_record_archived_while_the_ids_are_listed_is_in_one_of_the_lists(run_tap: RunTap, crm: FakeCrm) -> None:
    settings: Any = {"sweep_ids_every": 24, "parallel_lists": False}
    first = run_tap(crm, "contacts", **settings)
    crm.clock.advance(90_000)
    early, late = ids(crm, 1)[0], crm.hubspot.records("contacts")[-1]["id"]

    def archive(request: Any) -> None:
        if "archived=false" in request.target and "after=" in request.target:
            for one in {early, late} & {record["id"] for record in crm.hubspot.records("contacts")}:
                crm.hubspot.archive("contacts", one)

    crm.on_request(archive)
    run = run_tap(crm, "contacts", state=first.state, **settings)
    assert run.error is None
    assert {early, late} <= set(run.ids("contacts"))


def test_a_refresh_and_a_sweep_go_together(run_tap: RunTap, crm: FakeCrm) -> None:
    settings: Any = {"sweep_ids_every": 24, "refresh_calculated_every": 24}
    first = run_tap(crm, "contacts", **settings)
    crm.clock.advance(90_000)
    second = run_tap(crm, "contacts", state=first.state, **settings)
    assert version(second) is not None
    assert len(second.records("contacts")) == 500
    assert run_tap(crm, "contacts", state=second.state, **settings).records("contacts") == []
