"""The stream `properties`: one row for each property of each object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeCrm, Property

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot.conftest import Json, Run, RunTap

pytestmark = pytest.mark.every_object


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(contacts=3, companies=0, deals=0, tickets=0, clock="2026-11-01T00:00:00Z") as crm:
        yield crm


def rows(run: Run) -> dict[tuple[str, str], Json]:
    found = {(row["object_type"], row["name"]): row for row in run.records("properties")}
    assert len(found) == len(run.records("properties"))
    return found


def activated(run: Run) -> bool:
    return any(m["type"] == "ACTIVATE_VERSION" and m["stream"] == "properties" for m in run.messages)


def test_it_tells_what_hubspot_knows_of_a_property(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.hubspot.define_object("machines", [Property("serial", label="Serial number", hubspot_defined=False)])
    run = run_tap(crm, "properties")
    found = rows(run)
    status = found["contacts", "hs_lead_status"]
    assert ("0-1", "enumeration", "radio", "Hs lead status") == (
        status["object_type_id"],
        status["type"],
        status["fieldType"],
        status["label"],
    )
    assert ["NEW", "OPEN", "IN_PROGRESS", "UNQUALIFIED", "CONNECTED"] == [each["value"] for each in status["options"]]
    assert found["contacts", "num_associated_deals"]["calculated"] is True
    assert "OWNER" == found["deals", "hubspot_owner_id"]["referencedObjectType"]
    assert "Serial number" == found["p_machines", "serial"]["label"]
    assert {"contacts", "orders", "calls", "p_machines"} <= {object_type for object_type, _ in found}
    assert activated(run)


def test_an_archived_property_is_a_delete(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.hubspot.archive_property("contacts", "customer_score")
    found = rows(run_tap(crm, "properties"))
    gone = found["contacts", "customer_score"]
    assert (True, "2026-11-01T00:00:00.000Z") == (gone["archived"], gone["_sdc_deleted_at"])
    assert found["contacts", "email"]["_sdc_deleted_at"] is None
    # made anew under its old name, it is live
    crm.hubspot.add_property("contacts", "customer_score", "number")
    assert rows(run_tap(crm, "properties"))["contacts", "customer_score"]["_sdc_deleted_at"] is None


def test_an_object_that_is_closed_is_left_out_and_nothing_is_removed(
    run_tap: RunTap, crm: FakeCrm, caplog: pytest.LogCaptureFixture
) -> None:
    catalog = run_tap.catalog(crm)
    token = crm.access.add_token("narrow", scopes=["crm.objects.contacts.read", "crm.objects.custom.read"])
    run = run_tap(crm, "properties", catalog=catalog, access_token=token)
    assert run.error is None
    assert {"contacts"} == {object_type for object_type, _ in rows(run)}
    assert not activated(run)
    (line,) = [record.message for record in caplog.records if "cannot be read" in record.message]
    assert "companies, deals, tickets, products" in line


def test_sensitive_properties_are_read_if_wanted(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.hubspot.add_property("contacts", Property("diagnosis", sensitivity="sensitive", hubspot_defined=False))
    crm.hubspot.update("contacts", "91", {"diagnosis": "x"})
    assert "diagnosis" not in run_tap(crm, "contacts").records("contacts")[0]["properties"]
    run = run_tap(crm, "contacts", "properties", sensitive_properties=True)
    assert "x" == run.records("contacts")[0]["properties"]["diagnosis"]
    assert "sensitive" == rows(run)["contacts", "diagnosis"]["dataSensitivity"]
    narrow: dict[str, Any] = {"access_token": crm.access.add_token("narrow", scopes=["crm.objects.contacts.read"])}
    without = run_tap(crm, "contacts", sensitive_properties=True, **narrow)
    assert "diagnosis" not in without.records("contacts")[0]["properties"]
