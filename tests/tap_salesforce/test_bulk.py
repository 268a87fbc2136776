"""Jobs of the Bulk API: begun together, waited for, read page by page, ended; and what is done when they are not."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeSalesforce
from fake_crm.salesforce.limits import Limits as OrgLimits
from tap_salesforce.tap import TapSalesforce
from tests.tap_salesforce.truth import differences, loaded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_salesforce.conftest import Run, RunTap

HOUR = 3600


@pytest.fixture
def crm(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSalesforce]:
    monkeypatch.setattr(TapSalesforce, "rest", lambda *_: None)
    with FakeSalesforce(clock="2026-11-01T00:00:00Z", sizes={"Contact": 130}) as crm:
        crm.clock.advance(HOUR)
        yield crm


class Calls:
    """What the tap asked for, in order."""

    def __init__(self, crm: FakeSalesforce) -> None:
        self.seen: list[str] = []
        crm.on_request(lambda request: self.seen.append(f"{request.method} {request.path}"))

    def of(self, method: str, part: str = "/jobs/query") -> list[str]:
        return [each for each in self.seen if each.startswith(method) and part in each]


@pytest.fixture
def calls(crm: FakeSalesforce) -> Calls:
    return Calls(crm)


@pytest.fixture(params=["listed", "chained"])
def way(request: pytest.FixtureRequest, crm: FakeSalesforce, monkeypatch: pytest.MonkeyPatch) -> str:
    """Pages of 20 rows, by the list of them or each by the one before."""
    crm.quirks.bulk_page = crm.quirks.bulk_chunk = 20
    monkeypatch.setattr("tap_salesforce.results._ONE_PAGE", 0 if request.param == "listed" else 10**9)
    return str(request.param)


def test_pages_of_a_result_make_the_whole(run_tap: RunTap, crm: FakeSalesforce, calls: Calls, way: str) -> None:
    run = run_tap(crm, "Contact", api_type="bulk")
    assert run.error is None
    assert differences(crm, loaded(run), "Contact") == []
    assert len(run.ids("Contact")) == len(crm.org.records("Contact", deleted=True))
    assert bool(calls.of("GET", "/resultPages")) == (way == "listed")
    assert len(calls.of("GET", "/results")) >= 7


def test_an_older_version_has_no_list_of_pages(
    run_tap: RunTap, crm: FakeSalesforce, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm.quirks.bulk_page = 20
    monkeypatch.setattr("tap_salesforce.results._ONE_PAGE", 0)
    run = run_tap(crm, "Contact", api_type="bulk", api_version="57.0")
    assert differences(crm, loaded(run), "Contact") == []
    assert not calls.of("GET", "/resultPages")


def test_jobs_of_all_streams_begin_before_any_is_read(run_tap: RunTap, crm: FakeSalesforce, calls: Calls) -> None:
    run = run_tap(crm, "Account", "Contact", "Lead", "Case", api_type="bulk")
    assert run.error is None
    begun = [place for place, each in enumerate(calls.seen) if each.startswith("POST") and each.endswith("/jobs/query")]
    asked = [place for place, each in enumerate(calls.seen) if each.startswith("GET") and "/jobs/query/" in each]
    assert len(begun) == 4
    assert max(begun) < min(asked)


def test_a_job_is_deleted_when_all_of_it_is_out(run_tap: RunTap, crm: FakeSalesforce, calls: Calls) -> None:
    run_tap(crm, "Account", "Contact", api_type="bulk")
    assert len(calls.of("DELETE")) == 2
    assert [] == calls.of("PATCH")


def test_a_job_is_asked_for_more_and_more_seldom(
    run_tap: RunTap, crm: FakeSalesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    def rest(_: Any, seconds: float) -> None:
        pauses.append(seconds)
        crm.clock.advance(seconds)

    monkeypatch.setattr(TapSalesforce, "rest", rest)
    crm.quirks.bulk_seconds = 60
    run = run_tap(crm, "Contact", api_type="bulk")
    assert run.error is None
    assert pauses == sorted(pauses)
    assert pauses[0] < 0.5
    assert pauses[-1] == 30.0
    assert len(pauses) < 20


def test_a_job_that_never_ends_is_given_up(
    run_tap: RunTap, crm: FakeSalesforce, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TapSalesforce, "rest", lambda _, seconds: crm.clock.advance(seconds))
    crm.quirks.bulk_seconds = 10**9
    run = run_tap(crm, "Contact", api_type="bulk", bulk_patience=0.5)
    assert "did not end" in str(run.error.failures["Contact"])  # type: ignore[union-attr]
    assert calls.of("PATCH")
    assert run.bookmark("Contact") is None


def test_a_failed_job_that_was_too_much_is_read_in_halves(run_tap: RunTap, crm: FakeSalesforce) -> None:
    crm.quirks.slow_objects = (("Contact", 40),)
    run = run_tap(crm, "Contact", api_type="bulk")
    assert run.error is None
    assert differences(crm, loaded(run), "Contact") == []


def test_a_job_that_failed_otherwise_is_read_by_rest(run_tap: RunTap, crm: FakeSalesforce, calls: Calls) -> None:
    crm.jobs.fail_next("Contact", "FeatureNotEnabled : Cannot serialize value for 'X' in CSV format")
    run = run_tap(crm, "Contact", api_type="bulk")
    assert run.error is None
    assert differences(crm, loaded(run), "Contact") == []
    assert calls.of("GET", "/queryAll")


def test_a_job_that_somebody_stopped_is_made_anew(run_tap: RunTap, crm: FakeSalesforce, calls: Calls) -> None:
    crm.quirks.bulk_polls = 3
    stopped: list[str] = []

    def stop(request: Any) -> None:
        if not stopped and request.method == "GET" and "/jobs/query/" in request.path:
            stopped.append(request.path)
            crm.jobs.abort(crm.jobs.find(request.path.rsplit("/", 1)[1]))

    crm.on_request(stop)
    run = run_tap(crm, "Contact", api_type="bulk")
    assert run.error is None
    assert stopped
    assert len([each for each in calls.of("POST") if each.endswith("/jobs/query")]) == 2
    assert differences(crm, loaded(run), "Contact") == []


@pytest.mark.parametrize("status", [404, 409])
def test_a_job_that_is_gone_or_of_another_version_is_made_anew(
    run_tap: RunTap, crm: FakeSalesforce, status: int
) -> None:
    crm.faults.add(path="/results", times=1, status=status)
    run = run_tap(crm, "Contact", api_type="bulk")
    assert run.error is None
    assert differences(crm, loaded(run), "Contact") == []


def test_when_the_days_jobs_are_used_up_rest_goes_on(run_tap: RunTap, crm: FakeSalesforce) -> None:
    crm.faults.add(path="/jobs/query$", method="POST", times=None, status=400, policy="LIMIT_EXCEEDED")
    run = run_tap(crm, "Contact", "Account", api_type="bulk")
    assert run.error is None
    assert differences(crm, loaded(run), "Contact", "Account") == []


CUT = [
    {"kind": "reset"},
    {"kind": "reset", "cut": 500},
    {"kind": "short_body"},
    {"kind": "gzip"},
    {"kind": "html"},
    {"kind": "empty"},
    {"kind": "truncate"},
    {"status": 503},
    {"status": 401},
    {"status": 420},
]


@pytest.mark.parametrize("fault", CUT, ids=str)
@pytest.mark.parametrize("after", [0, 2])
def test_n07_n08_n10_n11_a_page_that_was_cut_is_fetched_again(
    run_tap: RunTap, crm: FakeSalesforce, way: str, fault: dict[str, Any], after: int
) -> None:
    struck = crm.faults.add(path="/results", after=after, times=1, **fault)
    run = run_tap(crm, "Contact", api_type="bulk", retry_attempts=3)
    assert struck.hits == 1, way
    assert run.error is None
    assert differences(crm, loaded(run), "Contact") == []
    assert len(run.ids("Contact")) == len(set(run.ids("Contact")))


def test_a_result_of_fewer_rows_than_told_is_no_success(run_tap: RunTap, crm: FakeSalesforce, calls: Calls) -> None:
    crm.faults.add(
        path="/results",
        times=None,
        status=200,
        headers={"Content-Type": "text/csv", "Sforce-NumberOfRecords": "0", "Sforce-Locator": "null"},
        body="",
    )
    run = run_tap(crm, "Contact", api_type="bulk")
    assert run.error is not None
    assert run.bookmark("Contact") is None
    assert calls.of("GET", "/results")


def cut_run(run_tap: RunTap, crm: FakeSalesforce, after: int, **settings: Any) -> Run:
    crm.faults.add(path="/results", after=after, times=None, status=500)
    run = run_tap(crm, "Contact", api_type="bulk", retry_attempts=1, concurrency=1, **settings)
    crm.faults.clear()
    assert run.error is not None
    return run


def test_a_run_that_was_cut_goes_on_with_the_same_job(
    run_tap: RunTap, crm: FakeSalesforce, calls: Calls, way: str
) -> None:
    cut = cut_run(run_tap, crm, 3)
    (job,) = [each for each in calls.of("POST") if each.endswith("/jobs/query")]
    assert job
    read = len(cut.ids("Contact"))
    assert read == 60, way
    crm.clock.advance(6 * 86_400)
    calls.seen.clear()
    again = run_tap(crm, "Contact", state=cut.state, api_type="bulk")
    assert again.error is None
    assert not [each for each in calls.of("POST") if each.endswith("/jobs/query")]
    everything = crm.org.records("Contact", deleted=True)
    assert len(again.ids("Contact")) == len(everything) - read
    assert {record["Id"] for record in everything} == {*cut.ids("Contact"), *again.ids("Contact")}
    assert len(calls.of("DELETE")) == 1


def test_after_seven_days_the_job_is_gone_and_another_is_made(run_tap: RunTap, crm: FakeSalesforce, way: str) -> None:
    cut = cut_run(run_tap, crm, 3)
    crm.clock.advance(8 * 86_400)
    again = run_tap(crm, "Contact", state=cut.state, api_type="bulk")
    assert again.error is None
    assert differences(crm, loaded(cut, again), "Contact") == [], way


def test_a_job_is_read_by_the_version_that_made_it(run_tap: RunTap, crm: FakeSalesforce, calls: Calls) -> None:
    crm.quirks.bulk_page = 20
    cut = cut_run(run_tap, crm, 3, api_version="66.0")
    calls.seen.clear()
    again = run_tap(crm, "Contact", state=cut.state, api_type="bulk", api_version="67.0")
    assert again.error is None
    assert all("/v66.0/" in each for each in calls.of("GET"))
    assert {*cut.ids("Contact"), *again.ids("Contact")} == {
        record["Id"] for record in crm.org.records("Contact", deleted=True)
    }


def test_a_state_names_the_jobs_of_streams_whose_turn_has_not_come(run_tap: RunTap, crm: FakeSalesforce) -> None:
    crm.faults.add(path="/results", times=None, status=403, policy="REQUEST_LIMIT_EXCEEDED")
    stopped = run_tap(crm, "Account", "Contact", "Lead", api_type="bulk")
    crm.faults.clear()
    state = json.dumps(stopped.state)
    assert state.count('"job"') == 3
    calls = Calls(crm)
    again = run_tap(crm, "Account", "Contact", "Lead", state=stopped.state, api_type="bulk")
    assert again.error is None
    assert not [each for each in calls.of("POST") if each.endswith("/jobs/query")]
    assert differences(crm, loaded(stopped, again), "Account", "Contact", "Lead") == []


def told_jobs() -> set[str]:
    """The jobs that the last STATE names which a run in this process has written so far."""
    lines = [line for line in getattr(sys.stdout, "getvalue")().split("\n") if '"type":"STATE"' in line]  # noqa: B009 - a run's output
    return set(re.findall(r"750\w{15}", lines[-1])) if lines else set()


class Told:
    """What STATE said whenever a request of a kind came: the jobs that it named, and those that it should have."""

    def __init__(self, crm: FakeSalesforce, method: str, path: str) -> None:
        self.seen: list[tuple[set[str], set[str]]] = []

        def look(request: Any) -> None:
            if request.method == method and re.search(path, request.path):
                self.seen.append((told_jobs(), {job.id for job in crm.jobs}))

        crm.on_request(look)


def test_state_names_every_job_before_the_next_is_made(run_tap: RunTap, crm: FakeSalesforce) -> None:
    """A run that is killed while it begins jobs leaves at most those behind that were being made."""
    told = Told(crm, "POST", "/jobs/query$")
    run_tap(crm, "Account", "Contact", "Lead", "Case", api_type="bulk", concurrency=1)
    assert [0, 1, 2, 3] == [len(made) for _, made in told.seen]
    assert all(named == made for named, made in told.seen)


def test_state_names_a_job_that_takes_another_ones_place(run_tap: RunTap, crm: FakeSalesforce) -> None:
    cut = cut_run(run_tap, crm, 0)
    for job in crm.jobs:
        crm.jobs.abort(job) if job.state == "InProgress" else crm.jobs.delete(job)
    run = run_tap(crm, "Contact", state=cut.state, api_type="bulk")
    assert run.error is None
    first = next(place for place, message in enumerate(run.messages) if message["type"] == "RECORD")
    states = [message["value"] for message in run.messages[:first] if message["type"] == "STATE"]
    assert states[-1]["bookmarks"]["Contact"]["resume"]["point"]["job"]["id"] == "750000000000002AAA"


def test_a_job_is_deleted_when_no_state_names_it_any_more(run_tap: RunTap, crm: FakeSalesforce) -> None:
    """Else a run that is killed right then makes its successor read everything again."""
    told = Told(crm, "DELETE", "/jobs/query/")
    assert run_tap(crm, "Contact", api_type="bulk").error is None
    assert [set()] == [named for named, _ in told.seen]


@pytest.mark.parametrize("settings", [{"full_refresh": True}, {"where": {"Contact": "Id != null"}}], ids=str)
def test_a_job_of_the_state_that_is_of_no_use_any_more_is_deleted(
    run_tap: RunTap, crm: FakeSalesforce, settings: dict[str, Any]
) -> None:
    cut = cut_run(run_tap, crm, 0)
    assert 1 == len(list(crm.jobs))
    again = run_tap(crm, "Contact", state=cut.state, api_type="bulk", **settings)
    assert again.error is None
    assert len(again.ids("Contact")) >= 130
    assert [] == list(crm.jobs)


def test_a_trial_leaves_the_job_of_the_state_alone(run_tap: RunTap, crm: FakeSalesforce) -> None:
    cut = cut_run(run_tap, crm, 0)
    assert run_tap(crm, "Contact", state=cut.state, max_records=5).error is None
    assert 1 == len(list(crm.jobs))


def test_when_the_days_megabytes_are_used_up_no_job_is_tried(run_tap: RunTap, crm: FakeSalesforce) -> None:
    crm.usage.limits = OrgLimits(bulk_megabytes=0)
    calls = Calls(crm)
    run = run_tap(crm, "Contact", "Account", api_type="bulk")
    assert run.error is None
    assert [] == [each for each in calls.of("POST") if each.endswith("/jobs/query")]
    assert differences(crm, loaded(run), "Contact", "Account") == []
