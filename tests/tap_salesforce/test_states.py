"""Going on from any STATE, and from STATEs that cannot be true: nothing is lost, nothing stays stuck."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeSalesforce
from tap_salesforce.tap import TapSalesforce
from tests.tap_hubspot.tables import Tables
from tests.tap_salesforce.people import Edit, People
from tests.tap_salesforce.truth import differences, lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_salesforce.conftest import Run, RunTap

Json = dict[str, Any]
STREAMS = ("Contact", "Lead")
APIS = ["rest", "bulk"]
HOUR = 3600


@pytest.fixture
def crm(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSalesforce]:
    monkeypatch.setattr(TapSalesforce, "state_seconds", 0.0)  # a STATE wherever one may stand
    monkeypatch.setattr(TapSalesforce, "rest", lambda *_: None)
    sizes = {"Contact": 70, "Lead": 9, "User": 2}
    with FakeSalesforce(seed=21, clock="2026-11-01T00:00:00Z", empty=True, sizes=sizes) as crm:
        crm.quirks.page_rows = crm.quirks.bulk_page = crm.quirks.bulk_chunk = 20
        crm.clock.advance(HOUR)
        yield crm


@pytest.fixture(params=["chained", "listed"])
def pages(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("tap_salesforce.results._ONE_PAGE", 0 if request.param == "listed" else 10**9)
    return str(request.param)


def restarts(run: Run) -> Iterator[tuple[list[Json], Json]]:
    """Each STATE that a run printed, with what came before it; of equal ones the first, which had delivered least."""
    seen = set()
    for place, message in enumerate(run.messages):
        if message["type"] == "STATE" and (key := json.dumps(message["value"].get("bookmarks"))) not in seen:
            seen.add(key)
            yield run.messages[: place + 1], message["value"]


def busy_hours(crm: FakeSalesforce) -> None:
    people = People(crm)
    crm.clock.advance(HOUR)
    people.make(Edit("storm", "Contact"))
    for verb in ("delete", "purge", "merge", "create"):
        people.make(Edit(verb, "Contact", 7, 9))
    crm.clock.advance(HOUR)


@pytest.mark.parametrize("kind", ["first sync", "delta", "formulas", "after a long pause"])
@pytest.mark.parametrize("api", APIS)
def test_g18_restarted_from_every_state_the_end_is_the_same(
    run_tap: RunTap, crm: FakeSalesforce, pages: str, kind: str, api: str
) -> None:
    """As Airbyte's acceptance tests do; S07 where many records of one second are cut in every place."""
    if pages == "listed" and (api == "rest" or kind == "formulas"):
        return  # there are no such pages, or nothing but them is different
    ways: Json = {"api_type": api, "concurrency": 2}
    first = run_tap(crm, *STREAMS, **ways)
    before: list[Run] = []
    if kind != "first sync":
        before = [first]
        busy_hours(crm)
        if kind == "formulas":
            ways["refresh_formulas_every"] = 1
        if kind == "after a long pause":
            crm.clock.advance(20 * 24 * HOUR)
        first = run_tap(crm, *STREAMS, state=before[0].state, **ways)
    assert first.error is None
    points = list(restarts(first))
    assert sum('"resume"' in json.dumps(state) for _, state in points) >= 3
    for messages, state in points:
        again = run_tap(crm, *STREAMS, state=state, **ways)
        assert again.error is None
        for guarded in (True, False):
            tables = Tables(guarded=guarded)
            for run in before:
                tables.take(lines(run.messages))
            tables.take(lines(messages))
            tables.take(lines(again.messages))
            assert differences(crm, tables, *STREAMS) == []
        assert "resume" not in json.dumps(again.state)


@pytest.mark.parametrize("bookmark", ["2999-01-01T00:00:00Z", "soon", "", ["x"], {"a": 1}, True])
def test_s12_a_bookmark_that_cannot_be_true_is_told_and_all_is_read(
    run_tap: RunTap, crm: FakeSalesforce, bookmark: Any, caplog: pytest.LogCaptureFixture
) -> None:
    state = {"bookmarks": {"Lead": {"replication_key": "SystemModstamp", "replication_key_value": bookmark}}}
    run = run_tap(crm, "Lead", state=state)
    assert run.error is None
    tables = Tables()
    tables.take(lines(run.messages))
    assert differences(crm, tables, "Lead") == []
    assert "reading as if there were none" in caplog.text
    assert str(run.bookmark("Lead")).startswith("2026-11-01T0")


def interrupted(run_tap: RunTap, crm: FakeSalesforce, api: str) -> Run:
    path = "/query/" if api == "rest" else "/results"
    crm.faults.add(path=path, times=None, after=2, status=500)
    run = run_tap(crm, "Contact", api_type=api, retry_attempts=1, concurrency=1)
    crm.faults.clear()
    assert run.error is not None
    assert run.state["bookmarks"]["Contact"]["resume"]["point"]
    return run


NO_ID = "not an Id"
POINTS: list[Any] = [
    None,
    "x",
    [],
    {},
    {"step": "records"},
    {"step": "of another version"},
    {"query": "00", "parts": []},
    {"parts": None},
    {"parts": [["soon", None, None, None]]},
    {"parts": [[None, None, NO_ID, None]]},
    {"parts": [[None]]},
    {"parts": "x"},
    {"cursor": "https://elsewhere.example/services/data/v68.0/query/01g-2000"},
    {"cursor": 7},
    {"cursor": "/services/data/v68.0/query/01gNOSUCHCURSOR-2000"},
    {"job": {"id": "750000000000000AAA", "version": "68.0", "pages": 1, "locator": None, "rows": 0}},
    {"job": {"id": "../../oauth2/revoke", "version": "68.0", "pages": 0, "locator": None, "rows": 0}},
    {"job": {"id": "750000000000001AAA", "version": "x", "pages": -1, "locator": "..", "rows": "a"}},
    {"job": "x"},
]


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("point", POINTS, ids=json.dumps)
def test_s12_a_resume_point_that_means_nothing_is_dropped(
    run_tap: RunTap, crm: FakeSalesforce, point: Any, api: str
) -> None:
    cut = interrupted(run_tap, crm, api)
    state = cut.state
    kept = state["bookmarks"]["Contact"]["resume"]
    merged = isinstance(point, dict) and not {"query", "step"} & point.keys() and point
    kept["point"] = {**kept["point"], **point} if merged else point
    run = run_tap(crm, "Contact", state=state, api_type=api)
    assert run.error is None
    tables = Tables()
    tables.take(lines([*cut.messages, *run.messages]))
    assert differences(crm, tables, "Contact") == []
    assert "resume" not in json.dumps(run.state)


@pytest.mark.parametrize("api", APIS)
def test_s08_a_cursor_that_has_run_out_goes_on_behind_the_last_record(
    run_tap: RunTap, crm: FakeSalesforce, api: str
) -> None:
    cut = interrupted(run_tap, crm, api)
    read = len(cut.ids("Contact"))
    crm.clock.advance(3 * 24 * HOUR)  # a cursor lives two days, a job seven
    run = run_tap(crm, "Contact", state=cut.state, api_type=api)
    assert run.error is None
    assert len(run.ids("Contact")) == 70 - read
    tables = Tables()
    tables.take(lines([*cut.messages, *run.messages]))
    assert differences(crm, tables, "Contact") == []


def test_s08_a_cursor_that_runs_out_during_the_run_loses_and_doubles_nothing(
    run_tap: RunTap, crm: FakeSalesforce
) -> None:
    crm.faults.add(path="/query/", after=1, times=1, status=400, policy="INVALID_QUERY_LOCATOR")
    run = run_tap(crm, "Contact", api_type="rest")
    assert run.error is None
    assert len(run.ids("Contact")) == len(set(run.ids("Contact"))) == 70


def test_a_cut_rest_run_goes_on_at_its_cursor(run_tap: RunTap, crm: FakeSalesforce) -> None:
    cut = interrupted(run_tap, crm, "rest")
    asked: list[str] = []
    crm.on_request(lambda request: asked.append(request.path) if "/query" in request.path else None)
    run = run_tap(crm, "Contact", state=cut.state, api_type="rest")
    assert len(run.ids("Contact")) == 70 - len(cut.ids("Contact"))
    assert asked
    assert all("/query/" in path for path in asked)


def test_s04_a_record_on_two_pages_is_one_row(
    run_tap: RunTap, crm: FakeSalesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm.quirks.gzip = False
    answer, last = crm.answer, list[Json]()

    def repeating(request: Any) -> Any:
        reply = answer(request)
        if "/query" not in request.path or "Contact" not in str(reply.body):
            return reply
        body = json.loads(reply.body)
        body["records"] = last + body["records"]
        last[:] = body["records"][-1:]
        return type(reply)(reply.status, json.dumps(body).encode(), reply.headers)

    monkeypatch.setattr(crm, "answer", repeating)
    run = run_tap(crm, "Contact", api_type="rest")
    assert run.error is None
    assert len(run.ids("Contact")) > len(set(run.ids("Contact"))) == 70
    tables = Tables()
    tables.take(lines(run.messages))
    assert differences(crm, tables, "Contact") == []
