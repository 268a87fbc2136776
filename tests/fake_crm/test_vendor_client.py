"""The vendor's own client understands the fake: generated calls by `host`, raw ones by `base_url`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import Property

if TYPE_CHECKING:
    from fake_crm import FakeCrm

# by name, for the client has no type information
hubspot: Any = importlib.import_module("hubspot")
contacts: Any = importlib.import_module("hubspot.crm.contacts")
links: Any = importlib.import_module("hubspot.crm.associations.v4")
exceptions: Any = importlib.import_module("hubspot.crm.contacts.exceptions")


@pytest.fixture
def vendor(crm: FakeCrm) -> Any:
    return hubspot.Client.create(access_token=crm.token, host=crm.url, base_url=crm.url)


def test_pages_through_all_contacts(vendor: Any, crm: FakeCrm) -> None:
    page = vendor.crm.contacts.basic_api.get_page(limit=40, properties=["email", "firstname"])
    assert page.paging.next.after == "131"
    rows = vendor.crm.contacts.get_all(properties=["email"])
    expected = [(each["id"], each["properties"]["email"]) for each in crm.hubspot.records("contacts")]
    assert expected == [(row.id, row.properties["email"]) for row in rows]


def test_lists_archived_records(vendor: Any, crm: FakeCrm) -> None:
    crm.hubspot.archive("contacts", "95")
    page = vendor.crm.contacts.basic_api.get_page(archived=True)
    assert [("95", True)] == [(row.id, row.archived) for row in page.results]
    assert page.results[0].archived_at is not None


def test_searches(vendor: Any) -> None:
    filters = [{"propertyName": "hs_object_id", "operator": "GT", "value": "186"}]
    request = contacts.PublicObjectSearchRequest(filter_groups=[{"filters": filters}], sorts=["hs_object_id"], limit=3)
    answer = vendor.crm.contacts.search_api.do_search(public_object_search_request=request)
    assert 4 == answer.total
    assert ["187", "188", "189"] == [row.id for row in answer.results]
    assert "3" == answer.paging.next.after


def test_reads_a_batch(vendor: Any) -> None:
    request = contacts.BatchReadInputSimplePublicObjectId(
        properties=["email"], properties_with_history=[], inputs=[{"id": "91"}, {"id": "5"}]
    )
    answer = vendor.crm.contacts.batch_api.read(batch_read_input_simple_public_object_id=request)
    assert ["91"] == [row.id for row in answer.results]
    assert 1 == answer.num_errors


def test_creates_updates_archives(vendor: Any, crm: FakeCrm) -> None:
    api = vendor.crm.contacts.basic_api
    made = api.create(
        contacts.SimplePublicObjectInputForCreate(properties={"email": "new@example.com"}, associations=[])
    )
    api.update(made.id, contacts.SimplePublicObjectInput(properties={"firstname": "Nia"}))
    assert {"new@example.com", "Nia"} <= set(crm.hubspot.record("contacts", made.id)["properties"].values())
    assert "Nia" == api.get_by_id(made.id, properties=["firstname"]).properties["firstname"]
    api.archive(made.id)
    assert [made.id] == [row["id"] for row in crm.hubspot.archived("contacts")]


def test_writes_batches(vendor: Any, crm: FakeCrm) -> None:
    api = vendor.crm.contacts.batch_api
    inputs = [{"properties": {"email": f"b{n}@example.com"}, "associations": []} for n in range(3)]
    made = api.create(contacts.BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs))
    changes = [{"id": row.id, "properties": {"lastname": "Batch"}} for row in made.results]
    api.update(contacts.BatchInputSimplePublicObjectBatchInput(inputs=changes))
    names = [crm.hubspot.record("contacts", row.id)["properties"]["lastname"] for row in made.results]
    assert ["Batch"] * 3 == names


def test_merges(vendor: Any, crm: FakeCrm) -> None:
    merged = contacts.PublicMergeInput(primary_object_id="91", object_id_to_merge="92")
    vendor.crm.contacts.basic_api.merge(merged)
    assert "92" == crm.hubspot.record("contacts", "91")["properties"]["hs_merged_object_ids"]
    assert "92" not in [row["id"] for row in crm.hubspot.records("contacts")]


def test_reads_properties(vendor: Any) -> None:
    found = {each.name: each for each in vendor.crm.properties.core_api.get_all("contacts").results}
    assert "enumeration" == found["lifecyclestage"].type
    assert "customer" in [option.value for option in found["lifecyclestage"].options]
    assert not found["customer_score"].hubspot_defined


def test_reads_owners_archived_ones_apart(vendor: Any) -> None:
    api = vendor.crm.owners.owners_api
    assert 3 == len(api.get_page(limit=100).results)
    (gone,) = api.get_page(archived=True).results
    assert (None, True) == (gone.user_id, gone.archived)
    assert "Gone" == api.get_by_id(gone.id, archived=True).first_name


def test_reads_pipelines(vendor: Any) -> None:
    (deals,) = vendor.crm.pipelines.pipelines_api.get_all("deals").results
    assert "true" == {stage.id: stage.metadata["isClosed"] for stage in deals.stages}["closedwon"]
    (tickets,) = vendor.crm.pipelines.pipelines_api.get_all("tickets").results
    assert "CLOSED" == tickets.stages[-1].metadata["ticketState"]


def test_reads_custom_object_schemas(vendor: Any, crm: FakeCrm) -> None:
    assert [] == vendor.crm.schemas.core_api.get_all().results
    type_id = crm.hubspot.define_object("machines", [Property("serial", hubspot_defined=False)])
    crm.hubspot.create("machines", {"serial": "S-1"})
    (schema,) = vendor.crm.schemas.core_api.get_all().results
    assert (type_id, "p123456_machines") == (schema.object_type_id, schema.fully_qualified_name)
    (machine,) = vendor.crm.objects.basic_api.get_page(type_id, properties=["serial"]).results
    assert "S-1" == machine.properties["serial"]


def test_reads_associations(vendor: Any) -> None:
    request = links.BatchInputPublicFetchAssociationsBatchRequest(inputs=[{"id": "91"}, {"id": "92"}])
    answer = vendor.crm.associations.v4.batch_api.get_page(
        "deals", "contacts", batch_input_public_fetch_associations_batch_request=request
    )
    assert {"91": ["91"], "92": ["98"]} == {
        row._from.id: [str(to.to_object_id) for to in row.to] for row in answer.results
    }


def test_gets_an_oauth_token(vendor: Any, crm: FakeCrm) -> None:
    issued = vendor.oauth.tokens_api.create(
        grant_type="refresh_token",
        client_id=crm.access.client_id,
        client_secret=crm.access.client_secret,
        refresh_token=crm.access.refresh_token,
    )
    assert 1800 == issued.expires_in
    other = hubspot.Client.create(access_token=issued.access_token, host=crm.url)
    assert 10 == len(other.crm.deals.basic_api.get_page().results)


def test_reads_the_account_by_a_raw_request(vendor: Any) -> None:
    answer = vendor.api_request({"path": "/account-info/v3/details"}).json()
    assert (123456, "US/Eastern") == (answer["portalId"], answer["timeZone"])


def test_gets_its_exception_for_a_refusal(vendor: Any) -> None:
    with pytest.raises(exceptions.ApiException, match="OBJECT_NOT_FOUND"):
        vendor.crm.contacts.basic_api.get_by_id("5")


def test_reads_any_object_type(vendor: Any, crm: FakeCrm) -> None:
    crm.hubspot.switch_on("courses")
    made = crm.hubspot.create("courses", {"hs_name": "Welding"})
    (course,) = vendor.crm.objects.basic_api.get_page("0-410", properties=["hs_name"]).results
    assert (made, "Welding") == (course.id, course.properties["hs_name"])


def test_archives_and_lists_properties(vendor: Any) -> None:
    vendor.crm.properties.core_api.archive("contacts", "customer_score")
    (gone,) = vendor.crm.properties.core_api.get_all("contacts", archived=True).results
    assert ("customer_score", True) == (gone.name, gone.archived)


def test_archives_a_stage_and_a_pipeline(vendor: Any) -> None:
    vendor.crm.pipelines.pipeline_stages_api.archive("deals", "default", "closedlost")
    (deals,) = vendor.crm.pipelines.pipelines_api.get_all("deals").results
    assert 4 == len(deals.stages)
    vendor.crm.pipelines.pipelines_api.archive("deals", "default")
    assert [] == vendor.crm.pipelines.pipelines_api.get_all("deals").results


def test_reads_users_teams_and_roles(vendor: Any) -> None:
    api = vendor.settings.users
    page = api.users_api.get_page(limit=2)
    assert ["dana.reed", "emil.zak"] == [user.email.partition("@")[0] for user in page.results]
    assert page.paging.next.after == page.results[1].id[:-1] + "3"
    _, team = api.teams_api.get_all().results
    assert ("Sales", page.results[0].primary_team_id) == (team.name, team.id)
    assert [page.results[0].role_ids[0]] == [role.id for role in api.roles_api.get_all().results]
