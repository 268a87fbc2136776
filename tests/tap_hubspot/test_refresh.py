"""Calculated properties that changed without the record being modified arrive when they are due, and only they."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.window import ReadWindow, WindowKind
from fake_crm import FakeCrm
from tap_hubspot.calculated import is_calculated
from tap_hubspot.streams.upkeep import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.tap_hubspot.conftest import Run, RunTap


CALCULATED = {"hs_calculated_merged_vids", "hs_merged_object_ids", "num_associated_deals"}


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(seed=5, contacts=250, companies=3, deals=3, tickets=3, clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(86_400)
        yield crm


@pytest.fixture
def sync(run_tap: RunTap, crm: FakeCrm) -> Callable[..., Run]:
    """Runs the contacts; an hour later nothing is new any more."""

    def run(state: Any = None, **settings: Any) -> Run:
        done = run_tap(crm, "contacts", state=state, **{"refresh_calculated_every": 6, **settings})
        assert done.error is None
        crm.clock.advance(3600)
        return done

    return run


def merged(*runs: Run) -> dict[str, dict[str, Any]]:
    """The properties that a table holds after these runs, by id."""
    table: dict[str, dict[str, Any]] = {}
    for run in runs:
        for record in run.records("contacts"):
            table.setdefault(record["id"], {}).update(record.get("properties") or {})
    return table


def recalculate(crm: FakeCrm, count: int) -> list[str]:
    chosen = [record["id"] for record in crm.hubspot.records("contacts")[:count]]
    for one in chosen:
        crm.hubspot.recalculate("contacts", one, {"num_associated_deals": "99"})
    return chosen


def test_without_the_setting_nothing_is_refreshed(sync: Callable[..., Run], crm: FakeCrm) -> None:
    first = sync(refresh_calculated_every=0)
    recalculate(crm, 3)
    crm.clock.advance(86_400)
    assert sync(first.state, refresh_calculated_every=0).records("contacts") == []


def test_calculated_properties_arrive_when_they_are_due(sync: Callable[..., Run], crm: FakeCrm) -> None:
    first = sync()
    changed = recalculate(crm, 3)
    assert sync(first.state).records("contacts") == []  # not due: the first run read everything
    crm.clock.advance(6 * 3600)
    second = sync(first.state)
    assert {len(second.records("contacts")), len(set(second.ids("contacts")))} == {250}
    table = merged(first, second)
    assert {one for one, row in table.items() if row["num_associated_deals"] == 99} == set(changed)
    assert {row["email"] for row in table.values()} == {
        record["properties"]["email"] for record in crm.hubspot.records("contacts")
    }
    assert sync(second.state).records("contacts") == []  # done


def test_a_refreshed_record_has_nothing_but_its_key_its_date_and_these(sync: Callable[..., Run], crm: FakeCrm) -> None:
    first = sync()
    crm.clock.advance(6 * 3600)
    record, *_ = sync(first.state).records("contacts")
    assert set(record) == {"id", "updatedAt", "properties"}
    assert set(record["properties"]) == CALCULATED
    assert datetime.fromisoformat(record["updatedAt"]) == datetime.fromisoformat(
        crm.hubspot.record("contacts", record["id"])["updatedAt"]
    )


def test_only_selected_ones_are_asked_for(run_tap: RunTap, crm: FakeCrm) -> None:
    catalog = run_tap.catalog(crm)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            name = entry["breadcrumb"][-1] if entry["breadcrumb"] else ""
            entry["metadata"]["selected"] = name not in CALCULATED - {"num_associated_deals"}
    settings: Any = {"catalog": catalog, "refresh_calculated_every": 6}
    first = run_tap(crm, "contacts", **settings)
    crm.clock.advance(86_400)
    run = run_tap(crm, "contacts", state=first.state, **settings)
    assert {frozenset(record["properties"]) for record in run.records("contacts")} == {
        frozenset({"num_associated_deals"})
    }


def test_it_costs_a_list_of_a_hundred_a_call(sync: Callable[..., Run], crm: FakeCrm) -> None:
    first = sync()
    crm.clock.advance(6 * 3600)
    run = sync(first.state, parallel_lists=False)
    # a search, the bin, three lists; discovery asked for the properties
    assert run.state["run"]["streams"]["contacts"]["calls"] == 1 + 1 + 3


def test_a_record_edited_after_the_window_is_left_to_the_next_run(sync: Callable[..., Run], crm: FakeCrm) -> None:
    """Its values would be as old as the window, its date newer: then the table would claim to be up to date."""
    first = sync()
    crm.clock.advance(6 * 3600)
    (one,) = recalculate(crm, 1)
    crm.hubspot.update("contacts", one, {"firstname": "now"})
    second = sync(first.state)
    assert one not in second.ids("contacts")
    third = sync(second.state)
    assert third.ids("contacts") == [one]
    assert merged(first, second, third)[one]["num_associated_deals"] == 99


def test_with_a_start_date_no_record_is_made_that_was_never_sent(run_tap: RunTap, crm: FakeCrm) -> None:
    settings: Any = {"start_date": crm.clock.now().isoformat(), "refresh_calculated_every": 6}
    crm.clock.advance(60)
    sent = [record["id"] for record in crm.hubspot.records("contacts")[:4]]
    for one in sent:
        crm.hubspot.update("contacts", one, {"firstname": "new"})
    crm.clock.advance(3600)
    first = run_tap(crm, "contacts", **settings)
    crm.clock.advance(86_400)
    recalculate(crm, 250)
    second = run_tap(crm, "contacts", state=first.state, **settings)
    assert sorted(first.ids("contacts")) == sorted(second.ids("contacts")) == sorted(sent)


@pytest.mark.parametrize("settings", [{"since": "2026-11-02T00:00:00Z"}, {"max_records": 300}])
def test_a_partial_run_refreshes_nothing_and_counts_for_nothing(
    sync: Callable[..., Run], crm: FakeCrm, settings: dict[str, Any]
) -> None:
    first = sync()
    crm.clock.advance(6 * 3600)
    recalculate(crm, 3)
    second = sync(first.state, **settings)
    assert second.records("contacts") == []
    assert len(sync(second.state).records("contacts")) == 250


def test_a_refresh_that_broke_goes_on_where_it_stood(run_tap: RunTap, crm: FakeCrm) -> None:
    settings: Any = {"refresh_calculated_every": 6, "parallel_lists": False}
    first = run_tap(crm, "contacts", **settings)
    crm.clock.advance(86_400)
    changed = recalculate(crm, 250)
    crm.hubspot.update("contacts", changed[0], {"firstname": "in the window"})
    crm.clock.advance(3600)
    crm.faults.add(path="archived=false.*after=", status=400, after=1)
    broken = run_tap(crm, "contacts", state=first.state, **settings)
    assert broken.error is not None
    assert broken.bookmark("contacts") == first.bookmark("contacts")
    crm.requests.clear()
    rest = run_tap(crm, "contacts", state=broken.state, **settings)
    assert rest.error is None
    assert not [entry for entry in crm.requests if entry.path.endswith("/search")]  # the window was read
    assert len(rest.records("contacts")) == 50
    assert {row["num_associated_deals"] for row in merged(first, broken, rest).values()} == {99}
    assert len(run_tap(crm, "contacts", state=rest.state, **settings).records("contacts")) == 0


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ({"calculated": True, "fieldType": "number"}, True),
        ({"calculated": False, "fieldType": "calculation_rollup"}, True),
        ({"fieldType": "score"}, True),
        ({"calculated": False, "fieldType": "text"}, False),
        ({}, False),
    ],
)
def test_what_counts_as_calculated(definition: dict[str, Any], expected: bool) -> None:
    assert is_calculated(definition) is expected


NOW = datetime(2026, 11, 2, tzinfo=UTC)
BOTH = {"refresh_calculated_every": 6, "sweep_ids_every": 24, "emit_activate_version_messages": True}


def window(kind: WindowKind) -> ReadWindow:
    return ReadWindow(None if kind is WindowKind.FULL else NOW - timedelta(days=1), NOW, kind)


@pytest.mark.parametrize(
    ("kind", "config", "hours", "plan"),
    [
        (WindowKind.BOOKMARK, {}, (5, 23), Plan()),
        (WindowKind.BOOKMARK, {}, (6, 24), Plan(refreshes=True, sweeps=True, done=("calculated_at", "ids_swept_at"))),
        (WindowKind.BOOKMARK, {}, (None, 1), Plan(refreshes=True, done=("calculated_at",))),
        (WindowKind.BOOKMARK, {}, (-2, 1), Plan(refreshes=True, done=("calculated_at",))),
        (WindowKind.BOOKMARK, {"refresh_calculated_every": 0}, (None, None), Plan(sweeps=True, done=("ids_swept_at",))),
        (WindowKind.BOOKMARK, {"start_date": "2026-01-01"}, (1, None), Plan()),
        (WindowKind.BOOKMARK, {"emit_activate_version_messages": False}, (1, None), Plan()),
        (WindowKind.BOOKMARK, {"max_records": 1}, (None, None), Plan()),
        (WindowKind.SINCE, {}, (None, None), Plan()),
        (WindowKind.START_DATE, {}, (None, None), Plan()),
        (WindowKind.FULL, {}, (None, None), Plan(done=("calculated_at", "ids_swept_at"))),
        (WindowKind.FULL, {"max_records": 1}, (None, None), Plan()),
    ],
)
def test_what_is_due(
    kind: WindowKind, config: dict[str, Any], hours: tuple[int | None, int | None], plan: Plan
) -> None:
    state = {
        name: (NOW - timedelta(hours=ago)).isoformat()
        for name, ago in zip(("calculated_at", "ids_swept_at"), hours, strict=True)
        if ago is not None
    }
    assert Plan.of({**BOTH, **config}, window(kind), state, is_resumed=False) == plan


def test_a_whole_read_of_two_runs_is_no_sweep() -> None:
    assert Plan.of(BOTH, window(WindowKind.FULL), {}, is_resumed=True) == Plan(done=("calculated_at",))


def test_a_stamp_that_cannot_be_read_is_none() -> None:
    plan = Plan.of(BOTH, window(WindowKind.BOOKMARK), {"calculated_at": "?", "ids_swept_at": 7.5}, is_resumed=False)
    assert plan.refreshes
    assert plan.sweeps
