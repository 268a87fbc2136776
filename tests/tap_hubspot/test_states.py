"""Going on from any STATE, and from STATEs that cannot be true: nothing is lost, nothing stays stuck."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeCrm
from tap_hubspot.tap import TapHubSpot
from tests.tap_hubspot.people import Edit, People
from tests.tap_hubspot.tables import Tables
from tests.tap_hubspot.truth import differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot.conftest import Run, RunTap

Json = dict[str, Any]
STREAMS = ("contacts", "deals")
SIZE = 330


@pytest.fixture
def crm(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCrm]:
    monkeypatch.setattr(TapHubSpot, "state_seconds", 0.0)  # a STATE wherever one may stand
    with FakeCrm(seed=21, contacts=SIZE, companies=0, deals=9, tickets=0, clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(3600)
        yield crm


def lines(messages: list[Json]) -> list[str]:
    return [json.dumps(message, default=float) for message in messages]


def restarts(run: Run) -> Iterator[tuple[list[Json], Json]]:
    """Each STATE that a run printed, with all that came before it."""
    for place, message in enumerate(run.messages):
        if message["type"] == "STATE":
            yield run.messages[: place + 1], message["value"]


@pytest.mark.parametrize("whole", [True, False], ids=["first sync", "delta"])
def test_g18_restarted_from_every_state_the_end_is_the_same(run_tap: RunTap, crm: FakeCrm, whole: bool) -> None:
    """As Airbyte's acceptance tests do; S07 where a storm of one timestamp is cut in every place."""
    first = run_tap(crm, *STREAMS)
    before: list[Run] = []
    if not whole:
        before = [first]
        people = People(crm)
        crm.clock.advance(3600)
        people.make(Edit("storm", "contacts"))
        for verb in ("archive", "merge", "create"):
            people.make(Edit(verb, "contacts", 7, 9))
        crm.clock.advance(3600)
        first = run_tap(crm, *STREAMS, state=before[0].state)
    points = list(restarts(first))
    assert sum('"resume"' in json.dumps(state) for _, state in points) >= 3
    people = People(crm)
    for messages, state in points:
        again = run_tap(crm, *STREAMS, state=state)
        assert again.error is None
        for guarded in (True, False):
            tables = Tables(guarded=guarded)
            for run in before:
                tables.take(lines(run.messages))
            tables.take(lines(messages))
            tables.take(lines(again.messages))
            assert differences(crm, people, tables, ("deals",)) == []
            live = {key[0] for key, row in tables["contacts"].rows.items() if row.is_live}
            assert live == {record["id"] for record in crm.hubspot.records("contacts")}


@pytest.mark.parametrize("bookmark", ["2999-01-01T00:00:00Z", "soon", "", ["x"], {"a": 1}, True])
def test_s12_a_bookmark_that_cannot_be_true_is_told_and_all_is_read(
    run_tap: RunTap, crm: FakeCrm, bookmark: Any, caplog: pytest.LogCaptureFixture
) -> None:
    state = {"bookmarks": {"deals": {"replication_key": "updatedAt", "replication_key_value": bookmark}}}
    run = run_tap(crm, "deals", state=state)
    assert run.error is None
    assert run_tap.differences(crm, "deals", run) == []
    assert "reading as if there were none" in caplog.text
    assert str(run.bookmark("deals")).startswith("2026-11-01T00:59")


def interrupted(run_tap: RunTap, crm: FakeCrm, *, whole: bool) -> tuple[list[Run], Json]:
    """Runs up to one that stopped inside the contacts, and its STATE."""
    runs = []
    if not whole:
        runs.append(run_tap(crm, "contacts"))
        crm.clock.advance(3600)
        People(crm).make(Edit("storm", "contacts"))
        crm.clock.advance(3600)
    path = r"/contacts\?" if whole else "/batch/read"
    crm.faults.add(path=path, times=None, after=2, policy="DAILY")
    runs.append(run_tap(crm, "contacts", state=runs[0].state if runs else None, concurrency=1))
    crm.faults.clear()
    assert runs[-1].error is not None
    assert runs[-1].state["bookmarks"]["contacts"]["resume"]["point"]
    return runs, runs[-1].state


POINTS: list[Any] = [
    None,
    "x",
    [],
    {},
    {"after_id": 7},
    {"after_id": None},
    {"after_id": "abc"},
    {"after_id": {"a": 1}},
    {"chains": None},
    {"chains": []},
    {"chains": [["7"]]},
    {"chains": [[7, [8]]]},
    {"chains": [["abc", []]]},
    {"chains": "91"},
    {"archived": {}},
    {"archived": "x"},
    {"of another": "version"},
]


@pytest.mark.parametrize("whole", [True, False], ids=["first sync", "delta"])
@pytest.mark.parametrize("point", POINTS, ids=json.dumps)
def test_s12_a_resume_point_that_means_nothing_is_dropped(
    run_tap: RunTap, crm: FakeCrm, point: Any, whole: bool
) -> None:
    runs, state = interrupted(run_tap, crm, whole=whole)
    state["bookmarks"]["contacts"]["resume"]["point"] = point
    runs.append(run_tap(crm, "contacts", state=state))
    assert runs[-1].error is None
    assert run_tap.differences(crm, "contacts", *runs) == []
    assert len(runs[-1].ids("contacts")) == SIZE
    assert "resume" not in json.dumps(runs[-1].state)


@pytest.mark.parametrize(
    "change", [{"kind": 7}, {"low": "x"}, {"high": None}, {"high": "2999-01-01T00:00:00Z"}, {"version": "x"}], ids=str
)
def test_s12_a_resume_point_of_a_window_that_cannot_be_is_dropped(run_tap: RunTap, crm: FakeCrm, change: Json) -> None:
    runs, state = interrupted(run_tap, crm, whole=True)
    state["bookmarks"]["contacts"]["resume"].update(change)
    runs.append(run_tap(crm, "contacts", state=state))
    assert runs[-1].error is None
    assert run_tap.differences(crm, "contacts", *runs) == []


@pytest.mark.parametrize("bookmarks", [{"deals": {}}, {"deals": {"resume": None}}, {"gone": {"replication_key": "x"}}])
def test_s12_bookmarks_of_little_content_are_as_good_as_none(run_tap: RunTap, crm: FakeCrm, bookmarks: Json) -> None:
    run = run_tap(crm, "deals", state={"bookmarks": bookmarks})
    assert run.error is None
    assert run_tap.differences(crm, "deals", run) == []
