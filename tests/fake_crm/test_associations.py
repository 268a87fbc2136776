"""Associations: batch read with its cursors and 207, labels, writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fake_crm import FakeCrm

READ = "/crm/associations/2026-09/contacts/companies/batch/read"


def read(client: Any, path: str, *inputs: Any) -> Any:
    return client.post(path, {"inputs": [each if isinstance(each, dict) else {"id": each} for each in inputs]})


@pytest.mark.parametrize("path", [READ, READ.replace("associations/2026-09", "v4/associations")])
def test_a_batch_names_types_and_labels(client: Any, path: str) -> None:
    answer = read(client, path, "92")
    (row,) = answer.json()["results"]
    assert (200, {"id": "92"}) == (answer.status_code, row["from"])
    (link,) = row["to"]
    assert isinstance(link["toObjectId"], int)
    assert [
        {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"},
        {"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None},
    ] == link["associationTypes"]


def test_a_record_without_associations_is_an_error_of_a_207(client: Any) -> None:
    answer = read(client, READ, "91", "92", "x")
    body = answer.json()
    assert (207, ["92"]) == (answer.status_code, [row["from"]["id"] for row in body["results"]])
    assert ["NO_ASSOCIATIONS_FOUND", "INVALID_IDENTIFIER"] == [
        each["subCategory"].rpartition(".")[2] for each in body["errors"]
    ]
    assert "No company is associated with contact 91." == body["errors"][0]["message"]
    assert ["91"] == body["errors"][0]["context"]["fromObjectId"]


def test_each_input_has_its_own_cursor(client: Any, crm: FakeCrm) -> None:
    crm.quirks.association_page = 2
    for company in ("101", "102", "103", "104"):
        crm.hubspot.associate("contacts", "91", "companies", company)
    found, after = [], None
    while True:
        (row,) = read(client, READ, {"id": "91", "after": after} if after else "91").json()["results"]
        found += [link["toObjectId"] for link in row["to"]]
        if "paging" not in row:
            break
        after = row["paging"]["next"]["after"]
    assert [101, 102, 103, 104] == found
    assert 400 == read(client, READ, {"id": "91", "after": "!"}).status_code


def test_associations_do_not_move_modified_dates(client: Any, crm: FakeCrm) -> None:
    before = (crm.hubspot.record("contacts", "91"), crm.hubspot.record("companies", "91"))
    crm.clock.advance(60)
    path = "/crm/v4/objects/contacts/91/associations/default/companies/91"
    assert 201 == client.call("PUT", path).status_code
    assert before == (crm.hubspot.record("contacts", "91"), crm.hubspot.record("companies", "91"))
    (row,) = client.get("/crm/v4/objects/contacts/91/associations/companies").json()["results"]
    assert 91 == row["toObjectId"]
    assert 204 == client.call("DELETE", path.replace("default/", "")).status_code
    assert [] == client.get("/crm/v4/objects/contacts/91/associations/companies").json()["results"]


def test_labels_that_users_made(client: Any, crm: FakeCrm) -> None:
    type_id = crm.hubspot.links.add_label(("contacts", "companies"), "Billing contact")
    listed = client.get("/crm/associations/2026-09/contacts/companies/labels").json()["results"]
    assert {"category": "USER_DEFINED", "typeId": type_id, "label": "Billing contact"} in listed
    path = "/crm/v4/associations/contacts/companies/batch/create"
    link = {"from": {"id": "91"}, "to": {"id": "91"}, "types": [{"associationTypeId": type_id}]}
    assert 201 == client.post(path, {"inputs": [link]}).status_code
    (row,) = read(client, READ, "91").json()["results"]
    assert [type_id, 279] == [each["typeId"] for each in row["to"][0]["associationTypes"]]
    link["types"] = [{"associationTypeId": 999}]
    assert 400 == client.post(path, {"inputs": [link]}).status_code


def test_archived_records_are_not_shown(client: Any, crm: FakeCrm) -> None:
    (row,) = read(client, READ, "92").json()["results"]
    crm.hubspot.archive("companies", str(row["to"][0]["toObjectId"]))
    assert [] == read(client, READ, "92").json()["results"]


def test_a_merge_moves_associations_to_the_winner(client: Any, crm: FakeCrm) -> None:
    crm.hubspot.merge("contacts", "91", "92")
    (row,) = read(client, READ, "91").json()["results"]
    assert [92] == [link["toObjectId"] for link in row["to"]]


def test_lists_show_associations_inline_cut_at_100(client: Any, crm: FakeCrm) -> None:
    for _ in range(120):
        crm.hubspot.associate("companies", "91", "contacts", crm.hubspot.create("contacts", {}))
    row = client.get("/crm/objects/2026-09/companies/91", associations="contacts").json()
    shown = row["associations"]["contacts"]
    assert (100, "company_to_contact") == (len(shown["results"]), shown["results"][0]["type"])
    assert "after" in shown["paging"]["next"]
    assert "associations" not in client.get("/crm/objects/2026-09/companies/91").json()


def test_a_record_may_be_created_with_associations(client: Any) -> None:
    link = {"to": {"id": "91"}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]}
    body = {"properties": {"email": "linked@example.com"}, "associations": [link]}
    made = client.post("/crm/objects/2026-09/contacts", body).json()
    (row,) = read(client, READ, made["id"]).json()["results"]
    assert 91 == row["to"][0]["toObjectId"]
