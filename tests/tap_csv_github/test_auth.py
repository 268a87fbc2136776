"""Ways of access: tokens of any length, GitHub Apps with their renewals, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from crmdb_core.exceptions import ConfigError, ExitCode
from fake_crm.github.access import App
from tap_csv_github.auth import private_key
from tests.tap_csv_github.conftest import RunTap

if TYPE_CHECKING:
    from fake_crm import FakeGitHub
    from fake_crm.wire import Request


def pem(key: Any) -> str:
    kind = serialization.PrivateFormat.TraditionalOpenSSL
    return str(key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode())


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def run_app(github: FakeGitHub, key: rsa.RSAPrivateKey) -> RunTap:
    """Reads a private repository as an app."""
    numbers = key.public_key().public_numbers()
    github.access.apps["77"] = App(numbers.n, numbers.e, {5: frozenset({"acme/crm"})})
    github.repository("acme/crm", {"a.csv": "id\n1\n"}, private=True)
    app = {"app_id": "77", "app_private_key": pem(key).replace("\n", "\\n"), "app_installation_id": "5"}
    return RunTap({"repository": "acme/crm", "path": "**", "stream_name": "t"}, {"api_url": github.api_url, **app})


def test_a07_an_app_reads_what_it_is_installed_on_by_the_servers_clock(github: FakeGitHub, run_app: RunTap) -> None:
    """The fake's clock is weeks away from this machine's: the first JWT is refused, the second is made by its time."""
    run = run_app()
    assert run.error is None
    assert [{"id": "1"}] == run.rows("t")
    (asked, *again) = [entry.status for entry in github.requests if entry.path.endswith("/access_tokens")]
    assert (401, [201]) == (asked, again)


def test_a01_a_token_that_ends_in_the_middle_is_renewed_once(github: FakeGitHub, run_app: RunTap) -> None:
    """A03: an installation's tokens are asked for, not rotated: none can be lost."""
    seen: list[str] = []

    @github.on_request
    def end(request: Request) -> None:
        if "/git/trees/" in request.path and not seen:
            seen.append(request.headers["Authorization"])
            github.clock.advance(3601)

    run = run_app()
    assert run.error is None
    assert [{"id": "1"}] == run.rows("t")
    assert seen


def test_a_token_is_renewed_before_its_end(github: FakeGitHub, run_app: RunTap) -> None:
    @github.on_request
    def near_the_end(request: Request) -> None:
        if "/git/trees/" in request.path:
            github.clock.advance(3350)

    assert run_app().error is None
    statuses = [entry.status for entry in github.requests if not entry.path.endswith("/access_tokens")]
    assert 401 not in statuses


@pytest.mark.parametrize("wrong", [{"app_id": "78"}, {"app_installation_id": "6"}])
def test_a02_an_app_that_is_refused_is_a_matter_of_settings(run_app: RunTap, wrong: dict[str, str]) -> None:
    run = run_app(config=wrong)
    assert isinstance(run.error, ConfigError)
    assert "app_installation_id" in str(run.error)


def test_a02_a_token_that_is_refused_is_a_matter_of_settings(github: FakeGitHub, run_tap: RunTap) -> None:
    github.repository("acme/crm", {"a.csv": "id\n1\n"})
    run = run_tap(config={"auth_token": "gone"})
    assert run.error is not None
    assert ExitCode.CONFIG == run.error.exit_code
    assert 1 == len(github.requests)


@pytest.mark.parametrize("text", ["nonsense", pem(ec.generate_private_key(ec.SECP256R1()))])
def test_a_key_that_is_none_is_told_without_it(text: str) -> None:
    with pytest.raises(ConfigError, match="app_private_key") as raised:
        private_key(text)
    assert text not in str(raised.value)


def test_c02_no_secret_and_no_value_is_in_any_log_line(
    github: FakeGitHub, run_tap: RunTap, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    secret = "ghp_canary0123456789abcdefCANARY"
    github.access.tokens[secret] = github.access.tokens[github.token]
    text = 'id,mail,n\n1,canary@example.com,x\n2,"canary open,1\n3,canary,many,more\n'
    github.repository("acme/crm", {"a.csv": text}).commit_lfs("b.csv", b"id\ncanary\n")
    github.repository("acme/crm2", {"a.csv": b"id\ncanary\xff\n"})
    config = {"auth_token": secret, "debug": True}
    run = run_tap(
        config=config,
        files=[
            {"stream_name": "t", "types": {"n": "integer"}},
            {"repository": "acme/crm2", "stream_name": "u", "bad_bytes": "reject"},
        ],
    )
    assert run.rejects
    assert "canary" not in caplog.text.lower()
    assert "signature=s3cret" not in caplog.text
