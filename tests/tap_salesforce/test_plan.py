"""Which API reads what, and what a run would cost before it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeSalesforce
from tap_salesforce.planner import BULK, REST, Costs, choose
from tap_salesforce.tap import TapSalesforce
from tests.tap_salesforce.conftest import config_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_salesforce.conftest import RunTap

HOUR = 3600


@pytest.mark.parametrize(
    ("rows", "expected"),
    [(None, REST), (0, REST), (2000, REST), (10_000, REST), (12_001, BULK), (1_000_000, BULK)],
)
def test_whichever_costs_fewer_calls_is_chosen(rows: int | None, expected: str) -> None:
    assert expected == choose("auto", rows)


@pytest.mark.parametrize("rows", [None, 0, 10**7])
def test_a_setting_is_obeyed(rows: int | None) -> None:
    assert (REST, BULK) == (choose("rest", rows), choose("bulk", rows))


def test_a_short_trial_and_a_day_without_jobs_go_by_rest() -> None:
    assert REST == choose("bulk", 10**7, is_cut=True)
    assert REST == choose("auto", 10**7, jobs_left=0)


def test_calls_are_counted_as_they_are_made() -> None:
    assert (1, 1, 2) == tuple(Costs(rows).rest for rows in (0, 2000, 2001))
    assert (5, 5, 6) == tuple(Costs(rows).bulk for rows in (0, 50_000, 50_001))


@pytest.fixture
def crm() -> Iterator[FakeSalesforce]:
    with FakeSalesforce(clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(HOUR)
        yield crm


def forecasts(crm: FakeSalesforce, *streams: str, state: Any = None, **settings: Any) -> dict[str, tuple[Any, int]]:
    """What the tap expects of each stream: records and calls."""
    tap = TapSalesforce(config=config_for(crm, streams=list(streams), **settings), state=state)
    found = {}
    for stream in tap.selected_streams:
        forecast = stream.forecast()
        assert forecast is not None
        found[stream.name] = (forecast.records, forecast.calls_in_all)
    return found


def test_a_plan_counts_what_a_run_would_read(run_tap: RunTap, crm: FakeSalesforce) -> None:
    accounts, contacts = (len(crm.org.records(name)) for name in ("Account", "Contact"))
    assert {"Account": (accounts, 1), "Contact": (contacts, 1)} == forecasts(crm, "Account", "Contact")
    first = run_tap(crm, "Account", "Contact")
    crm.clock.advance(HOUR)
    crm.org.update("Account", str(crm.org.records("Account")[0]["Id"]), {"Name": "Changed"})
    crm.clock.advance(HOUR)
    assert {"Account": (1, 1), "Contact": (0, 1)} == forecasts(crm, "Account", "Contact", state=first.state)


def test_a_plan_knows_filters_trials_and_bulk(crm: FakeSalesforce) -> None:
    wanted = sum(str(each["Name"]).startswith("A") for each in crm.org.records("Account"))
    assert {"Account": (wanted, 1)} == forecasts(crm, "Account", where={"Account": "Name LIKE 'A%'"})
    assert {"Account": (3, 1)} == forecasts(crm, "Account", max_records=3)
    assert {"Account": (len(crm.org.records("Account")), 5)} == forecasts(crm, "Account", api_type="bulk")


def test_a_look_makes_no_job_and_asks_for_no_watermark(crm: FakeSalesforce) -> None:
    seen: list[str] = []
    crm.on_request(lambda request: seen.append(f"{request.method} {request.path} {request.body!r}"))
    forecasts(crm, "Account", api_type="bulk")
    assert not any("/jobs/query" in each or "/updated/" in each for each in seen)


def test_many_changes_go_by_bulk_though_nobody_knew(run_tap: RunTap, crm: FakeSalesforce, monkeypatch: Any) -> None:
    monkeypatch.setattr("tap_salesforce.planner.ROWS_A_PAGE", 10)
    first = run_tap(crm, "Contact")
    crm.clock.advance(HOUR)
    for record in crm.org.records("Contact"):
        crm.org.update("Contact", str(record["Id"]), {"Title": "all"})
    crm.clock.advance(HOUR)
    made: list[str] = []
    crm.on_request(lambda request: made.append(request.path) if request.method == "POST" else None)
    second = run_tap(crm, "Contact", state=first.state)
    assert second.error is None
    assert len(second.ids("Contact")) == len(crm.org.records("Contact"))
    assert sum(path.endswith("/jobs/query") for path in made) == 1
