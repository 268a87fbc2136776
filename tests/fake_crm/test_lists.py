"""Lists and their members, by the rules of HubSpot's pages and by the vendor's own clients."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest
from hubspot_sdk import HubSpot

if TYPE_CHECKING:
    from fake_crm import FakeCrm
    from tests.fake_crm.conftest import Client

hubspot: Any = importlib.import_module("hubspot")
lists: Any = importlib.import_module("hubspot.crm.lists")
BASE = "/crm/lists/2026-09"


@pytest.fixture
def vendor(crm: FakeCrm) -> Any:
    return hubspot.Client.create(access_token=crm.token, host=crm.url, base_url=crm.url)


def found(client: Client, **body: Any) -> Any:
    response = client.post(f"{BASE}/search", body)
    assert response.status_code == 200, response.text
    return response.json()


def test_the_search_pages_by_offset(client: Client) -> None:
    first = found(client, count=2)
    assert ([row["listId"] for row in first["lists"]], first["hasMore"], first["offset"]) == (["1", "2"], True, 2)
    last = found(client, count=2, offset=2)
    assert ([row["listId"] for row in last["lists"]], last["hasMore"], last["total"]) == (["3"], False, 3)


@pytest.mark.parametrize(
    "body", [{"count": 501}, {"count": 0}, {"offset": 10_000}, {"processingTypes": ["OTHER"]}, {"limit": 5}]
)
def test_the_search_refuses(client: Client, body: dict[str, Any]) -> None:
    assert client.post(f"{BASE}/search", body).status_code == 400


def test_the_search_filters_by_type(client: Client) -> None:
    assert ["Berlin"] == [row["name"] for row in found(client, processingTypes=["DYNAMIC"])["lists"]]
    assert ["Partners"] == [row["name"] for row in found(client, objectTypeId="0-2")["lists"]]
    assert ["Everybody"] == [row["name"] for row in found(client, query="every")["lists"]]


def test_the_beta_pages_by_cursor(client: Client) -> None:
    first = client.post("/crm/lists/2026-09-beta/all", {"count": 2}).json()
    assert (["1", "2"], 3) == ([row["listId"] for row in first["results"]], first["total"])
    rest = client.post("/crm/lists/2026-09-beta/all", {"after": first["paging"]["next"]["after"]}).json()
    assert (["3"], None) == ([row["listId"] for row in rest["results"]], rest.get("paging"))


def test_filters_and_size_come_only_by_id(client: Client) -> None:
    assert {"size", "filterBranch"}.isdisjoint(found(client)["lists"][1])
    (row,) = client.get(BASE, listIds="2", includeFilters="true").json()["lists"]
    assert (row["size"], row["filterBranch"]["filterBranchType"]) == (34, "OR")
    assert "filterBranch" not in client.get(f"{BASE}/2").json()["list"]


def test_members_come_by_id_and_by_time(client: Client, crm: FakeCrm) -> None:
    list_id = crm.hubspot.add_list("New", members=["130", "95"], at="2026-10-01T00:00:00Z")
    crm.hubspot.add_members(list_id, "91", at="2026-10-02T00:00:00Z")
    page = client.get(f"{BASE}/{list_id}/memberships", limit=2).json()
    assert (["91", "95"], 3) == ([row["recordId"] for row in page["results"]], page["total"])
    assert page["paging"]["next"]["link"].startswith(f"{crm.url}{BASE}/{list_id}/memberships?limit=2&after=")
    rest = client.get(f"{BASE}/{list_id}/memberships", after=page["paging"]["next"]["after"]).json()
    assert ([{"recordId": "130", "membershipTimestamp": "2026-10-01T00:00:00.000Z"}], None) == (
        rest["results"],
        rest.get("paging"),
    )
    by_time = client.get(f"{BASE}/{list_id}/memberships/join-order").json()
    assert ["95", "130", "91"] == [row["recordId"] for row in by_time["results"]]


def test_members_are_refused_above_250_a_page_and_for_a_made_up_cursor(client: Client) -> None:
    assert client.get(f"{BASE}/1/memberships", limit=251).status_code == 400
    assert client.get(f"{BASE}/1/memberships", after="17").status_code == 400


def test_a_cursor_stays_at_its_place_when_members_leave(client: Client, crm: FakeCrm) -> None:
    page = client.get(f"{BASE}/1/memberships", limit=10).json()
    crm.hubspot.remove_members("1", page["results"][0]["recordId"])
    rest = client.get(f"{BASE}/1/memberships", limit=10, after=page["paging"]["next"]["after"]).json()
    assert int(rest["results"][0]["recordId"]) == int(page["results"][-1]["recordId"]) + 1


def test_a_deleted_list_is_found_nowhere_until_it_is_restored(client: Client) -> None:
    assert client.call("DELETE", f"{BASE}/1").status_code == 204
    assert client.get(f"{BASE}/1").status_code == client.get(f"{BASE}/1/memberships").status_code == 404
    assert found(client)["total"] == 2
    assert client.call("PUT", f"{BASE}/1/restore").status_code == 204
    assert found(client)["total"] == 3


def test_the_scope_is_needed(client: Client, crm: FakeCrm) -> None:
    client.token = crm.access.add_token("narrow", scopes=["crm.objects.contacts.read"])
    refusal = client.post(f"{BASE}/search", {})
    assert (refusal.status_code, refusal.json()["errors"][0]["context"]["requiredScopes"]) == (403, ["crm.lists.read"])


def test_v1_contact_lists_are_gone(client: Client) -> None:
    assert client.get("/contacts/v1/lists", count=20).status_code == 404


def test_the_vendors_client_reads_and_writes_lists(vendor: Any, crm: FakeCrm) -> None:
    api = vendor.crm.lists.lists_api
    made = api.create(lists.ListCreateRequest(object_type_id="0-1", processing_type="MANUAL", name="VIPs"))
    changed = vendor.crm.lists.memberships_api.add(made.list.list_id, ["91", "92", "5"])
    assert (["91", "92"], ["5"]) == (changed.records_ids_added, changed.record_ids_missing)
    vendor.crm.lists.memberships_api.remove(made.list.list_id, ["92"])
    assert ["91"] == [row.record_id for row in vendor.crm.lists.memberships_api.get_page(made.list.list_id).results]
    request = lists.ListSearchRequest(offset=0, count=500, processing_types=["MANUAL"], additional_properties=[],
                                      list_ids=[])  # fmt: skip
    answer = api.do_search(request)
    assert (["Partners", "VIPs"], False) == ([row.name for row in answer.lists], answer.has_more)
    assert "1" == answer.lists[1].additional_properties["hs_list_size"]
    assert [34] == [row.size for row in api.get_all(list_ids=["2"], include_filters=True).lists]
    assert "Berlin" == api.get_by_name("Berlin", "0-1").list.name
    api.remove(made.list.list_id)
    assert crm.hubspot.lists[made.list.list_id].deleted is not None


def test_the_newer_client_reads_dated_paths(crm: FakeCrm) -> None:
    with HubSpot(access_token=crm.token, base_url=crm.url, max_retries=0) as sdk:
        answer = sdk.crm.lists.list_by_search(list_ids=[], offset=0, processing_types=[], count=500)
        assert ["1", "2", "3"] == [row.list_id for row in answer.lists]
        assert 100 == len(list(sdk.crm.lists.list_memberships("1", limit=40)))
        assert ["91"] == [row.record_id for row in sdk.crm.lists.get_memberships_join_order("1", limit=1).results]
