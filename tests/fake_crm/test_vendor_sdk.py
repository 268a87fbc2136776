"""The vendor's newer client, which calls dated paths, understands the fake as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hubspot_sdk import AuthenticationError, HubSpot

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
