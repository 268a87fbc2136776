"""Every stream brings every row that the fake holds, and its records are as their SCHEMA says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.tap_pipedrive.conftest import Table, differences, truth

if TYPE_CHECKING:
    from fake_crm import FakePipedrive
    from tests.tap_pipedrive.conftest import Run, RunTap

# stream → table of the fake and key
TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    name: (table, ("id",))
    for name, table in {
        **{one: one for one in ("deals", "persons", "organizations", "activities", "products", "leads", "notes")},
        **{one: one for one in ("files", "users", "roles", "permission_sets", "filters", "pipelines", "stages")},
        **{one: one for one in ("currencies", "activity_types", "lead_labels", "goals", "call_logs", "mail_threads")},
        **{one: one for one in ("mail_messages", "projects", "tasks", "deal_products")},
        "project_boards": "boards",
        "project_phases": "phases",
        "deal_installments": "installments",
        "deal_participants": "participants",
    }.items()
}
OTHERS = ("lead_sources", "deal_followers", "deal_changes", "deal_stage_history", "field_options")
FIELDS = tuple(
    f"{one}_fields" for one in ("deal", "person", "organization", "product", "activity", "project", "lead", "note")
)


@pytest.fixture
def everything(run_tap: RunTap, crm: FakePipedrive) -> Run:
    run = run_tap(crm, *TABLES, *OTHERS, *FIELDS)
    assert run.error is None
    return run


def test_every_stream_brings_every_row(everything: Run, crm: FakePipedrive) -> None:
    assert set(everything.streams) == {*TABLES, *OTHERS, *FIELDS}
    found = {}
    for stream, (source, keys) in TABLES.items():
        table = Table(keys)
        table.load(everything.messages, stream)
        found[stream] = {key[0] for key in table.live} ^ truth(crm, source).keys()
    assert {stream: ids for stream, ids in found.items() if ids} == {}
    assert {row["name"] for row in crm.pipedrive.rows("lead_sources")} == {
        row["name"] for row in everything.records("lead_sources")
    }
    followers = {(row["deal_id"], row["user_id"]) for row in crm.pipedrive.rows("followers")}
    assert followers == {(row["deal_id"], row["user_id"]) for row in everything.records("deal_followers")}


def test_every_record_is_as_its_schema_says(everything: Run) -> None:
    found = {stream: everything.misfits(stream) for stream in everything.streams}
    assert {stream: faults for stream, faults in found.items() if faults} == {}


def test_every_schema_names_the_key(everything: Run) -> None:
    keys = {m["stream"]: tuple(m["key_properties"]) for m in everything.messages if m["type"] == "SCHEMA"}
    assert {stream: keys[stream] for stream in TABLES} == {stream: key for stream, (_, key) in TABLES.items()}
    assert all(keys.values())


def test_every_record_has_its_key_and_a_bookmark_where_it_has_one(everything: Run) -> None:
    for name, stream in everything.streams.items():
        for record in everything.records(name):
            assert all(record[key] is not None for key in stream.primary_keys), name
        if stream.replication_key:
            assert everything.bookmark(name).startswith("2026-11-01T00:59:00"), name


def test_a_field_is_known_by_its_name_in_records(everything: Run, crm: FakePipedrive) -> None:
    own = crm.pipedrive.definitions.custom("deal")
    listed = {row["field_code"]: row["name_in_records"] for row in everything.records("deal_fields")}
    assert {code: listed[code] for code in own} == {code: each.name.lower() for code, each in own.items()}
    in_leads = {row["field_code"]: row["name_in_records"] for row in everything.records("lead_fields")}
    assert {code: in_leads[code] for code in own} == {code: listed[code] for code in own}


def test_options_are_rows_with_labels(everything: Run, crm: FakePipedrive) -> None:
    own = next(each for each in crm.pipedrive.definitions.custom("deal").values() if each.kind == "enum")
    found = {
        row["id"]: row["label"]
        for row in everything.records("field_options")
        if (row["entity"], row["field_code"]) == ("deal", own.code)
    }
    assert found == {str(each.id): each.label for each in own.options or ()}


def test_what_costs_a_call_for_each_deal_is_not_read_unless_chosen(run_tap: RunTap, crm: FakePipedrive) -> None:
    run = run_tap(crm)
    chosen = {name for name, stream in run.streams.items() if stream.selected}
    assert run.streams.keys() - chosen == {
        "deal_participants",
        "deal_followers",
        "deal_changes",
        "deal_stage_history",
        "mail_threads",
        "mail_messages",
    }
    assert not any("/deals/1/" in entry.path for entry in crm.requests)


def test_leads_come_in_the_form_of_deals(everything: Run, crm: FakePipedrive) -> None:
    deals, leads = everything.schema("deals"), everything.schema("leads")
    own = deals["properties"]["custom_fields"]
    assert own == leads["properties"]["custom_fields"]
    source = truth(crm, "leads")
    for record in everything.records("leads"):
        row = source[record["id"]]
        money: Any = row["value"] or {"amount": None, "currency": None}
        assert (record["value"], record["currency"]) == (money["amount"], money["currency"])
        assert record["org_id"] == row["organization_id"]
        assert len(record["labels"]) == len(row["label_ids"])
    assert not any(
        name in record for record in everything.records("leads") for name in crm.pipedrive.definitions.custom("deal")
    )


def test_archived_ones_can_be_left_out(run_tap: RunTap, crm: FakePipedrive) -> None:
    run = run_tap(crm, "deals", "leads", archived=False)
    assert run.error is None
    assert not any(record["is_archived"] for name in ("deals", "leads") for record in run.records(name))
    assert not any(entry.path.endswith("/archived") for entry in crm.requests)


def test_a_feature_that_is_off_has_no_rows_and_fails_nothing(run_tap: RunTap, crm: FakePipedrive) -> None:
    crm.quirks.features_off = {"projects", "installments"}
    run = run_tap(crm, "projects", "tasks", "project_boards", "project_phases", "deal_installments", "stages")
    assert run.error is None
    assert [len(run.records(name)) for name in ("projects", "tasks", "deal_installments", "stages")] == [0, 0, 0, 6]


def test_archived_deals_are_deals(run_tap: RunTap, crm: FakePipedrive) -> None:
    run = run_tap(crm, "deals")
    assert differences(crm, "deals", run) == []
    assert {record["id"] for record in run.records("deals") if record["is_archived"]} == {9, 18, 27}
