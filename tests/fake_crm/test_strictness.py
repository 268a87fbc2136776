"""What HubSpot refuses, the fake refuses, in HubSpot's words where they are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm import FakeCrm

CONTACTS = "/crm/objects/2026-09/contacts"
HISTORY = "propertiesWithHistory"


@pytest.mark.parametrize(
    "path",
    ["/", "/crm/objects/2024-01/contacts", "/crm/v5/objects/contacts", "/crm/v3/objects", "/contacts/v1/lists"],
)
def test_unknown_path_is_404(client: Any, path: str) -> None:
    response = client.get(path)
    assert (404, "error") == (response.status_code, response.json()["status"])


def test_known_path_with_another_method_is_405(client: Any) -> None:
    assert 405 == client.call("PATCH", CONTACTS, json={}).status_code


@pytest.mark.parametrize(
    "path",
    [
        CONTACTS,
        "/crm/v3/objects/contacts",
        "/crm/v3/owners",
        "/crm/properties/2026-09/contacts",
        "/account-info/v3/details",
    ],
)
def test_unknown_query_parameter_is_400(client: Any, path: str) -> None:
    response = client.get(path, sort="x")
    assert 400 == response.status_code
    assert "sort" in response.json()["message"]


def test_unknown_query_parameters_can_be_let_pass(client: Any, crm: FakeCrm) -> None:
    crm.quirks.ignore_unknown_query = True
    assert 200 == client.get(CONTACTS, sort="x").status_code


@pytest.mark.parametrize(
    ("path", "params"),
    [
        (CONTACTS, {"limit": 101}),
        (CONTACTS, {"limit": 0}),
        (CONTACTS, {"limit": "ten"}),
        (CONTACTS, {"limit": 51, HISTORY: "email"}),
        ("/crm/owners/2026-09", {"limit": 501}),
        ("/crm/v4/objects/contacts/91/associations/companies", {"limit": 501}),
        (CONTACTS, {"after": "abc"}),
        (CONTACTS, {"archived": "maybe"}),
    ],
)
def test_bad_paging_is_400(client: Any, path: str, params: dict[str, Any]) -> None:
    response = client.get(path, **params)
    assert (400, "VALIDATION_ERROR") == (response.status_code, response.json()["category"])


@pytest.mark.parametrize(("path", "params"), [(CONTACTS, {"limit": 100}), (CONTACTS, {"limit": 50, HISTORY: "email"})])
def test_the_longest_page_is_allowed(client: Any, path: str, params: dict[str, Any]) -> None:
    assert params["limit"] == len(client.get(path, **params).json()["results"])


@pytest.mark.parametrize(
    "change",
    [
        {"limit": 201},
        {"after": "10000"},
        {"after": "x"},
        {"sorts": ["a", "b"]},
        {"sorts": [{"propertyName": "email", "direction": "UP"}]},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [{"propertyName": "email", "operator": "HAS_PROPERTY"}] * 7}]},
        {"filterGroups": [{"filters": [{"propertyName": "email", "operator": "HAS_PROPERTY"}] * 5}] * 4},
        {"filterGroups": [{"filters": [{"propertyName": "email", "operator": "LIKE", "value": "x"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "email", "operator": "EQ"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "nonsense", "operator": "EQ", "value": "x"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "lastmodifieddate", "operator": "GT", "value": "soon"}]}]},
        {"query": "x" * 3001},
        {"where": "x"},
    ],
)
def test_bad_search_is_400(client: Any, change: dict[str, Any]) -> None:
    assert 200 == client.post(f"{CONTACTS}/search", {"limit": 200, "after": "0"}).status_code
    response = client.post(f"{CONTACTS}/search", change)
    assert (400, "error") == (response.status_code, response.json()["status"])


def test_long_batches_are_400(client: Any) -> None:
    inputs = [{"id": str(n)} for n in range(91, 192)]
    assert 400 == client.post(f"{CONTACTS}/batch/read", {"inputs": inputs}).status_code
    with_history = client.post(f"{CONTACTS}/batch/read", {"inputs": inputs[:51], HISTORY: ["email"]})
    assert "for property histories is 50" in with_history.json()["message"]
    links = client.post(
        "/crm/v4/associations/contacts/companies/batch/read", {"inputs": [{"id": str(n)} for n in range(1001)]}
    )
    assert 400 == links.status_code


def test_unknown_object_type_is_400(client: Any) -> None:
    response = client.get("/crm/v3/objects/butterflies")
    assert (400, "Unable to infer object type from: butterflies") == (response.status_code, response.json()["message"])


def test_missing_credentials_are_401(client_of: Callable[..., Any], crm: FakeCrm) -> None:
    response = client_of(crm, token=None).get(CONTACTS)
    assert (401, "INVALID_AUTHENTICATION") == (response.status_code, response.json()["category"])
    assert response.json()["message"].startswith("Authentication credentials not found.")


def test_unreadable_token_is_401_as_if_expired_in_1970(client_of: Callable[..., Any], crm: FakeCrm) -> None:
    response = client_of(crm, token="garbage").get(CONTACTS)
    assert (401, "EXPIRED_AUTHENTICATION") == (response.status_code, response.json()["category"])
    assert "expired 20758 day(s) ago" in response.json()["message"]


def test_expired_token_is_401(client_of: Callable[..., Any], crm: FakeCrm) -> None:
    client = client_of(crm, token=crm.access.add_token("short", expires_in=60))
    assert 200 == client.get(CONTACTS).status_code
    crm.clock.advance(135)
    response = client.get(CONTACTS)
    assert "expired 75 second(s) ago" in response.json()["message"]
    assert ["2026-11-01T00:01:00.000Z"] == response.json()["context"]["expire time"]


@pytest.mark.parametrize("key", ["requiredScopes", "requiredGranularScopes"])
def test_missing_scope_is_403_and_named(client_of: Callable[..., Any], crm: FakeCrm, key: str) -> None:
    crm.quirks.scope_key = key
    client = client_of(crm, token=crm.access.add_token("narrow", scopes=["crm.objects.contacts.read"]))
    assert 200 == client.get(CONTACTS).status_code
    response = client.get("/crm/objects/2026-09/deals")
    assert (403, "MISSING_SCOPES") == (response.status_code, response.json()["category"])
    assert {key: ["crm.objects.deals.read"]} == response.json()["errors"][0]["context"]
    assert 200 == client.get("/account-info/2026-09/details").status_code


def test_reading_does_not_allow_writing(client_of: Callable[..., Any], crm: FakeCrm) -> None:
    client = client_of(crm, token=crm.access.add_token("reader", scopes=["crm.objects.contacts.read"]))
    assert 403 == client.post(CONTACTS, {"properties": {}}).status_code


def test_long_url_is_414_in_html(client: Any) -> None:
    assert 200 == client.get(CONTACTS, properties="x" * 16_000).status_code
    response = client.get(CONTACTS, properties="x" * 16_200)
    assert (414, "text/html") == (response.status_code, response.headers["Content-Type"])
    assert "414 Request-URI Too Large" in response.text


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"nonsense": "x"}, "PROPERTY_DOESNT_EXIST"),
        ({"createdate": "2026-01-01"}, "READ_ONLY_VALUE"),
        ({"customer_score": "many"}, "INVALID_INTEGER"),
        ({"lifecyclestage": "unheard of"}, "INVALID_OPTION"),
        ({"interests": "pricing;unheard of"}, "INVALID_OPTION"),
        ({"is_vip": "perhaps"}, "INVALID_BOOLEAN"),
    ],
)
def test_bad_values_are_not_written(client: Any, crm: FakeCrm, properties: dict[str, str], code: str) -> None:
    before = crm.hubspot.record("contacts", "91")
    response = client.call("PATCH", f"{CONTACTS}/91", json={"properties": properties})
    assert (400, [code]) == (response.status_code, [error["code"] for error in response.json()["errors"]])
    assert before == crm.hubspot.record("contacts", "91")


def test_a_taken_email_address_is_409(client: Any, crm: FakeCrm) -> None:
    email = crm.hubspot.record("contacts", "91")["properties"]["email"]
    response = client.post(CONTACTS, {"properties": {"email": email.upper()}})
    assert (409, "Contact already exists. Existing ID: 91") == (response.status_code, response.json()["message"])


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"inputs": 5}', b'{"inputs": [5]}'])
def test_a_body_that_is_not_right_is_400(client: Any, body: bytes) -> None:
    assert 400 == client.call("POST", f"{CONTACTS}/batch/read", data=body).status_code


def test_every_answer_has_a_correlation_id(client: Any) -> None:
    assert client.get(CONTACTS).headers["X-HubSpot-Correlation-Id"]
    refusal = client.get("/nowhere")
    assert refusal.headers["X-HubSpot-Correlation-Id"] == refusal.json()["correlationId"]


def test_the_test_door_is_strict_too(crm: FakeCrm) -> None:
    with pytest.raises(KeyError, match="no property nonsense"):
        crm.hubspot.create("contacts", {"nonsense": "x"})
    with pytest.raises(TypeError, match="num_employees"):
        crm.hubspot.create("contacts", {"num_employees": cast("str", 5)})
    with pytest.raises(KeyError, match="no live record 5"):
        crm.hubspot.update("contacts", "5", {"firstname": "x"})
