"""GitHub's refusals: `{"message", "documentation_url", "status"}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake_crm.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fake_crm.faults import Fault

__all__ = ["DOCS", "RefusalError", "injected", "not_found"]

DOCS = "https://docs.github.com/rest"
_LIMITS = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"
_SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
    "If you reach out to GitHub Support for help, please include the request ID."
)
_PRIMARY = "API rate limit exceeded for user ID 1."
_MESSAGES = {
    401: "Bad credentials",
    403: "Resource not accessible by personal access token",
    404: "Not Found",
    409: "Git Repository is empty.",
    451: "Repository access blocked",
    500: "Server Error",
    502: "Server Error",
    503: "Service unavailable",
}


class RefusalError(Exception):
    """A refusal; becomes a reply with GitHub's error body."""

    def __init__(
        self, status: int, message: str, *, headers: Mapping[str, str] | None = None, docs: str = DOCS
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.docs = docs

    def reply(self, headers: Mapping[str, str] | None = None) -> Reply:
        """The refusal as it is sent."""
        body = {"message": str(self), "documentation_url": self.docs, "status": str(self.status)}
        return Reply.of(body, self.status, {**self.headers, **(headers or {})})


def not_found() -> RefusalError:
    """404: it does not exist, or not for this caller."""
    return RefusalError(404, _MESSAGES[404])


def primary_limit(*, anonymous: bool) -> RefusalError:
    """403 for a used-up hour; the headers of every answer say until when."""
    message = "API rate limit exceeded for 127.0.0.1." if anonymous else _PRIMARY
    return RefusalError(403, message, docs=_LIMITS)


def secondary_limit(retry_after: int | None = 60) -> RefusalError:
    """403 against bursts."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return RefusalError(403, _SECONDARY, headers=headers, docs=f"{_LIMITS}#about-secondary-rate-limits")


def injected(fault: Fault) -> Reply | None:
    """GitHub's own body for an ordered status; `policy`: `secondary` (403 or 429), `primary`."""
    if fault.policy == "secondary":
        refusal = secondary_limit(None)
    elif fault.policy == "primary":
        refusal = primary_limit(anonymous=False)
    elif fault.status in _MESSAGES:
        refusal = RefusalError(fault.status, _MESSAGES[fault.status])
    else:
        return None
    refusal.status = fault.status
    return refusal.reply()
