"""The legacy paths that singer-io's tap-hubspot still calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fake_crm import FakeCrm


def test_companies_come_in_pages_with_the_wished_properties(client: Any, crm: FakeCrm) -> None:
    path, wishes = "/companies/v2/companies/paged", ["createdate", "hs_lastmodifieddate"]
    first = client.get(path, limit=15, properties=wishes).json()
    rest = client.get(path, limit=15, properties=wishes, offset=first["offset"]).json()
    assert [True, False] == [first["has-more"], rest["has-more"]]
    found = [str(row["companyId"]) for row in first["companies"] + rest["companies"]]
    assert [row["id"] for row in crm.hubspot.records("companies")] == found
    assert set(wishes) == set(first["companies"][0]["properties"])


def test_a_company_has_all_that_it_holds_with_versions(client: Any, crm: FakeCrm) -> None:
    crm.hubspot.update("companies", "95", {"name": "Another Name"})
    row = client.get("/companies/v2/companies/95").json()
    truth = crm.hubspot.record("companies", "95")["properties"]
    assert {name for name, value in truth.items() if value is not None} == set(row["properties"])
    name = row["properties"]["name"]
    assert ("Another Name", 1_793_491_200_000) == (name["value"], name["timestamp"])
    assert [2, "Another Name"] == [len(name["versions"]), name["versions"][0]["value"]]


def test_dates_are_epoch_milliseconds(client: Any, crm: FakeCrm) -> None:
    crm.hubspot.update("companies", "95", {"contract_start": "2024-02-29"})
    properties = client.get("/companies/v2/companies/95").json()["properties"]
    assert "1709164800000" == properties["contract_start"]["value"]
    assert "1793491200000" == properties["hs_lastmodifieddate"]["value"]


def test_deals_come_with_all_properties_and_associations_if_asked(client: Any) -> None:
    path = "/deals/v1/deal/paged"
    bare = client.get(path, limit=2).json()
    whole = client.get(path, limit=2, includeAllProperties="True", includeAssociations="True").json()
    assert [{}, True] == [bare["deals"][1]["properties"], bare["hasMore"]]
    assert {"dealname", "hs_object_id"} <= set(whole["deals"][1]["properties"])
    assert whole["deals"][1]["associations"]["associatedCompanyIds"]
    assert [] == bare["deals"][1]["associations"]["associatedCompanyIds"]


def test_property_definitions_are_bare_lists(client: Any) -> None:
    assert "domain" in {each["name"] for each in client.get("/companies/v2/properties").json()}
    assert "amount" in {each["name"] for each in client.get("/properties/v1/deals/properties").json()}


def test_tickets_are_listed_by_v4_too(client: Any) -> None:
    old = client.get("/crm/v4/objects/tickets", archived="False", associations="contact,company,deals").json()
    assert [str(number) for number in range(91, 101)] == [row["id"] for row in old["results"]]


def test_what_is_not_there_is_refused(client: Any) -> None:
    assert 404 == client.get("/companies/v2/companies/1").status_code
    assert 400 == client.get("/deals/v1/deal/paged", offset="x").status_code
