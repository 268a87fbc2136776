"""A plain HTTP client for the fake Salesforce, so that tests see what goes over the wire."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fake_crm import FakeSalesforce

Json = dict[str, Any]
ROOT = "/services/data/v66.0"


@dataclass
class Client:
    """Calls one fake with one token; paths below the version unless they begin with /services."""

    fake: FakeSalesforce
    token: str
    session: requests.Session = field(default_factory=requests.Session)

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        url = self.fake.url + (path if path.startswith("/services") else ROOT + path)
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return self.session.request(method, url, headers=headers, timeout=20, **options)

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.call("GET", path, params=params)

    def post(self, path: str, body: Any) -> requests.Response:
        return self.call("POST", path, json=body)

    def rows(self, soql: str, path: str = "/query") -> list[Json]:
        """All rows of a query, over all its pages."""
        answer = self.answer(self.get(path, q=soql))
        rows: list[Json] = list(answer["records"])
        while not answer["done"]:
            answer = self.answer(self.get(answer["nextRecordsUrl"]))
            rows.extend(answer["records"])
        return rows

    def ids(self, soql: str, path: str = "/query") -> list[str]:
        return [row["Id"] for row in self.rows(soql, path)]

    def refusal(self, soql: str) -> tuple[int, str, str]:
        """The status, code and message with which a query is refused."""
        response = self.get("/query", q=soql)
        error = response.json()[0]
        return response.status_code, error["errorCode"], error["message"]

    def job(self, soql: str, **more: Any) -> str:
        """A new job's id."""
        answer = self.answer(self.post("/jobs/query", {"operation": "query", "query": soql, **more}))
        return str(answer["id"])

    def finished(self, soql: str, **more: Any) -> str:
        """A new job that is complete."""
        key = self.job(soql, **more)
        while self.get(f"/jobs/query/{key}").json()["state"] in {"UploadComplete", "InProgress"}:
            pass
        return key

    def csv(self, soql: str, **more: Any) -> list[dict[str, str]]:
        """All rows of a job."""
        key = self.finished(soql, **more)
        rows: list[dict[str, str]] = []
        locator: str | None = None
        while locator != "null":
            page = self.get(f"/jobs/query/{key}/results", **({"locator": locator} if locator else {}))
            assert page.status_code == 200, page.text
            rows.extend(csv.DictReader(io.StringIO(page.content.decode(), newline="")))
            locator = page.headers["Sforce-Locator"]
        return rows

    @staticmethod
    def answer(response: requests.Response) -> Json:
        assert response.status_code == 200, response.text
        body: Json = response.json()
        return body


@pytest.fixture
def client_of() -> Iterator[Callable[..., Client]]:
    """Makes clients; they use the fake's own token unless told otherwise."""
    made: list[Client] = []

    def make(fake: FakeSalesforce, *, token: str | None = None) -> Client:
        client = Client(fake, fake.access_token if token is None else token)
        made.append(client)
        return client

    yield make
    for client in made:
        client.session.close()


@pytest.fixture
def fake(fake_salesforce: Callable[..., FakeSalesforce]) -> FakeSalesforce:
    """A small org whose clock stands."""
    return fake_salesforce(clock="2026-11-01T12:00:00Z")


@pytest.fixture
def bare(fake_salesforce: Callable[..., FakeSalesforce]) -> FakeSalesforce:
    """An org without records, whose clock stands."""
    return fake_salesforce(clock="2026-11-01T12:00:00Z", empty=True)


@pytest.fixture
def client(client_of: Callable[..., Client], fake: FakeSalesforce) -> Client:
    return client_of(fake)
