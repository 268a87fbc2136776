"""The setting `text_properties`: such a property is declared and emitted as the text that HubSpot sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fake_crm import FakeCrm
from tap_hubspot.schema import NUMBER, TEXT, object_schema
from tap_hubspot.text_properties import TextProperties

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot.conftest import RunTap

SCHEMA = object_schema([{"name": "amount", "type": "number"}, {"name": "size", "type": "number"}])


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(contacts=120, companies=2, deals=2, tickets=0) as crm:
        yield crm


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("amount", (TEXT, NUMBER)),
        ("deals.amount", (TEXT, NUMBER)),
        ("deals.*", (TEXT, TEXT)),
        ("tickets.amount", (NUMBER, NUMBER)),
        ("tickets.*", (NUMBER, NUMBER)),
        ("*", (NUMBER, NUMBER)),
    ],
)
def test_an_entry_names_a_property_of_all_objects_of_one_or_all_of_one(
    entry: str, expected: tuple[dict[str, object], ...]
) -> None:
    declared = TextProperties((entry,)).applied("deals", SCHEMA)["properties"]["properties"]["properties"]
    assert expected == (declared["amount"], declared["size"])
    assert NUMBER == SCHEMA["properties"]["properties"]["properties"]["amount"]


def test_values_come_as_hubspot_sends_them(run_tap: RunTap, crm: FakeCrm) -> None:
    run = run_tap(crm, "contacts", text_properties=["contacts.customer_score", "hs_hd_ticket_ids", "contacts.is_vip"])
    declared = run.schema("contacts")["properties"]["properties"]["properties"]
    assert [TEXT] * 3 == [declared[name] for name in ("customer_score", "hs_hd_ticket_ids", "is_vip")]
    sent = {row["id"]: row["properties"] for row in crm.hubspot.records("contacts")}
    got = {row["id"]: row["properties"] for row in run.records("contacts")}
    for name in ("customer_score", "is_vip", "hs_hd_ticket_ids"):
        assert {key: row[name] for key, row in sent.items()} == {key: row[name] for key, row in got.items()}
    assert {"", "N/A", " "} & {row["customer_score"] for row in got.values()}


def test_it_holds_against_an_older_catalog(run_tap: RunTap, crm: FakeCrm) -> None:
    run = run_tap(crm, "contacts", catalog=run_tap.catalog(crm), text_properties=["customer_score"])
    assert TEXT == run.schema("contacts")["properties"]["properties"]["properties"]["customer_score"]
    assert any(isinstance(row["properties"]["customer_score"], str) for row in run.records("contacts"))


def test_the_warning_of_misfits_names_the_setting(
    run_tap: RunTap, crm: FakeCrm, caplog: pytest.LogCaptureFixture
) -> None:
    run_tap(crm, "contacts")
    (line,) = [record.message for record in caplog.records if "do not fit" in record.message]
    assert "customer_score" in line
    assert "text_properties" in line
    caplog.clear()
    run_tap(crm, "contacts", text_properties=["customer_score"])
    assert not [record for record in caplog.records if "do not fit" in record.message]


def test_an_entry_that_names_nothing_is_told(run_tap: RunTap, crm: FakeCrm, caplog: pytest.LogCaptureFixture) -> None:
    run_tap(crm, "deals", text_properties=["amuont", "deals.amount", "deals.*", "moths.*"])
    told = [record.message for record in caplog.records if record.message.startswith("text_properties")]
    assert ["amuont", "moths.*"] == [line.split()[1] for line in told]
