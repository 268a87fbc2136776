"""What an account's administrators decide: which object types are on, who may log in, what is archived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import Property

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm import FakeCrm

LIBRARY = "/crm/object-library/2026-09/enablement"


def test_a_new_account_has_the_objects_of_the_library_switched_off(client: Any, crm: FakeCrm) -> None:
    assert {"0-162": False, "0-410": False, "0-420": False, "0-421": False} == (
        client.get(LIBRARY).json()["enablementByObjectTypeId"]
    )
    crm.hubspot.switch_on("courses")
    assert {"enablement": True} == client.get(f"{LIBRARY}/0-410").json()
    assert 404 == client.get(f"{LIBRARY}/0-1").status_code


@pytest.mark.parametrize("status", [400, 403, 404])
@pytest.mark.parametrize("path", ["objects/2026-09", "properties/2026-09", "pipelines/2026-09"])
def test_nothing_of_an_object_that_is_off_can_be_read(client: Any, crm: FakeCrm, path: str, status: int) -> None:
    crm.quirks.switched_off = status
    for name in ("listings", "0-420"):
        assert status == client.get(f"/crm/{path}/{name}").status_code
    crm.hubspot.switch_on("listings")
    assert 200 == client.get(f"/crm/{path}/listings").status_code


def test_any_scope_that_reads_an_object_opens_the_library(client_of: Callable[..., Any], crm: FakeCrm) -> None:
    carts = client_of(crm, token=crm.access.add_token("narrow", scopes=["crm.objects.carts.read"]))
    assert 200 == carts.get(LIBRARY).status_code
    owners = client_of(crm, token=crm.access.add_token("owners", scopes=["crm.objects.owners.read"]))
    assert 403 == owners.get(LIBRARY).status_code


@pytest.mark.parametrize(
    ("name", "scope"), [("goal_targets", "crm.objects.goals.read"), ("0-101", "crm.objects.commercepayments.read")]
)
def test_scopes_have_names_of_their_own(client_of: Callable[..., Any], crm: FakeCrm, name: str, scope: str) -> None:
    client = client_of(crm, token=crm.access.add_token("narrow", scopes=[scope]))
    assert 200 == client.get(f"/crm/objects/2026-09/{name}").status_code
    assert 403 == client.get("/crm/objects/2026-09/contacts").status_code


def test_any_object_type_can_be_seeded(fake_crm: Callable[..., FakeCrm], client_of: Callable[..., Any]) -> None:
    crm = fake_crm(objects={"orders": 5, "courses": 3, "calls": 2})
    client = client_of(crm)
    assert [5, 3, 2] == [len(client.ids(name)) for name in ("orders", "0-410", "calls")]
    (pipeline,) = client.get("/crm/pipelines/2026-09/orders").json()["results"]
    row = crm.hubspot.records("orders")[1]["properties"]
    assert (pipeline["id"], True) == (
        row["hs_pipeline"],
        row["hs_pipeline_stage"] in [stage["id"] for stage in pipeline["stages"]],
    )


def test_archived_properties_are_listed_apart_and_their_values_are_gone(client: Any, crm: FakeCrm) -> None:
    crm.hubspot.archive_property("contacts", "customer_score")
    path = "/crm/properties/2026-09/contacts"
    assert "customer_score" not in [each["name"] for each in client.get(path).json()["results"]]
    (gone,) = client.get(path, archived="true").json()["results"]
    assert ("customer_score", True, "2026-11-01T00:00:00.000Z") == (gone["name"], gone["archived"], gone["archivedAt"])
    row = client.get("/crm/objects/2026-09/contacts/91", properties="customer_score,email").json()
    assert "customer_score" not in row["properties"]
    assert 204 == client.call("DELETE", f"{path}/remarks").status_code
    assert 400 == client.call("DELETE", f"{path}/email").status_code
    assert 2 == len(client.get(path, archived="true").json()["results"])


def test_sensitive_properties_need_to_be_asked_for_and_a_scope(client_of: Callable[..., Any], crm: FakeCrm) -> None:
    crm.hubspot.add_property("contacts", Property("diagnosis", sensitivity="sensitive", hubspot_defined=False))
    path = "/crm/properties/2026-09/contacts"
    narrow = client_of(crm, token=crm.access.add_token("narrow", scopes=["crm.objects.contacts.read"]))
    assert "diagnosis" not in [each["name"] for each in narrow.get(path).json()["results"]]
    refusal = narrow.get(path, dataSensitivity="sensitive")
    assert "crm.objects.contacts.sensitive.read.v2" in refusal.text
    wide = client_of(crm).get(path, dataSensitivity="sensitive").json()["results"]
    assert ["diagnosis"] == [each["name"] for each in wide]


def test_archived_pipelines_vanish_unless_the_quirk_shows_them(client: Any, crm: FakeCrm) -> None:
    crm.hubspot.archive_pipeline("deals", "default", "closedlost")
    crm.hubspot.archive_pipeline("tickets", "0")
    path = "/crm/pipelines/2026-09"
    assert [] == client.get(f"{path}/tickets").json()["results"]
    (deals,) = client.get(f"{path}/deals").json()["results"]
    assert "closedlost" not in [stage["id"] for stage in deals["stages"]]
    crm.quirks.archived_pipelines = True
    (tickets,) = client.get(f"{path}/tickets").json()["results"]
    assert (True, "2026-11-01T00:00:00.000Z") == (tickets["archived"], tickets["archivedAt"])
    (deals,) = client.get(f"{path}/deals").json()["results"]
    assert [False, True] == [stage["archived"] for stage in deals["stages"]][-2:]


def test_pipelines_and_stages_are_archived_over_http(client: Any) -> None:
    path = "/crm/pipelines/2026-09"
    assert 404 == client.call("DELETE", f"{path}/deals/default/stages/nonsense").status_code
    assert 204 == client.call("DELETE", f"{path}/deals/default/stages/closedwon").status_code
    assert 4 == len(client.get(f"{path}/deals/default/stages").json()["results"])
    assert 204 == client.call("DELETE", f"{path}/tickets/0").status_code
    assert 404 == client.get(f"{path}/tickets/0").status_code


def test_users_and_teams_are_settings(client: Any, crm: FakeCrm) -> None:
    first = client.get("/settings/users/2026-09", limit=2).json()
    second = client.get("/settings/users/2026-09", limit=2, after=first["paging"]["next"]["after"]).json()
    users = [*first["results"], *second["results"]]
    assert ["Dana", "Emil", "Fatima"] == [each["firstName"] for each in users]
    owners = client.get("/crm/owners/2026-09").json()["results"]
    assert [str(each["userId"]) for each in owners] == [each["id"] for each in users]
    above, team = client.get("/settings/teams/2026-09").json()["results"]
    assert (above["id"], users[0]["primaryTeamId"]) == (team["parentTeamId"], team["id"])
    members = client.get("/settings/users/2026-09/teams").json()["results"]
    assert [[], [each["id"] for each in users[:2]]] == [each["userIds"] for each in members]
    crm.hubspot.people.remove(int(users[0]["id"]))
    assert 404 == client.get(f"/settings/users/2026-09/{users[0]['id']}").status_code
    assert "Emil" == client.get("/settings/users/2026-09/emil.zak@example.com", idProperty="EMAIL").json()["firstName"]


def test_users_and_teams_may_be_in_beta_and_need_scopes(client_of: Callable[..., Any], crm: FakeCrm) -> None:
    crm.quirks.settings_in_beta = True
    client = client_of(crm)
    assert [404, 200] == [client.get(f"/settings/users/{each}").status_code for each in ("2026-09", "2026-09-beta")]
    assert [404, 200] == [client.get(f"/settings/teams/{each}").status_code for each in ("2026-09", "2026-09-beta")]
    narrow = client_of(crm, token=crm.access.add_token("narrow", scopes=["settings.users.read"]))
    assert 200 == narrow.get("/settings/users/2026-09-beta").status_code
    assert 403 == narrow.get("/settings/users/2026-09-beta/teams").status_code


def test_a_calculated_property_changes_without_the_modified_date(client: Any, crm: FakeCrm) -> None:
    before = crm.hubspot.record("contacts", "91")
    crm.clock.advance(60)
    crm.hubspot.recalculate("contacts", "91", {"num_associated_deals": "77"})
    after = crm.hubspot.record("contacts", "91")
    assert (before["updatedAt"], "77") == (after["updatedAt"], after["properties"]["num_associated_deals"])
    assert ["91"] == client.ids("contacts", ("num_associated_deals", "EQ", "77"))


def test_a_search_may_be_refused_for_a_type(client: Any, crm: FakeCrm) -> None:
    assert 200 == client.post("/crm/objects/2026-09/0-54/search", {}).status_code
    crm.quirks.unsearchable = ("marketing_events",)
    assert 400 == client.post("/crm/objects/2026-09/0-54/search", {}).status_code
    assert 200 == client.get("/crm/objects/2026-09/0-54").status_code


def test_a_custom_object_can_be_deleted(client: Any, crm: FakeCrm) -> None:
    type_id = crm.hubspot.define_object("machines", [Property("serial", hubspot_defined=False)])
    assert 200 == client.get(f"/crm/objects/2026-09/{type_id}").status_code
    crm.hubspot.delete_object("machines")
    assert [] == client.get("/crm-object-schemas/2026-09/schemas").json()["results"]
    assert 400 == client.get(f"/crm/objects/2026-09/{type_id}").status_code
    assert type_id != crm.hubspot.define_object("machines", [Property("serial", hubspot_defined=False)])


def test_schemas_may_come_without_their_definitions(client: Any, crm: FakeCrm) -> None:
    crm.hubspot.define_object("machines", [Property("serial", hubspot_defined=False)])
    path = "/crm-object-schemas/2026-09/schemas"
    (whole,) = client.get(path).json()["results"]
    (bare,) = client.get(path, includePropertyDefinitions="false").json()["results"]
    assert ("serial" in [each["name"] for each in whole["properties"]], []) == (True, bare["properties"])
