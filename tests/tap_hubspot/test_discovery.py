"""What discovery finds: objects that are on and open, custom ones included; the rest in a line, not as failures."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import ApiError, ForbiddenError, NotFoundError, SyncFailedError
from fake_crm import FakeCrm, Property
from tap_hubspot.objects import CRM_OBJECTS, custom_objects, is_of_custom_object

if TYPE_CHECKING:
    from tests.tap_hubspot.conftest import Json, RunTap

pytestmark = pytest.mark.every_object

LIBRARY = {"services", "courses", "listings", "appointments"}
README_SCOPES = (
    "crm.objects.contacts.read",
    "crm.objects.companies.read",
    "crm.objects.deals.read",
    "tickets",
    "crm.objects.owners.read",
)


def small(**more: Any) -> FakeCrm:
    return FakeCrm(contacts=2, companies=1, deals=1, tickets=1, **more)


def names_of(catalog: Json) -> set[str]:
    return {entry["tap_stream_id"] for entry in catalog["streams"]}


def machines(crm: FakeCrm) -> str:
    return crm.hubspot.define_object("machines", [Property("serial", hubspot_defined=False)])


def test_every_object_that_is_on_has_a_stream(run_tap: RunTap) -> None:
    with small() as crm:
        crm.hubspot.switch_on("courses")
        names = names_of(run_tap.catalog(crm))
    objects = {each.name for each in CRM_OBJECTS}
    assert objects - LIBRARY | {"courses"} == objects & names
    assert {"course_pipelines", "order_pipelines", "lead_pipelines"} <= names
    assert names.isdisjoint({"listing_pipelines", "service_pipelines", "appointment_pipelines"})


def test_objects_that_are_off_are_told_in_one_line_and_fail_nothing(
    run_tap: RunTap, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with small() as crm:
        run = run_tap(crm, "contacts")
        asked = [request.path for request in crm.requests if request.path.startswith("/crm/properties/")]
    assert run.error is None
    (line,) = [record.message for record in caplog.records if "not switched on" in record.message]
    assert all(name in line for name in LIBRARY)
    assert not any("0-410" in path for path in asked)


@pytest.mark.parametrize("status", [400, 404, 403])
def test_without_the_library_a_refusal_tells_that_an_object_is_off(run_tap: RunTap, status: int) -> None:
    with small() as crm:
        crm.quirks.switched_off = status
        crm.faults.add(path="/object-library/", status=403, times=None)
        run = run_tap(crm, "contacts")
        assert LIBRARY.isdisjoint(names_of(run_tap.catalog(crm)))
    assert run.error is None


def test_a_key_with_few_scopes_fails_for_the_four_main_objects_only(
    run_tap: RunTap, caplog: pytest.LogCaptureFixture
) -> None:
    with small() as crm:
        token = crm.access.add_token("narrow", scopes=README_SCOPES)
        whole = run_tap(crm, access_token=token)
        assert whole.error is None
        (line,) = [record.message for record in caplog.records if "lacks their scopes" in record.message]
        assert {"carts", "custom objects", "settings_users", "teams", "users"} <= set(
            line.partition("scopes: ")[2].partition(";")[0].split(", ")
        )
        narrower = crm.access.add_token("narrower", scopes=README_SCOPES[1:])
        lacking = run_tap(crm, access_token=narrower)
    assert isinstance(lacking.error, SyncFailedError)
    assert ["contacts"] == list(lacking.error.failures)
    assert "crm.objects.contacts.read" in str(lacking.error.failures["contacts"])
    assert lacking.ids("companies")


def test_what_a_catalog_names_has_to_be_readable(run_tap: RunTap) -> None:
    with small(objects={"orders": 2}) as crm:
        catalog = run_tap.catalog(crm)
        token = crm.access.add_token("narrow", scopes=README_SCOPES)
        run = run_tap(crm, "contacts", "orders", "settings_users", catalog=catalog, access_token=token)
    assert isinstance(run.error, SyncFailedError)
    assert {"orders", "settings_users"} == set(run.error.failures)
    assert run.ids("contacts")


def test_an_object_that_was_switched_off_since_is_left_out(run_tap: RunTap) -> None:
    with small(objects={"courses": 2}) as crm:
        catalog = run_tap.catalog(crm)
        assert 2 == len(run_tap(crm, "courses", catalog=catalog).ids("courses"))
        crm.hubspot.switch_off("courses")
        crm.requests.clear()
        run = run_tap(crm, catalog=catalog)
        assert not [r.path for r in crm.requests if "0-410" in r.path]
    assert run.error is None
    assert {"courses", "course_pipelines"}.isdisjoint(message.get("stream") for message in run.messages)


def test_discovery_takes_a_call_for_each_object_and_none_for_custom_ones(run_tap: RunTap) -> None:
    with small() as crm:
        for name in ("machines", "contracts", "visits"):
            crm.hubspot.define_object(name, [Property("serial", hubspot_defined=False)])
        crm.requests.clear()
        names = names_of(run_tap.catalog(crm))
        paths = Counter(request.path for request in crm.requests)
    assert {"p_machines", "p_contracts", "p_visits"} <= names
    # the account (is the key good at all?), the library, schemas, users, teams; then each object's properties
    assert 5 + len(CRM_OBJECTS) - len(LIBRARY) == paths.total()
    assert {1} == set(paths.values())


def test_a_run_fetches_each_definition_once(run_tap: RunTap) -> None:
    with small() as crm:
        machines(crm)
        run_tap(crm)
        calls = Counter(
            (request.path, request.query.get("archived") == ["true"])
            for request in crm.requests
            if request.path.startswith(("/crm/properties/", "/crm/pipelines/", "/crm-object-schemas/"))
        )
    assert {1} == set(calls.values())


def test_custom_objects_are_read_by_their_type_id(run_tap: RunTap) -> None:
    with small() as crm:
        type_id = crm.hubspot.define_object(
            "machines", [Property("serial", hubspot_defined=False), Property("power", "number", hubspot_defined=False)]
        )
        crm.fill("machines", 230)
        first = run_tap(crm, "p_machines")
        assert 230 == len(first.ids("p_machines"))
        declared = first.schema("p_machines")["properties"]["properties"]["properties"]
        assert ["number", "null"] == declared["power"]["type"]
        one = crm.hubspot.create("machines", {"serial": "new"})
        crm.hubspot.archive("machines", first.ids("p_machines")[0])
        crm.clock.advance(3600)
        crm.requests.clear()
        catalog = run_tap.catalog(crm)
        second = run_tap(crm, "p_machines", state=first.state, catalog=catalog)
        paths = {request.path for request in crm.requests if "/objects/" in request.path}
    assert {one, first.ids("p_machines")[0]} == set(second.ids("p_machines"))
    assert second.records("p_machines")[-1]["_sdc_deleted_at"] is not None
    assert all(f"/{type_id}" in path for path in paths)


def test_a_custom_object_that_is_gone_fails_the_run_if_it_is_selected(run_tap: RunTap) -> None:
    with small() as crm:
        machines(crm)
        catalog = run_tap.catalog(crm)
        crm.hubspot.delete_object("machines")
        run = run_tap(crm, "contacts", catalog=catalog)
        assert isinstance(run.error, SyncFailedError)
        assert {"p_machines", "pipelines_p_machines"} == set(run.error.failures)
        assert run.ids("contacts")
        for entry in catalog["streams"]:
            for item in entry["metadata"]:
                if not item["breadcrumb"]:
                    item["metadata"]["selected"] = "machines" not in entry["tap_stream_id"]
        assert run_tap(crm, catalog=catalog).error is None


def test_a_custom_object_that_the_key_may_not_read_names_the_scope(run_tap: RunTap) -> None:
    with small() as crm:
        machines(crm)
        catalog = run_tap.catalog(crm)
        token = crm.access.add_token("narrow", scopes=README_SCOPES)
        run = run_tap(crm, "contacts", catalog=catalog, access_token=token)
    assert isinstance(run.error, SyncFailedError)
    assert "crm.schemas.custom.read" in str(run.error.failures["p_machines"])


def test_a_catalog_of_the_main_objects_asks_for_nothing_else(run_tap: RunTap) -> None:
    with small() as crm:
        catalog = run_tap.catalog(crm)
        catalog["streams"] = [entry for entry in catalog["streams"] if entry["tap_stream_id"] == "contacts"]
        crm.requests.clear()
        run = run_tap(crm, catalog=catalog)
        paths = [request.path for request in crm.requests]
    assert run.ids("contacts")
    assert all("contacts" in path or "account-info" in path for path in paths)


def test_an_object_without_a_modified_date_is_read_whole_each_time(run_tap: RunTap) -> None:
    with small(objects={"taxes": 3, "fees": 2}) as crm:
        crm.hubspot.remove_property("taxes", "hs_lastmodifieddate")
        first = run_tap(crm, "taxes", "fees")
        crm.clock.advance(7200)
        second = run_tap(crm, "taxes", "fees", state=first.state)
    assert (3, 0) == (len(second.ids("taxes")), len(second.ids("fees")))
    assert second.bookmark("taxes") is None
    assert "ACTIVATE_VERSION" in {m["type"] for m in second.messages if m.get("stream") == "taxes"}


def test_marketing_events_are_no_delta_for_their_search_is_not_sure(run_tap: RunTap) -> None:
    with small(objects={"marketing_events": 3}) as crm:
        (entry,) = [e for e in run_tap.catalog(crm)["streams"] if e["tap_stream_id"] == "marketing_events"]
        assert 3 == len(run_tap(crm, "marketing_events").ids("marketing_events"))
    assert entry.get("replication_key") is None


def test_a_fault_of_the_server_is_no_closed_object(run_tap: RunTap) -> None:
    with small() as crm:
        crm.faults.add(path="/crm/properties/2026-09/carts", status=500, times=None)
        run = run_tap(crm, "contacts", retry_attempts=1)
    assert isinstance(run.error, ApiError)
    assert not isinstance(run.error, ForbiddenError | NotFoundError)


def schema(name: str, number: int, **more: Any) -> Json:
    return {"name": name, "objectTypeId": f"2-{number}", "fullyQualifiedName": f"p1_{name}", **more}


def test_names_of_custom_objects_are_kept_apart() -> None:
    schemas = [schema("Machines", 20), schema("machines", 100), schema("contacts", 3), schema("old", 4, archived=True)]
    found = {each.name: (each.path, each.pipelines) for each in custom_objects(schemas)}
    assert found == {
        "p_contacts": ("2-3", "pipelines_p_contacts"),
        "p_Machines": ("2-20", "pipelines_p_Machines"),
        "p_machines_2_100": ("2-100", "pipelines_p_machines_2_100"),
    }


def test_no_stream_of_a_standard_object_looks_like_one_of_a_custom_object() -> None:
    standard = [name for each in CRM_OBJECTS for name in (each.name, each.pipelines or each.name)]
    assert not any(map(is_of_custom_object, [*standard, "properties", "pipeline_stages"]))
    assert len({each.type_id for each in CRM_OBJECTS}) == len(CRM_OBJECTS)


def without(catalog: Json, *kept: str) -> Json:
    return {"streams": [entry for entry in catalog["streams"] if entry["tap_stream_id"] in kept]}


def test_a_stream_over_all_objects_that_is_alone_in_a_catalog_covers_them_all(run_tap: RunTap) -> None:
    with small() as crm:
        machines(crm)
        catalog = without(run_tap.catalog(crm), "pipeline_stages", "properties")
        run = run_tap(crm, catalog=catalog)
    covered = {row["object_type"] for row in run.records("properties")}
    assert {each.name for each in CRM_OBJECTS} - LIBRARY | {"p_machines"} == covered
    assert {"deals", "tickets"} == {row["object_type"] for row in run.records("pipeline_stages")}


def test_beside_streams_of_objects_it_covers_those(run_tap: RunTap) -> None:
    with small() as crm:
        run = run_tap(crm, catalog=without(run_tap.catalog(crm), "properties", "contacts", "deal_pipelines"))
    assert {"contacts", "deals"} == {row["object_type"] for row in run.records("properties")}


def test_a_catalog_without_any_object_asks_for_none(run_tap: RunTap) -> None:
    with small() as crm:
        catalog = without(run_tap.catalog(crm), "owners")
        crm.requests.clear()
        run = run_tap(crm, catalog=catalog)
        paths = {request.path for request in crm.requests}
    assert 4 == len(run.ids("owners"))
    assert {"/crm/owners/2026-09", "/account-info/2026-09/details"} == paths
