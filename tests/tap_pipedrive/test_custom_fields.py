"""Custom fields: typed, named, labelled; a column stays when its field is renamed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tap_pipedrive.custom_fields import CustomFields
from tap_pipedrive.naming import names_of, snake
from tap_pipedrive.shapes import Shape

if TYPE_CHECKING:
    from fake_crm import FakePipedrive
    from tests.tap_pipedrive.conftest import RunTap

HOME = {"value": "Main St 1", "country": "Estonia", "postal_code": "01001"}
# kind of the field → value as v2 has it → its columns by ending ("" is the value's own)
CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "varchar": ("x", {"": "x"}),
    "text": ("long", {"": "long"}),
    "phone": ("+372", {"": "+372"}),
    "double": (1.5, {"": Decimal("1.5")}),
    "monetary": ({"value": 12, "currency": "EUR"}, {"": 12, "currency": "EUR"}),
    "date": ("2026-02-03", {"": "2026-02-03"}),
    "daterange": ({"value": "2026-02-03", "until": "2026-03-04"}, {"": "2026-02-03", "until": "2026-03-04"}),
    "time": (
        {"value": "10:00:00", "timezone_id": 4, "timezone_name": "Europe/Riga"},
        {"": "10:00:00", "timezone_id": 4, "timezone_name": "Europe/Riga"},
    ),
    "timerange": (
        {"value": "10:00:00", "until": "11:00:00", "timezone_id": 4, "timezone_name": "Europe/Riga"},
        {"": "10:00:00", "until": "11:00:00", "timezone_id": 4, "timezone_name": "Europe/Riga"},
    ),
    "address": (HOME, {"": "Main St 1", "country": "Estonia", "postal_code": "01001", "route": None}),
    "user": (5, {"": 5}),
    "org": (6, {"": 6}),
    "people": (7, {"": 7}),
}


@pytest.mark.parametrize("kind", CASES)
def test_every_kind_is_typed_in_deals_and_in_leads(run_tap: RunTap, crm: FakePipedrive, kind: str) -> None:
    value, wanted = CASES[kind]
    code = crm.pipedrive.definitions.add("deal", f"Own {kind}", kind)
    name = f"own_{kind}"
    deal = crm.pipedrive.create("deals", custom_fields={code: value})
    lead = crm.pipedrive.create("leads", custom_fields={code: value})
    crm.clock.advance(3600)
    run = run_tap(crm, "deals", "leads")
    for stream, key in (("deals", deal), ("leads", lead)):
        record = next(record for record in run.records(stream) if record["id"] == key)
        found = {ending: record["custom_fields"][f"{name}_{ending}".rstrip("_")] for ending in wanted}
        if stream == "leads":  # v1 tells a zone's number only
            found = {ending: each for ending, each in found.items() if ending != "timezone_name"}
        assert found == {ending: each for ending, each in wanted.items() if ending in found}
        assert run.misfits(stream) == []


def test_projects_have_fields_of_their_own(run_tap: RunTap, crm: FakePipedrive) -> None:
    code = crm.pipedrive.definitions.add("project", "Site cost", "monetary")
    key = crm.pipedrive.create("projects", custom_fields={code: {"value": 5, "currency": "EUR"}})
    run = run_tap(crm, "projects", "project_fields")
    own = next(record for record in run.records("projects") if record["id"] == key)["custom_fields"]
    assert own == {"site_cost": 5, "site_cost_currency": "EUR"}
    assert run.records("project_fields")[-1]["name_in_records"] == "site_cost"
    assert run.misfits("projects") == []


def test_options_come_with_their_labels_and_ids(run_tap: RunTap, crm: FakePipedrive) -> None:
    one = crm.pipedrive.definitions.add("deal", "Way", "enum", ("By sea", "By air"))
    many = crm.pipedrive.definitions.add("deal", "Flags", "set", ("A", "B", "C"))
    ways, flags = (
        [each.id for each in crm.pipedrive.definitions.by_entity["deal"][code].options or ()] for code in (one, many)
    )
    values = {one: ways[1], many: [flags[0], flags[2]]}
    keys = [crm.pipedrive.create(table, custom_fields=values) for table in ("deals", "leads")]
    crm.clock.advance(3600)
    run = run_tap(crm, "deals", "leads")
    for stream, key in zip(("deals", "leads"), keys, strict=True):
        own = next(record for record in run.records(stream) if record["id"] == key)["custom_fields"]
        assert (own["way"], own["way_label"]) == (ways[1], "By air")
        assert (own["flags"], own["flags_labels"]) == ([flags[0], flags[2]], ["A", "C"])


def test_s11_a_new_option_is_accepted_and_a_deleted_one_keeps_its_id(run_tap: RunTap, crm: FakePipedrive) -> None:
    code = crm.pipedrive.definitions.add("deal", "Way", "enum", ("By sea", "By air"))
    old = (crm.pipedrive.definitions.by_entity["deal"][code].options or ())[0].id
    deal = crm.pipedrive.create("deals", custom_fields={code: old})
    crm.clock.advance(3600)
    first = run_tap(crm, "deals", "field_options")
    crm.pipedrive.definitions.remove_option("deal", code, old)
    new = crm.pipedrive.definitions.add_option("deal", code, "By land")
    crm.pipedrive.update("deals", deal)
    other = crm.pipedrive.create("deals", custom_fields={code: new})
    crm.pipedrive.create("stages", name="New stage")
    crm.clock.advance(3600)
    second = run_tap(crm, "deals", "field_options", "stages", state=first.state)
    own = {record["id"]: record["custom_fields"] for record in second.records("deals")}
    assert (own[deal]["way"], own[deal]["way_label"]) == (old, None)
    assert (own[other]["way"], own[other]["way_label"]) == (new, "By land")
    assert "New stage" in {record["name"] for record in second.records("stages")}
    assert "ACTIVATE_VERSION" not in {m["type"] for m in second.messages if m.get("stream") == "field_options"}


@pytest.mark.parametrize("policy", ["name", "both", "code"])
def test_s10_a_renamed_field_keeps_its_column(run_tap: RunTap, crm: FakePipedrive, policy: str) -> None:
    code = crm.pipedrive.definitions.add("deal", "Way", "varchar")
    deal = crm.pipedrive.create("deals", custom_fields={code: "x"})
    crm.clock.advance(3600)
    first = run_tap(crm, "deals", custom_field_names=policy)
    name = {"name": "way", "both": f"way_{code[:8]}", "code": code}[policy]
    assert next(row for row in first.records("deals") if row["id"] == deal)["custom_fields"][name] == "x"
    crm.pipedrive.definitions.rename("deal", code, "Route of transport")
    crm.pipedrive.update("deals", deal, custom_fields={code: "y"})
    crm.clock.advance(3600)
    catalog = run_tap.catalog(crm, "deals", custom_field_names=policy)  # a discovery knows no state
    second = run_tap(crm, state=first.state, catalog=catalog, custom_field_names=policy)
    (record,) = second.records("deals")
    assert record["custom_fields"][name] == "y"
    assert name in second.schema("deals")["properties"]["custom_fields"]["properties"]
    assert second.misfits("deals") == []


def test_another_policy_names_anew(run_tap: RunTap, crm: FakePipedrive) -> None:
    first = run_tap(crm, "deals", custom_field_names="both")
    second = run_tap(crm, "deals", state=first.state, full_refresh=True)
    assert "budget" in second.records("deals")[0]["custom_fields"]


def test_s10_a_field_that_comes_while_deals_are_read_is_not_lost(run_tap: RunTap, crm: FakePipedrive) -> None:
    made: list[str] = []

    def define(request: Any) -> None:
        if request.path == "/api/v2/deals" and not made:
            made.append(crm.pipedrive.definitions.add("deal", "Late", "varchar"))
            crm.pipedrive.quietly("deals", 1, custom_fields={made[0]: "x"})

    crm.on_request(define)
    run = run_tap(crm, "deals")
    assert run.error is None
    own = next(record for record in run.records("deals") if record["id"] == 1)["custom_fields"]
    assert own[made[0]] == "x"
    assert run.misfits("deals") == []


def test_s10_a_field_that_is_gone_stays_declared_by_an_old_catalog(run_tap: RunTap, crm: FakePipedrive) -> None:
    code = crm.pipedrive.definitions.add("deal", "Way", "double")
    catalog = run_tap.catalog(crm, "deals")
    crm.pipedrive.definitions.remove("deal", code)
    new = crm.pipedrive.definitions.add("deal", "Way", "varchar")
    crm.pipedrive.create("deals", custom_fields={new: "x"})
    crm.clock.advance(3600)
    run = run_tap(crm, catalog=catalog)
    assert run.schema("deals")["properties"]["custom_fields"]["properties"]["way"]["type"] == ["string", "null"]
    assert run.misfits("deals") == []


def test_fields_of_what_is_not_selected_are_not_asked_for(run_tap: RunTap, crm: FakePipedrive) -> None:
    catalog = run_tap.catalog(crm, "persons")
    before = len(crm.requests)
    assert run_tap(crm, catalog=catalog).error is None
    assert [entry.path for entry in crm.requests[before:] if "Fields" in entry.path] == ["/api/v2/personFields"]


def test_a_deselected_field_stays_out(run_tap: RunTap, crm: FakePipedrive) -> None:
    catalog = run_tap.catalog(crm, "persons")
    (entry,) = [each for each in catalog["streams"] if each["tap_stream_id"] == "persons"]
    for each in entry["metadata"]:
        if each["breadcrumb"][-1:] == ["budget"]:
            each["metadata"]["selected"] = False
    run = run_tap(crm, catalog=catalog)
    assert not any("budget" in record["custom_fields"] for record in run.records("persons"))
    assert "region" in run.records("persons")[0]["custom_fields"]


def test_values_that_do_not_fit_become_null_and_are_told(
    run_tap: RunTap, crm: FakePipedrive, caplog: pytest.LogCaptureFixture
) -> None:
    number, day = (crm.pipedrive.definitions.add("deal", f"My {kind}", kind) for kind in ("double", "date"))
    crm.pipedrive.create("deals", custom_fields={number: "secret", day: "2026-02-31"})
    crm.clock.advance(3600)
    run = run_tap(crm, "deals")
    own = run.records("deals")[-1]["custom_fields"]
    assert (own["my_double"], own["my_date"]) == (None, None)
    assert "my_double" in caplog.text
    assert "secret" not in caplog.text


A, B, C = "a" * 40, "b" * 40, "c" * 40


@pytest.mark.parametrize(
    ("fields", "known", "wanted"),
    [
        ({A: ("Budget", []), B: ("Region", [])}, {}, {A: "budget", B: "region"}),
        ({A: ("Budget", []), B: ("budget!", [])}, {}, {A: "budget_aaaaaa", B: "budget_bbbbbb"}),
        ({A: ("Budget", []), B: ("Budget", [])}, {A: "budget"}, {A: "budget", B: "budget_bbbbbb"}),
        ({A: ("Budget", ["currency"]), B: ("Budget currency", [])}, {}, {A: "budget", B: "budget_currency_bbbbbb"}),
        ({A: ("Sum", []), B: ("Budget", [])}, {A: "budget"}, {A: "budget", B: "budget_bbbbbb"}),
        ({A: ("???", []), B: ("2nd try", [])}, {}, {A: A, B: "f_2nd_try"}),
    ],
    ids=["plain", "two alike", "one was first", "a column of another", "renamed, name taken", "no letters"],
)
def test_no_two_fields_share_a_column(
    fields: dict[str, tuple[str, list[str]]], known: dict[str, str], wanted: dict[str, str]
) -> None:
    assert names_of(fields, "name", known) == wanted
    assert names_of(dict(reversed(fields.items())), "name", known) == wanted


def test_names_are_readable() -> None:
    assert [snake(name) for name in ("Größe (m²)", " Deal-Type ", "ÄÖ", "№ 1")] == [
        "grösse_m²",
        "deal_type",
        "äö",
        "f_1",
    ]


def test_option_ids_may_be_text() -> None:
    definition = {
        "field_code": A,
        "field_name": "Way",
        "field_type": "enum",
        "is_custom_field": True,
        "options": [{"id": "sea", "label": "By sea"}],
    }
    own = CustomFields([definition], "name", {})
    shape = Shape({"properties": {}})
    assert own.record({A: "sea"}, shape) == {"way": "sea", "way_label": "By sea"}
