"""A01-A04: access tokens are refreshed once for all, and a rotated refresh token is on disk before it is used."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
import requests

from crmdb_core.exceptions import ConfigError, CrmdbError, ExitCode, UnauthorizedError
from crmdb_core.http import ApiSession
from crmdb_core.redaction import current
from crmdb_core.tokens import RefreshTokenAuth, Token, TokenStore, refresh_grant

if TYPE_CHECKING:
    from pathlib import Path


class Vendor:
    """Issues tokens; a refresh token works once."""

    def __init__(self) -> None:
        self.valid = "refresh-0"
        self.issued = 0

    def __call__(self, refresh_token: str) -> dict[str, Any]:
        assert self.valid == refresh_token, "a spent refresh token was used"
        self.issued += 1
        self.valid = f"refresh-{self.issued}"
        return {"access_token": f"access-{self.issued}", "refresh_token": self.valid, "expires_in": 1800}


class Now:
    """Epoch seconds under the test's control."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


def signed(auth: RefreshTokenAuth) -> str:
    return auth(requests.Request("GET", "http://x").prepare()).headers["Authorization"]


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "private" / "token.json")


def test_a_token_is_fetched_once_and_renewed_before_its_end() -> None:
    vendor, now = Vendor(), Now()
    auth = RefreshTokenAuth(vendor, refresh_token="refresh-0", now=now)
    assert "Bearer access-1" == signed(auth)
    now.seconds += 1400
    assert "Bearer access-1" == signed(auth)
    now.seconds += 150  # 250 s before its end
    assert "Bearer access-2" == signed(auth)


@pytest.mark.parametrize("name", ["instance_url", "api_domain"])
def test_where_a_token_is_for_is_known_to_the_next_run_too(store: TokenStore, name: str) -> None:
    vendor, now = Vendor(), Now()

    def grant(token: str) -> dict[str, Any]:
        return {**vendor(token), name: "https://x.example.com"}

    for _ in range(2):
        auth = RefreshTokenAuth(grant, refresh_token="refresh-0", store=store, now=now)
        assert "https://x.example.com" == auth.home
    assert 1 == vendor.issued
    assert "" == RefreshTokenAuth(Vendor(), refresh_token="refresh-0", now=now).home


def test_a_very_short_lived_token_is_not_renewed_at_every_request() -> None:
    vendor, now = Vendor(), Now()
    auth = RefreshTokenAuth(lambda token: {**vendor(token), "expires_in": 60}, refresh_token="refresh-0", now=now)
    assert "Bearer access-1" == signed(auth)
    now.seconds += 20
    assert "Bearer access-1" == signed(auth)


def test_a01_a_401_is_answered_by_one_refresh_for_all_threads(server: Any) -> None:
    vendor = Vendor()

    def guard(request: Any, wire: Any) -> None:
        good = request.headers["authorization"] == "Bearer access-2"
        wire.answer({"path": request.path}, 200 if good else 401)

    server.default = guard
    session = ApiSession(api_url=server.url, auth=RefreshTokenAuth(vendor, refresh_token="refresh-0"))
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(session.get_json("/x"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [{"path": "/x"}] * 8 == found
    assert 2 == vendor.issued


def test_a_second_401_is_final(server: Any) -> None:
    server.default = lambda _, wire: wire.answer({}, 401)
    session = ApiSession(api_url=server.url, auth=RefreshTokenAuth(Vendor(), refresh_token="refresh-0"))
    with pytest.raises(UnauthorizedError) as caught:
        session.get_json("/x")
    assert 2 == len(server.requests)
    assert (ExitCode.CONFIG, True) == (caught.value.exit_code, caught.value.stops_run)


@pytest.mark.parametrize("body", [{"error": "invalid_grant"}, {"status": "BAD_REFRESH_TOKEN"}])
def test_a02_a_revoked_grant_asks_to_connect_again(server: Any, body: dict[str, str]) -> None:
    server.default = lambda _, wire: wire.answer(body, 400)
    grant = refresh_grant(ApiSession(api_url=server.url), "/oauth/token", client_id="id", client_secret="shh-secret")
    with pytest.raises(ConfigError, match="connect again"):
        signed(RefreshTokenAuth(grant, refresh_token="refresh-0"))
    assert 1 == len(server.requests)


def test_other_refusals_of_the_grant_name_the_settings(server: Any) -> None:
    server.default = lambda _, wire: wire.answer({"error": "invalid_client"}, 401)
    grant = refresh_grant(ApiSession(api_url=server.url), "/oauth/token", client_id="id", client_secret="shh-secret")
    with pytest.raises(ConfigError, match="client_id"):
        grant("refresh-0")


def test_the_grant_is_a_form_and_retried(server: Any, clock: Any) -> None:
    server.then(lambda _, wire: wire.answer({}, 503))
    server.default = lambda _, wire: wire.answer({"access_token": "a", "expires_in": 1800})
    session = ApiSession(api_url=server.url, clock=clock, sleep=clock.sleep)
    refresh_grant(session, "/oauth/token", client_id="id", client_secret="sec&ret")("refresh-0")
    expected = {"grant_type": ["refresh_token"], "client_id": ["id"], "client_secret": ["sec&ret"]}
    assert {**expected, "refresh_token": ["refresh-0"]} == parse_qs(server.requests[1].body.decode())


def test_an_answer_without_token_is_refused() -> None:
    with pytest.raises(CrmdbError, match="holds no token"):
        signed(RefreshTokenAuth(lambda _: {"hello": "world"}, refresh_token="refresh-0"))


def test_a03_a_rotated_token_is_saved_before_it_is_used(store: TokenStore) -> None:
    vendor = Vendor()
    signed(RefreshTokenAuth(vendor, refresh_token="refresh-0", store=store))
    later = RefreshTokenAuth(vendor, refresh_token="refresh-0", store=store)  # a new process after a crash
    assert "Bearer access-1" == signed(later)
    later.refresh()
    assert "Bearer access-2" == signed(later)
    assert "refresh-2" == json.loads(store.path.read_text())["refresh_token"]


def test_a03_a_token_that_cannot_be_saved_is_not_used(store: TokenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    auth = RefreshTokenAuth(Vendor(), refresh_token="refresh-0", store=store)
    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(CrmdbError, match=r"Input/output error; a new token was not used"):
        signed(auth)
    assert [] == [path for path in store.path.parent.iterdir() if path.name.startswith(".")]


def test_a_new_refresh_token_in_the_settings_replaces_the_stored_one(store: TokenStore) -> None:
    signed(RefreshTokenAuth(Vendor(), refresh_token="refresh-0", store=store))
    reconnected = Vendor()
    reconnected.valid = "brand-new"
    signed(RefreshTokenAuth(reconnected, refresh_token="brand-new", store=store))
    assert 1 == reconnected.issued


def test_the_store_is_closed_to_others_and_broken_ones_are_replaced(store: TokenStore) -> None:
    with store.locked():
        store.save(Token("access-1", "refresh-1", 0.0))
    assert 0o600 == stat.S_IMODE(store.path.stat().st_mode)
    assert 0o700 == stat.S_IMODE(store.path.parent.stat().st_mode)
    store.path.write_text("{")
    assert store.load() is None


def test_an_unusable_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    auth = RefreshTokenAuth(Vendor(), refresh_token="refresh-0", store=TokenStore(tmp_path / "file" / "token.json"))
    with pytest.raises(CrmdbError, match="token store"):
        signed(auth)


def test_refreshed_tokens_are_kept_out_of_logs() -> None:
    signed(RefreshTokenAuth(Vendor(), refresh_token="refresh-0"))
    redactor = current()
    assert redactor is not None
    assert "got *** and ***" == redactor.redact("got access-1 and refresh-1")


def test_a_token_does_not_show_in_its_repr() -> None:
    assert "secret" not in repr(Token("secret-a", "secret-r", 1.0))


USE_STORE = """
import sys
import requests
from crmdb_core.http import ApiSession
from crmdb_core.tokens import RefreshTokenAuth, TokenStore, refresh_grant
path, url = sys.argv[1:]
grant = refresh_grant(ApiSession(api_url=url), "/oauth/token", client_id="id", client_secret="shh-secret")
auth = RefreshTokenAuth(grant, refresh_token="refresh-0", store=TokenStore(path))
sys.stdin.readline()
print(auth(requests.Request("GET", "http://x").prepare()).headers["Authorization"])
"""


def test_a04_two_processes_refresh_a_rotating_token_once(server: Any, store: TokenStore) -> None:
    vendor = Vendor()

    def token(request: Any, wire: Any) -> None:
        time.sleep(0.2)  # the second process comes while the first is refreshing
        wire.answer(vendor(parse_qs(request.body.decode())["refresh_token"][0]))

    server.default = token
    command = [sys.executable, "-c", USE_STORE, str(store.path), server.url]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    found = [process.communicate(timeout=30)[0] for process in processes]
    assert ["Bearer access-1\n"] * 2 == found
    assert 1 == vendor.issued
