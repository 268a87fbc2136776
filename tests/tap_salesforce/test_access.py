"""The ways of access: exactly one, whole, and every fault told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from crmdb_core.exceptions import ConfigError
from tap_salesforce.access import access_faults, audience_of, signing_key, way_of
from tap_salesforce.tap import TapSalesforce

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.serialization import KeySerializationEncryption

CLIENT = {"client_id": "3MVG9", "client_secret": "s3cret-of-the-app"}


def pem(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, encryption: KeySerializationEncryption | None = None
) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


RSA_KEY = rsa.generate_private_key(65537, 2048)
KEY = pem(RSA_KEY)


@pytest.mark.parametrize(
    ("config", "way"),
    [
        (CLIENT, "client credentials"),
        ({**CLIENT, "refresh_token": "5Aep861"}, "refresh token"),
        ({"client_id": "3MVG9", "refresh_token": "5Aep861"}, "refresh token"),
        ({"client_id": "3MVG9", "jwt_key": KEY, "jwt_user": "sync@example.com"}, "JWT bearer"),
        ({"access_token": "00D!AQ", "instance_url": "https://x.my.salesforce.com"}, "access token"),
        ({**CLIENT, "username": "sync@example.com", "password": "geheim"}, "username and password"),
    ],
)
def test_each_way_is_chosen_by_its_own_settings(config: dict[str, Any], way: str) -> None:
    assert [] == list(access_faults(config))
    found = way_of(config)
    assert found is not None
    assert way == found.name


@pytest.mark.parametrize(
    ("config", "faults"),
    [
        ({}, ["client_id: missing"]),
        ({"client_id": "3MVG9"}, ["client_secret: missing for access by client credentials"]),
        ({"access_token": "00D!AQ"}, ["instance_url: missing"]),
        ({**CLIENT, "access_token": "00D!AQ", "instance_url": "https://x"}, ["client_id, client_secret: not for"]),
        ({"jwt_user": "sync@example.com"}, ["client_id: missing", "jwt_key: give the private key"]),
        ({"access_token": "00D !", "instance_url": "https://x"}, ["access_token: holds a blank"]),
        (
            {"access_token": "00D!AQ", "instance_url": "x.my.salesforce.com", "token_store": "t"},
            ["token_store: is not for access by access token", "instance_url: must be an http"],
        ),
        ({**CLIENT, "login_url": "login.salesforce.com"}, ["login_url: must be an http"]),
    ],
)
def test_every_fault_is_told(config: dict[str, Any], faults: list[str]) -> None:
    found = list(access_faults(config))
    assert len(faults) == len(found)
    assert all(fault in told for fault, told in zip(faults, found, strict=True))


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("no key", id="no key"),
        pytest.param(pem(ec.generate_private_key(ec.SECP256R1())), id="another kind"),
        pytest.param(pem(RSA_KEY, BestAvailableEncryption(b"phrase")), id="with a passphrase"),
    ],
)
def test_a_key_that_is_none_is_told_without_quoting_it(key: str) -> None:
    config = {"client_id": "3MVG9", "jwt_key": key, "jwt_user": "sync@example.com"}
    with pytest.raises(ConfigError) as raised:
        TapSalesforce(config=config)
    assert "jwt_key: is no RSA private key" in str(raised.value)
    assert key not in str(raised.value)


def test_a_key_may_be_one_line_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "server.key"
    file.write_text(KEY)
    file.chmod(0o644)
    assert RSA_KEY.private_numbers() == signing_key({"jwt_key": KEY.replace("\n", "\\n")}).private_numbers()
    assert RSA_KEY.private_numbers() == signing_key({"jwt_key_file": str(file)}).private_numbers()
    assert 0o600 == file.stat().st_mode & 0o777


def test_a_key_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    config = {"client_id": "3MVG9", "jwt_key_file": str(tmp_path / "none"), "jwt_user": "sync@example.com"}
    assert ["jwt_key_file: cannot be read (No such file or directory)"] == list(access_faults(config))


@pytest.mark.parametrize(
    ("login_url", "audience", "found"),
    [
        ("https://login.salesforce.com", None, "https://login.salesforce.com"),
        ("https://test.salesforce.com", None, "https://test.salesforce.com"),
        ("https://acme.my.salesforce.com", None, "https://login.salesforce.com"),
        ("https://acme--uat.sandbox.my.salesforce.com", None, "https://test.salesforce.com"),
        ("https://acme.my.salesforce.mil", "https://login.salesforce.mil", "https://login.salesforce.mil"),
    ],
)
def test_the_audience_is_login_or_test_unless_it_is_given(login_url: str, audience: str | None, found: str) -> None:
    assert found == audience_of({"login_url": login_url, "audience": audience})
