"""What people change of the org itself between runs and during them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeSalesforce
from fake_crm.salesforce.fields import pick, text
from tests.tap_salesforce.truth import differences, loaded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_salesforce.conftest import RunTap

HOUR = 3600


@pytest.fixture
def crm() -> Iterator[FakeSalesforce]:
    with FakeSalesforce(clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(HOUR)
        yield crm


def test_s11_a_value_that_a_picklist_never_had_arrives(run_tap: RunTap, crm: FakeSalesforce) -> None:
    first = run_tap(crm, "Account")
    crm.org.add_field("Account", pick("Rating", "Hot", "Warm", "Cold", "Lukewarm", restricted=True))
    one = str(crm.org.records("Account")[0]["Id"])
    crm.org.update("Account", one, {"Rating": "Lukewarm"})
    crm.clock.advance(HOUR)
    second = run_tap(crm, "Account", state=first.state)
    assert ["Lukewarm"] == [record["Rating"] for record in second.records("Account")]
    assert second.misfits("Account") == []


def test_s13_an_object_without_records_says_so(run_tap: RunTap, crm: FakeSalesforce) -> None:
    for record in crm.org.records("Campaign", deleted=True):
        crm.org.purge("Campaign", str(record["Id"]))
    run = run_tap(crm, "Campaign")
    assert run.error is None
    assert run.ids("Campaign") == []
    assert run.state["run"]["streams"]["Campaign"]["expected"] == 0
    assert run.bookmark("Campaign") is not None


@pytest.mark.parametrize("api", ["rest", "bulk"])
def test_s10_a_field_that_came_since_is_read(run_tap: RunTap, crm: FakeSalesforce, api: str) -> None:
    first = run_tap(crm, "Account", api_type=api)
    crm.org.add_field("Account", text("Color__c"))
    one = str(crm.org.records("Account")[0]["Id"])
    crm.org.update("Account", one, {"Color__c": "blue"})
    crm.clock.advance(HOUR)
    second = run_tap(crm, "Account", state=first.state, api_type=api)
    assert ["blue"] == [record["Color__c"] for record in second.records("Account")]
    assert differences(crm, loaded(first, second), "Account") == []


def test_s10_a_field_that_goes_during_the_read_fails_the_stream_and_the_next_run_is_whole(
    run_tap: RunTap, crm: FakeSalesforce
) -> None:
    crm.org.add_field("Account", text("Color__c"))
    crm.clock.advance(60)
    removed: list[Any] = []

    def remove(request: Any) -> None:
        if not removed and "queryAll" in f"{request.path}{request.body!r}":
            removed.append(request)
            crm.org.remove_field("Account", "Color__c")

    crm.on_request(remove)
    cut = run_tap(crm, "Account")
    assert removed
    crm.clock.advance(HOUR)
    run = run_tap(crm, "Account", state=cut.state)
    assert run.error is None
    assert differences(crm, loaded(cut, run), "Account") == []
