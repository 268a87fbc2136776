"""`--check` and `--plan` of what moves no modified date: told by a call or two, beside what it does cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.inspection import inspect
from fake_crm import FakeCrm
from tap_hubspot.tap import TapHubSpot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot.conftest import Run, RunTap

LINKS, HISTORY = "contacts_associations", "contacts_property_history"
SETTINGS: dict[str, Any] = {
    "associations": ["contacts:companies", "contacts:deals", "contacts:tickets"],
    "history_properties": ["contacts:firstname"],
    "parallel_lists": False,  # chains of a list that meet share a page, or not
}


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(seed=5, contacts=1230, companies=9, deals=5, tickets=5, clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(86_400)
        yield crm


def look(
    crm: FakeCrm, capsys: pytest.CaptureFixture[str], stream: str, state: Any = None, *, kind: str = "plan", **more: Any
) -> Any:
    """What is told of a stream, and by how many calls."""
    config = {"api_url": crm.url, "access_token": crm.token, "searches_per_second": 1000, **SETTINGS, **more}
    given = json.loads(json.dumps(state, default=float)) if state else None
    tap = TapHubSpot(config=config, state=given)
    for name, each in tap.streams.items():
        each.selected = name == stream
    before = len(crm.requests)
    inspect(tap, check="json" if kind == "check" else None, plan="json" if kind == "plan" else None)
    (told,) = json.loads(capsys.readouterr().out)["streams"]
    return told, len(crm.requests) - before


def cost(run: Run, stream: str) -> int:
    calls: int = run.state["run"]["streams"][stream]["calls"]
    return calls


@pytest.mark.parametrize("stream", [LINKS, HISTORY])
def test_the_forecast_is_what_it_costs(
    run_tap: RunTap, crm: FakeCrm, capsys: pytest.CaptureFixture[str], stream: str
) -> None:
    every: Any = {**SETTINGS, "associations_full_every": 24}
    told, asked = look(crm, capsys, stream, associations_full_every=24)
    first = run_tap(crm, stream, **every)
    assert (asked, sum(told["calls"].values())) == (1, cost(first, stream))
    crm.clock.advance(3600)
    for record in crm.hubspot.records("contacts")[:110]:
        crm.hubspot.update("contacts", record["id"], {"firstname": "edited"})
    crm.clock.advance(3600)
    told, asked = look(crm, capsys, stream, first.state, associations_full_every=24)
    second = run_tap(crm, stream, state=first.state, **every)
    assert (asked, sum(told["calls"].values())) == (1, cost(second, stream))
    assert told["records"] is None


@pytest.mark.parametrize("stream", [LINKS, HISTORY])
def test_a_check_makes_one_call(crm: FakeCrm, capsys: pytest.CaptureFixture[str], stream: str) -> None:
    told, asked = look(crm, capsys, stream, kind="check")
    assert (told["access"], asked) == ("open", 1)


def test_refreshes_and_sweeps_that_are_due_are_part_of_the_plan(
    run_tap: RunTap, crm: FakeCrm, capsys: pytest.CaptureFixture[str]
) -> None:
    every: Any = {"refresh_calculated_every": 6, "sweep_ids_every": 24, "parallel_lists": False}
    first = run_tap(crm, "contacts", **every)
    crm.clock.advance(3600)
    told, _ = look(crm, capsys, "contacts", first.state, **every)
    assert (told["records"], told["calls"]) == (0, {"search": 1, "default": 2})
    crm.clock.advance(90_000)
    told, asked = look(crm, capsys, "contacts", first.state, **every)
    second = run_tap(crm, "contacts", state=first.state, **every)
    assert (told["records"], asked) == (len(second.records("contacts")), 2)
    assert sum(told["calls"].values()) == cost(second, "contacts") + 1  # the properties, which discovery asks for
