"""A plain HTTP client for the fake, so that tests see what goes over the wire."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fake_crm import FakeCrm

Json = dict[str, Any]
DATED = "/crm/objects/2026-09"


@dataclass
class Client:
    """Calls one fake with one token."""

    crm: FakeCrm
    token: str | None = None
    session: requests.Session = field(default_factory=requests.Session)

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        options["headers"] = {**headers, **options.get("headers", {})}
        return self.session.request(method, self.crm.url + path, timeout=20, **options)

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.call("GET", path, params=params)

    def post(self, path: str, body: Any) -> requests.Response:
        return self.call("POST", path, json=body)

    def search(self, kind: str, *filters: tuple[str, ...], **more: Any) -> Json:
        """The answer to a search with one group of (property, operator, value) filters, by ascending id."""
        response = self.post(f"{DATED}/{kind}/search", search_body(*filters, **more))
        assert response.status_code == 200, response.text
        answer: Json = response.json()
        return answer

    def ids(self, kind: str, *filters: tuple[str, ...], **more: Any) -> list[str]:
        return [row["id"] for row in self.search(kind, *filters, **more)["results"]]


def search_body(*filters: tuple[str, ...], **more: Any) -> Json:
    group = [
        {"propertyName": name, "operator": operator, **({"value": values[0]} if values else {})}
        for name, operator, *values in filters
    ]
    sorts = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
    return {"filterGroups": [{"filters": group}] if group else [], "sorts": sorts, "limit": 200, **more}


@pytest.fixture
def client_of() -> Iterator[Callable[..., Client]]:
    """Makes clients; they use the fake's own token unless told otherwise."""
    made: list[Client] = []

    def make(crm: FakeCrm, *, token: str | None = "its own") -> Client:
        client = Client(crm, crm.token if token == "its own" else token)
        made.append(client)
        return client

    yield make
    for client in made:
        client.session.close()


@pytest.fixture
def crm(fake_crm: Callable[..., FakeCrm]) -> FakeCrm:
    """A small account whose clock stands."""
    return fake_crm(clock="2026-11-01T00:00:00Z")


@pytest.fixture
def client(client_of: Callable[..., Client], crm: FakeCrm) -> Client:
    return client_of(crm)


@pytest.fixture
def search() -> Callable[..., Json]:
    """Builds the body of a search."""
    return search_body
