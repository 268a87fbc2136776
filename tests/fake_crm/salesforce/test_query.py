"""Queries by REST: pages, locators, values, deleted rows, parents and children."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm.salesforce.rendering import number_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm import FakeSalesforce


@pytest.fixture
def long_one(fake_salesforce: Callable[..., FakeSalesforce]) -> FakeSalesforce:
    return fake_salesforce(clock="2026-11-01T12:00:00Z", empty=True, sizes={"Contact": 4_500})


def test_pages_of_2000_or_what_is_asked(long_one: FakeSalesforce, client_of: Callable[..., Any]) -> None:
    client = client_of(long_one)
    truth = [row["Id"] for row in long_one.org.records("Contact")]
    page = client.get("/query", q="SELECT Id FROM Contact").json()
    assert (4_500, False, 2_000) == (page["totalSize"], page["done"], len(page["records"]))
    assert page["nextRecordsUrl"].startswith("/services/data/v66.0/query/0r8")
    assert page["nextRecordsUrl"].endswith("-2000")
    assert truth == client.ids("SELECT Id FROM Contact")
    for asked, given in (("batchSize=250", 250), ("batchSize=10", 200), ("batchSize=9999", 2_000)):
        options = {"Sforce-Query-Options": asked}
        page = client.call("GET", "/query", params={"q": "SELECT Id FROM Contact"}, headers=options).json()
        assert given == len(page["records"])


def test_a_page_may_be_short(long_one: FakeSalesforce, client_of: Callable[..., Any]) -> None:
    client = client_of(long_one)
    truth = [row["Id"] for row in long_one.org.records("Contact")]
    long_one.quirks.short_every = 2
    client.get("/query", q="SELECT Id FROM Contact")
    assert 1_000 == len(client.get("/query", q="SELECT Id FROM Contact").json()["records"])
    assert truth == client.ids("SELECT Id FROM Contact")
    long_one.quirks.page_bytes = 20_000
    assert len(client.get("/query", q="SELECT Id, Name FROM Contact").json()["records"]) < 300
    assert truth == client.ids("SELECT Id FROM Contact")


def test_a_locator_lives_two_days_and_may_be_read_again(
    long_one: FakeSalesforce, client_of: Callable[..., Any]
) -> None:
    client = client_of(long_one)
    following = client.get("/query", q="SELECT Id FROM Contact").json()["nextRecordsUrl"]
    first = client.get(following, q="SELECT Id FROM Contact").json()  # a query beside it is tolerated
    long_one.clock.advance(2 * 86_400 - 1)
    assert first == client.get(following).json()
    long_one.clock.advance(1)
    for path in (following, "/query/0r8000000000099AAA-2000", f"{following}0000", "/query/nonsense"):
        response = client.get(path)
        assert (400, "INVALID_QUERY_LOCATOR") == (response.status_code, response.json()[0]["errorCode"])


def test_later_pages_show_the_rows_of_the_start_unless_told_otherwise(
    long_one: FakeSalesforce, client_of: Callable[..., Any]
) -> None:
    client = client_of(long_one)
    following = client.get("/query", q="SELECT Id, Title FROM Contact").json()["nextRecordsUrl"]
    key = long_one.org.records("Contact")[2_000]["Id"]
    long_one.org.update("Contact", key, {"Title": "Changed"})
    assert "Changed" != client.get(following).json()["records"][0]["Title"]
    long_one.quirks.live_pages = True
    assert "Changed" == client.get(following).json()["records"][0]["Title"]


def test_deleted_and_archived_rows_only_in_query_all(fake: FakeSalesforce, client: Any) -> None:
    truth = [row["Id"] for row in fake.org.records("Task")]
    gone, archived, purged = truth[:3]
    fake.org.delete("Task", gone)
    fake.org.alter("Task", archived, {"IsArchived": True})
    fake.org.purge("Task", purged)
    assert truth[3:] == client.ids("SELECT Id FROM Task")
    assert set(truth) - {purged} == set(client.ids("SELECT Id FROM Task", "/queryAll"))
    assert [gone] == client.ids("SELECT Id FROM Task WHERE IsDeleted = true", "/queryAll")
    fake.clock.advance(15 * 86_400 + 1)
    assert [] == client.ids("SELECT Id FROM Task WHERE IsDeleted = true", "/queryAll")


def test_values_have_rests_own_form(bare: FakeSalesforce, client_of: Callable[..., Any]) -> None:
    client = client_of(bare)
    key = bare.org.create(
        "Everything__c",
        {
            "Text__c": 'NA "x"\n\x00é', "Moment__c": "2026-10-01T01:02:03Z", "Day__c": "2026-10-01",
            "Hour__c": "14:30:00", "Money__c": "350000000", "Whole__c": 5, "Exact__c": "12345678.1234567891",
            "Site__Latitude__s": "1.5", "Any__c": "007", "Decimal__c": "2.5", "Huge__c": 10**17 + 1,
        },
    )  # fmt: skip
    (row,) = client.rows(
        "SELECT Id, Text__c, Moment__c, Day__c, Hour__c, Money__c, Whole__c, Site__c, Any__c, Twice__c, Shout__c, "
        "Huge__c, Flag__c, Link__c FROM Everything__c"
    )
    assert {
        "attributes": {"type": "Everything__c", "url": f"/services/data/v66.0/sobjects/Everything__c/{key}"},
        "Id": key,
        "Text__c": 'NA "x"\n\x00é',
        "Moment__c": "2026-10-01T01:02:03.000+0000",
        "Day__c": "2026-10-01",
        "Hour__c": "14:30:00.000Z",
        "Money__c": 350000000,
        "Whole__c": 5,
        "Site__c": {"latitude": 1.5, "longitude": None},
        "Any__c": "007",
        "Twice__c": 5.0,
        "Shout__c": 'NA "X"\n\x00É',
        "Huge__c": 10**17 + 1,
        "Flag__c": False,
        "Link__c": None,
    } == row
    text = client.get("/query", q="SELECT Money__c, Exact__c FROM Everything__c").text
    assert '"Money__c":3.5E8' in text
    assert '"Exact__c":12345678.1234567891' in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0.0"), ("0.00", "0.0"), ("15000.00", "15000.0"), ("-3.50", "-3.5"), ("9999999.5", "9999999.5"),
        ("10000000", "1.0E7"), ("350000000", "3.5E8"), ("-12345678.25", "-1.234567825E7"), ("0.001", "0.001"),
        ("0.0001", "1.0E-4"), ("1234567890123456.78", "1234567890123456.78"),
    ],
)  # fmt: skip
def test_numbers_are_written_like_javas(value: str, text: str) -> None:
    assert text == number_text(Decimal(value))
    assert Decimal(value) == json.loads(text, parse_float=Decimal)


def test_addresses_are_objects_and_empty_ones_null(bare: FakeSalesforce, client_of: Callable[..., Any]) -> None:
    bare.org.create("Account", {"Name": "A", "BillingCity": "Berlin", "BillingPostalCode": "01234"})
    (row,) = client_of(bare).rows("SELECT BillingAddress, ShippingAddress FROM Account")
    address = dict.fromkeys(("street", "state", "country", "latitude", "longitude", "geocodeAccuracy"))
    assert {**address, "city": "Berlin", "postalCode": "01234"} == row["BillingAddress"]
    assert row["ShippingAddress"] is None


def test_parents_nest_and_children_are_queries(fake: FakeSalesforce, client: Any) -> None:
    contact = next(row for row in fake.org.records("Contact") if row["AccountId"])
    account = fake.org.record("Account", contact["AccountId"])
    owner = fake.org.record("User", account["OwnerId"]) if account else None
    assert account is not None
    assert owner is not None
    (row,) = client.rows(f"SELECT Account.Owner.Name, Account.Name FROM Contact WHERE Id = '{contact['Id']}'")
    assert (account["Name"], owner["Name"]) == (row["Account"]["Name"], row["Account"]["Owner"]["Name"])
    assert "User" == row["Account"]["Owner"]["attributes"]["type"]
    (row,) = client.rows(f"SELECT Id, (SELECT Id FROM Contacts) FROM Account WHERE Id = '{account['Id']}'")
    children = [each["Id"] for each in fake.org.records("Contact") if each["AccountId"] == account["Id"]]
    assert children == [each["Id"] for each in row["Contacts"]["records"]]


def test_a_polymorphic_parent_tells_its_type(fake: FakeSalesforce, client: Any) -> None:
    rows = {row["Id"]: row for row in client.rows("SELECT Id, WhoId, Who.Name, Who.Type FROM Task")}
    kinds = {"003": "Contact", "00Q": "Lead"}
    for task in fake.org.records("Task"):
        who = rows[task["Id"]]["Who"]
        if task["WhoId"] is None:
            assert who is None
            continue
        assert kinds[task["WhoId"][:3]] == who["Type"] == who["attributes"]["type"]
    assert {"Contact", "Lead"} == {row["Who"]["Type"] for row in rows.values() if row["Who"]}


def test_blobs_are_links_to_bytes(fake: FakeSalesforce, client: Any) -> None:
    key = fake.org.create("Attachment", {"Name": "a", "Body": b"\x00\xffbytes", "ParentId": "001000000000001"})
    (row,) = client.rows(f"SELECT Body, BodyLength FROM Attachment WHERE Id = '{key}'")
    assert (f"/services/data/v66.0/sobjects/Attachment/{key}/Body", 7) == (row["Body"], row["BodyLength"])
    response = client.get(row["Body"])
    assert (b"\x00\xffbytes", "application/octet-stream") == (response.content, response.headers["Content-Type"])
    assert 404 == client.get(f"/sobjects/Attachment/{key}/Name").status_code


def test_all_rows_of_a_big_object_have_one_id(client: Any) -> None:
    rows = client.rows("SELECT Id, Device__c, Read_At__c, Value__c FROM Reading__b")
    assert (50, {"000000000000000AAA"}) == (len(rows), {row["Id"] for row in rows})
    device = rows[0]["Device__c"]
    found = client.rows(
        f"SELECT Device__c FROM Reading__b WHERE Device__c = '{device}' AND Read_At__c > 2020-01-01T00:00:00Z"
    )
    assert {device} == {row["Device__c"] for row in found}


def test_a_plan_is_explained(fake: FakeSalesforce, client: Any) -> None:
    (plan,) = client.get("/query", explain="SELECT Id FROM Contact WHERE Id = '003000000000001'").json()["plans"]
    assert (1, 100, "Index", "Contact") == (
        plan["cardinality"], plan["sobjectCardinality"], plan["leadingOperationType"], plan["sobjectType"]
    )  # fmt: skip
    assert 0 == fake.usage.used("DailyBulkV2QueryJobs")


def test_a_slow_object_times_out_when_it_would_give_much(fake: FakeSalesforce, client: Any) -> None:
    fake.quirks.slow_objects = (("Contact", 10),)
    assert (400, "QUERY_TIMEOUT") == client.refusal("SELECT Id FROM Contact")[:2]
    assert 1 == len(client.rows("SELECT Id FROM Contact WHERE Id = '003000000000001'"))


@pytest.mark.parametrize(
    ("letters", "status", "words"), [(15_000, 200, ""), (16_400, 414, "URI Too Long"), (1, 431, "Header Fields Too")]
)
def test_a_long_uri_or_header_is_refused_in_html(client: Any, letters: int, status: int, words: str) -> None:
    headers = {"X-Long": "x" * 16_400} if letters == 1 else {}
    params = {
        "q": f"SELECT Id FROM Account WHERE Name = '{'a' * min(letters, 3_900)}'",
        "x": "y" * max(0, letters - 4_100),
    }
    response = client.call("GET", "/query", params=params, headers=headers)
    assert status == response.status_code
    assert words in response.text
    if status > 400:
        assert "text/html" == response.headers["Content-Type"]


def test_single_records_are_read_and_written(fake: FakeSalesforce, client: Any) -> None:
    made = client.post("/sobjects/Account", {"Name": "New", "AnnualRevenue": 5})
    key = made.json()["id"]
    assert 201 == made.status_code
    assert 204 == client.call("PATCH", f"/sobjects/Account/{key}", json={"Name": "Newer"}).status_code
    assert ("Newer", 5.0) == tuple(
        client.get(f"/sobjects/Account/{key}").json()[name] for name in ("Name", "AnnualRevenue")
    )
    assert {"attributes", "Name"} == set(client.get(f"/sobjects/Account/{key}", fields="Name").json())
    assert "INVALID_FIELD" == client.post("/sobjects/Account", {"Nonsense": 1}).json()[0]["errorCode"]
    assert 400 == client.post("/sobjects/Account", {"Name": "x", "CreatedDate": "2026-01-01"}).status_code
    assert 204 == client.call("DELETE", f"/sobjects/Account/{key}").status_code
    assert "ENTITY_IS_DELETED" == client.get(f"/sobjects/Account/{key}").json()[0]["errorCode"]
    assert fake.org.record("Account", key) is not None


def test_a_record_that_an_open_transaction_has_written_is_locked(fake: FakeSalesforce, client: Any) -> None:
    key = fake.org.records("Account")[0]["Id"]
    transaction = fake.org.transaction()
    transaction.update("Account", key, {"Name": "a"})
    path = f"/sobjects/Account/{key}"
    for refused in (client.call("PATCH", path, json={"Name": "b"}), client.call("DELETE", path)):
        assert "UNABLE_TO_LOCK_ROW" == refused.json()[0]["errorCode"]
    transaction.commit()
    assert 204 == client.call("DELETE", path).status_code


def test_unknown_paths_and_methods(client: Any) -> None:
    assert [404, 404, 405] == [
        client.get("/nothing").status_code,
        client.get("/sobjects/Nothing/describe").status_code,
        client.call("PUT", "/query").status_code,
    ]
