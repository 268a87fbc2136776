"""Faults on the way: what passes costs time only, what does not ends the run honestly. All counts are exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import ExitCode, SyncFailedError, TryLaterError, UnauthorizedError
from crmdb_core.http import ApiSession
from crmdb_core.pacing import Pacer
from fake_crm import FakeCrm, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot.conftest import RunTap

SEARCH = r"/contacts/search$"
BATCH = r"/contacts/batch/read$"
LIST = r"/contacts\?"
LONG_AGO = "2000-01-01T00:00:00Z"  # read by search, as a delta is


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(seed=7, contacts=450, companies=30, deals=0, tickets=0) as crm:
        yield crm


class FakeTime:
    """A clock that only sleeping moves, and what was slept."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the tap would have made."""
    time = FakeTime()
    patience = {"clock": time.clock, "sleep": time.sleep}
    monkeypatch.setattr("crmdb_core.tap.Pacer", lambda *args, **options: Pacer(*args, **{**options, **patience}))
    monkeypatch.setattr("crmdb_core.tap.ApiSession", lambda **options: ApiSession(**{**options, **patience}))
    return time.slept


@pytest.mark.parametrize("path", [SEARCH, BATCH, LIST])
@pytest.mark.parametrize(
    "fault_and_wait",
    [
        pytest.param(({"policy": "SECONDLY"}, 1.0), id="N03 secondly"),
        pytest.param(({"policy": "TEN_SECONDLY_ROLLING"}, 10.0), id="N03 ten secondly"),
        pytest.param(({"policy": "SECONDLY", "headers": {"Retry-After": "37"}}, 37.0), id="N01 secondly, 37 s"),
        pytest.param(
            ({"policy": "TEN_SECONDLY_ROLLING", "headers": {"Retry-After": "3"}}, 3.0), id="N01 ten secondly, 3 s"
        ),
        pytest.param(({"status": 423}, 2.0), id="locked"),
        pytest.param(({"status": 477, "headers": {"Retry-After": "20"}}, 20.0), id="data centre"),
        pytest.param(({"status": 500}, 0.0), id="N05 500"),
        pytest.param(({"status": 502}, 0.0), id="N05 502"),
        pytest.param(({"status": 524}, 0.0), id="N05 524"),
        pytest.param(({"kind": "reset"}, 0.0), id="N07 reset"),
        pytest.param(({"kind": "short_body"}, 0.0), id="N08 short body"),
        pytest.param(({"kind": "truncate"}, 0.0), id="N09 truncated"),
        pytest.param(({"kind": "html"}, 0.0), id="N10 html"),
    ],
)
def test_a_passing_fault_loses_and_doubles_nothing(
    run_tap: RunTap,
    crm: FakeCrm,
    waits: list[float],
    path: str,
    fault_and_wait: tuple[dict[str, Any], float],
) -> None:
    fault, least = fault_and_wait
    crm.faults.add(path=path, times=2, after=1, **fault)
    run = run_tap(crm, "contacts", since=None if path == LIST else LONG_AGO)
    assert run.error is None
    assert run_tap.differences(crm, "contacts", run) == []
    assert len(set(run.ids("contacts"))) == len(run.ids("contacts"))
    if least:
        assert max(waits) == pytest.approx(least, abs=0.6)


@pytest.mark.parametrize("path", [SEARCH, BATCH, LIST])
def test_s09_the_daily_limit_stops_the_run_with_state_and_75(run_tap: RunTap, crm: FakeCrm, path: str) -> None:
    crm.faults.add(path=path, times=None, after=2, policy="DAILY")
    since = None if path == LIST else LONG_AGO
    stopped = run_tap(crm, "contacts", "companies", concurrency=1, since=since)
    assert isinstance(stopped.error, TryLaterError)
    assert stopped.error.exit_code == ExitCode.TRY_LATER
    assert "it resets at" in str(stopped.error)
    assert stopped.bookmark("contacts") is None
    crm.faults.clear()
    resumed = run_tap(crm, "contacts", "companies", state=stopped.state, since=since)
    assert resumed.error is None
    assert run_tap.differences(crm, "contacts", stopped, resumed) == []
    assert not set(stopped.ids("contacts")) & set(resumed.ids("contacts"))


def test_a05_a_stream_without_its_scope_fails_and_the_others_are_read(run_tap: RunTap, crm: FakeCrm) -> None:
    body = {"category": "MISSING_SCOPES", "errors": [{"context": {"requiredScopes": ["crm.objects.contacts.read"]}}]}
    crm.faults.add(path=LIST, times=None, status=403, body=body)
    run = run_tap(crm, "contacts", "companies")
    assert isinstance(run.error, SyncFailedError)
    assert list(run.error.failures) == ["contacts"]
    assert "crm.objects.contacts.read" in str(run.error.failures["contacts"])
    assert run.bookmark("contacts") is None
    assert run_tap.differences(crm, "companies", run) == []


def test_a05_an_object_whose_properties_are_closed_is_left_out_and_told(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.faults.add(path=r"/properties/2026-09/deals$", times=None, status=403)
    run = run_tap(crm, "companies")
    assert isinstance(run.error, SyncFailedError)
    assert list(run.error.failures) == ["deals"]
    assert run.bookmark("companies") is not None


def test_a_wrong_token_is_a_matter_of_settings(run_tap: RunTap, crm: FakeCrm) -> None:
    run = run_tap_with_token(run_tap, crm, "pat-wrong")
    assert isinstance(run, UnauthorizedError)
    assert run.exit_code == ExitCode.CONFIG


def run_tap_with_token(run_tap: RunTap, crm: FakeCrm, token: str) -> object:
    return run_tap(crm, "contacts", access_token=token).error


@pytest.mark.parametrize("with_catalog", [False, True])
def test_what_530_may_mean_is_told_once_and_is_a_matter_of_settings(
    run_tap: RunTap, crm: FakeCrm, waits: list[float], with_catalog: bool
) -> None:
    catalog = run_tap.catalog(crm) if with_catalog else None
    before = len(crm.requests)
    crm.faults.add(path=".", status=530, body="error code: 1016", times=None)
    error = run_tap(crm, catalog=catalog, retry_attempts=3).error
    assert isinstance(error, UnauthorizedError)
    assert "malformed access_token" in str(error)
    assert len(crm.requests) - before == 3
    assert len([wait for wait in waits if wait > 0]) <= 2


def test_a_passing_530_is_a_passing_fault(run_tap: RunTap, crm: FakeCrm, waits: list[float]) -> None:
    crm.faults.add(path="/account-info", status=530, body="error code: 1016")
    run = run_tap(crm, "companies")
    assert run.error is None
    assert waits


def test_a_record_archived_between_search_and_read_is_no_loss(run_tap: RunTap, crm: FakeCrm) -> None:
    victim = crm.hubspot.records("contacts")[10]["id"]

    def archive(request: Any) -> None:
        if request.path.endswith("/batch/read") and crm.hubspot.records("contacts")[10]["id"] == victim:
            crm.hubspot.archive("contacts", victim)

    crm.on_request(archive)
    run = run_tap(crm, "contacts", concurrency=1, since=LONG_AGO)
    assert run_tap.differences(crm, "contacts", run) == []
    (tombstone,) = [record for record in run.records("contacts") if record["id"] == victim]
    assert tombstone["_sdc_deleted_at"] is not None


def test_the_tap_keeps_within_hubspots_limits_by_itself(run_tap: RunTap) -> None:
    limits = Limits(burst=15, burst_seconds=1.0, search=5)
    with FakeCrm(seed=15, contacts=2000, companies=0, deals=0, tickets=0, limits=limits) as crm:
        run = run_tap(crm, "contacts", searches_per_second=5, concurrency=8)
        assert run.error is None
        assert run_tap.differences(crm, "contacts", run) == []
        # unpaced, more than thirty are refused; a loaded machine may hand one over late
        assert sum(request.status == 429 for request in crm.requests) <= 2
        assert run.state["run"]["streams"]["contacts"]["waited_ms"] > 0
