"""`--plan`: what a run would cost, told by one or two calls per stream, beside what it does cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import CrmdbError, ExitCode
from crmdb_core.inspection import inspect
from fake_crm import FakeCrm, Limits
from tap_hubspot.forecast import chains_of, of_delta, of_whole
from tap_hubspot.tap import TapHubSpot
from tests.tap_hubspot.conftest import config_for, select

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot.conftest import RunTap

OBJECTS = ("contacts", "companies", "deals", "tickets")


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    limits, start = Limits(daily=625_000), "2026-11-01T00:00:00Z"
    with FakeCrm(seed=5, contacts=430, companies=40, deals=0, tickets=7, limits=limits, clock=start) as crm:
        yield crm


class Plan:
    """What `--plan=json` says."""

    def __init__(self, capsys: pytest.CaptureFixture[str], crm: FakeCrm, *streams: str, **more: Any) -> None:
        state, catalog = more.pop("state", None), more.pop("catalog", None)
        self.error: CrmdbError | None = None
        given = json.loads(json.dumps(state)) if state else None
        tap = TapHubSpot(config=config_for(crm, **more), state=given, catalog=catalog)
        select(tap, streams)
        self.asked = len(crm.requests)
        try:
            inspect(tap, check=None, plan="json")
        except CrmdbError as error:
            self.error = error
        self.asked = len(crm.requests) - self.asked
        out = capsys.readouterr().out
        self.told: Any = json.loads(out) if out else {}

    @property
    def calls(self) -> int:
        return sum(self.told["calls"].values())

    def of(self, stream: str) -> Any:
        return next(one for one in self.told["streams"] if one["stream"] == stream)


@pytest.mark.parametrize(
    ("records", "lists", "searches", "others"),
    [
        (0, 3, 1, 2),
        (1, 3, 2, 3),
        (100, 3, 2, 3),
        (101, 4, 2, 4),
        (200, 4, 2, 4),
        (201, 5, 3, 5),
        (10_000, 102, 51, 102),
    ],
)
def test_the_formulas(records: int, lists: int, searches: int, others: int) -> None:
    assert (lists, records) == (of_whole(records).calls_in_all, of_whole(records).records)
    assert lists - 2 + lists == of_whole(records, calls_a_page=2).calls_in_all
    assert {"search": searches, "default": others} == dict(of_delta(records, page_size=200).calls)


@pytest.mark.parametrize(
    ("records", "workers", "chains"), [(100, 6, 1), (101, 6, 1), (3500, 6, 4), (3500, 1, 1), (600_000, 6, 120)]
)
def test_the_chains_are_those_of_the_start_points(records: int, workers: int, chains: int) -> None:
    assert chains == chains_of(records, workers)


def test_a_whole_read_is_counted_by_one_search_per_object(crm: FakeCrm, capsys: pytest.CaptureFixture[str]) -> None:
    plan = Plan(capsys, crm, *OBJECTS)
    assert plan.error is None
    assert [430, 40, 0, 7] == [plan.of(one)["records"] for one in OBJECTS]
    assert {"default": 7} == plan.of("contacts")["calls"]
    assert plan.asked == len(OBJECTS)
    assert plan.told["quota"]["limit"] == 625_000


@pytest.mark.parametrize(
    ("contacts", "properties", "settings"),
    [
        (430, 0, {"concurrency": 1}),
        (430, 0, {"parallel_lists": False}),
        (430, 0, {}),
        (3500, 0, {}),
        (3500, 0, {"concurrency": 1}),
        (1200, 900, {}),  # their names do not fit into a URL
    ],
)
def test_a_whole_read_costs_what_was_planned(
    run_tap: RunTap, capsys: pytest.CaptureFixture[str], contacts: int, properties: int, settings: dict[str, Any]
) -> None:
    with FakeCrm(seed=5, contacts=contacts, properties=properties, clock="2026-11-01T00:00:00Z") as crm:
        catalog = run_tap.catalog(crm, "contacts")
        plan = Plan(capsys, crm, "contacts", catalog=catalog, **settings)
        before = len(crm.requests)
        assert contacts == len(run_tap(crm, "contacts", catalog=catalog, **settings).ids("contacts"))
        calls = len(crm.requests) - before
        assert calls == pytest.approx(plan.calls, rel=0.1, abs=1)


def test_a_whole_read_that_was_cut_is_planned_from_its_first_open_chain(
    run_tap: RunTap, crm: FakeCrm, capsys: pytest.CaptureFixture[str]
) -> None:
    crm.faults.add(path=r"/objects/2026-09/contacts\?.*after=", times=None, after=2, status=400)
    cut = run_tap(crm, "contacts", concurrency=1)
    crm.faults.clear()
    done = len(cut.ids("contacts"))
    assert done == 300
    assert 130 == pytest.approx(Plan(capsys, crm, "contacts", state=cut.state).of("contacts")["records"], abs=1)


def test_a_delta_is_counted_in_the_window_that_the_state_reads(
    run_tap: RunTap, crm: FakeCrm, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog = run_tap.catalog(crm, *OBJECTS)
    first = run_tap(crm, catalog=catalog)
    crm.clock.advance(3600)
    for record in crm.hubspot.records("contacts")[:210]:
        crm.hubspot.update("contacts", record["id"], {"firstname": "New"})
    crm.clock.advance(3600)
    plan = Plan(capsys, crm, catalog=catalog, state=first.state)
    assert [210, 0, 0, 0] == [plan.of(one)["records"] for one in OBJECTS]
    assert {"search": 3, "default": 5} == plan.of("contacts")["calls"]
    before = len(crm.requests)
    second = run_tap(crm, catalog=catalog, state=first.state)
    assert 210 == len(second.ids("contacts"))
    assert plan.calls == len(crm.requests) - before  # schemas, archived lists and the account included


def test_a_run_that_was_cut_is_planned_from_where_it_stands(
    run_tap: RunTap, crm: FakeCrm, capsys: pytest.CaptureFixture[str]
) -> None:
    first = run_tap(crm, "contacts")
    crm.clock.advance(3600)
    for record in crm.hubspot.records("contacts"):
        crm.hubspot.update("contacts", record["id"], {"firstname": "New"})
    crm.clock.advance(3600)
    crm.faults.add(path=r"/contacts/batch/read$", times=None, after=2, status=400)
    cut = run_tap(crm, "contacts", state=first.state, concurrency=1)
    crm.faults.clear()
    done = len(cut.ids("contacts"))
    assert done == 200
    assert 230 == Plan(capsys, crm, "contacts", state=cut.state).of("contacts")["records"]


def test_max_records_bounds_the_plan(crm: FakeCrm, capsys: pytest.CaptureFixture[str]) -> None:
    assert 50 == Plan(capsys, crm, "contacts", max_records=50).of("contacts")["records"]


def test_small_tables_are_told_exactly(crm: FakeCrm, capsys: pytest.CaptureFixture[str]) -> None:
    plan = Plan(capsys, crm, "owners", "deal_pipelines")
    assert ("exactly", len(crm.hubspot.owners)) == (plan.of("owners")["certainty"], plan.of("owners")["records"])
    assert {"default": 1} == plan.of("deal_pipelines")["calls"]


@pytest.fixture
def contacts_only(run_tap: RunTap) -> Any:
    """A catalog of contacts, discovered where nothing is limited."""
    with FakeCrm(seed=5, contacts=1) as crm:
        return run_tap.catalog(crm, "contacts")


def test_a_plan_beyond_the_allowed_share_ends_with_75(capsys: pytest.CaptureFixture[str], contacts_only: Any) -> None:
    with FakeCrm(seed=5, contacts=3000, limits=Limits(daily=55), clock="2026-11-01T00:00:00Z") as crm:
        plan = Plan(capsys, crm, catalog=contacts_only, max_daily_share=0.6, parallel_lists=False)
        assert plan.error is not None
        assert plan.error.exit_code == ExitCode.TRY_LATER
        assert "2026-11-01 00:00 EDT (2026-11-01 04:00 UTC)" in str(plan.error)
        assert 33 == plan.calls
        assert Plan(capsys, crm, catalog=contacts_only, max_daily_share=1).error is None


def test_the_time_follows_the_tightest_limit(capsys: pytest.CaptureFixture[str], contacts_only: Any) -> None:
    start = "2026-11-01T00:00:00Z"
    with FakeCrm(seed=5, contacts=2500, limits=Limits(burst=5, burst_seconds=10, search=5), clock=start) as crm:
        assert 60 == pytest.approx(Plan(capsys, crm, catalog=contacts_only).told["seconds"], abs=10)
        state = {"bookmarks": {"contacts": {"replication_key": "updatedAt", "replication_key_value": "2020-01-01"}}}
        plan = Plan(capsys, crm, catalog=contacts_only, state=state, searches_per_second=1)
        assert {"search": 14, "default": 28} == plan.told["calls"]
        assert 50 == pytest.approx(plan.told["seconds"], abs=10)
