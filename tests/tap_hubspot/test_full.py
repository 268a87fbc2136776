"""A first sync: everything there is, exactly once, typed as the SCHEMA says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake_crm import FakeCrm

if TYPE_CHECKING:
    from tests.tap_hubspot.conftest import RunTap

OBJECTS = ("contacts", "companies", "deals", "tickets")


def test_every_stream_arrives_whole_and_fits_its_schema(run_tap: RunTap) -> None:
    with FakeCrm(seed=1, contacts=300, companies=40, deals=60, tickets=20) as crm:
        run = run_tap(crm)
        assert run.error is None
        assert [run_tap.differences(crm, stream, run) for stream in OBJECTS] == [[], [], [], []]
    for stream in (*OBJECTS, "owners", "deal_pipelines", "ticket_pipelines"):
        records = run.records(stream)
        assert records, stream
        assert run.misfits(stream) == []
        assert len(set(run.ids(stream))) == len(records)


def test_the_run_object_tells_expected_records_and_calls(run_tap: RunTap) -> None:
    with FakeCrm(seed=1, contacts=450, companies=0, deals=0, tickets=0) as crm:
        crm.clock.advance(3600)
        run = run_tap(crm, "contacts")
        told = run.state["run"]["streams"]["contacts"]
        assert told["expected"] == len(crm.hubspot.records("contacts"))
    # five pages, one search for how many there are, the recycle bin
    assert told["calls"] == 5 + 1 + 1
    assert told["waited_ms"] == 0


def test_s05_s06_twelve_thousand_with_one_modified_time_lose_nothing(run_tap: RunTap) -> None:
    records = 12_000
    with FakeCrm(seed=2, contacts=records, companies=0, deals=0, tickets=0) as crm:
        first = run_tap(crm, "contacts")
        assert run_tap.differences(crm, "contacts", first) == []
        ids = [record["id"] for record in crm.hubspot.records("contacts")]
        crm.clock.advance(3600)
        stamp = crm.clock.now()
        crm.hubspot.bulk_stamp("contacts", ids, stamp)
        crm.clock.advance(3600)
        second = run_tap(crm, "contacts", state=first.state)
        assert sorted(second.ids("contacts"), key=int) == sorted(ids, key=int)
        assert second.state["run"]["streams"]["contacts"]["expected"] == records
        assert run_tap.differences(crm, "contacts", first, second) == []
        third = run_tap(crm, "contacts", state=second.state)
        assert third.ids("contacts") == []


def test_ids_ordered_as_text_are_read_as_well(run_tap: RunTap) -> None:
    with FakeCrm(seed=3, contacts=1200, companies=0, deals=0, tickets=0) as crm:
        crm.quirks.ids_as_text = True
        run = run_tap(crm, "contacts", page_size=50)
        assert run_tap.differences(crm, "contacts", run) == []
        assert run.ids("contacts") == sorted(run.ids("contacts"))


def test_only_selected_properties_are_asked_for(run_tap: RunTap) -> None:
    with FakeCrm(seed=4, contacts=5, companies=0, deals=0, tickets=0) as crm:
        catalog = run_tap.catalog(crm)
        for entry in catalog["streams"]:
            for item in entry["metadata"]:
                crumb = item["breadcrumb"]
                chosen = len(crumb) < 4 or crumb[-1] in {"email", "hs_object_id"}
                item["metadata"]["selected"] = chosen and entry["tap_stream_id"] == "contacts"
        crm.requests.clear()
        run = run_tap(crm, catalog=catalog)
        asked = {request.query["properties"][0] for request in crm.requests if "/objects/" in request.path}
    assert asked == {"email,hs_object_id,hs_merged_object_ids,hs_calculated_merged_vids"}
    assert all(set(record["properties"]) == {"email", "hs_object_id"} for record in run.records("contacts"))
    assert set(run.schema("contacts")["properties"]["properties"]["properties"]) == {"email", "hs_object_id"}


def test_short_and_empty_pages_with_a_cursor_end_nothing(run_tap: RunTap) -> None:
    with FakeCrm(seed=13, contacts=900, companies=0, deals=0, tickets=0) as crm:
        for one in crm.hubspot.records("contacts")[:250]:
            crm.hubspot.archive("contacts", one["id"])
        crm.quirks.short_every, crm.quirks.empty_every = 2, 3
        run = run_tap(crm, "contacts")
        assert run.error is None
        assert run_tap.differences(crm, "contacts", run) == []
        assert len(run.ids("contacts")) == len(set(run.ids("contacts")))
        gone = {record["id"] for record in run.records("contacts") if record["_sdc_deleted_at"]}
        assert gone == {record["id"] for record in crm.hubspot.archived("contacts")}


def test_a_deselected_stream_is_not_read(run_tap: RunTap) -> None:
    with FakeCrm(seed=14, contacts=5, companies=5, deals=0, tickets=0) as crm:
        run = run_tap(crm, "companies")
        assert {message["stream"] for message in run.messages if message["type"] != "STATE"} == {"companies"}
        assert not any("/objects/2026-09/contacts" in request.path for request in crm.requests)
