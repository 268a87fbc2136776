"""Access by OAuth: tokens that are refused or revoked in the midst of a sync (faults A01 to A04, A07)."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import ConfigError, ExitCode, UnauthorizedError
from crmdb_core.tokens import TokenError
from fake_crm import FakeCrm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot.conftest import RunTap


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(seed=12, contacts=450, companies=0, deals=0, tickets=0, tokens=()) as crm:
        yield crm


def access(crm: FakeCrm, **more: Any) -> dict[str, Any]:
    return {
        "access_token": None,
        "client_id": crm.access.client_id,
        "client_secret": crm.access.client_secret,
        "refresh_token": crm.access.refresh_token,
        **more,
    }


def grants(crm: FakeCrm) -> int:
    return sum(request.path.endswith("/oauth/2026-09/token") for request in crm.requests)


def expire_at_third_page(crm: FakeCrm) -> None:
    """Let the token in use be over when the third page of contacts is asked for."""
    seen: list[str] = []

    def hook(request: Any) -> None:
        if request.path.endswith("/objects/2026-09/contacts"):
            seen.append(request.path)
            if len(seen) == 3:
                crm.access.expire(request.headers["Authorization"].removeprefix("Bearer "))

    crm.on_request(hook)


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a01_a_token_that_ends_in_the_midst_is_refreshed_once_and_nothing_is_lost(
    run_tap: RunTap, crm: FakeCrm, concurrency: int
) -> None:
    expire_at_third_page(crm)
    run = run_tap(crm, "contacts", concurrency=concurrency, **access(crm))
    assert run.error is None
    assert run_tap.differences(crm, "contacts", run) == []
    assert len(set(run.ids("contacts"))) == len(run.ids("contacts"))
    assert grants(crm) == 2


def test_a02_a_revoked_refresh_token_is_a_matter_of_settings(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.access.revoked = True
    error = run_tap(crm, "contacts", **access(crm)).error
    assert isinstance(error, ConfigError)
    assert error.exit_code == ExitCode.CONFIG
    assert "connect again" in str(error)
    assert grants(crm) == 1


def test_a03_a_rotated_refresh_token_is_kept_for_the_next_run(run_tap: RunTap, crm: FakeCrm, tmp_path: Path) -> None:
    crm.quirks.rotate_refresh_tokens = True
    store = tmp_path / "tokens.json"
    settings = access(crm, token_store=str(store))
    expire_at_third_page(crm)
    assert run_tap(crm, "contacts", **settings).error is None
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert json.loads(store.read_text())["refresh_token"] == crm.access.refresh_token
    before = grants(crm)
    assert run_tap(crm, "contacts", **settings).error is None
    assert grants(crm) == before


def test_a01_a_key_that_is_withdrawn_in_the_midst_ends_with_78_and_keeps_the_state(run_tap: RunTap) -> None:
    with FakeCrm(seed=12, contacts=450, companies=0, deals=0, tickets=0) as crm:
        expire_at_third_page(crm)
        cut = run_tap(crm, "contacts", concurrency=1)
        assert isinstance(cut.error, UnauthorizedError)
        assert cut.error.exit_code == ExitCode.CONFIG
        assert "has expired" in str(cut.error)
        crm.access.add_token("another")
        done = run_tap(crm, "contacts", state=cut.state, access_token="another")
        assert done.error is None
        assert run_tap.differences(crm, "contacts", cut, done) == []
        assert not set(cut.ids("contacts")) & set(done.ids("contacts"))


def revoke_at_third_page(crm: FakeCrm) -> None:
    """Let the account disconnect the app in the midst of a run."""
    seen: list[str] = []

    def hook(request: Any) -> None:
        if request.path.endswith("/objects/2026-09/contacts"):
            seen.append(request.path)
            if len(seen) == 3:
                crm.access.revoked = True
                crm.access.expire(request.headers["Authorization"].removeprefix("Bearer "))

    crm.on_request(hook)


def test_a02_a_grant_that_is_revoked_in_the_midst_keeps_the_state(run_tap: RunTap, crm: FakeCrm) -> None:
    revoke_at_third_page(crm)
    cut = run_tap(crm, "contacts", concurrency=1, **access(crm))
    assert isinstance(cut.error, ConfigError)
    assert "connect again" in str(cut.error)
    assert grants(crm) == 2
    crm.access.revoked = False
    crm.access.refresh_token = "another-refresh-token"  # connected again
    done = run_tap(crm, "contacts", state=cut.state, **access(crm))
    assert done.error is None
    assert run_tap.differences(crm, "contacts", cut, done) == []
    assert not set(cut.ids("contacts")) & set(done.ids("contacts"))


def test_a02_the_older_wording_of_a_revoked_grant_is_understood(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.faults.add(path="/oauth/", status=400, body={"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid"})
    error = run_tap(crm, "contacts", **access(crm)).error
    assert isinstance(error, ConfigError)
    assert "connect again" in str(error)


def test_a03_a_store_that_cannot_be_written_stops_the_run_at_once(
    run_tap: RunTap, crm: FakeCrm, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    error = run_tap(crm, **access(crm, token_store=str(tmp_path / "file" / "tokens.json"))).error
    assert isinstance(error, TokenError)
    assert grants(crm) == 0


TAP = Path(sys.executable).parent / "tap-hubspot"


def test_a04_two_taps_that_start_together_refresh_a_rotating_token_once(crm: FakeCrm, tmp_path: Path) -> None:
    crm.quirks.rotate_refresh_tokens = True
    crm.faults.add(
        path="/oauth/", kind="latency", seconds=0.5, times=None
    )  # the second comes while the first refreshes
    settings = {"api_url": crm.url, **access(crm, token_store=str(tmp_path / "tokens.json"))}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({name: value for name, value in settings.items() if value is not None}))
    config.chmod(0o600)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TAP_")}
    taps = [
        subprocess.Popen(
            [TAP, "--config", config, "--check"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for _ in range(2)
    ]
    ends = [tap.communicate(timeout=60) for tap in taps]
    assert [0, 0] == [tap.returncode for tap in taps], ends
    assert grants(crm) == 1


@pytest.mark.parametrize("skew", [-600, 600])
def test_a07_a_clock_that_is_ten_minutes_off_neither_renews_nor_reads_too_much(run_tap: RunTap, skew: int) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    server = now + timedelta(seconds=skew)
    with FakeCrm(seed=12, contacts=30, companies=0, deals=0, tickets=0, tokens=(), clock=server, frozen=False) as crm:
        run = run_tap(crm, "contacts", hold_back=0, **access(crm))
        assert run.error is None
        assert grants(crm) == 1
        bookmark = datetime.fromisoformat(run.bookmark("contacts"))
        assert abs(bookmark - crm.clock.now()) < timedelta(seconds=60)
