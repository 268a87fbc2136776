"""simple-salesforce understands the fake; it only knows https, so its session is led to the local address."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fake_crm import FakeSalesforce

# by name, for not all of it has type information
simple: Any = importlib.import_module("simple_salesforce")


class ToLocal(HTTPAdapter):
    """Sends every https request to one local server."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    @override
    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        request.url = f"{self._base}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        return super().send(request, *args, **options)


@pytest.fixture
def vendor(fake: FakeSalesforce) -> Iterator[Any]:
    with requests.Session() as session:
        session.mount("https://", ToLocal(fake.url))
        yield simple.Salesforce(
            consumer_key=fake.client_id,
            consumer_secret=fake.client_secret,
            domain="acme.my",
            session=session,
            version="66.0",
        )


def test_it_describes(vendor: Any) -> None:
    assert "Account" in [each["name"] for each in vendor.describe()["sobjects"]]
    assert "BillingAddress" in [each["name"] for each in vendor.Account.describe()["fields"]]


def test_it_pages_through_a_query(vendor: Any, fake: FakeSalesforce) -> None:
    fake.quirks.page_rows = 30
    found = vendor.query_all("SELECT Id, Name, Account.Name FROM Contact")
    truth = [(row["Id"], row["Name"]) for row in fake.org.records("Contact")]
    assert truth == [(row["Id"], row["Name"]) for row in found["records"]]
    assert 100 == vendor.query("SELECT count() FROM Contact")["totalSize"]
    assert vendor.api_usage["api-usage"].total == 15_000


def test_it_sees_deleted_records(vendor: Any, fake: FakeSalesforce) -> None:
    key = fake.org.records("Lead")[0]["Id"]
    fake.org.delete("Lead", key)
    found = vendor.query_all("SELECT Id FROM Lead WHERE IsDeleted = true", include_deleted=True)
    assert [key] == [row["Id"] for row in found["records"]]


def test_it_writes_and_reads_records(vendor: Any, fake: FakeSalesforce) -> None:
    key = vendor.Account.create({"Name": "Made by the client"})["id"]
    vendor.Account.update(key, {"Name": "Changed by the client"})
    assert "Changed by the client" == vendor.Account.get(key)["Name"]
    vendor.Account.delete(key)
    assert key not in [row["Id"] for row in fake.org.records("Account")]


def test_it_reads_what_was_updated_and_deleted(vendor: Any, fake: FakeSalesforce) -> None:
    window = (fake.clock.now().replace(hour=11), fake.clock.now().replace(hour=13))
    key = fake.org.create("Account", {"Name": "a"})
    assert key in vendor.Account.updated(*window)["ids"]
    fake.org.delete("Account", key)
    assert [key] == [each["id"] for each in vendor.Account.deleted(*window)["deletedRecords"]]


def test_it_runs_a_bulk_query_over_two_pages(vendor: Any, fake: FakeSalesforce) -> None:
    fake.quirks.bulk_polls = 0
    pages = list(vendor.bulk2.Contact.query("SELECT Id, Email FROM Contact", max_records=60))
    assert 2 == len(pages)
    ids = [line.split(",")[0].strip('"') for page in pages for line in page.splitlines()[1:]]
    assert sorted(ids) == [row["Id"] for row in fake.org.records("Contact")]


def test_it_understands_refusals(vendor: Any) -> None:
    errors: Any = importlib.import_module("simple_salesforce.exceptions")
    with pytest.raises(errors.SalesforceMalformedRequest, match="No such column 'X'"):
        vendor.query("SELECT X FROM Account")
    with pytest.raises(errors.SalesforceResourceNotFound):
        vendor.Nonsense.describe()


def test_it_is_refused_as_an_unknown_app(fake: FakeSalesforce) -> None:
    errors: Any = importlib.import_module("simple_salesforce.exceptions")
    with requests.Session() as session:
        session.mount("https://", ToLocal(fake.url))
        with pytest.raises(errors.SalesforceAuthenticationFailed):
            simple.Salesforce(consumer_key="x", consumer_secret="y", domain="acme.my", session=session)
