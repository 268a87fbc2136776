"""What changes without a new modified date, and what a record keeps of its past; the vendor's client reads it too."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fake_crm import FakeCrm

# by name, for the client has no type information
hubspot: Any = importlib.import_module("hubspot")
contacts: Any = importlib.import_module("hubspot.crm.contacts")
links: Any = importlib.import_module("hubspot.crm.associations.v4")

LABELS = "/crm/associations/2026-09/{}/{}/labels"


@pytest.fixture
def vendor(crm: FakeCrm) -> Any:
    return hubspot.Client.create(access_token=crm.token, host=crm.url, base_url=crm.url)


def test_a_recalculated_property_moves_no_modified_date_and_no_search_finds_it(client: Any, crm: FakeCrm) -> None:
    before = crm.hubspot.record("contacts", "91")
    crm.clock.advance(60)
    since = str(int(crm.clock.now().timestamp() * 1000))
    crm.hubspot.recalculate("contacts", "91", {"num_associated_deals": "77"})
    after = crm.hubspot.record("contacts", "91")
    assert ("77", before["updatedAt"]) == (after["properties"]["num_associated_deals"], after["updatedAt"])
    changed = [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": since}]
    assert 0 == client.post("/crm/objects/2026-09/contacts/search", {"filters": changed}).json()["total"]


def test_a_history_says_where_each_value_came_from(vendor: Any, crm: FakeCrm) -> None:
    crm.clock.advance(60)
    crm.hubspot.update("contacts", "91", {"firstname": "Ada"}, user=9_586_504)
    crm.clock.advance(60)
    crm.hubspot.update("contacts", "91", {"firstname": None})
    request = contacts.BatchReadInputSimplePublicObjectId(
        properties=[], properties_with_history=["firstname"], inputs=[{"id": "91"}]
    )
    (row,) = vendor.crm.contacts.batch_api.read(batch_read_input_simple_public_object_id=request).results
    emptied, typed, first = row.properties_with_history["firstname"]
    assert (None, "INTEGRATION", "Fake CRM") == (emptied.value, emptied.source_type, emptied.source_label)
    assert ("Ada", "CRM_UI", "userId:9586504", 9_586_504) == (
        typed.value, typed.source_type, typed.source_id, typed.updated_by_user_id,
    )  # fmt: skip
    assert first.timestamp < typed.timestamp < emptied.timestamp


def test_the_vendors_client_goes_on_with_a_records_own_cursor(vendor: Any, crm: FakeCrm) -> None:
    crm.quirks.association_page = 2
    for company in ("101", "102", "103"):
        crm.hubspot.associate("contacts", "91", "companies", company)
    found, inputs = [], [{"id": "91"}]
    while inputs:
        (row,) = vendor.crm.associations.v4.batch_api.get_page(
            "contacts",
            "companies",
            batch_input_public_fetch_associations_batch_request=links.BatchInputPublicFetchAssociationsBatchRequest(
                inputs=inputs
            ),
        ).results
        found += [to.to_object_id for to in row.to]
        inputs = [{"id": "91", "after": row.paging.next.after}] if row.paging else []
    assert ["101", "102", "103"] == list(map(str, found))


def test_the_vendors_client_reads_labels(vendor: Any, crm: FakeCrm) -> None:
    made = crm.hubspot.links.add_label(("contacts", "companies"), "Billing contact")
    found = vendor.crm.associations.v4.schema.definitions_api.get_all("contacts", "companies").results
    assert {(279, None), (1, "Primary"), (made, "Billing contact")} == {(each.type_id, each.label) for each in found}


def test_a_pair_exists_by_the_table_or_by_its_first_link(client: Any, crm: FakeCrm) -> None:
    path = LABELS.format("tickets", "products")
    assert [] == client.get(path).json()["results"]
    crm.hubspot.associate("tickets", "91", "products", crm.hubspot.create("products", {}))
    assert 1 == len(client.get(path).json()["results"])
    assert 1 == len(client.get(LABELS.format("contacts", "contacts")).json()["results"])


def test_leads_lead_to_deals_but_not_back(client: Any, crm: FakeCrm) -> None:
    lead = crm.hubspot.create("leads", {})
    crm.hubspot.associate("leads", lead, "deals", "91")
    there = client.post("/crm/associations/2026-09/leads/deals/batch/read", {"inputs": [{"id": lead}]})
    back = client.post("/crm/associations/2026-09/deals/leads/batch/read", {"inputs": [{"id": "91"}]})
    assert (200, 207) == (there.status_code, back.status_code)
    assert [] == client.get(LABELS.format("deals", "leads")).json()["results"]


def test_what_was_purged_is_in_no_list_and_has_no_link(client: Any, crm: FakeCrm) -> None:
    crm.hubspot.purge("contacts", "92")
    for archived in ("true", "false"):
        rows = client.get("/crm/objects/2026-09/contacts", limit=100, archived=archived).json()["results"]
        assert "92" not in [row["id"] for row in rows]
    read = client.post("/crm/associations/2026-09/contacts/companies/batch/read", {"inputs": [{"id": "92"}]})
    assert [] == read.json()["results"]
