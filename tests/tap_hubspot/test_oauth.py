"""Access by OAuth: tokens that are refused or revoked in the midst of a sync (faults A01 to A03)."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import ConfigError, ExitCode
from fake_crm import FakeCrm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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


def test_a01_a_token_that_ends_in_the_midst_is_refreshed_once_and_nothing_is_lost(
    run_tap: RunTap, crm: FakeCrm
) -> None:
    expire_at_third_page(crm)
    run = run_tap(crm, "contacts", **access(crm))
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
