"""The token endpoint: client credentials, JWT bearer, refresh token, and the old username-password flow."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.access import ORG
from fake_crm.salesforce.errors import OAuthError
from fake_crm.salesforce.org import ORG_ID
from fake_crm.salesforce.signatures import claims_of
from fake_crm.salesforce.values import record_id
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fake_crm.salesforce.call import Call

JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LATEST_EXPIRY = 300  # seconds from now; 3 to 5 minutes are told in the vendor's pages


def token(call: Call) -> Reply:
    """POST token."""
    form = call.request.form
    grants: Mapping[str, Callable[[Call, dict[str, str]], dict[str, Any]]] = {
        "client_credentials": _client_credentials,
        "refresh_token": _refresh,
        "password": _password,
        JWT: _jwt,
    }
    grant = grants.get(form.get("grant_type", ""))
    if grant is None:
        raise OAuthError("unsupported_grant_type", "grant type not supported")
    more = grant(call, form)
    return Reply.of({**_issued(call), **more}, headers={"Cache-Control": "no-store"})


def revoke(call: Call) -> Reply:
    """POST revoke: ends a session or the grant."""
    given = call.request.form.get("token", "")
    if given == call.access.refresh_token:
        call.access.revoked = True
    call.access.expire(given)
    return Reply(200)


def userinfo(call: Call) -> Reply:
    """GET userinfo: who the session is for."""
    user = record_id("005", 1)
    return Reply.of(
        {
            "sub": f"{call.base}/id/{ORG_ID}/{user}",
            "user_id": user,
            "organization_id": ORG_ID,
            "preferred_username": call.access.username,
            "name": "Fake User",
            "email": call.access.username,
            "urls": {"rest": f"{call.base}/services/data/v{{version}}/"},
        }
    )


def _issued(call: Call) -> dict[str, Any]:
    # no expires_in: a session's length is the org's setting, and every use prolongs it
    return {
        "access_token": call.access.open(),
        "instance_url": call.base,
        "id": f"{call.base}/id/{ORG_ID}/{record_id('005', 1)}",
        "token_type": "Bearer",
        "issued_at": str(call.org.clock.millis()),
        "signature": base64.b64encode(ORG.encode()).decode(),
        "scope": "api refresh_token",
    }


def _client_credentials(call: Call, form: dict[str, str]) -> dict[str, Any]:
    if not call.quirks.my_domain:
        raise OAuthError("invalid_grant", "request not supported on this domain")
    _check_client(call, form)
    return {}


def _refresh(call: Call, form: dict[str, str]) -> dict[str, Any]:
    _check_client(call, form)
    access, given = call.access, form.get("refresh_token", "")
    if given in access.used_up:
        access.revoked = True  # a token that was rotated away came back: somebody else may have it
    if access.revoked or given != access.refresh_token:
        raise OAuthError("invalid_grant", "expired access/refresh token")
    return {"refresh_token": access.rotate()} if call.quirks.rotate_refresh_tokens else {}


def _password(call: Call, form: dict[str, str]) -> dict[str, Any]:
    _check_client(call, form)
    access = call.access
    right = (access.username, access.password + access.security_token)
    if not call.quirks.password_flow or right != (form.get("username"), form.get("password")):
        raise OAuthError("invalid_grant", "authentication failure")
    return {}


def _jwt(call: Call, form: dict[str, str]) -> dict[str, Any]:
    access, now = call.access, call.org.clock.millis() // 1000
    try:
        claims = claims_of(form.get("assertion", ""), access.jwt_key)
    except (ValueError, AttributeError, OverflowError):
        raise OAuthError("invalid_grant", "invalid assertion") from None
    if claims.get("iss") != access.client_id:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    if claims.get("aud") not in access.audiences:
        raise OAuthError("invalid_grant", "audience is invalid")
    if not now < int(claims.get("exp", 0)) <= now + _LATEST_EXPIRY:
        raise OAuthError("invalid_grant", "expired authorization code")  # wording unverified
    if claims.get("sub") != access.username or not access.jwt_approved:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")
    return {}


def _check_client(call: Call, form: dict[str, str]) -> None:
    given, secret = form.get("client_id"), form.get("client_secret")
    kind, _, value = call.request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic":
        given, _, secret = _basic(value).partition(":")
    if given != call.access.client_id:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    if secret != call.access.client_secret:
        raise OAuthError("invalid_client", "invalid client credentials")


def _basic(value: str) -> str:
    try:
        return base64.b64decode(value).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
