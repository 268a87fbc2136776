"""OAuth tokens at v1, v3 and dated paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm import FakeCrm

PATHS = ["/oauth/v1/token", "/oauth/v3/token", "/oauth/2026-03/token", "/oauth/2026-09/token"]
DATED = PATHS[-1]


def form(crm: FakeCrm, **changes: str) -> dict[str, str]:
    return {
        "grant_type": "refresh_token",
        "client_id": crm.access.client_id,
        "client_secret": crm.access.client_secret,
        "refresh_token": crm.access.refresh_token,
        **changes,
    }


def refresh(client: Any, path: str = DATED, **changes: str) -> Any:
    return client.call("POST", path, data=form(client.crm, **changes))


@pytest.mark.parametrize("path", PATHS)
def test_a_refresh_gives_a_token_for_30_minutes(
    client_of: Callable[..., Any], crm: FakeCrm, client: Any, path: str
) -> None:
    issued = refresh(client, path).json()
    assert ("bearer", 1800, 123456) == (issued["token_type"], issued["expires_in"], issued["hub_id"])
    assert crm.access.refresh_token == issued["refresh_token"]
    caller = client_of(crm, token=issued["access_token"])
    crm.clock.advance(1799)
    assert 200 == caller.get("/crm/v3/owners").status_code
    crm.clock.advance(1)
    assert "EXPIRED_AUTHENTICATION" == caller.get("/crm/v3/owners").json()["category"]


def test_a_refresh_token_may_rotate(client: Any, crm: FakeCrm) -> None:
    crm.quirks.rotate_refresh_tokens = True
    old = crm.access.refresh_token
    new = refresh(client).json()["refresh_token"]
    assert old != new
    assert 400 == refresh(client, refresh_token=old).status_code
    assert 200 == refresh(client, refresh_token=new).status_code


def test_a_revoked_grant_is_400(client: Any, crm: FakeCrm) -> None:
    revoke = client.call("POST", f"{DATED}/revoke", data=form(crm, token=crm.access.refresh_token))
    assert 204 == revoke.status_code
    assert (400, "invalid_grant") == (refresh(client).status_code, refresh(client).json()["error"])
    assert "BAD_REFRESH_TOKEN" == refresh(client, PATHS[0]).json()["status"]


@pytest.mark.parametrize(
    "change", [{"client_id": "x"}, {"client_secret": "x"}, {"refresh_token": "x"}, {"grant_type": "password"}]
)
def test_wrong_fields_are_400(client: Any, change: dict[str, str]) -> None:
    assert 400 == refresh(client, **change).status_code


def test_introspection_tells_what_a_token_may(client: Any, crm: FakeCrm) -> None:
    crm.access.add_token("narrow", scopes=["tickets"], expires_in=60)

    def introspected() -> Any:
        return client.call("POST", f"{DATED}/introspect", data=form(crm, token="narrow")).json()

    assert (True, ["tickets"], 60) == tuple(introspected()[name] for name in ("active", "scopes", "expires_in"))
    assert ["tickets"] == client.get("/oauth/v1/access-tokens/narrow").json()["scopes"]
    crm.clock.advance(61)
    assert {"active": False} == introspected()


def test_an_access_token_has_the_scopes_that_the_account_granted(
    client_of: Callable[..., Any], client: Any, crm: FakeCrm
) -> None:
    crm.access.granted = frozenset({"crm.objects.owners.read"})
    issued = refresh(client).json()
    assert ["crm.objects.owners.read"] == issued["scopes"]
    caller = client_of(crm, token=issued["access_token"])
    assert (200, 403) == (caller.get("/crm/v3/owners").status_code, caller.get("/crm/v3/objects/deals").status_code)
