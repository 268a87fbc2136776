"""Pipedrive's refusals (vendor pages "HTTP status codes" and "Rate limiting"; wordings are partly unverified)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fake_crm.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fake_crm.faults import Fault

INFO = "Please check developers.pipedrive.com"
BLOCKED = (
    '<!DOCTYPE html>\n<html lang="en-US"><head><title>Attention Required! | Cloudflare</title></head>'
    "<body><h1>Sorry, you have been blocked</h1><p>You are unable to access pipedrive.com</p></body></html>\n"
)


class ApiError(Exception):
    """A refusal; becomes a reply with Pipedrive's error body."""

    def __init__(self, status: int, message: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self._body = {"success": False, "error": message, "error_info": INFO, "data": None, "additional_data": None}
        self._body |= more

    def reply(self) -> Reply:
        """The refusal as it is sent."""
        return Reply.of(self._body, self.status, self.headers)


def unauthorized() -> ApiError:
    """401 as it was seen live."""
    return ApiError(401, "unauthorized access", headers={"x-401-by-gw": "true"}, errorCode=401)


def wrong_scope() -> ApiError:
    """403 for an OAuth token without the scope; the body does not name it."""
    return ApiError(403, "Scope and URL mismatch", errorCode=403)


def bad_request(message: str) -> ApiError:
    """400 for a request that breaks a rule."""
    return ApiError(400, message, code="ERR_SCHEMA_VALIDATION_FAILED")


def not_found(what: str = "Entity") -> ApiError:
    """404."""
    return ApiError(404, f"{what} not found")


def feature_off(name: str) -> ApiError:
    """415 for a feature that the plan lacks or that is switched off."""
    return ApiError(415, f"The feature {name} is not enabled in this account")


def limited(headers: Mapping[str, str]) -> ApiError:
    """429; its body is undocumented."""
    return ApiError(429, "Rate limit exceeded", headers=headers)


def blocked() -> Reply:
    """403 of Cloudflare after continued 429s: a page, no JSON."""
    return Reply.html(BLOCKED, 403)


def injected(fault: Fault) -> Reply | None:
    """Pipedrive's own body for an ordered status; None where a proxy answers for it."""
    if fault.policy == "blocked":
        return blocked()
    if fault.status == 429:  # noqa: PLR2004 - the status itself
        daily = {"x-daily-ratelimit-token-limit": "30000", "x-daily-ratelimit-token-remaining": "0"}
        return limited(daily if fault.policy == "DAILY" else {}).reply()
    if fault.status in _INJECTED:
        return ApiError(fault.status, _INJECTED[fault.status]).reply()
    return None


_INJECTED: Mapping[int, str] = {
    400: "Bad request",
    401: "unauthorized access",
    402: "Company account is not open",
    403: "Forbidden",
    404: "Not found",
    410: "The resource is gone",
    415: "The feature is not enabled",
    500: "Internal server error",
    501: "Not implemented",
}
