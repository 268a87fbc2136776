"""Later runs: exactly what changed, deletes and merges included, whatever the settings ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeCrm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot.conftest import Run, RunTap


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(seed=5, contacts=250, companies=30, deals=20, tickets=10, clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(86_400)
        yield crm


def first_run(run_tap: RunTap, crm: FakeCrm, *streams: str, **settings: Any) -> Run:
    """A whole first sync; an hour later nothing of it is new any more."""
    run = run_tap(crm, *streams, **settings)
    assert run.error is None
    crm.clock.advance(3600)
    return run


def some(crm: FakeCrm, stream: str, count: int) -> list[str]:
    return [record["id"] for record in crm.hubspot.records(stream)[:count]]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("stream", ["contacts", "companies", "deals", "tickets"])
def test_a_second_run_brings_exactly_the_changes(run_tap: RunTap, crm: FakeCrm, stream: str) -> None:
    first = first_run(run_tap, crm, stream)
    changed = some(crm, stream, 7)
    for one in changed[:5]:
        crm.hubspot.update(stream, one, {"hubspot_owner_id": ""})
    crm.hubspot.archive(stream, changed[5])
    crm.hubspot.archive(stream, changed[6])
    made = crm.hubspot.create(stream, {})
    crm.clock.advance(3600)
    second = run_tap(crm, stream, state=first.state)
    assert sorted(second.ids(stream)) == sorted([*changed, made])
    assert run_tap.differences(crm, stream, first, second) == []
    third = run_tap(crm, stream, state=second.state)
    assert third.ids(stream) == []


def test_a_run_without_changes_makes_few_calls(run_tap: RunTap, crm: FakeCrm) -> None:
    first = first_run(run_tap, crm, "contacts")
    second = run_tap(crm, "contacts", state=first.state)
    # one search, the recycle bin
    assert second.state["run"]["streams"]["contacts"]["calls"] == 2


def test_an_archived_record_is_deleted_when_it_was_archived(run_tap: RunTap, crm: FakeCrm) -> None:
    first = first_run(run_tap, crm, "companies")
    (one,) = some(crm, "companies", 1)
    crm.hubspot.archive("companies", one)
    archived_at = crm.clock.now()
    crm.clock.advance(3600)
    (record,) = run_tap(crm, "companies", state=first.state).records("companies")
    assert (record["id"], record["archived"]) == (one, True)
    assert abs(instant(record["_sdc_deleted_at"]) - instant(str(archived_at))) < timedelta(seconds=1)
    assert record["_sdc_deleted_at"] == record["archivedAt"]


def test_archived_records_are_part_of_a_first_sync(run_tap: RunTap, crm: FakeCrm) -> None:
    (one,) = some(crm, "companies", 1)
    crm.hubspot.archive("companies", one)
    run = run_tap(crm, "companies")
    assert [record["id"] for record in run.records("companies") if record["_sdc_deleted_at"]] == [one]
    assert run.ids("companies").count(one) == 1


def test_a_restored_record_that_is_edited_is_live_again(run_tap: RunTap, crm: FakeCrm) -> None:
    first = first_run(run_tap, crm, "companies")
    (one,) = some(crm, "companies", 1)
    crm.hubspot.archive("companies", one)
    crm.clock.advance(3600)
    second = run_tap(crm, "companies", state=first.state)
    crm.hubspot.restore("companies", one)
    crm.hubspot.update("companies", one, {"name": "back"})
    crm.clock.advance(3600)
    third = run_tap(crm, "companies", state=second.state)
    assert third.ids("companies") == [one]
    assert run_tap.differences(crm, "companies", first, second, third) == []


@pytest.mark.parametrize("stream", ["contacts", "companies"])
def test_a_merged_record_is_a_tombstone_that_names_the_winner(run_tap: RunTap, crm: FakeCrm, stream: str) -> None:
    first = first_run(run_tap, crm, stream)
    winner, loser = some(crm, stream, 2)
    crm.hubspot.merge(stream, winner, loser)
    crm.clock.advance(3600)
    second = run_tap(crm, stream, state=first.state)
    tombstone = next(record for record in second.records(stream) if record["id"] == loser)
    assert (tombstone["merged_into_id"], tombstone["archived"]) == (winner, True)
    assert tombstone["_sdc_deleted_at"] is not None
    assert run_tap.differences(crm, stream, first, second) == []


def test_s03_what_the_search_shows_late_comes_with_the_next_run(run_tap: RunTap) -> None:
    with FakeCrm(
        seed=6, contacts=50, companies=0, deals=0, tickets=0, search_lag=200, clock="2026-11-01T00:00:00Z"
    ) as crm:
        crm.clock.advance(3600)
        runs = [first_run(run_tap, crm, "contacts")]
        for number in range(4):
            for one in some(crm, "contacts", 3):
                crm.hubspot.update("contacts", one, {"firstname": f"edit {number}"})
            crm.hubspot.create("contacts", {"firstname": f"new {number}"})
            crm.clock.advance(100)  # less than the index needs
            runs.append(run_tap(crm, "contacts", state=runs[-1].state))
        crm.clock.advance(600)
        runs.append(run_tap(crm, "contacts", state=runs[-1].state))
        assert run_tap.differences(crm, "contacts", *runs) == []


def test_the_bookmark_stays_behind_the_servers_clock_by_the_hold_back(run_tap: RunTap, crm: FakeCrm) -> None:
    now = instant(str(crm.clock.now()))
    run = run_tap(crm, "contacts", hold_back=120)
    assert timedelta(seconds=119) <= now - instant(run.bookmark("contacts")) <= timedelta(seconds=121)


def test_a_custom_property_that_appears_between_runs_is_in_the_next_schema(run_tap: RunTap, crm: FakeCrm) -> None:
    first = first_run(run_tap, crm, "deals")
    crm.hubspot.add_property("deals", "margin", "number")
    (one,) = some(crm, "deals", 1)
    crm.hubspot.update("deals", one, {"margin": "0.10"})
    crm.clock.advance(3600)
    second = run_tap(crm, "deals", state=first.state)
    properties = "properties"
    assert "margin" not in first.schema("deals")[properties][properties][properties]
    assert second.schema("deals")[properties][properties][properties]["margin"] == {"type": ["number", "null"]}
    assert str(second.records("deals")[0]["properties"]["margin"]) == "0.10"
    assert run_tap.differences(crm, "deals", first, second) == []


def test_since_reads_from_there_and_leaves_the_bookmark(run_tap: RunTap, crm: FakeCrm) -> None:
    first = first_run(run_tap, crm, "contacts")
    early, late = some(crm, "contacts", 2)
    crm.hubspot.update("contacts", early, {"firstname": "early"})
    crm.clock.advance(3600)
    since = instant(str(crm.clock.now())).astimezone(UTC).isoformat()
    crm.hubspot.update("contacts", late, {"firstname": "late"})
    crm.clock.advance(3600)
    second = run_tap(crm, "contacts", state=first.state, since=since)
    assert second.ids("contacts") == [late]
    assert second.bookmark("contacts") == first.bookmark("contacts")
    third = run_tap(crm, "contacts", state=second.state)
    assert sorted(third.ids("contacts")) == sorted([early, late])


def test_a_start_date_cuts_the_first_sync(run_tap: RunTap, crm: FakeCrm) -> None:
    start = instant(str(crm.clock.now())).astimezone(UTC).isoformat()
    (one,) = some(crm, "contacts", 1)
    crm.hubspot.update("contacts", one, {"firstname": "later"})
    crm.clock.advance(3600)
    run = run_tap(crm, "contacts", start_date=start)
    assert run.ids("contacts") == [one]
    assert run.bookmark("contacts") is not None


def test_max_records_stops_the_stream_and_moves_no_bookmark(run_tap: RunTap, crm: FakeCrm) -> None:
    trial = run_tap(crm, "contacts", "companies", max_records=5)
    assert [len(trial.records(stream)) for stream in ("contacts", "companies")] == [5, 5]
    assert trial.bookmark("contacts") is None
    crm.clock.advance(3600)
    run = run_tap(crm, "contacts", state=trial.state)
    assert run_tap.differences(crm, "contacts", run) == []


def test_a_full_refresh_reads_everything_again(run_tap: RunTap, crm: FakeCrm) -> None:
    first_run(run_tap, crm, "contacts")
    again = run_tap(crm, "contacts", state={})
    assert run_tap.differences(crm, "contacts", again) == []


def test_rows_that_vanished_are_activated_away_only_after_a_whole_read(run_tap: RunTap, crm: FakeCrm) -> None:
    first = first_run(run_tap, crm, "contacts", "owners")
    kinds = [message["type"] for message in first.messages if message.get("stream") == "contacts"]
    assert kinds[-1] == "ACTIVATE_VERSION"
    assert kinds.count("ACTIVATE_VERSION") == 1
    second = run_tap(crm, "contacts", "owners", state=first.state)
    activated = {message["stream"] for message in second.messages if message["type"] == "ACTIVATE_VERSION"}
    assert activated == {"owners"}


def test_an_archived_owner_comes_as_deleted(run_tap: RunTap, crm: FakeCrm) -> None:
    records = run_tap(crm, "owners").records("owners")
    assert {record["archived"] for record in records} == {True, False}
    assert all((record["_sdc_deleted_at"] is not None) == record["archived"] for record in records)


def test_pipelines_keep_their_stages_nested(run_tap: RunTap, crm: FakeCrm) -> None:
    run = run_tap(crm, "deal_pipelines", "ticket_pipelines")
    for stream in ("deal_pipelines", "ticket_pipelines"):
        for record in run.records(stream):
            assert record["stages"]
            assert all(stage["id"] and stage["label"] for stage in record["stages"])
