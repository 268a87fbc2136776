"""Lists, single records, batches, the recycle bin, merges, history."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm.hubspot.records import Record
from fake_crm.hubspot.texts import Texts

if TYPE_CHECKING:
    from fake_crm import FakeCrm

CONTACTS = "/crm/objects/2026-09/contacts"


@pytest.mark.parametrize("path", [CONTACTS, "/crm/v3/objects/contacts", "/crm/v3/objects/0-1"])
def test_a_list_is_read_by_its_absolute_links(client: Any, crm: FakeCrm, path: str) -> None:
    url, ids = f"{crm.url}{path}?limit=33&properties=email", []
    while url:
        answer = client.session.get(url, headers={"Authorization": f"Bearer {crm.token}"}).json()
        ids += [row["id"] for row in answer["results"]]
        url = answer.get("paging", {}).get("next", {}).get("link")
    assert [str(number) for number in range(91, 191)] == ids
    assert "properties=email" in crm.requests[-1].request.target


def test_the_cursor_is_the_next_records_id(client: Any) -> None:
    answer = client.get(CONTACTS).json()
    assert (10, "101") == (len(answer["results"]), answer["paging"]["next"]["after"])
    assert "paging" not in client.get(CONTACTS, after="181").json()


def test_values_are_text_or_null_and_some_come_unasked(client: Any) -> None:
    row = client.get(f"{CONTACTS}/91", properties="num_employees,is_vip,website,nonsense").json()
    assert {"num_employees", "is_vip", "website", "createdate", "lastmodifieddate", "hs_object_id"} == set(
        row["properties"]
    )
    assert ("true", None, "91") == tuple(row["properties"][name] for name in ("is_vip", "website", "hs_object_id"))
    assert row["properties"]["num_employees"].isdecimal()
    assert row["updatedAt"] == row["properties"]["lastmodifieddate"]


def test_properties_may_be_repeated_or_joined_by_commas(client: Any) -> None:
    joined = client.get(f"{CONTACTS}/91", properties="email,phone").json()
    assert joined == client.get(f"{CONTACTS}/91", properties=["email", "phone"]).json()
    assert "phone" in joined["properties"]


def test_without_a_wish_the_default_properties_come(client: Any) -> None:
    row = client.get("/crm/objects/2026-09/deals", limit=1).json()["results"][0]
    assert "amount" in row["properties"]
    assert "description" not in row["properties"]


def test_archiving_moves_a_record_to_the_bin_but_not_its_modified_date(client: Any, crm: FakeCrm) -> None:
    before = crm.hubspot.record("contacts", "95")
    crm.clock.advance(60)
    assert 204 == client.call("DELETE", f"{CONTACTS}/95").status_code
    assert 404 == client.get(f"{CONTACTS}/95").status_code
    (row,) = client.get(CONTACTS, archived="true").json()["results"]
    assert ("95", True, "2026-11-01T00:01:00.000Z") == (row["id"], row["archived"], row["archivedAt"])
    assert before["updatedAt"] == row["updatedAt"]
    answer = client.call("POST", f"{CONTACTS}/batch/read?archived=true", json={"inputs": [{"id": "95"}]})
    assert (200, ["95"]) == (answer.status_code, [each["id"] for each in answer.json()["results"]])


def test_restoring_brings_a_record_back(client: Any, crm: FakeCrm) -> None:
    crm.hubspot.archive("contacts", "95")
    crm.hubspot.restore("contacts", "95")
    assert 200 == client.get(f"{CONTACTS}/95").status_code
    assert [] == crm.hubspot.archived("contacts")
    assert ["95"] == client.ids("contacts", ("hs_object_id", "EQ", "95"))


def test_a_merge_leaves_the_winner_with_the_losers_ids(client: Any, crm: FakeCrm) -> None:
    for loser in ("92", "93"):
        body = {"primaryObjectId": "91", "objectIdToMerge": loser}
        assert 200 == client.post(f"{CONTACTS}/merge", body).status_code
    winner = crm.hubspot.record("contacts", "91")["properties"]
    assert "92;93" == winner["hs_merged_object_ids"]
    assert winner["hs_calculated_merged_vids"].startswith("92:")
    assert 404 == client.get(f"{CONTACTS}/92").status_code
    assert [] == crm.hubspot.archived("contacts")
    assert ["91", "94"] == client.ids("contacts", ("hs_object_id", "LT", "95"))
    assert 400 == client.post(f"{CONTACTS}/merge", body).status_code


def test_a_purged_record_is_nowhere(client: Any, crm: FakeCrm) -> None:
    assert 204 == client.post(f"{CONTACTS}/gdpr-delete", {"objectId": "95"}).status_code
    assert (99, []) == (len(crm.hubspot.records("contacts")), crm.hubspot.archived("contacts"))


def test_a_batch_with_missing_ids_is_207(client: Any) -> None:
    answer = client.post(f"{CONTACTS}/batch/read", {"inputs": [{"id": "91"}, {"id": "5"}, {"id": "x"}]})
    body = answer.json()
    assert (207, "COMPLETE", 1) == (answer.status_code, body["status"], body["numErrors"])
    assert ["91"] == [row["id"] for row in body["results"]]
    assert "Could not get some CONTACT objects" in body["errors"][0]["message"]
    assert ["5", "x"] == body["errors"][0]["context"]["ids"]


def test_a_record_is_found_by_a_unique_property(client: Any) -> None:
    email = client.get(f"{CONTACTS}/91").json()["properties"]["email"]
    assert "91" == client.get(f"{CONTACTS}/{email}", idProperty="email").json()["id"]
    body = {"idProperty": "email", "inputs": [{"id": email}]}
    assert ["91"] == [row["id"] for row in client.post(f"{CONTACTS}/batch/read", body).json()["results"]]
    assert 400 == client.get(f"{CONTACTS}/x", idProperty="city").status_code


def test_history_has_every_value_latest_first(client: Any, crm: FakeCrm) -> None:
    first = crm.hubspot.record("contacts", "91")["properties"]["jobtitle"]
    for title in ("Boss", "Chair"):
        crm.clock.advance(1)
        crm.hubspot.update("contacts", "91", {"jobtitle": title})
    row = client.get(f"{CONTACTS}/91", propertiesWithHistory="jobtitle").json()
    assert ["Chair", "Boss", first] == [each["value"] for each in row["propertiesWithHistory"]["jobtitle"]]
    assert "2026-11-01T00:00:02.000Z" == row["propertiesWithHistory"]["jobtitle"][0]["timestamp"]


def test_an_edit_moves_the_modified_date_and_an_empty_text_clears(client: Any, crm: FakeCrm) -> None:
    crm.clock.advance(10)
    client.call("PATCH", f"{CONTACTS}/91", json={"properties": {"city": "", "num_employees": 7}})
    row = crm.hubspot.record("contacts", "91")
    assert (None, "7") == (row["properties"]["city"], row["properties"]["num_employees"])
    assert "2026-11-01T00:00:10.000Z" == row["updatedAt"]


def test_short_and_empty_pages_lose_nothing(client: Any, crm: FakeCrm) -> None:
    crm.quirks.short_every, crm.quirks.empty_every = 2, 3
    ids, after, empty = [], "0", 0
    while after:
        answer = client.get(CONTACTS, limit=10, after=after).json()
        ids += [row["id"] for row in answer["results"]]
        empty += not answer["results"]
        after = answer.get("paging", {}).get("next", {}).get("after", "")
    assert [row["id"] for row in crm.hubspot.records("contacts")] == ids
    assert empty > 0


def test_custom_properties_come_and_go(client: Any, crm: FakeCrm) -> None:
    made = {"name": "shoe_size", "label": "Shoe size", "type": "number", "fieldType": "number", "groupName": "g"}
    assert 201 == client.post("/crm/v3/properties/contacts", made).status_code
    assert 409 == client.post("/crm/v3/properties/contacts", made).status_code
    crm.hubspot.update("contacts", "91", {"shoe_size": "44"})
    assert "44" == client.get(f"{CONTACTS}/91", properties="shoe_size").json()["properties"]["shoe_size"]
    crm.hubspot.remove_property("contacts", "shoe_size")
    assert 404 == client.get("/crm/v3/properties/contacts/shoe_size").status_code


def test_sensitive_properties_show_only_when_asked_for(client: Any, crm: FakeCrm) -> None:
    crm.hubspot.add_property("contacts", "diagnosis", sensitivity="sensitive")
    path = "/crm/properties/2026-09/contacts"
    assert "diagnosis" not in [each["name"] for each in client.get(path).json()["results"]]
    assert ["diagnosis"] == [each["name"] for each in client.get(path, dataSensitivity="sensitive").json()["results"]]


def test_the_answers_come_in_time_of_the_clock(client: Any, crm: FakeCrm) -> None:
    crm.clock.set("2027-02-03T04:05:06Z")
    assert "Wed, 03 Feb 2027 04:05:06 GMT" == client.get(CONTACTS).headers["Date"]
    made = client.post(CONTACTS, {"properties": {"email": "x@example.com"}}).json()
    assert "2027-02-03T04:05:06.000Z" == made["createdAt"] == made["updatedAt"]


def test_a_list_that_was_read_before_shows_what_changed_since(client: Any, crm: FakeCrm) -> None:
    first = client.get(CONTACTS, limit=3, properties="firstname").json()["results"]
    crm.hubspot.update("contacts", "92", {"firstname": "Changed"})
    again = client.get(CONTACTS, limit=3, properties="firstname").json()["results"]
    assert [first[0], first[2]] == [again[0], again[2]]
    assert "Changed" == again[1]["properties"]["firstname"]


def test_texts_are_forgotten_when_they_get_too_much() -> None:
    texts, one, two = Texts(most=10), Record(1, 0, 0, {}), Record(2, 0, 0, {})
    texts.keep("shape", one, "123456")
    assert ["123456", None, None] == [texts.find("shape", one), texts.find("other", one), texts.find("shape", two)]
    assert None is texts.find("shape", replace(one, updated=1))
    texts.keep("shape", two, "654321")
    assert [None, "654321"] == [texts.find("shape", one), texts.find("shape", two)]
