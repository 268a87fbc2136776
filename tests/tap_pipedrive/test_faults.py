"""Faults that Pipedrive itself makes: limits, refusals, bodies without data, cursors that lead nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import ExitCode, SyncFailedError, TryLaterError, UnauthorizedError
from fake_crm import FakePipedrive
from fake_crm.pipedrive.limits import Limits
from tests.tap_pipedrive.conftest import CLOCK, differences

if TYPE_CHECKING:
    from tests.tap_pipedrive.conftest import RunTap

DEALS, FIELDS = r"/api/v2/deals\?", "/api/v2/dealFields"


def test_s09_a_used_up_budget_stops_the_run_with_state_and_75(run_tap: RunTap, crm: FakePipedrive) -> None:
    crm.faults.add(path=r"/api/v2/persons\?", after=2, times=None, status=429, policy="DAILY")
    stopped = run_tap(crm, "persons", "deals", page_size=7)
    assert isinstance(stopped.error, TryLaterError)
    assert stopped.error.exit_code == ExitCode.TRY_LATER
    assert "it resets at 2026-11-02 00:00 UTC" in str(stopped.error)
    crm.faults.clear()
    crm.clock.advance(86_400)
    resumed = run_tap(crm, "persons", "deals", state=stopped.state, page_size=7)
    assert resumed.error is None
    for stream in ("persons", "deals"):
        assert differences(crm, stream, stopped, resumed) == []


@pytest.mark.parametrize("tells", [True, False], ids=["told by headers", "by daily_tokens"])
def test_s09_a_share_of_the_budget_is_never_exceeded(run_tap: RunTap, tells: bool) -> None:
    with FakePipedrive(clock=CLOCK, limits=Limits(daily=1000, burst=100_000)) as crm:
        crm.clock.advance(3600)
        crm.ledger.tells_daily = tells
        crm.ledger.spend(0)
        settings: dict[str, Any] = {} if tells else {"daily_tokens": 1000}
        run = run_tap(crm, "persons", "deals", "notes", "files", page_size=2, max_daily_share=0.3, **settings)
        assert isinstance(run.error, TryLaterError)
        assert "max_daily_share (0.3)" in str(run.error)
        assert 280 <= crm.ledger.today <= 300
        assert not any(entry.status == 429 for entry in crm.requests)


def test_s09_streams_that_cost_tokens_by_the_thousand_come_last(run_tap: RunTap) -> None:
    """Else a day's budget goes into one of them, and nothing of the others is read for days."""
    with FakePipedrive(clock=CLOCK, limits=Limits(daily=700, burst=100_000)) as crm:
        crm.clock.advance(3600)
        run = run_tap(crm, "deal_changes", "deal_followers", "deals", "persons", "users")
        assert isinstance(run.error, TryLaterError)
        assert [differences(crm, stream, run) for stream in ("deals", "persons", "users")] == [[], [], []]
        assert 0 < len({row["deal_id"] for row in run.records("deal_changes")}) < 30


def test_s09_what_others_use_counts_too(run_tap: RunTap) -> None:
    with FakePipedrive(clock=CLOCK, limits=Limits(daily=1000, burst=100_000)) as crm:
        crm.clock.advance(3600)
        crm.ledger.spend(880)
        run = run_tap(crm, "persons", page_size=2)
        assert isinstance(run.error, TryLaterError)
        assert crm.ledger.today <= 900


@pytest.mark.parametrize("reset", [None, 7], ids=["N03 without a header", "N01 with its reset"])
def test_a_burst_that_is_refused_is_waited_for(
    run_tap: RunTap, crm: FakePipedrive, waits: list[float], reset: int | None
) -> None:
    headers = {} if reset is None else {"x-ratelimit-reset": str(reset), "x-ratelimit-remaining": "0"}
    crm.faults.add(path=DEALS, times=2, status=429, headers=headers)
    run = run_tap(crm, "deals")
    assert run.error is None
    assert differences(crm, "deals", run) == []
    if reset is not None:
        assert max(waits) == pytest.approx(reset, abs=0.6)


def test_n04_refusals_without_end_end_with_75(run_tap: RunTap, crm: FakePipedrive, waits: list[float]) -> None:
    crm.faults.add(path=DEALS, times=None, status=429)
    run = run_tap(crm, "deals", retry_attempts=4)
    assert isinstance(run.error, TryLaterError)
    assert sum(entry.status == 429 for entry in crm.requests) == 4
    assert waits


def test_a06_cloudflares_page_is_a_limit_and_no_matter_of_permissions(
    run_tap: RunTap, crm: FakePipedrive, waits: list[float]
) -> None:
    crm.faults.add(path=DEALS, times=None, status=403, policy="blocked")
    run = run_tap(crm, "deals", "persons")
    assert isinstance(run.error, TryLaterError)
    assert run.error.exit_code == ExitCode.TRY_LATER
    assert "Cloudflare" in str(run.error)
    assert waits == []


def test_the_tap_keeps_within_the_burst_limit_by_itself(run_tap: RunTap) -> None:
    with FakePipedrive(clock=CLOCK, limits=Limits(burst=20, abuse=3)) as crm:
        crm.clock.advance(3600)
        run = run_tap(crm, "persons", "deals", "deal_products", page_size=3, concurrency=8)
        assert run.error is None
        # unpaced, dozens are refused; a loaded machine may hand one over late
        assert sum(entry.status == 429 for entry in crm.requests) <= 1
        assert run.state["run"]["streams"]["persons"]["waited_ms"] > 0


@pytest.mark.parametrize("path", [FIELDS, DEALS, "/v1/leadFields", "/v1/noteFields"])
@pytest.mark.parametrize("body", [{"success": True, "data": None}, None], ids=["data is null", "null"])
def test_n17_a_body_without_data_passes_or_fails_the_stream(
    run_tap: RunTap, crm: FakePipedrive, waits: list[float], path: str, body: Any
) -> None:
    """Others loop on it until the day's budget is gone (tap-pipedrive 2.1.0, discovery)."""
    streams = ("deals", "lead_fields", "note_fields")
    fault = {"path": path, "status": 200, **({"body": body} if body else {"kind": "html", "body": "null"})}
    crm.faults.add(**fault, times=2)
    run = run_tap(crm, *streams)
    assert run.error is None
    assert differences(crm, "deals", run) == []
    crm.faults.clear()
    crm.faults.add(**fault, times=None)
    before = len(crm.requests)
    failed = run_tap(crm, *streams, retry_attempts=3)
    assert failed.error is not None
    assert len(crm.requests) - before < 25
    assert waits


def test_an_empty_list_of_v1_is_null_and_no_fault(run_tap: RunTap, crm: FakePipedrive) -> None:
    for row in crm.pipedrive.live("notes"):
        crm.pipedrive.delete("notes", row["id"])
    run = run_tap(crm, "notes")
    assert (run.error, run.records("notes")) == (None, [])


@pytest.mark.parametrize("at", [2, 3, 5])
def test_s08_a_cursor_that_comes_again_is_left(run_tap: RunTap, crm: FakePipedrive, at: int) -> None:
    crm.quirks.loops_at = at
    run = run_tap(crm, "persons", page_size=7)
    assert run.error is None
    assert differences(crm, "persons", run) == []


def test_s08_a_cursor_that_leads_nowhere_for_ever_ends_the_stream(run_tap: RunTap, crm: FakePipedrive) -> None:
    page = {"success": True, "data": crm.pipedrive.live("persons")[:2], "additional_data": {"next_cursor": "x"}}
    crm.faults.add(path=r"/api/v2/persons\?", times=None, status=200, body=page)
    run = run_tap(crm, "persons", "stages")
    assert isinstance(run.error, SyncFailedError)
    assert list(run.error.failures) == ["persons"]
    assert len(run.records("stages")) == 6
    assert sum(entry.path == "/api/v2/persons" for entry in crm.requests) < 10


def test_s08_a_cursor_that_is_over_is_followed_by_the_last_second(run_tap: RunTap, crm: FakePipedrive) -> None:
    pages = []

    def forget(request: Any) -> None:
        if request.path == "/api/v2/persons":
            pages.append(request)
            if len(pages) % 3 == 0:
                crm.cursors.forget()

    crm.on_request(forget)
    run = run_tap(crm, "persons", page_size=7)
    assert run.error is None
    assert differences(crm, "persons", run) == []
    assert len(run.ids("persons")) == len(set(run.ids("persons")))


@pytest.mark.parametrize("short", [2, 3])
def test_short_pages_are_no_end(run_tap: RunTap, crm: FakePipedrive, short: int) -> None:
    crm.quirks.short_every = short
    run = run_tap(crm, "deals", "persons", page_size=7)
    assert [differences(crm, stream, run) for stream in ("deals", "persons")] == [[], []]


def test_v1_lists_without_pagination_are_read_to_their_end(run_tap: RunTap, crm: FakePipedrive) -> None:
    crm.quirks.without_pagination = True
    run = run_tap(crm, "leads", "notes", "files", page_size=4)
    assert [differences(crm, stream, run) for stream in ("leads", "notes", "files")] == [[], [], []]


def test_a_list_of_v1_that_ignores_start_ends_the_stream(run_tap: RunTap, crm: FakePipedrive) -> None:
    told = {"pagination": {"start": 0, "limit": 100, "more_items_in_collection": True, "next_start": 100}}
    rows = crm.pipedrive.live("roles")
    crm.faults.add(
        path="/v1/roles", times=None, status=200, body={"success": True, "data": rows, "additional_data": told}
    )
    run = run_tap(crm, "roles")
    assert isinstance(run.error, SyncFailedError)
    assert len(crm.requests) < 60


def test_a05_a_stream_that_is_forbidden_fails_and_the_others_are_read(run_tap: RunTap, crm: FakePipedrive) -> None:
    crm.faults.add(path=DEALS, times=None, status=403)
    run = run_tap(crm, "deals", "persons")
    assert isinstance(run.error, SyncFailedError)
    assert list(run.error.failures) == ["deals"]
    assert "may not read it" in str(run.error.failures["deals"])
    assert differences(crm, "persons", run) == []
    assert run.bookmark("deals") is None
    skipped = run_tap(crm, "deals", "persons", skip_forbidden=True)
    assert skipped.error is None


def test_a05_without_a_catalog_only_the_main_streams_must_be_open(run_tap: RunTap, crm: FakePipedrive) -> None:
    for path in ("/v1/roles", "/v1/permissionSets", "/api/v2/productFields"):
        crm.faults.add(path=path, times=None, status=403)
    run = run_tap(crm, "roles", "permission_sets", "persons")
    assert isinstance(run.error, SyncFailedError)
    assert list(run.error.failures) == ["products"]


def test_a_wrong_token_is_a_matter_of_settings_and_met_once(run_tap: RunTap, crm: FakePipedrive) -> None:
    run = run_tap(crm, api_token="wrong")
    assert isinstance(run.error, UnauthorizedError)
    assert run.error.exit_code == ExitCode.CONFIG
    assert "api_token" in str(run.error)
    assert len(crm.requests) == 1


def test_n06_a_page_that_always_fails_fails_its_stream_alone(
    run_tap: RunTap, crm: FakePipedrive, waits: list[float]
) -> None:
    """What comes behind it without a cursor is read; the next run goes on from the place before it."""
    crm.faults.add(path=r"/api/v2/persons\?.*cursor", after=2, times=None, status=500)
    run = run_tap(crm, "persons", "stages", page_size=7, retry_attempts=3)
    assert isinstance(run.error, SyncFailedError)
    assert len(run.records("persons")) == 21 + 1
    assert len(run.records("stages")) == 6
    crm.faults.clear()
    rest = run_tap(crm, "persons", state=run.state, page_size=7)
    assert differences(crm, "persons", run, rest) == []
    assert not set(run.ids("persons")[:21]) & set(rest.ids("persons"))
    assert waits


@pytest.mark.parametrize(("status", "hint"), [(410, "update the tap"), (402, "trial")])
def test_s14_what_pipedrive_has_ended_is_said(run_tap: RunTap, crm: FakePipedrive, status: int, hint: str) -> None:
    crm.faults.add(path=DEALS, times=None, status=status)
    run = run_tap(crm, "deals", "persons")
    assert isinstance(run.error, SyncFailedError)
    assert hint in str(run.error.failures["deals"])
    assert "api_version" not in str(run.error.failures["deals"])  # there is no such setting here


def test_s14_a_sunset_is_told_with_its_date(
    run_tap: RunTap, crm: FakePipedrive, caplog: pytest.LogCaptureFixture
) -> None:
    crm.faults.add(
        path="/v1/filters",
        status=200,
        body={"success": True, "data": None},
        headers={"Sunset": "Mon, 30 Mar 2028 00:00:00 GMT"},
    )
    run = run_tap(crm, "filters")
    assert run.error is None
    assert "2028" in caplog.text
