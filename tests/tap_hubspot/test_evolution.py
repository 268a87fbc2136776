"""Properties that come, change and go between runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fake_crm import FakeCrm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot.conftest import RunTap


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(seed=7, contacts=20, companies=0, deals=0, tickets=0, clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(3600)
        yield crm


def properties(run: object) -> dict[str, object]:
    return run.schema("contacts")["properties"]["properties"]["properties"]  # type: ignore[attr-defined,no-any-return]


def test_a_property_that_came_after_the_catalog_is_declared_and_read(run_tap: RunTap, crm: FakeCrm) -> None:
    """S10."""
    catalog = run_tap.catalog(crm)
    first = run_tap(crm, "contacts", catalog=catalog)
    crm.hubspot.add_property("contacts", "shoe_size", "number")
    crm.hubspot.update("contacts", first.ids("contacts")[0], {"shoe_size": "44.5"})
    crm.clock.advance(3600)
    second = run_tap(crm, "contacts", catalog=catalog, state=first.state)
    assert "shoe_size" not in properties(first)
    assert properties(second)["shoe_size"] == {"type": ["number", "null"]}
    assert run_tap.differences(crm, "contacts", first, second) == []


def test_a_type_that_changed_is_followed(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.hubspot.add_property("contacts", "code", "number")
    catalog = run_tap.catalog(crm)
    crm.hubspot.remove_property("contacts", "code")
    crm.hubspot.add_property("contacts", "code", "string")
    crm.hubspot.update("contacts", crm.hubspot.records("contacts")[0]["id"], {"code": "A-1"})
    run = run_tap(crm, "contacts", catalog=catalog)
    assert properties(run)["code"] == {"type": ["string", "null"]}
    assert run_tap.differences(crm, "contacts", run) == []


def test_the_catalog_stands_as_it_is_if_so_wished(run_tap: RunTap, crm: FakeCrm) -> None:
    catalog = run_tap.catalog(crm)
    crm.hubspot.add_property("contacts", "shoe_size", "number")
    run = run_tap(crm, "contacts", catalog=catalog, refresh_schema=False)
    assert "shoe_size" not in properties(run)


def test_a_deselected_stream_is_not_asked_about(run_tap: RunTap, crm: FakeCrm) -> None:
    catalog = run_tap.catalog(crm)
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if not item["breadcrumb"]:
                item["metadata"]["selected"] = entry["tap_stream_id"] == "contacts"
    crm.requests.clear()
    run_tap(crm, catalog=catalog)
    asked = [one.path for one in crm.requests if "/properties/" in one.path]
    assert asked == ["/crm/properties/2026-09/contacts"]


def test_a_property_that_went_stays_declared_and_is_null(run_tap: RunTap, crm: FakeCrm) -> None:
    catalog = run_tap.catalog(crm)
    crm.hubspot.remove_property("contacts", "remarks")
    run = run_tap(crm, "contacts", catalog=catalog)
    assert "remarks" in properties(run)
    assert {record["properties"]["remarks"] for record in run.records("contacts")} == {None}
