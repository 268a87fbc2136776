"""What a source may do while it is read, and what it may answer (faults S03 to S14, one by one)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import CrmdbError, SyncFailedError
from fake_crm import FakeCrm
from fake_crm.hubspot.pipelines import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot.conftest import Run, RunTap

Json = dict[str, Any]
SEARCH = r"/contacts/search$"
LIST = r"/contacts\?"


def portal(**options: Any) -> FakeCrm:
    sizes = {"contacts": 250, "companies": 0, "deals": 20, "tickets": 0}
    return FakeCrm(**{"seed": 31, "clock": "2026-11-01T00:00:00Z", **sizes, **options})


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with portal() as crm:
        crm.clock.advance(86_400)
        yield crm


def delta(run_tap: RunTap, crm: FakeCrm, stream: str = "contacts", **settings: Any) -> tuple[Run, Run]:
    """A first sync, a storm over all records, and the run that reads it."""
    first = run_tap(crm, stream)
    crm.clock.advance(3600)
    crm.hubspot.bulk_stamp(stream, [record["id"] for record in crm.hubspot.records(stream)])
    crm.clock.advance(3600)
    return first, run_tap(crm, stream, state=first.state, **settings)


@pytest.mark.parametrize("age", [1, 59, 61, 239, 241, 299])
def test_s03_whatever_lag_the_lookback_and_the_hold_back_cover_loses_nothing(run_tap: RunTap, age: int) -> None:
    """The last write is `age` seconds old when a run comes, and shows in searches a second after it."""
    with portal(contacts=5, search_lag=age + 1) as crm:
        crm.clock.advance(86_400)
        runs = [run_tap(crm, "contacts", "deals")]
        one = crm.hubspot.records("contacts")[2]["id"]
        crm.hubspot.update("contacts", one, {"firstname": "late"})
        made = crm.hubspot.create("deals", {"dealname": "late"})
        crm.clock.advance(age)
        runs.append(run_tap(crm, "contacts", "deals", state=runs[-1].state))
        assert runs[-1].ids("contacts") == []
        crm.clock.advance(301)
        runs.append(run_tap(crm, "contacts", "deals", state=runs[-1].state))
        assert (runs[-1].ids("contacts"), runs[-1].ids("deals")) == ([one], [made])
        for stream in ("contacts", "deals"):
            assert run_tap.differences(crm, stream, *runs) == []


def test_s04_a_search_that_gives_records_twice_fails_and_claims_nothing(run_tap: RunTap, crm: FakeCrm) -> None:
    """Going on could as well lose records: the bookmark stays, and the next run brings all."""
    page: Json = {"total": 250, "results": [{"id": r["id"]} for r in crm.hubspot.records("contacts")[:200]]}
    first = run_tap(crm, "contacts")
    crm.clock.advance(3600)
    crm.hubspot.bulk_stamp("contacts", [record["id"] for record in crm.hubspot.records("contacts")])
    crm.clock.advance(3600)
    crm.faults.add(path=SEARCH, after=1, times=1, status=200, body=page)
    second = run_tap(crm, "contacts", state=first.state)
    assert isinstance(second.error, SyncFailedError)
    assert second.bookmark("contacts") == first.bookmark("contacts")
    third = run_tap(crm, "contacts", state=second.state)
    assert third.error is None
    assert run_tap.differences(crm, "contacts", first, second, third) == []


def test_s04_a_list_that_gives_records_twice_loses_none(run_tap: RunTap, crm: FakeCrm) -> None:
    records = crm.hubspot.records("contacts")
    page: Json = {"results": records[:100], "paging": {"next": {"after": records[150]["id"]}}}
    crm.faults.add(path=LIST + ".*after=", times=1, status=200, body=page)
    run = run_tap(crm, "contacts", concurrency=1)
    if run.error is not None:  # refused is as good, if nothing is claimed
        assert run.bookmark("contacts") is None
        run = run_tap(crm, "contacts", state=run.state)
    missing = {record["id"] for record in records} - set(run.ids("contacts"))
    assert missing <= {record["id"] for record in records[100:150]}  # which the answer above has left out


@pytest.mark.parametrize("after", [1, 2])
def test_s08_a_cursor_that_is_over_costs_time_and_no_record(run_tap: RunTap, crm: FakeCrm, after: int) -> None:
    crm.faults.add(path=LIST, times=None, after=after, policy="DAILY")
    stopped = run_tap(crm, "contacts", concurrency=1)
    assert len(stopped.ids("contacts")) == 100 * after
    crm.faults.clear()
    crm.faults.add(path=LIST + ".*after=", times=1, status=400, body={"category": "VALIDATION_ERROR"})
    resumed = run_tap(crm, "contacts", state=stopped.state)
    assert resumed.error is None
    assert run_tap.differences(crm, "contacts", stopped, resumed) == []


def test_s08_a_cursor_that_is_over_within_a_run_fails_it_and_the_next_goes_on(run_tap: RunTap, crm: FakeCrm) -> None:
    for record in crm.hubspot.records("contacts")[:150]:
        crm.hubspot.archive("contacts", record["id"])
    first = run_tap(crm, "contacts")
    crm.clock.advance(3600)
    crm.faults.add(path=LIST + ".*archived=true.*after=|after=.*archived=true", status=400, body={"category": "X"})
    second = run_tap(crm, "contacts", state=first.state)
    assert isinstance(second.error, SyncFailedError)
    third = run_tap(crm, "contacts", state=second.state)
    assert third.error is None
    assert run_tap.differences(crm, "contacts", first, second, third) == []


def during(crm: FakeCrm, path: str, change: Any) -> None:
    """Make a change when a path is asked for the first time."""
    done: list[str] = []

    def hook(request: Any) -> None:
        if path in request.path and not done:
            done.append(path)
            change()

    crm.on_request(hook)


@pytest.mark.parametrize("kind", ["string", "number", "bool", "date"])
def test_s10_a_property_that_comes_while_its_records_are_read_comes_with_the_next_run(
    run_tap: RunTap, crm: FakeCrm, kind: str
) -> None:
    one = crm.hubspot.records("deals")[3]["id"]
    value = {"string": "x", "number": "1.50", "bool": "true", "date": "2026-01-31"}[kind]

    def add() -> None:
        crm.hubspot.add_property("deals", "margin", kind)
        crm.hubspot.update("deals", one, {"margin": value})

    during(crm, "/objects/2026-09/deals", add)
    first = run_tap(crm, "deals")
    assert first.error is None
    crm.clock.advance(3600)
    second = run_tap(crm, "deals", state=first.state)
    assert second.ids("deals") == [one]
    assert second.messages[[m["type"] for m in second.messages].index("RECORD") - 1]["type"] != "RECORD"
    assert "margin" in second.schema("deals")["properties"]["properties"]["properties"]
    assert run_tap.differences(crm, "deals", first, second) == []


@pytest.mark.parametrize("when", ["between", "meanwhile"])
def test_s10_a_property_that_goes_leaves_the_run_well(run_tap: RunTap, crm: FakeCrm, when: str) -> None:
    crm.hubspot.add_property("deals", "margin", "number")
    one = crm.hubspot.records("deals")[3]["id"]
    crm.hubspot.update("deals", one, {"margin": "0.10"})
    first = run_tap(crm, "deals")
    crm.clock.advance(3600)
    crm.hubspot.update("deals", one, {"dealname": "another"})
    crm.clock.advance(3600)

    def remove() -> None:
        crm.hubspot.remove_property("deals", "margin")

    if when == "between":
        remove()
    else:
        during(crm, "/deals/search", remove)
    second = run_tap(crm, "deals", state=first.state)
    assert second.error is None
    assert second.ids("deals") == [one]
    assert second.records("deals")[0]["properties"].get("margin") is None


@pytest.mark.parametrize(("old", "new", "value"), [("number", "string", "a lot"), ("string", "number", "12.50")])
def test_s10_a_type_that_changes_meanwhile_is_right_with_the_next_run(
    run_tap: RunTap, crm: FakeCrm, old: str, new: str, value: str
) -> None:
    crm.hubspot.add_property("deals", "margin", old)
    one = crm.hubspot.records("deals")[3]["id"]

    def change() -> None:
        crm.hubspot.add_property("deals", "margin", new)
        crm.hubspot.update("deals", one, {"margin": value})

    during(crm, "/objects/2026-09/deals", change)
    first = run_tap(crm, "deals")
    assert first.error is None
    crm.clock.advance(3600)
    second = run_tap(crm, "deals", state=first.state)
    assert run_tap.differences(crm, "deals", first, second) == []
    (record,) = second.records("deals")
    assert str(record["properties"]["margin"]) == value


def test_s11_a_new_option_and_a_new_stage_arrive_as_they_are(run_tap: RunTap, crm: FakeCrm) -> None:
    first = run_tap(crm, "deals", "deal_pipelines")
    (before,) = [len(r["stages"]) for r in first.records("deal_pipelines")[:1]]
    crm.clock.advance(3600)
    pipeline = crm.hubspot.pipelines["deals"][0]
    new = Stage("brand-new", "Brand new", {"isClosed": "false", "probability": "0.35"})
    crm.hubspot.add_pipeline("deals", pipeline.id, pipeline.label, (*pipeline.stages, new))
    one = crm.hubspot.records("deals")[0]["id"]
    crm.hubspot.update("deals", one, {"dealstage": "brand-new"})
    crm.clock.advance(3600)
    second = run_tap(crm, "deals", "deal_pipelines", state=first.state)
    assert second.error is None
    assert second.records("deals")[0]["properties"]["dealstage"] == "brand-new"
    stages = next(r["stages"] for r in second.records("deal_pipelines") if r["id"] == pipeline.id)
    assert (len(stages), stages[-1]["id"], stages[-1]["metadata"]) == (before + 1, new.id, dict(new.metadata))


def test_s13_a_stream_without_rows_ends_well_and_says_so(
    run_tap: RunTap, crm: FakeCrm, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    run = run_tap(crm, "companies")
    assert (run.error, run.records("companies")) == (None, [])
    assert run.bookmark("companies") is not None
    assert "companies: 0 emitted" in caplog.text


def test_s13_an_answer_that_lacks_its_rows_is_no_empty_stream(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.faults.add(path="/objects/2026-09/companies", method="GET", times=None, status=200, body={"status": "error"})
    run = run_tap(crm, "companies")
    assert isinstance(run.error, CrmdbError)
    assert run.bookmark("companies") is None
    assert not [m for m in run.messages if m["type"] == "ACTIVATE_VERSION"]


def test_searches_filter_by_the_property_that_finds_something(run_tap: RunTap, crm: FakeCrm) -> None:
    """Contacts own a `hs_lastmodifieddate` too, and a search by it finds nothing, without an error."""
    state = run_tap(crm, "contacts", "deals").state
    crm.clock.advance(3600)
    for stream in ("contacts", "deals"):
        crm.hubspot.bulk_stamp(stream, [record["id"] for record in crm.hubspot.records(stream)])
    crm.clock.advance(3600)
    crm.requests.clear()
    run = run_tap(crm, "contacts", "deals", state=state)
    assert (len(run.ids("contacts")), len(run.ids("deals"))) == (250, 20)
    asked = {
        (request.path.split("/")[-2], each["propertyName"])
        for request in crm.requests
        if request.path.endswith("/search")
        for group in request.json["filterGroups"]
        for each in group["filters"]
        if each["operator"] != "GT"
    }
    assert asked == {("contacts", "lastmodifieddate"), ("deals", "hs_lastmodifieddate")}


@pytest.mark.parametrize("empty_every", [0, 2])
def test_cursors_that_are_numbers_are_followed(run_tap: RunTap, crm: FakeCrm, empty_every: int) -> None:
    crm.quirks.cursors_as_numbers = True
    crm.quirks.empty_every = empty_every
    for record in crm.hubspot.records("contacts")[:120]:
        crm.hubspot.archive("contacts", record["id"])
    first, second = delta(run_tap, crm)
    assert (first.error, second.error) == (None, None)
    assert run_tap.differences(crm, "contacts", first, second) == []
    assert len(set(second.ids("contacts"))) == 250


@pytest.mark.parametrize("short, empty", [(2, 0), (0, 2), (2, 3)])  # noqa: PT006 - two numbers
def test_short_and_empty_pages_end_no_delta(run_tap: RunTap, crm: FakeCrm, short: int, empty: int) -> None:
    crm.quirks.short_every, crm.quirks.empty_every = short, empty
    first, second = delta(run_tap, crm, page_size=50)
    assert (first.error, second.error) == (None, None)
    assert len(second.ids("contacts")) == len(set(second.ids("contacts"))) == 250
    assert run_tap.differences(crm, "contacts", first, second) == []


def test_two_thousand_properties_make_no_url_too_long(run_tap: RunTap) -> None:
    with portal(contacts=150, properties=2000) as crm:
        crm.clock.advance(86_400)
        crm.hubspot.archive("contacts", crm.hubspot.records("contacts")[0]["id"])
        first, second = delta(run_tap, crm)
        assert (first.error, second.error) == (None, None)
        assert run_tap.differences(crm, "contacts", first, second) == []
        assert len(first.records("contacts")[0]["properties"]) >= 2000
        assert max(len(entry.request.target) for entry in crm.requests) <= 8500
        assert 414 not in {entry.status for entry in crm.requests}


def test_a07_a_machine_whose_clock_is_wrong_reads_by_the_servers(
    run_tap: RunTap, caplog: pytest.LogCaptureFixture
) -> None:
    """Windows and bookmarks follow the `Date` of the answers, however far this machine's clock is off."""
    for start in ("2001-01-01T00:00:00Z", "2031-01-01T00:00:00Z"):
        with portal(contacts=5, clock=start) as crm:
            crm.clock.advance(86_400)
            first = run_tap(crm, "contacts")
            crm.clock.advance(3600)
            one = crm.hubspot.records("contacts")[0]["id"]
            crm.hubspot.update("contacts", one, {"firstname": "new"})
            now = crm.clock.advance(3600)
            second = run_tap(crm, "contacts", state=first.state)
            assert second.ids("contacts") == [one]
            expected = (now - timedelta(seconds=60)).isoformat()[:18]
            assert str(second.bookmark("contacts"))[:18] == expected
    assert "the server's is used" in caplog.text
