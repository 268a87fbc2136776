"""N06: a record for which HubSpot answers a server error, whatever is asked with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import SyncFailedError
from fake_crm import FakeCrm
from fake_crm.wire import Delivery, Reply
from tap_hubspot.tap import TapHubSpot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot.conftest import RunTap

Json = dict[str, Any]


class Poisoned:
    """Answers 500 wherever the values of one of the given records are on the page."""

    def __init__(self, crm: FakeCrm, ids: set[str]) -> None:
        self.ids = ids
        self._deliver = crm.deliver
        crm.deliver = self  # type: ignore[method-assign]  # the server asks this object for each answer

    def __call__(self, request: Any) -> Delivery:
        delivery: Delivery = self._deliver(request)
        reply = delivery.reply
        asks_values = "/batch/read" in request.path or "firstname" in request.target
        if reply is None or reply.status >= 400 or not asks_values:
            return delivery
        found = {row["id"] for row in json.loads(reply.body).get("results", ()) if isinstance(row, dict)}
        return Delivery(Reply.of({"message": "internal error"}, 500)) if found & self.ids else delivery


@pytest.fixture
def crm(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCrm]:
    monkeypatch.setattr(TapHubSpot, "rest", lambda *_: None)
    with FakeCrm(seed=41, contacts=260, companies=3, deals=0, tickets=0, clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(86_400)
        yield crm


def some(crm: FakeCrm, *places: int) -> set[str]:
    records = crm.hubspot.records("contacts")
    return {records[place]["id"] for place in places}


@pytest.mark.parametrize("places", [(0,), (137,), (259,), (3, 4), (10, 99, 120, 259)])
@pytest.mark.parametrize("whole", [True, False], ids=["first sync", "delta"])
def test_n06_all_others_are_read_and_nothing_is_claimed_of_the_sick_one(
    run_tap: RunTap, crm: FakeCrm, whole: bool, places: tuple[int, ...]
) -> None:
    runs = []
    if not whole:
        runs.append(run_tap(crm, "contacts", "companies"))
        crm.clock.advance(3600)
        crm.hubspot.bulk_stamp("contacts", [record["id"] for record in crm.hubspot.records("contacts")])
        crm.clock.advance(3600)
    poisoned = Poisoned(crm, some(crm, *places))
    for _ in range(2):  # it is no different the next time
        runs.append(run_tap(crm, "contacts", "companies", state=runs[-1].state if runs else None, retry_attempts=2))
        assert isinstance(runs[-1].error, SyncFailedError)
        assert list(runs[-1].error.failures) == ["contacts"]
        assert f"for {len(places)} records" in str(runs[-1].error.failures["contacts"])
        assert runs[-1].bookmark("contacts") == (None if whole else runs[0].bookmark("contacts"))
        assert run_tap.differences(crm, "companies", *runs) == []
    healthy = {record["id"] for record in crm.hubspot.records("contacts")} - poisoned.ids
    read = set(runs[-1].ids("contacts")) | set(runs[-2].ids("contacts"))
    assert read == healthy
    activated = {m["stream"] for run in runs[-2:] for m in run.messages if m["type"] == "ACTIVATE_VERSION"}
    assert "contacts" not in activated
    poisoned.ids = set()
    runs.append(run_tap(crm, "contacts", "companies", state=runs[-1].state))
    assert runs[-1].error is None
    assert run_tap.differences(crm, "contacts", *runs) == []


def test_n06_a_hubspot_that_is_down_is_not_asked_for_every_record(run_tap: RunTap, crm: FakeCrm) -> None:
    first = run_tap(crm, "contacts")
    crm.clock.advance(3600)
    crm.hubspot.bulk_stamp("contacts", [record["id"] for record in crm.hubspot.records("contacts")])
    crm.clock.advance(3600)
    crm.requests.clear()
    crm.faults.add(path="/batch/read", times=None, status=500)
    run = run_tap(crm, "contacts", state=first.state, retry_attempts=2, concurrency=1)
    assert isinstance(run.error, SyncFailedError)
    assert sum(entry.path.endswith("/batch/read") for entry in crm.requests) == 2 * 3
