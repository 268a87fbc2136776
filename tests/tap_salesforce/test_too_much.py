"""Queries that ask too much of Salesforce at once are asked in smaller pieces, and lose nothing by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fake_crm import FakeSalesforce
from tap_salesforce.tap import TapSalesforce
from tests.tap_salesforce.truth import differences, loaded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_salesforce.conftest import RunTap

HOUR = 3600
APIS = ["rest", "bulk"]


@pytest.fixture
def crm(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSalesforce]:
    monkeypatch.setattr(TapSalesforce, "rest", lambda *_: None)
    sizes = {"Contact": 120, "User": 2, "Account": 5}
    with FakeSalesforce(clock="2026-11-01T00:00:00Z", empty=True, sizes=sizes) as crm:
        crm.clock.advance(HOUR)
        yield crm


@pytest.mark.parametrize("api", APIS)
def test_s05_a_query_that_times_out_is_halved_by_time(run_tap: RunTap, crm: FakeSalesforce, api: str) -> None:
    crm.quirks.slow_objects = (("Contact", 30),)
    run = run_tap(crm, "Contact", api_type=api)
    assert run.error is None
    assert differences(crm, loaded(run), "Contact") == []
    assert len(run.ids("Contact")) == len(set(run.ids("Contact")))


@pytest.mark.parametrize("api", APIS)
def test_s06_where_time_does_not_help_ids_do(run_tap: RunTap, crm: FakeSalesforce, api: str) -> None:
    first = run_tap(crm, "Contact")
    crm.clock.advance(HOUR)
    for record in crm.org.records("Contact"):
        crm.org.update("Contact", str(record["Id"]), {"Title": "all in one second"})
    crm.clock.advance(HOUR)
    crm.quirks.slow_objects = (("Contact", 30),)
    second = run_tap(crm, "Contact", state=first.state, api_type=api)
    assert second.error is None
    assert len(second.ids("Contact")) == len(crm.org.records("Contact"))
    assert differences(crm, loaded(first, second), "Contact") == []


@pytest.mark.parametrize("code", ["QUERY_TIMEOUT", "OPERATION_TOO_LARGE"])
def test_a_page_that_is_too_much_goes_on_behind_the_last_one(run_tap: RunTap, crm: FakeSalesforce, code: str) -> None:
    crm.quirks.page_rows = 20
    crm.faults.add(path=r"v[\d.]+/query/", after=2, times=1, status=400, policy=code)
    run = run_tap(crm, "Contact", api_type="rest")
    assert run.error is None
    assert len(run.ids("Contact")) == len(set(run.ids("Contact")))
    assert differences(crm, loaded(run), "Contact") == []


def test_a_run_that_was_cut_between_pieces_goes_on_with_those_that_are_left(
    run_tap: RunTap, crm: FakeSalesforce
) -> None:
    crm.quirks.slow_objects = (("Contact", 30),)
    crm.quirks.page_rows = 10
    crm.faults.add(path=r"v[\d.]+/query/", after=4, times=None, status=500)
    cut = run_tap(crm, "Contact", api_type="rest", retry_attempts=1)
    crm.faults.clear()
    assert len(cut.state["bookmarks"]["Contact"]["resume"]["point"]["parts"]) > 1
    again = run_tap(crm, "Contact", state=cut.state, api_type="rest")
    assert again.error is None
    assert len(again.ids("Contact")) < 120
    assert differences(crm, loaded(cut, again), "Contact") == []


def test_a_query_that_is_too_complicated_asks_for_fewer_fields(run_tap: RunTap, crm: FakeSalesforce) -> None:
    crm.faults.add(path=r"v[\d.]+/query", times=1, status=400, policy="QUERY_TOO_COMPLICATED")
    run = run_tap(crm, "Contact", api_type="rest", max_records=100)
    assert run.error is None
    assert len(run.ids("Contact")) == 100
    fields = {field.name for field in crm.org.schema.find("Contact").fields.values()}
    assert fields <= {*run.records("Contact")[0]}


def test_a_query_that_is_too_much_in_the_smallest_piece_fails_its_stream_alone(
    run_tap: RunTap, crm: FakeSalesforce
) -> None:
    crm.quirks.slow_objects = (("Contact", 0),)
    run = run_tap(crm, "Contact", "Account", api_type="rest")
    assert set(run.error.failures) == {"Contact"}  # type: ignore[union-attr]
    assert run.bookmark("Contact") is None
    assert differences(crm, loaded(run), "Account") == []


def test_a_time_out_of_what_cannot_be_halved_is_tried_again(run_tap: RunTap, crm: FakeSalesforce) -> None:
    first = run_tap(crm, "Account", lookback=0)
    crm.clock.advance(HOUR)
    second = run_tap(crm, "Account", state=first.state, lookback=0)
    crm.faults.add(path=r"v[\d.]+/query", times=2, status=400, policy="QUERY_TIMEOUT")
    third = run_tap(crm, "Account", state=second.state, lookback=1, api_type="rest")
    assert third.error is None
