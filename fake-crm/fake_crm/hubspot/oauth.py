"""OAuth tokens (vendor page "OAuth tokens"): the same call at v1, v3 and dated paths, in form fields."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from fake_crm.hubspot.access import LIFETIME
from fake_crm.hubspot.errors import ApiError, not_found
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.hubspot.access import Access, Token
    from fake_crm.hubspot.call import Call


def token(call: Call) -> Reply:
    """POST token: refresh_token or authorization_code for an access token of 30 minutes."""
    form, access = call.request.form, call.access
    _check_client(form, access, call)
    match form.get("grant_type"):
        case "refresh_token" if not access.revoked and form.get("refresh_token") == access.refresh_token:
            pass
        case "authorization_code" if form.get("code") == access.authorization_code:
            access.revoked = False
        case "refresh_token" | "authorization_code":
            raise _bad_grant(call)
        case _:
            raise _refused(400, "UNSUPPORTED_GRANT_TYPE", "unsupported_grant_type", "grant_type is missing or unknown")
    if call.quirks.rotate_refresh_tokens:
        access.refresh_token = f"refresh-{secrets.token_hex(12)}"
    return Reply.of(_issued(access.issue(), call))


def introspect(call: Call) -> Reply:
    """POST token/introspect: what a token may do; its exact fields are unverified."""
    form, access = call.request.form, call.access
    _check_client(form, access, call)
    found = access.find(form.get("token", ""))
    if found is None or access.is_over(found):
        return Reply.of({"active": False})
    return Reply.of(_described(found, call))


def describe(call: Call) -> Reply:
    """GET /oauth/v1/access-tokens/{token}: what a token may do."""
    found = call.access.find(call.path["token"])
    if found is None:
        raise not_found("the token does not exist")
    return Reply.of(_described(found, call))


def revoke(call: Call) -> Reply:
    """POST token/revoke: ends the refresh token."""
    form, access = call.request.form, call.access
    _check_client(form, access, call)
    if form.get("token") == access.refresh_token:
        access.revoked = True
    elif access.find(form.get("token", "")):
        access.expire(form["token"])
    return Reply(204)


def _issued(issued: Token, call: Call) -> dict[str, Any]:
    return {
        "token_type": "bearer",
        "access_token": issued.value,
        "refresh_token": call.access.refresh_token,
        "expires_in": LIFETIME,
        "hub_id": call.world.account.portal_id,
        "scopes": sorted(issued.scopes or ("oauth",)),
    }


def _described(found: Token, call: Call) -> dict[str, Any]:
    return {
        "active": True,
        "token": found.value,
        "token_type": "access",
        "hub_id": call.world.account.portal_id,
        "app_id": 1,
        "user_id": 1,
        "user": "fake@example.com",
        "hub_domain": "fake.example.com",
        "client_id": call.access.client_id,
        "scopes": sorted(found.scopes or ("oauth",)),
        "expires_in": LIFETIME if found.ends is None else max(0, (found.ends - call.world.now()) // 1000),
    }


def _check_client(form: dict[str, str], access: Access, call: Call) -> None:
    if form.get("client_id") != access.client_id:
        raise _refused(400, "BAD_CLIENT_ID", "invalid_client", "missing or unknown client id", call)
    if form.get("client_secret") != access.client_secret:
        raise _refused(400, "BAD_CLIENT_SECRET", "invalid_client", "missing or invalid client secret", call)


def _bad_grant(call: Call) -> ApiError:
    return _refused(400, "BAD_REFRESH_TOKEN", "invalid_grant", "missing or invalid refresh token", call)


def _refused(status: int, legacy: str, error: str, message: str, call: Call | None = None) -> ApiError:
    """The legacy status on v1, the OAuth error elsewhere."""
    refusal = ApiError(status, message, None, error=error, error_description=message)
    if call is not None and call.request.path.startswith("/oauth/v1/"):
        refusal.body["status"] = legacy
    return refusal
