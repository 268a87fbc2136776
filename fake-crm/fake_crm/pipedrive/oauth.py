"""OAuth of one app (vendor page "OAuth authorization"): Basic credentials, a form, and the company's own address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake_crm.pipedrive.access import LIFETIME
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.pipedrive.call import Call

_SCOPES = "base deals:full contacts:full"


def token(call: Call) -> Reply:
    """POST oauth/token."""
    form, access = call.request.form, call.access
    if not access.knows_app(call.request):
        return _refused(401, "invalid_client", "The client credentials are invalid")
    match form.get("grant_type"):
        case "refresh_token" if not access.revoked and form.get("refresh_token") == access.refresh_token:
            pass
        case "authorization_code" if form.get("code") == access.authorization_code and form.get("redirect_uri"):
            access.revoked = False
        case "refresh_token" | "authorization_code":
            return _refused(400, "invalid_grant", "Invalid grant: the token or code is invalid")
        case _:
            return _refused(400, "unsupported_grant_type", "Unsupported grant type")
    issued = access.issue()
    return Reply.of(
        {
            "access_token": issued.value,
            "token_type": "bearer",
            "refresh_token": access.refresh_token,
            "scope": " ".join(sorted(issued.scopes)) if issued.scopes is not None else _SCOPES,
            "expires_in": LIFETIME,
            "api_domain": call.base,
        }
    )


def revoke(call: Call) -> Reply:
    """POST oauth/revoke: ends the refresh token."""
    if not call.access.knows_app(call.request):
        return _refused(401, "invalid_client", "The client credentials are invalid")
    if call.request.form.get("token") == call.access.refresh_token:
        call.access.revoked = True
    return Reply.of({"success": True})


def _refused(status: int, error: str, message: str) -> Reply:
    return Reply.of({"success": False, "error": error, "message": message}, status)
