"""Tokens: every grant, its refusals, and sessions that end."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm import FakeSalesforce

JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
NOW = 1_793_534_400  # the fake's clock


def ask(fake: FakeSalesforce, form: dict[str, str], **headers: str) -> tuple[int, dict[str, Any]]:
    response = requests.post(f"{fake.url}/services/oauth2/token", data=form, headers=headers, timeout=10)
    return response.status_code, response.json()


def app(fake: FakeSalesforce, **form: str) -> dict[str, str]:
    return {"client_id": fake.client_id, "client_secret": fake.client_secret, **form}


def works(fake: FakeSalesforce, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{fake.url}/services/data/v66.0/limits", headers=headers, timeout=10).status_code == 200


def test_client_credentials_in_the_form_or_as_basic(fake: FakeSalesforce) -> None:
    status, body = ask(fake, app(fake, grant_type="client_credentials"))
    assert (200, fake.url, "Bearer") == (status, body["instance_url"], body["token_type"])
    assert "expires_in" not in body
    assert works(fake, body["access_token"])
    basic = base64.b64encode(f"{fake.client_id}:{fake.client_secret}".encode()).decode()
    assert 200 == ask(fake, {"grant_type": "client_credentials"}, Authorization=f"Basic {basic}")[0]


def test_client_credentials_only_on_the_orgs_own_host(fake: FakeSalesforce) -> None:
    fake.quirks.my_domain = False
    status, body = ask(fake, app(fake, grant_type="client_credentials"))
    assert (400, "invalid_grant") == (status, body["error"])


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_id": "x"}, "invalid_client_id"),
        ({"client_secret": "x"}, "invalid_client"),
        ({"grant_type": "magic"}, "unsupported_grant_type"),
    ],
)
def test_a_wrong_app_is_refused(fake: FakeSalesforce, form: dict[str, str], error: str) -> None:
    status, body = ask(fake, {**app(fake, grant_type="client_credentials"), **form})
    assert (400, error) == (status, body["error"])


def test_a_refresh_token_is_kept_unless_the_org_rotates(fake: FakeSalesforce) -> None:
    form = app(fake, grant_type="refresh_token", refresh_token=fake.refresh_token)
    assert "refresh_token" not in ask(fake, form)[1]
    fake.quirks.rotate_refresh_tokens = True
    body = ask(fake, form)[1]
    assert body["refresh_token"] == fake.refresh_token != form["refresh_token"]


def test_a_rotated_token_that_comes_back_ends_the_grant(fake: FakeSalesforce) -> None:
    fake.quirks.rotate_refresh_tokens = True
    form = app(fake, grant_type="refresh_token", refresh_token=fake.refresh_token)
    ask(fake, form)
    assert (400, "invalid_grant") == (ask(fake, form)[0], ask(fake, form)[1]["error"])
    again = ask(fake, {**form, "refresh_token": fake.refresh_token})
    assert (400, "expired access/refresh token") == (again[0], again[1]["error_description"])


def test_username_and_password_with_its_security_token(fake: FakeSalesforce) -> None:
    access = fake.access
    form = app(fake, grant_type="password", username=access.username)
    assert 400 == ask(fake, {**form, "password": access.password})[0]
    assert 200 == ask(fake, {**form, "password": access.password + access.security_token})[0]
    fake.quirks.password_flow = False
    body = ask(fake, {**form, "password": access.password + access.security_token})[1]
    assert "authentication failure" == body["error_description"]


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


def public(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def claims(fake: FakeSalesforce, **changes: Any) -> dict[str, Any]:
    usual = {
        "iss": fake.client_id,
        "sub": fake.access.username,
        "aud": "https://login.salesforce.com",
        "exp": NOW + 180,
    }
    return {**usual, **changes}


def test_a_signed_jwt_is_a_login(fake: FakeSalesforce, key: rsa.RSAPrivateKey) -> None:
    fake.access.jwt_key = public(key)
    signed = jwt.encode(claims(fake), key, "RS256")
    status, body = ask(fake, {"grant_type": JWT, "assertion": signed})
    assert 200 == status
    assert works(fake, body["access_token"])


@pytest.mark.parametrize(
    ("changes", "wording"),
    [
        ({"aud": "https://acme.my.salesforce.com"}, "audience is invalid"),
        ({"exp": NOW - 1}, "expired authorization code"),
        ({"exp": NOW + 3600}, "expired authorization code"),
        ({"sub": "stranger@example.com"}, "user hasn't approved this consumer"),
        ({"iss": "another app"}, "client identifier invalid"),
    ],
)
def test_a_jwt_with_wrong_claims_is_refused(
    fake: FakeSalesforce, key: rsa.RSAPrivateKey, changes: dict[str, Any], wording: str
) -> None:
    fake.access.jwt_key = public(key)
    status, body = ask(fake, {"grant_type": JWT, "assertion": jwt.encode(claims(fake, **changes), key, "RS256")})
    assert (400, wording) == (status, body["error_description"])


def test_a_jwt_of_another_key_is_refused(fake: FakeSalesforce, key: rsa.RSAPrivateKey) -> None:
    other = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    fake.access.jwt_key = public(other)
    for assertion in (jwt.encode(claims(fake), key, "RS256"), "a.b", "a.b.c", ""):
        assert "invalid assertion" == ask(fake, {"grant_type": JWT, "assertion": assertion})[1]["error_description"]


def test_a_session_ends_without_use_and_lasts_with_it(fake: FakeSalesforce) -> None:
    token = ask(fake, app(fake, grant_type="client_credentials"))[1]["access_token"]
    for _ in range(3):
        fake.clock.advance(5_000)
        assert works(fake, token)
    fake.clock.advance(7_200)
    assert not works(fake, token)


def test_no_session_is_a_401_in_their_words(fake: FakeSalesforce, client_of: Callable[..., Any]) -> None:
    response = client_of(fake, token="nonsense").get("/limits")
    assert (401, "INVALID_SESSION_ID") == (response.status_code, response.json()[0]["errorCode"])
    assert "Sforce-Limit-Info" not in response.headers


def test_revoking_ends_what_was_granted(fake: FakeSalesforce) -> None:
    token = ask(fake, app(fake, grant_type="client_credentials"))[1]["access_token"]
    for given in (token, fake.refresh_token):
        requests.post(f"{fake.url}/services/oauth2/revoke", data={"token": given}, timeout=10)
    assert not works(fake, token)
    assert 400 == ask(fake, app(fake, grant_type="refresh_token", refresh_token=fake.refresh_token))[0]


def test_a_form_in_chunks_is_understood(fake: FakeSalesforce) -> None:
    """jsforce sends its token requests with Transfer-Encoding: chunked and no length."""
    form = "&".join(f"{name}={value}" for name, value in app(fake, grant_type="client_credentials").items()).encode()
    pieces = (form[at : at + 7] for at in range(0, len(form), 7))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = requests.post(f"{fake.url}/services/oauth2/token", data=pieces, headers=headers, timeout=10)
    assert 200 == response.status_code, response.text
