"""OAuth: tokens refreshed, rotated and kept; the company that they are for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import ConfigError, ExitCode, SyncFailedError
from tests.tap_pipedrive.conftest import differences

if TYPE_CHECKING:
    from fake_crm import FakePipedrive
    from tests.tap_pipedrive.conftest import RunTap


@pytest.fixture
def oauth(crm: FakePipedrive, tmp_path: Path) -> dict[str, Any]:
    access = crm.access
    return {
        "api_token": None,
        "client_id": access.client_id,
        "client_secret": access.client_secret,
        "refresh_token": access.refresh_token,
        "oauth_url": crm.url,
        "token_store": str(tmp_path / "tokens.json"),
    }


def asked_for_tokens(crm: FakePipedrive) -> int:
    return sum(entry.path == "/oauth/token" for entry in crm.requests)


def test_an_app_reads_and_keeps_its_token(run_tap: RunTap, crm: FakePipedrive, oauth: dict[str, Any]) -> None:
    for _ in range(2):
        run = run_tap(crm, "deals", "leads", **oauth)
        assert run.error is None
        assert differences(crm, "deals", run) == []
    assert asked_for_tokens(crm) == 1
    assert all("Basic" in entry.request.headers["Authorization"] for entry in crm.requests if entry.method == "POST")


def test_a01_a_token_that_is_over_in_the_middle_is_refreshed_once(
    run_tap: RunTap, crm: FakePipedrive, oauth: dict[str, Any]
) -> None:
    pages: list[Any] = []

    def expire(request: Any) -> None:
        if request.path == "/api/v2/persons":
            pages.append(request)
            if len(pages) == 3:
                crm.access.expire(request.headers["Authorization"].removeprefix("Bearer "))

    crm.on_request(expire)
    run = run_tap(crm, "persons", page_size=7, **oauth)
    assert run.error is None
    assert differences(crm, "persons", run) == []
    assert len(run.ids("persons")) == len(set(run.ids("persons")))
    assert asked_for_tokens(crm) == 2


def test_a02_a_revoked_refresh_token_is_a_matter_of_settings(
    run_tap: RunTap, crm: FakePipedrive, oauth: dict[str, Any], waits: list[float]
) -> None:
    crm.access.revoked = True
    run = run_tap(crm, "deals", **oauth)
    assert isinstance(run.error, ConfigError)
    assert "connect the app again" in str(run.error)
    assert (asked_for_tokens(crm), waits) == (1, [])
    wrong = run_tap(crm, "deals", **{**oauth, "client_secret": "wrong"})
    assert wrong.error is not None
    assert wrong.error.exit_code == ExitCode.CONFIG


def test_a03_a_rotated_refresh_token_is_kept_before_it_is_used(
    run_tap: RunTap, crm: FakePipedrive, oauth: dict[str, Any]
) -> None:
    crm.access.rotates = True
    stores: list[str] = []

    def look(request: Any) -> None:
        if request.path == "/v1/users/me":
            with open(oauth["token_store"], encoding="utf-8") as file:  # noqa: PTH123 - as short as it gets
                stores.append(json.load(file)["refresh_token"])

    crm.on_request(look)
    for _ in range(3):
        assert run_tap(crm, "stages", **oauth).error is None
        crm.clock.advance(7200)
        crm.access.expire(next(reversed(crm.access._tokens)))
    assert stores[0] != "fake-refresh-token"
    assert stores[-1] == crm.access.refresh_token or len(set(stores)) >= 2


def test_a_token_of_another_company_is_not_sent(run_tap: RunTap, crm: FakePipedrive, oauth: dict[str, Any]) -> None:
    crm._api.base = "https://other.pipedrive.com"
    run = run_tap(crm, "deals", **oauth)
    assert isinstance(run.error, ConfigError)
    assert "other.pipedrive.com" in str(run.error)
    assert {entry.path for entry in crm.requests} == {"/oauth/token"}


def test_a05_an_app_without_a_scope_is_told_so(run_tap: RunTap, crm: FakePipedrive, oauth: dict[str, Any]) -> None:
    crm.access.granted = frozenset({"base", "contacts:read"})
    run = run_tap(crm, "persons", "activities", **oauth)
    assert isinstance(run.error, SyncFailedError)
    assert "lacks the scope" in str(run.error.failures["activities"])
    assert differences(crm, "persons", run) == []


TAP = Path(sys.executable).with_name("tap-pipedrive")


def test_a04_two_taps_that_start_together_refresh_a_rotating_token_once(
    crm: FakePipedrive, oauth: dict[str, Any], tmp_path: Path
) -> None:
    crm.access.rotates = True
    # the second comes while the first refreshes
    crm.faults.add(path="/oauth/token", kind="latency", seconds=0.5, times=None)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"api_url": crm.url, **{k: each for k, each in oauth.items() if each is not None}}))
    config.chmod(0o600)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TAP_")}
    command: list[str | Path] = [TAP, "--config", config, "--check"]
    taps = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        for _ in range(2)
    ]
    ends = [tap.communicate(timeout=60) for tap in taps]
    assert [tap.returncode for tap in taps] == [0, 0], ends
    assert asked_for_tokens(crm) == 1
