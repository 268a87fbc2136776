"""Salesforce's refusals: a JSON array with a message and a code, but HTML from what stands before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake_crm.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fake_crm.faults import Fault

TOO_LONG = "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>"
HEADERS_TOO_LARGE = "<h1>Bad Message 431</h1><pre>reason: Request Header Fields Too Large</pre>"
SETTING_UP = (
    "<html><head><title>Setting Up</title></head><body><h1>We are setting things up for you.</h1>"
    "<p>Please wait a moment and try again.</p></body></html>"
)


class ApiError(Exception):
    """A refusal; becomes a reply with Salesforce's error body."""

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def body(self) -> list[dict[str, str]]:
        """The refusal's JSON."""
        return [{"message": self.message, "errorCode": self.code}]

    def reply(self) -> Reply:
        """The refusal as it is sent."""
        return Reply.of(self.body(), self.status, self.headers)


class OAuthError(Exception):
    """A refusal of the token endpoint, in OAuth's form."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description

    def reply(self) -> Reply:
        """The refusal as it is sent."""
        return Reply.of({"error": self.error, "error_description": self.description}, self.status)


def not_found() -> ApiError:
    """404 for a path or record that there is not."""
    return ApiError(404, "NOT_FOUND", "The requested resource does not exist")


def invalid_session() -> ApiError:
    """401 for a token that is unknown or over."""
    return ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")


def over_limit() -> ApiError:
    """403 where the day's calls are used up."""
    return ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def invalid_locator() -> ApiError:
    """400 for a locator that is over or was never given."""
    return ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")


def unsupported_type(name: str, where: str = "") -> ApiError:
    """400 for an object that there is not."""
    message = (
        f"{where}sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to "
        "append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate "
        "names."
    )
    return ApiError(400, "INVALID_TYPE", message)


def injected(fault: Fault) -> Reply | None:
    """Salesforce's own body for an ordered status; `policy` may name the error code. None where a proxy answers."""
    if fault.status in _PAGES:
        return Reply.html(_PAGES[fault.status], fault.status)
    if fault.status == 406:  # noqa: PLR2004 - "CustomNotAcceptable", with an empty body
        return Reply(406, b"", {}, "text/html")
    if fault.policy:
        code = fault.policy
        status = _STATUS_OF.get(code, 400) if fault.status == 429 else fault.status  # noqa: PLR2004 - Fault's own default
        return ApiError(status, code, _TEXT_OF.get(code, code.replace("_", " ").lower())).reply()
    known = _CODE_OF.get(fault.status)
    return ApiError(fault.status, known, _TEXT_OF[known]).reply() if known else None


_PAGES: Mapping[int, str] = {414: TOO_LONG, 431: HEADERS_TOO_LARGE, 420: SETTING_UP}
_CODE_OF: Mapping[int, str] = {
    401: "INVALID_SESSION_ID",
    403: "REQUEST_LIMIT_EXCEEDED",
    404: "NOT_FOUND",
    410: "GONE",
    500: "UNKNOWN_EXCEPTION",
    503: "SERVER_UNAVAILABLE",
}
_STATUS_OF: Mapping[str, int] = {
    "INVALID_SESSION_ID": 401,
    "REQUEST_LIMIT_EXCEEDED": 403,
    "API_DISABLED_FOR_ORG": 403,
    "API_CURRENTLY_DISABLED": 403,
    "INSUFFICIENT_ACCESS": 403,
    "NOT_FOUND": 404,
    "GONE": 410,
    "UNKNOWN_EXCEPTION": 500,
    "SERVER_UNAVAILABLE": 503,
}
_TEXT_OF: Mapping[str, str] = {
    "INVALID_SESSION_ID": "Session expired or invalid",
    "REQUEST_LIMIT_EXCEEDED": "TotalRequests Limit exceeded.",
    "API_DISABLED_FOR_ORG": "The REST API is not enabled for this Organization.",
    "API_CURRENTLY_DISABLED": "API is not enabled for this user.",
    "INSUFFICIENT_ACCESS": "insufficient access rights on cross-reference id",
    "NOT_FOUND": "The requested resource does not exist",
    "GONE": "This API version has been retired. Use a newer version.",  # wording unverified
    "UNKNOWN_EXCEPTION": "An unexpected error occurred. Please include this ErrorId if you contact support: 1-1 (1)",
    "SERVER_UNAVAILABLE": "Server temporarily unavailable. Please try again later.",  # wording unverified
    "QUERY_TIMEOUT": "Your query request was running for too long.",
    "OPERATION_TOO_LARGE": "exceeded 100000 distinct who/what's",
    "UNABLE_TO_LOCK_ROW": "unable to obtain exclusive access to this record",
    "INVALID_QUERY_LOCATOR": "invalid query locator",
    "TXN_SECURITY_METERING_ERROR": "The operation was blocked by a transaction security policy",  # wording unverified
}
