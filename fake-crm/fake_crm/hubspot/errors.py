"""HubSpot's refusals (vendor page "Error handling"; every field of the body is optional there)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from fake_crm.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fake_crm.faults import Fault

CORRELATION = "X-HubSpot-Correlation-Id"
SCOPES_PAGE = "https://developers.hubspot.com/scopes"
AUTH_PAGE = "https://developers.hubspot.com/docs/methods/auth/oauth-overview"
TOO_LONG = (
    "<html>\r\n<head><title>414 Request-URI Too Large</title></head>\r\n<body>\r\n"
    "<center><h1>414 Request-URI Too Large</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n"
)
POLICIES = ("DAILY", "TEN_SECONDLY_ROLLING", "SECONDLY")


class ApiError(Exception):
    """A refusal; becomes a reply with HubSpot's error body."""

    def __init__(
        self,
        status: int,
        message: str,
        category: str | None = "VALIDATION_ERROR",
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body: dict[str, Any] = {"status": "error", "message": message, "category": category, **more}
        if errors:
            self.body["errors"] = list(errors)

    def reply(self) -> Reply:
        """The refusal as it is sent."""
        correlation = str(uuid.uuid4())
        body = {**{k: v for k, v in self.body.items() if v is not None}, "correlationId": correlation}
        return Reply.of(body, self.status, {CORRELATION: correlation, **self.headers})


def not_found(message: str = "resource not found") -> ApiError:
    """404; the exact wording is unverified."""
    return ApiError(404, message, "OBJECT_NOT_FOUND")


def invalid(message: str, *errors: Mapping[str, Any]) -> ApiError:
    """400 for a request that breaks a rule."""
    return ApiError(400, message, errors=errors)


def unauthenticated() -> ApiError:
    """401 without credentials."""
    message = (
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
        f"details at {AUTH_PAGE}"
    )
    return ApiError(401, message, "INVALID_AUTHENTICATION")


def expired(message: str, since: str) -> ApiError:
    """401 for a token that is over."""
    return ApiError(401, message, "EXPIRED_AUTHENTICATION", context={"expire time": [since]})


def missing_scopes(scopes: Sequence[str], key: str) -> ApiError:
    """403; having any one of the scopes is enough. `key` is requiredScopes or requiredGranularScopes."""
    return ApiError(
        403,
        "This app hasn't been granted all required scopes to make this call. "
        f"Read more about required scopes here: {SCOPES_PAGE}.",
        "MISSING_SCOPES",
        errors=[{"message": "One or more of the following scopes are required.", "context": {key: list(scopes)}}],
        links={"scopes": SCOPES_PAGE},
    )


def switched_off(name: str, status: int) -> ApiError:
    """For an object type that the account has not switched on; status, category and wording are unverified."""
    return ApiError(status, f"The object type {name} is not enabled in this account.", "OBJECT_TYPE_NOT_ENABLED")


def limited(policy: str, headers: Mapping[str, str] | None = None) -> ApiError:
    """429 (vendor page "API usage guidelines")."""
    return ApiError(
        429,
        f"You have reached your {policy.lower()} limit.",
        None,
        headers=headers,
        errorType="RATE_LIMIT",
        policyName=policy,
        requestId=str(uuid.uuid4()),
    )


def injected(fault: Fault) -> Reply | None:
    """HubSpot's own body for an ordered status; None where a proxy answers for it."""
    if fault.status == 429:  # noqa: PLR2004 - the status itself
        return limited(fault.policy or "TEN_SECONDLY_ROLLING").reply()
    if fault.status == 414:  # noqa: PLR2004 - as above
        return Reply.html(TOO_LONG, 414)
    if fault.status in _INJECTED:
        return ApiError(fault.status, *_INJECTED[fault.status]).reply()
    return None


_INJECTED: Mapping[int, tuple[str, str | None]] = {
    401: ("The OAuth token used to make this call expired 1 second(s) ago.", "EXPIRED_AUTHENTICATION"),
    403: ("You do not have permissions to do that.", "BANNED"),
    423: ("The resource is locked; wait at least 2 seconds between requests.", "LOCKED"),
    477: ("The account is being moved to another data centre.", "MIGRATION_IN_PROGRESS"),  # wording unverified
    500: ("internal error", None),
}
