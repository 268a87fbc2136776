"""Made-up records: the same for the same seed, and any number without memory."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.conversion import kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm import FakeSalesforce

CLOCK = "2026-11-01T00:00:00Z"


def test_a_seed_tells_every_record(fake_salesforce: Callable[..., FakeSalesforce]) -> None:
    first, same, other = (fake_salesforce(clock=CLOCK, seed=seed) for seed in (1, 1, 2))
    for name in first.org.counts():
        assert first.org.records(name) == same.org.records(name)
    assert first.org.records("Contact") != other.org.records("Contact")


def test_made_up_values_are_such_as_the_org_keeps(fake: FakeSalesforce) -> None:
    for kind in fake.org.schema:
        for row in fake.org.table(kind.name).scan():
            for field in kind.fields.values():
                value = row.get(field.name)
                if not (field.parts or field.type in {"anyType", "json", "complexvalue"}):
                    assert value == kept(field, value), (kind.name, field.name)


def test_references_point_to_records(fake: FakeSalesforce) -> None:
    known = {row["Id"] for name in fake.org.counts() for row in fake.org.records(name, deleted=True)}
    for kind in fake.org.schema:
        pointers = [each.name for each in kind.fields.values() if each.type == "reference"]
        for row in fake.org.records(kind.name):
            assert {row[name] for name in pointers} - {None} <= known, kind.name


def test_stamps_neither_follow_the_ids_nor_pass_the_clock(fake: FakeSalesforce) -> None:
    rows = fake.org.records("Contact")
    stamps = [row["SystemModstamp"] for row in rows]
    assert stamps != sorted(stamps)
    assert max(stamps) <= "2026-11-01T12:00:00.000Z"
    assert all(row["CreatedDate"] <= row["SystemModstamp"] for row in rows)


def test_the_odd_object_holds_what_broke_others(fake: FakeSalesforce) -> None:
    texts = {row[name] for row in fake.org.records("Everything__c") for name in ("Text__c", "Long__c", "Short__c")}
    assert {"NA", "None", "NULL", "007"} <= texts
    assert any("\x00" in text for text in texts if text)
    assert any("\r\n" in text for text in texts if text)


def test_stretched_records_are_those_that_would_be_kept(fake_salesforce: Callable[..., FakeSalesforce]) -> None:
    options: dict[str, Any] = {"clock": CLOCK, "empty": True}
    kept_ones = fake_salesforce(**options, sizes={"Contact": 3_000})
    stretched = fake_salesforce(**options, stretch={"Contact": 3_000})
    assert kept_ones.org.records("Contact") == stretched.org.records("Contact")


def test_stretched_records_can_be_edited(
    fake_salesforce: Callable[..., FakeSalesforce], client_of: Callable[..., Any]
) -> None:
    fake = fake_salesforce(clock=CLOCK, empty=True, stretch={"Contact": 3_000})
    client = client_of(fake)
    first, second, third, *_ = (row["Id"] for row in fake.org.records("Contact"))
    fake.org.update("Contact", first, {"Title": "Changed"})
    fake.org.delete("Contact", second)
    fake.org.purge("Contact", third)
    new = fake.org.create("Contact", {"LastName": "New"})
    live = set(client.ids("SELECT Id FROM Contact"))
    assert ({first, new}, 2_999) == (live & {first, second, third, new}, len(live))
    assert {second} == set(client.ids("SELECT Id FROM Contact", "/queryAll")) - live
    assert [first] == client.ids("SELECT Id FROM Contact WHERE Title = 'changed'")
    assert 2_999 == client.get("/limits/recordCount", sObjects="Contact").json()["sObjects"][0]["count"]
    csv = client.csv("SELECT Id, Title FROM Contact ORDER BY Id DESC LIMIT 5")
    assert csv[0]["Id"] == new
    assert 3_000 == len(client.csv("SELECT Id FROM Contact", operation="queryAll"))


def test_a_hundred_thousand_stretched_records_stream_in_little_memory(
    fake_salesforce: Callable[..., FakeSalesforce], client_of: Callable[..., Any]
) -> None:
    fake = fake_salesforce(clock=CLOCK, empty=True, stretch={"Account": 100_000})
    client = client_of(fake)
    key = client.finished("SELECT Id, SystemModstamp FROM Account")
    tracemalloc.start()
    with client.call("GET", f"/jobs/query/{key}/results", stream=True) as response:
        received = sum(len(part) for part in response.iter_content(65_536))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert received > 2_000_000
    assert peak < received, f"{peak} bytes were held for {received}"
