"""The vendor's newer client, which calls dated paths, understands the fake as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hubspot_sdk import AuthenticationError, HubSpot

from fake_crm import Property

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fake_crm import FakeCrm


@pytest.fixture
def sdk(crm: FakeCrm) -> Iterator[HubSpot]:
    with HubSpot(access_token=crm.token, base_url=crm.url, max_retries=0) as client:
        yield client


def test_pages_through_all_contacts(sdk: HubSpot, crm: FakeCrm) -> None:
    rows = list(sdk.crm.objects.contacts.list(limit=30))
    assert [row["id"] for row in crm.hubspot.records("contacts")] == [row.id for row in rows]
    assert all(entry.path.startswith("/crm/objects/20") for entry in crm.requests)


def test_reads_pipelines_and_owners(sdk: HubSpot) -> None:
    assert ["default"] == [each.id for each in sdk.crm.pipelines.list("deals").results]
    assert ["Dana", "Emil", "Fatima"] == [each.first_name for each in sdk.crm.owners.list()]


def test_gets_its_exception_for_a_bad_token(crm: FakeCrm) -> None:
    with (
        HubSpot(access_token="wrong", base_url=crm.url, max_retries=0) as client,
        pytest.raises(AuthenticationError),
    ):
        list(client.crm.objects.contacts.list())


def test_reads_the_object_library(sdk: HubSpot, crm: FakeCrm) -> None:
    crm.hubspot.switch_on("services")
    states = sdk.crm.object_library.enablement.get_all().enablement_by_object_type_id
    assert {"0-162": True, "0-410": False, "0-420": False, "0-421": False} == states
    assert not sdk.crm.object_library.enablement.get_by_object_type_id("0-410").enablement


def test_reads_users_teams_and_the_account(sdk: HubSpot) -> None:
    assert ["Dana", "Emil", "Fatima"] == [each.first_name for each in sdk.settings.users.list()]
    assert ["Revenue", "Sales"] == [each.name for each in sdk.settings.users.list_teams().results]
    assert 123456 == sdk.account.get().portal_id


def test_reads_seeded_objects_and_schemas(sdk: HubSpot, crm: FakeCrm) -> None:
    type_id = crm.hubspot.define_object("machines", [Property("serial", hubspot_defined=False)])
    (schema,) = sdk.crm.object_schemas.list().results
    assert (type_id, "p123456_machines") == (schema.object_type_id, schema.fully_qualified_name)
    assert "serial" in [each.name for each in schema.properties]


def test_reads_sensitive_properties(sdk: HubSpot, crm: FakeCrm) -> None:
    crm.hubspot.add_property("contacts", Property("diagnosis", sensitivity="sensitive", hubspot_defined=False))
    (secret,) = sdk.crm.properties.list("contacts", data_sensitivity="sensitive").results
    assert ("diagnosis", "sensitive") == (secret.name, secret.data_sensitivity)
