"""Searches: filters, order, the 10,000 cap, the index that lags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm import FakeCrm

ID = "hs_object_id"


@pytest.mark.parametrize(
    ("filters", "matches"),
    [
        (("city", "EQ", "bERLIN"), lambda p: p["city"] == "Berlin"),
        (("city", "NEQ", "Berlin"), lambda p: p["city"] != "Berlin"),
        (("lifecyclestage", "EQ", "LEAD"), lambda _: False),
        (("lifecyclestage", "EQ", "lead"), lambda p: p["lifecyclestage"] == "lead"),
        (("hs_lead_status", "HAS_PROPERTY"), lambda p: p["hs_lead_status"]),
        (("hs_lead_status", "NOT_HAS_PROPERTY"), lambda p: not p["hs_lead_status"]),
        (("num_employees", "GTE", "2500"), lambda p: int(p["num_employees"]) >= 2500),
        (("num_employees", "LT", "2500"), lambda p: int(p["num_employees"]) < 2500),
        (("email", "CONTAINS_TOKEN", "person1*"), lambda p: "person1" in p["email"]),
        (("createdate", "LTE", "2025-11-01"), lambda p: p["createdate"] <= "2025-11-01T00:00:00.000Z"),
        (("newsletter_since", "GT", "1577836800000"), lambda p: (p["newsletter_since"] or "") > "2020-01-01"),
    ],
)
def test_filters_match_what_they_say(
    client: Any, crm: FakeCrm, filters: tuple[str, ...], matches: Callable[[dict[str, str]], bool]
) -> None:
    expected = [row["id"] for row in crm.hubspot.records("contacts") if matches(row["properties"])]
    answer = client.search("contacts", filters)
    assert (expected, len(expected)) == ([row["id"] for row in answer["results"]], answer["total"])


def test_lists_ranges_and_groups(client: Any, search: Callable[..., Any]) -> None:
    def ids(*filters: dict[str, Any]) -> list[str]:
        body = search() | {"filterGroups": [{"filters": [each]} for each in filters]}
        return [row["id"] for row in client.post("/crm/v3/objects/contacts/search", body).json()["results"]]

    between = {"propertyName": ID, "operator": "BETWEEN", "value": "99", "highValue": "101"}
    assert ["99", "100", "101"] == ids(between)
    listed = {"propertyName": ID, "operator": "IN", "values": ["91", "190", "5"]}
    assert ["91", "190"] == ids(listed)
    assert ["91", "99", "100", "101", "190"] == ids(between, listed)
    assert 95 == len(ids({"propertyName": ID, "operator": "NOT_IN", "values": ["91", "92", "93", "94", "95"]}))


def test_filters_at_the_top_are_accepted(client: Any) -> None:
    filters = [{"propertyName": ID, "operator": "EQ", "value": "91"}]
    answer = client.post("/crm/v3/objects/contacts/search", {"filters": filters})
    assert 1 == answer.json()["total"]


def test_a_search_by_words(client: Any) -> None:
    assert ["91"] == client.ids("contacts", query="person0@example0")


def test_contacts_cannot_be_found_by_hs_lastmodifieddate(client: Any) -> None:
    always = ("GTE", "0")
    assert 0 == client.search("contacts", ("hs_lastmodifieddate", *always))["total"]
    assert 100 == client.search("contacts", ("lastmodifieddate", *always))["total"]
    assert 20 == client.search("companies", ("hs_lastmodifieddate", *always))["total"]


def test_archived_records_are_not_found(client: Any, crm: FakeCrm) -> None:
    crm.hubspot.archive("contacts", "91")
    assert 99 == client.search("contacts")["total"]


@pytest.mark.parametrize("direction", ["ASCENDING", "DESCENDING"])
def test_any_property_can_sort(client: Any, crm: FakeCrm, direction: str) -> None:
    sorts = [{"propertyName": "lastmodifieddate", "direction": direction}]
    answer = client.search("contacts", sorts=sorts)
    stamps = [row["updatedAt"] for row in crm.hubspot.records("contacts")]
    assert sorted(stamps, reverse=direction == "DESCENDING") == [row["updatedAt"] for row in answer["results"]]


def test_offsets_page_through_and_the_cap_ends_them(client: Any, crm: FakeCrm) -> None:
    crm.quirks.search_cap = 25
    ids: list[str] = []
    after = "0"
    while int(after) < 25:
        answer = client.search("contacts", limit=10, after=after)
        assert 100 == answer["total"]
        ids += [row["id"] for row in answer["results"]]
        after = answer["paging"]["next"]["after"]
    assert ([str(n) for n in range(91, 116)], "25") == (ids, after)
    beyond = client.post("/crm/v3/objects/contacts/search", {"limit": 10, "after": after})
    assert (400, "VALIDATION_ERROR") == (beyond.status_code, beyond.json()["category"])


def test_the_cap_is_10_000(fake_crm: Callable[..., FakeCrm], client_of: Callable[..., Any]) -> None:
    client = client_of(fake_crm(contacts=10_050, companies=0, deals=0, tickets=0))
    last = client.search("contacts", after="9900")
    assert (10_050, 100, "10000") == (last["total"], len(last["results"]), last["paging"]["next"]["after"])
    assert 400 == client.post("/crm/v3/objects/contacts/search", {"after": "10000"}).status_code


@pytest.mark.parametrize("as_text", [False, True])
def test_a_keyset_read_finds_all_in_either_order_of_ids(client: Any, crm: FakeCrm, as_text: bool) -> None:
    crm.quirks.ids_as_text = as_text
    ids: list[str] = []
    last = "0"
    while page := client.search("contacts", ("lastmodifieddate", "GTE", "0"), (ID, "GT", last), limit=30)["results"]:
        ids += [row["id"] for row in page]
        last = ids[-1]
    known = [row["id"] for row in crm.hubspot.records("contacts")]
    assert (sorted(known) if as_text else known) == ids


def test_totals_count_what_a_range_of_ids_leaves(client: Any) -> None:
    assert 10 == client.search("contacts", (ID, "GT", "180"), limit=1)["total"]
    assert 5 == client.search("contacts", (ID, "GT", "180"), (ID, "LTE", "185"), limit=1)["total"]


def test_one_timestamp_for_all(client: Any, crm: FakeCrm) -> None:
    crm.hubspot.bulk_stamp("contacts", [row["id"] for row in crm.hubspot.records("contacts")], "2026-10-31T00:00:00Z")
    stamp = "1793404800000"
    assert 100 == client.search("contacts", ("lastmodifieddate", "EQ", stamp))["total"]


def test_an_edit_between_two_pages_is_seen(client: Any, crm: FakeCrm) -> None:
    first = client.search("contacts", ("city", "EQ", "Nowhere"))
    crm.hubspot.update("contacts", "150", {"city": "Nowhere"})
    assert (0, ["150"]) == (first["total"], client.ids("contacts", ("city", "EQ", "Nowhere")))


def test_the_index_lags_behind_by_the_set_seconds(
    fake_crm: Callable[..., FakeCrm], client_of: Callable[..., Any]
) -> None:
    crm = fake_crm(clock="2026-11-01T00:00:00Z", search_lag=30)
    client = client_of(crm)
    assert 100 == client.search("contacts")["total"]
    new = crm.hubspot.create("contacts", {"city": "Nowhere"})
    crm.hubspot.update("contacts", "91", {"city": "Nowhere"})
    crm.hubspot.archive("contacts", "92")
    crm.clock.advance(29)
    assert [] == client.ids("contacts", ("city", "EQ", "Nowhere"))
    assert "92" in client.ids("contacts")
    assert "Nowhere" == client.get("/crm/v3/objects/contacts/91", properties="city").json()["properties"]["city"]
    crm.clock.advance(1)
    assert ["91", new] == client.ids("contacts", ("city", "EQ", "Nowhere"))
    assert "92" not in client.ids("contacts")


def test_short_and_empty_pages_lose_nothing(client: Any, crm: FakeCrm) -> None:
    crm.quirks.short_every, crm.quirks.empty_every = 2, 3
    ids: list[str] = []
    cursors = ["0"]
    sizes = []
    while True:
        answer = client.search("contacts", limit=20, after=cursors[-1])
        sizes.append(len(answer["results"]))
        ids += [row["id"] for row in answer["results"]]
        if "paging" not in answer:
            break
        cursors.append(answer["paging"]["next"]["after"])
    assert [row["id"] for row in crm.hubspot.records("contacts")] == ids
    assert len(cursors) == len(set(cursors))
    assert {0, 10, 20} <= set(sizes)
