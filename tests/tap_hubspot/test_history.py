"""Property history: every value that a property had, each once, whenever it was read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeCrm
from tap_hubspot.history import Versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.tap_hubspot.conftest import Run, RunTap

DEALS = "deals_property_history"
STAGE = ["deals:dealstage"]
KEY = ("object_id", "property", "timestamp", "sequence")


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(seed=5, contacts=20, companies=3, deals=120, tickets=3, clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(86_400)
        yield crm


@pytest.fixture
def sync(run_tap: RunTap, crm: FakeCrm) -> Callable[..., Run]:
    """Runs the history of deals' stages; an hour later nothing is new any more."""

    def run(state: Any = None, **settings: Any) -> Run:
        done = run_tap(crm, DEALS, state=state, **{"history_properties": STAGE, **settings})
        assert done.error is None
        crm.clock.advance(3600)
        return done

    return run


def rows(*runs: Run) -> dict[tuple[Any, ...], Any]:
    """The values that a table holds after these runs."""
    return {tuple(each[name] for name in KEY): each["value"] for run in runs for each in run.records(DEALS)}


def truth(crm: FakeCrm, name: str = "dealstage") -> dict[tuple[Any, ...], Any]:
    """Every value that the fake knows, told apart by its own count within a millisecond."""
    store, found = crm.hubspot.store("deals"), {}
    for record in store.live.ordered():
        seen: list[int] = []
        for version in reversed(record.versions(name, store.kind)):
            at = version.rendered()["timestamp"]
            found[record.id, name, at, seen.count(version.at)] = version.value
            seen.append(version.at)
    return found


def ids(crm: FakeCrm, count: int) -> list[str]:
    return [record["id"] for record in crm.hubspot.records("deals")[:count]]


def test_no_history_is_read_unless_properties_are_named(run_tap: RunTap, crm: FakeCrm) -> None:
    names = [stream["tap_stream_id"] for stream in run_tap.catalog(crm)["streams"]]
    assert not [name for name in names if name.endswith("_property_history")]
    some = run_tap.catalog(crm, history_properties=["deals:amount", "ti*:*"])["streams"]
    assert {"deals_property_history", "tickets_property_history"} == {
        each["tap_stream_id"] for each in some if each["tap_stream_id"].endswith("_property_history")
    }


def test_every_value_is_a_row_with_its_source(sync: Callable[..., Run], crm: FakeCrm) -> None:
    (one,) = ids(crm, 1)
    crm.clock.advance(60)
    crm.hubspot.update("deals", one, {"dealstage": "closedwon"}, user=77)
    crm.clock.advance(600)
    run = sync()
    assert rows(run) == truth(crm)
    newest = max((each for each in run.records(DEALS) if each["object_id"] == one), key=lambda row: row["timestamp"])
    assert newest == {
        "object_id": one,
        "property": "dealstage",
        "timestamp": newest["timestamp"],
        "sequence": 0,
        "value": "closedwon",
        "source_type": "CRM_UI",
        "source_id": "userId:77",
        "source_label": None,
        "updated_by_user_id": "77",
    }


def test_fifty_records_a_call(sync: Callable[..., Run], crm: FakeCrm) -> None:
    crm.requests.clear()
    sync()
    reads = [len(entry.json["inputs"]) for entry in crm.requests if entry.path.endswith("/deals/batch/read")]
    assert sorted(reads) == [20, 50, 50]


def test_a_later_run_reads_changed_records_and_sends_new_values_only(sync: Callable[..., Run], crm: FakeCrm) -> None:
    first = sync()
    one, other = ids(crm, 2)
    crm.hubspot.update("deals", one, {"dealstage": "closedlost"})
    crm.clock.advance(5)
    crm.hubspot.update("deals", one, {"dealstage": "closedwon"})
    crm.hubspot.update("deals", other, {"dealname": "no other stage"})
    crm.clock.advance(3600)
    second = sync(first.state)
    assert [(row["object_id"], row["value"]) for row in second.records(DEALS)] == [
        (one, "closedlost"),
        (one, "closedwon"),
    ]
    assert rows(first, second) == truth(crm)
    assert rows(sync(second.state)) == {}


def test_a_value_between_two_edits_is_not_lost_where_a_run_met_neither(run_tap: RunTap, crm: FakeCrm) -> None:
    """Edited within the window, and again while the run read: a search up to the window's end would put it off."""
    settings: Any = {"history_properties": STAGE, "lookback": 0}
    runs = [run_tap(crm, DEALS, **settings)]
    (one,) = ids(crm, 1)
    for number, stage in enumerate(("closedlost", "closedwon", "contractsent", "qualifiedtobuy")):
        crm.clock.advance(3000)
        crm.hubspot.update("deals", one, {"dealstage": stage})
        crm.clock.advance(600)
        crm.hubspot.update("deals", one, {"dealname": f"edited while run {number} reads"})
        runs.append(run_tap(crm, DEALS, state=runs[-1].state, **settings))
    assert rows(*runs) == truth(crm)


def test_what_the_search_shows_late_comes_with_the_next_run(run_tap: RunTap) -> None:
    with FakeCrm(seed=6, deals=20, search_lag=200, clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(3600)
        runs = [run_tap(crm, DEALS, history_properties=STAGE)]
        for stage in ("closedlost", "closedwon", "contractsent", "qualifiedtobuy"):
            for one in ids(crm, 3):
                crm.hubspot.update("deals", one, {"dealstage": stage})
            crm.clock.advance(100)  # less than the index needs
            runs.append(run_tap(crm, DEALS, state=runs[-1].state, history_properties=STAGE))
        crm.clock.advance(600)
        runs.append(run_tap(crm, DEALS, state=runs[-1].state, history_properties=STAGE))
        assert rows(*runs) == truth(crm)


def test_values_of_one_millisecond_stay_apart(sync: Callable[..., Run], crm: FakeCrm) -> None:
    (one,) = ids(crm, 1)
    for stage in ("closedlost", "closedwon", "closedlost"):
        crm.hubspot.update("deals", one, {"dealstage": stage})  # the clock stands
    crm.clock.advance(600)
    first = sync()
    assert sorted(row["sequence"] for row in first.records(DEALS) if row["object_id"] == one)[-3:] == [0, 1, 2]
    crm.hubspot.update("deals", one, {"dealstage": "contractsent"})
    crm.clock.advance(600)
    assert rows(first, sync(first.state)) == truth(crm)


def test_a_merge_brings_the_losers_values_whole(sync: Callable[..., Run], crm: FakeCrm) -> None:
    first = sync()
    winner, loser = ids(crm, 2)
    crm.hubspot.merge("deals", winner, loser)
    crm.clock.advance(600)
    second = sync(first.state)
    assert {row["object_id"] for row in second.records(DEALS)} == {winner}  # all its values, though they are old


def test_all_selected_properties_but_calculated_and_modified_ones(run_tap: RunTap, crm: FakeCrm) -> None:
    run = run_tap(crm, DEALS, history_properties=["deals:*"])
    names = {row["property"] for row in run.records(DEALS)}
    assert {"amount", "dealname", "dealstage"} <= names
    assert not names & {"hs_is_closed", "hs_lastmodifieddate"}
    named = run_tap(crm, DEALS, history_properties=["deals:*", "deals:hs_is_closed"])
    assert {row["property"] for row in named.records(DEALS)} == names | {"hs_is_closed"}


def test_a_property_that_does_not_exist_is_told(sync: Callable[..., Run], caplog: pytest.LogCaptureFixture) -> None:
    assert rows(sync(history_properties=["deals:delstage"])) == {}
    assert "no property delstage" in caplog.text


def test_a_property_that_the_catalog_leaves_out_has_no_history(run_tap: RunTap, crm: FakeCrm) -> None:
    catalog = run_tap.catalog(crm, history_properties=["deals:*"])
    for stream in catalog["streams"]:
        if stream["tap_stream_id"] == "deals":
            for entry in stream["metadata"]:
                if entry["breadcrumb"][-1:] == ["amount"]:
                    entry["metadata"]["selected"] = False
        stream["metadata"][-1]["metadata"]["selected"] = stream["tap_stream_id"] in {"deals", DEALS}
    run = run_tap(crm, "deals", DEALS, catalog=catalog, history_properties=["deals:*"])
    assert "amount" not in {row["property"] for row in run.records(DEALS)}
    assert "dealname" in {row["property"] for row in run.records(DEALS)}


def test_a_late_value_of_a_calculated_property_is_sent_however_old(run_tap: RunTap, crm: FakeCrm) -> None:
    settings: Any = {"history_properties": ["deals:hs_is_closed"]}
    first = run_tap(crm, DEALS, **settings)
    (one,) = ids(crm, 1)
    crm.clock.advance(3600)
    crm.hubspot.recalculate("deals", one, {"hs_is_closed": "true"})
    crm.clock.advance(86_400)
    second = run_tap(crm, DEALS, state=first.state, **settings)
    crm.hubspot.update("deals", one, {"dealname": "edited"})
    crm.clock.advance(3600)
    third = run_tap(crm, DEALS, state=second.state, **settings)
    assert rows(second) == {}
    assert rows(first, second, third) == truth(crm, "hs_is_closed")


def test_a_history_is_never_swept(sync: Callable[..., Run]) -> None:
    """HubSpot forgets old values; a table must not."""
    assert not [each for each in sync().messages if each["type"] == "ACTIVATE_VERSION"]


def test_since_sends_values_since_then_and_leaves_the_bookmark(sync: Callable[..., Run], crm: FakeCrm) -> None:
    first = sync()
    (one,) = ids(crm, 1)
    crm.hubspot.update("deals", one, {"dealstage": "closedlost"})
    crm.clock.advance(3600)
    since = crm.clock.now().isoformat()
    crm.hubspot.update("deals", one, {"dealstage": "closedwon"})
    crm.clock.advance(3600)
    second = sync(first.state, since=since)
    assert [row["value"] for row in second.records(DEALS)] == ["closedwon"]
    assert second.bookmark(DEALS) == first.bookmark(DEALS)


def test_a_read_that_broke_goes_on_where_it_stood(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.faults.add(path="/deals/batch/read", status=400, after=2)
    settings: Any = {"history_properties": STAGE, "concurrency": 1, "page_size": 50}
    broken = run_tap(crm, DEALS, **settings)
    assert broken.error is not None
    assert broken.bookmark(DEALS) is None
    rest = run_tap(crm, DEALS, state=broken.state, **settings)
    assert rest.error is None
    assert 0 < len(rest.records(DEALS)) < len(broken.records(DEALS))
    assert rows(broken, rest) == truth(crm)


def test_records_that_are_gone_are_left_out_and_other_errors_are_not(run_tap: RunTap, crm: FakeCrm) -> None:
    gone = ids(crm, 1)[0]
    crm.on_request(lambda request: crm.hubspot.purge("deals", gone) if "batch" in request.path else None)
    run = run_tap(crm, DEALS, history_properties=STAGE)
    assert run.error is None
    assert rows(run) == truth(crm)
    error = {"status": "error", "category": "VALIDATION_ERROR", "message": "no"}
    body = {"status": "COMPLETE", "results": [], "errors": [error]}
    crm.faults.add(path="/deals/batch/read", status=207, body=body, times=None)
    assert run_tap(crm, DEALS, history_properties=STAGE).error is not None


def test_a_value_that_is_no_text_arrives_as_text() -> None:
    history = {"amount": [{"value": 7, "timestamp": "2026-01-02T00:00:00Z", "updatedByUserId": 5}], "empty": None}
    (row,) = Versions(datetime(2026, 1, 1, tzinfo=UTC)).of({"id": 1, "propertiesWithHistory": history})
    assert (row["object_id"], row["value"], row["updated_by_user_id"], row["source_type"]) == ("1", "7", "5", None)
