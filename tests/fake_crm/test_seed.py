"""The made-up account."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm import FakeCrm

TYPES = ("contacts", "companies", "deals", "tickets")


def test_the_same_seed_makes_the_same_account(fake_crm: Callable[..., FakeCrm]) -> None:
    def account(seed: int) -> list[Any]:
        crm = fake_crm(seed=seed, properties=60)
        return [crm.hubspot.records(name) for name in TYPES]

    assert account(3) == account(3)
    assert account(3) != account(4)


def test_sizes_are_as_ordered(fake_crm: Callable[..., FakeCrm]) -> None:
    crm = fake_crm(contacts=3, companies=0, deals=2, tickets=1)
    assert [3, 0, 2, 1] == [len(crm.hubspot.records(name)) for name in TYPES]


def test_it_holds_values_that_break_their_types(crm: FakeCrm) -> None:
    contacts = [row["properties"] for row in crm.hubspot.records("contacts")]
    assert any(";" in (row["hs_hd_ticket_ids"] or "") for row in contacts)
    assert {"", "N/A", " "} & {row["customer_score"] for row in contacts}
    assert any("\n" in (row["remarks"] or "") for row in contacts)


def test_an_account_may_have_hundreds_of_properties(
    fake_crm: Callable[..., FakeCrm], client_of: Callable[..., Any]
) -> None:
    crm = fake_crm(properties=250)
    client = client_of(crm)
    names = [each["name"] for each in client.get("/crm/properties/2026-09/contacts").json()["results"]]
    assert 250 == len(names)
    body = {"properties": names, "inputs": [{"id": "91"}]}
    (row,) = client.post("/crm/objects/2026-09/contacts/batch/read", body).json()["results"]
    assert set(names) == set(row["properties"])
    assert 150 < sum(value is not None for value in row["properties"].values())


def test_stamps_lie_in_the_past_and_in_order(crm: FakeCrm) -> None:
    rows = crm.hubspot.records("contacts")
    assert all(row["createdAt"] <= row["updatedAt"] <= "2026-11-01T00:00:00.000Z" for row in rows)
    assert len({row["updatedAt"] for row in rows}) > 90


def test_50_000_contacts_are_read_in_seconds(fake_crm: Callable[..., FakeCrm], client_of: Callable[..., Any]) -> None:
    started = time.process_time()
    crm = fake_crm(contacts=50_000, companies=0, deals=0, tickets=0)
    assert time.process_time() - started < 6  # usually 0.7; generous, for busy machines
    client, last, count = client_of(crm), "0", 0
    started = time.process_time()
    while True:
        window = (("lastmodifieddate", "GTE", "0"), ("lastmodifieddate", "LT", "1999999999999"))
        answer = client.search("contacts", *window, ("hs_object_id", "GT", last), properties=["email"])
        if not answer["results"]:
            break
        assert 50_000 - count == answer["total"]
        count += len(answer["results"])
        last = answer["results"][-1]["id"]
    assert 50_000 == count
    assert time.process_time() - started < 15  # usually 2, the client's share included


def test_the_request_log_is_bounded(fake_crm: Callable[..., FakeCrm], client_of: Callable[..., Any]) -> None:
    crm = fake_crm(contacts=1)
    crm.requests._most = 3
    client = client_of(crm)
    for number in range(5):
        client.get("/crm/v3/owners", limit=number + 1)
    assert (3, 5) == (len(crm.requests), crm.requests.total)
    assert [["3"], ["4"], ["5"]] == [entry.query["limit"] for entry in crm.requests]
    assert ("GET", "/crm/v3/owners", 200) == (crm.requests[0].method, crm.requests[0].path, crm.requests[0].status)
