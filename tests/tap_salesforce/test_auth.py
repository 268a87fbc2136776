"""Access by every way, and tokens that are refused or revoked in the midst of a run (faults A01 to A04, A07)."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from crmdb_core import redaction
from crmdb_core.exceptions import ApiError, ConfigError, ExitCode, TryLaterError, UnauthorizedError
from crmdb_core.tokens import TokenError
from fake_crm import FakeSalesforce
from tests.tap_salesforce.conftest import config_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.tap_salesforce.conftest import RunTap

KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
OTHER_PUBLIC = (
    rsa.generate_private_key(65537, 2048)
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
QUERY = "/query"


@pytest.fixture
def fake() -> Iterator[FakeSalesforce]:
    with FakeSalesforce(sizes={"Account": 450}) as fake:
        fake.access.jwt_key = PUBLIC
        fake.quirks.page_rows = 100
        yield fake


def by_refresh_token(fake: FakeSalesforce, **more: Any) -> dict[str, Any]:
    return {"refresh_token": fake.refresh_token, **more}


def by_jwt(fake: FakeSalesforce, **more: Any) -> dict[str, Any]:
    return {"client_secret": None, "jwt_key": PEM, "jwt_user": fake.access.username, **more}


def by_password(fake: FakeSalesforce) -> dict[str, Any]:
    access = fake.access
    return {"username": access.username, "password": access.password, "security_token": access.security_token}


def by_access_token(fake: FakeSalesforce) -> dict[str, Any]:
    nothing = {"login_url": None, "client_id": None, "client_secret": None}
    return {**nothing, "access_token": fake.access_token, "instance_url": fake.url}


def no_more(_: FakeSalesforce) -> dict[str, Any]:
    return {}


EVERY_WAY = pytest.mark.parametrize("way", [no_more, by_refresh_token, by_jwt, by_password, by_access_token])


def grants(fake: FakeSalesforce) -> int:
    return sum(request.path.endswith("/oauth2/token") for request in fake.requests)


def at_third_page(fake: FakeSalesforce, do: Callable[[str], object]) -> None:
    """Do something with the token in use when the third page of accounts is asked for."""
    seen: list[str] = []

    def hook(request: Any) -> None:
        if QUERY in request.path:
            seen.append(request.path)
            if len(seen) == 3:
                do(request.headers["Authorization"].removeprefix("Bearer "))

    fake.on_request(hook)


def accounts_of(fake: FakeSalesforce) -> list[str]:
    return sorted(record["Id"] for record in fake.org.records("Account"))


@EVERY_WAY
def test_every_way_reads(
    run_tap: RunTap, fake: FakeSalesforce, way: Callable[[FakeSalesforce], dict[str, Any]]
) -> None:
    run = run_tap(fake, "Account", **way(fake))
    assert run.error is None
    assert accounts_of(fake) == sorted(run.ids("Account"))
    assert grants(fake) == (0 if way is by_access_token else 1)


@pytest.mark.parametrize("way", [no_more, by_refresh_token, by_jwt, by_password])
@pytest.mark.parametrize("concurrency", [1, 8])
def test_a01_a_token_that_ends_in_the_midst_is_renewed_once_and_nothing_is_lost(
    run_tap: RunTap, fake: FakeSalesforce, way: Callable[[FakeSalesforce], dict[str, Any]], concurrency: int
) -> None:
    at_third_page(fake, lambda _: fake.access.expire())
    run = run_tap(fake, "Account", concurrency=concurrency, api_type="rest", **way(fake))
    assert run.error is None
    assert accounts_of(fake) == sorted(run.ids("Account"))
    assert grants(fake) == 2


def test_a01_an_access_token_that_ends_is_a_matter_of_settings(run_tap: RunTap, fake: FakeSalesforce) -> None:
    at_third_page(fake, fake.access.expire)
    run = run_tap(fake, "Account", api_type="rest", concurrency=1, **by_access_token(fake))
    assert isinstance(run.error, UnauthorizedError)
    assert run.error.exit_code == ExitCode.CONFIG
    assert "has ended or was revoked" in str(run.error)
    assert run.bookmark("Account") is None


def test_a02_a_revoked_refresh_token_is_a_matter_of_settings(run_tap: RunTap, fake: FakeSalesforce) -> None:
    fake.access.revoked = True
    error = run_tap(fake, "Account", **by_refresh_token(fake)).error
    assert isinstance(error, ConfigError)
    assert error.exit_code == ExitCode.CONFIG
    assert "connect again" in str(error)
    assert grants(fake) == 1


def test_a03_a_rotated_refresh_token_is_kept_for_the_next_run(
    run_tap: RunTap, fake: FakeSalesforce, tmp_path: Path
) -> None:
    fake.quirks.rotate_refresh_tokens = True
    store = tmp_path / "tokens.json"
    settings = by_refresh_token(fake, token_store=str(store))
    at_third_page(fake, lambda _: fake.access.expire())
    assert run_tap(fake, "Account", api_type="rest", **settings).error is None
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert json.loads(store.read_text())["refresh_token"] == fake.refresh_token
    assert json.loads(store.read_text())["home"] == fake.url
    before = grants(fake)
    assert run_tap(fake, "Account", **settings).error is None
    assert grants(fake) == before


def test_a03_a_store_that_cannot_be_written_uses_no_new_token(
    run_tap: RunTap, fake: FakeSalesforce, tmp_path: Path
) -> None:
    fake.quirks.rotate_refresh_tokens = True
    (tmp_path / "file").write_text("")
    error = run_tap(fake, "Account", **by_refresh_token(fake, token_store=str(tmp_path / "file" / "tokens"))).error
    assert isinstance(error, TokenError)
    assert grants(fake) == 0


def test_a04_two_runs_that_share_a_store_refresh_once(fake: FakeSalesforce, tmp_path: Path) -> None:
    fake.quirks.rotate_refresh_tokens = True
    config = tmp_path / "config.json"
    settings = config_for(fake, streams=["Account"], **by_refresh_token(fake, token_store=str(tmp_path / "tokens")))
    config.write_text(json.dumps(settings))
    config.chmod(0o600)
    command = [sys.executable, "-m", "tap_salesforce", "--config", str(config), "--discover"]
    runs = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
    assert [0, 0] == [run.wait(60) for run in runs]
    for run in runs:
        run.communicate()
    assert grants(fake) == 1


@pytest.mark.parametrize(
    ("order", "way", "told"),
    [
        (lambda fake: setattr(fake.quirks, "my_domain", False), no_more, "set login_url to it"),
        (lambda fake: setattr(fake.quirks, "password_flow", False), by_password, "legacy"),
        (lambda fake: setattr(fake.access, "jwt_approved", False), by_jwt, "pre-authorize the user"),
        (lambda fake: setattr(fake.access, "audiences", ("https://elsewhere",)), by_jwt, "set audience"),
        (lambda fake: setattr(fake.access, "client_secret", "another"), no_more, "client_id or client_secret"),
        (lambda fake: setattr(fake.access, "client_id", "another"), no_more, "client_id or client_secret"),
        (lambda fake: setattr(fake.access, "jwt_key", OTHER_PUBLIC), by_jwt, "belongs to the certificate"),
    ],
)
def test_a_refusal_says_what_to_do_and_holds_no_secret(
    run_tap: RunTap,
    fake: FakeSalesforce,
    order: Callable[[FakeSalesforce], object],
    way: Callable[[FakeSalesforce], dict[str, Any]],
    told: str,
) -> None:
    settings = {"client_id": fake.client_id, "client_secret": fake.client_secret, **way(fake)}
    order(fake)
    error = run_tap(fake, "Account", **settings).error
    assert isinstance(error, ConfigError)
    assert told in str(error)
    assert "secret" not in str(error).replace("client_secret", "")
    assert grants(fake) == 1


def test_a07_a_jwt_has_the_servers_time(run_tap: RunTap, caplog: pytest.LogCaptureFixture) -> None:
    """The machine's clock is wrong by hours; the first refusal tells the right time, and the second JWT fits."""
    with FakeSalesforce(clock="2026-07-01T00:00:00Z") as fake:
        fake.access.jwt_key = PUBLIC
        assert run_tap(fake, "Account", **by_jwt(fake)).error is None
        assert grants(fake) == 2
    assert any("clock and the server's differ" in record.getMessage() for record in caplog.records)


def test_a_jwt_that_is_refused_for_another_reason_is_not_sent_again(run_tap: RunTap, fake: FakeSalesforce) -> None:
    fake.access.jwt_approved = False
    assert isinstance(run_tap(fake, "Account", **by_jwt(fake)).error, ConfigError)
    assert grants(fake) == 1


@pytest.mark.parametrize(("way", "lines"), [(by_password, 1), (no_more, 0)])
def test_the_legacy_way_is_told_of(
    run_tap: RunTap,
    fake: FakeSalesforce,
    caplog: pytest.LogCaptureFixture,
    way: Callable[[FakeSalesforce], dict[str, Any]],
    lines: int,
) -> None:
    assert run_tap(fake, "Account", **way(fake)).error is None
    assert len([record for record in caplog.records if "legacy" in record.getMessage()]) == lines


def test_too_many_logins_are_a_matter_of_time(run_tap: RunTap, fake: FakeSalesforce) -> None:
    body = {"error": "invalid_grant", "error_description": "login rate limit exceeded"}
    fake.faults.add(path="/oauth2/token", status=400, body=body)
    assert isinstance(run_tap(fake, "Account").error, TryLaterError)


def test_an_endpoint_that_is_down_for_a_moment_is_asked_again(
    run_tap: RunTap, fake: FakeSalesforce, waits: list[float]
) -> None:
    fake.faults.add(path="/oauth2/token", status=503, times=2)
    assert run_tap(fake, "Account").error is None
    assert len([wait for wait in waits if wait > 0]) == 2


def test_an_answer_without_an_instance_is_no_access(run_tap: RunTap, fake: FakeSalesforce) -> None:
    fake.faults.add(path="/oauth2/token", status=200, body={"access_token": "00D!x"})
    error = run_tap(fake, "Account").error
    assert isinstance(error, TokenError)
    assert "instance_url" in str(error)


def test_a_token_goes_to_no_other_instance_than_its_own(
    run_tap: RunTap, fake: FakeSalesforce, fake_salesforce: Callable[..., FakeSalesforce]
) -> None:
    other = fake_salesforce()
    moved = {"access_token": fake.access.open(), "instance_url": other.url}

    def expire(_: str) -> None:
        fake.access.expire()
        fake.faults.add(path="/oauth2/token", status=200, body=moved)

    at_third_page(fake, expire)
    run = run_tap(fake, "Account", api_type="rest", concurrency=1)
    assert isinstance(run.error, TokenError)
    assert "moved to another instance" in str(run.error)
    assert len(other.requests) == 0


def test_n15_no_token_request_follows_a_redirect_to_another_host(
    run_tap: RunTap, fake: FakeSalesforce, fake_salesforce: Callable[..., FakeSalesforce]
) -> None:
    other = fake_salesforce()
    fake.faults.add(path="/oauth2/token", kind="redirect", status=307, location=f"{other.url}/steal")
    assert isinstance(run_tap(fake, "Account").error, ApiError)
    assert len(other.requests) == 0


@EVERY_WAY
def test_no_secret_is_ever_logged(
    run_tap: RunTap,
    fake: FakeSalesforce,
    caplog: pytest.LogCaptureFixture,
    way: Callable[[FakeSalesforce], dict[str, Any]],
) -> None:
    caplog.set_level("DEBUG")
    seen: list[str] = []
    fake.on_request(lambda request: seen.append(request.headers.get("Authorization", "")))
    settings = way(fake)
    run_tap(fake, "Account", debug=True, **settings)
    secrets = {token.removeprefix("Bearer ") for token in seen if token}
    secrets |= {str(settings.get(name)) for name in ("refresh_token", "password", "security_token", "jwt_key")}
    lines = "\n".join(record.getMessage() for record in caplog.records)
    assert [] == [secret for secret in secrets - {"None"} if secret in lines]
    assert redaction.current() is not None


def test_a_token_without_use_for_long_is_renewed_before_it_is_refused(
    run_tap: RunTap, fake: FakeSalesforce, tmp_path: Path
) -> None:
    store = tmp_path / "tokens"
    assert run_tap(fake, "Account", **by_refresh_token(fake, token_store=str(store))).error is None
    kept = json.loads(store.read_text())
    store.write_text(json.dumps({**kept, "refresh_at": 0}))
    fake.clock.advance(timedelta(hours=3).total_seconds())
    assert run_tap(fake, "Account", **by_refresh_token(fake, token_store=str(store))).error is None
    assert grants(fake) == 2
    assert all(request.status != 401 for request in fake.requests)
