"""Salesforce's own meaning of a response: which error it is, and whether to try again, to stop, or to do otherwise.

The errors are those of the vendor page "Status Codes and Error Responses" and of what connectors have met.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from crmdb_core.answers import parse_json
from crmdb_core.faults import Fault
from crmdb_core.retry import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

__all__ = [
    "ASK_ANEW",
    "BULK_CAPS",
    "NOT_BY_BULK",
    "SPLIT",
    "Trouble",
    "code_of",
    "judge",
    "passing",
    "trouble_in",
    "verdict_on",
]

SPLIT = frozenset({"QUERY_TIMEOUT", "QUERY_TOO_COMPLICATED", "OPERATION_TOO_LARGE", "EXCEEDED_ID_LIMIT"})
"""The query asks too much at once: a smaller piece of it may pass."""
ASK_ANEW = frozenset({"INVALID_QUERY_LOCATOR"})
"""A page's locator has run out (after two days): the query has to be asked anew."""
NOT_BY_BULK = frozenset({"API_ERROR", "INVALIDENTITY", "FEATURENOTENABLED", "INVALID_FIELD", "MALFORMED_QUERY"})
"""What a query job is refused with where the Bulk API does not serve the object or a field; REST may."""
BULK_CAPS = frozenset({"LIMIT_EXCEEDED", "EXCEEDEDQUOTA"})
"""The day's query jobs or megabytes of the Bulk API are used up; REST is not."""

_LOCKED_SECONDS = 2.0
_LONG_CALLS_SECONDS = 20.0  # only calls that last longer than this count as concurrent
_EDGE_SECONDS = 5.0
_NO_SUCH_COLUMN = re.compile(r"No such column '([\w.]+)' on entity '(\w+)'")
_NEEDS_FILTER = re.compile(r"reified column is required \[([\w,]+)\]|Implementation restriction")
_UNAUTHORIZED = 401
_BY_TABLE = frozenset({404, 405, 429})
_SERVER_ERROR = 500
_CODE = re.compile(r"\w{3,60}")


@dataclass(frozen=True)
class Trouble:
    """An error as the API tells it. The message may quote a query, and with it values: it is never shown."""

    code: str
    message: str = ""

    @classmethod
    def of(cls, body: Any) -> Trouble | None:
        """The first error of an error body: a list of them (REST and Bulk 2), or one as an object."""
        first = body[0] if isinstance(body, list) and body else body
        if not isinstance(first, dict):
            return None
        code = first.get("errorCode") or first.get("exceptionCode")
        message = first.get("message") or first.get("exceptionMessage")
        return cls(str(code), str(message or "")) if code and _CODE.fullmatch(str(code)) else None


@dataclass(frozen=True)
class Rule:
    """What an error means for the request: try again, later (a quota is gone), or it can never be answered."""

    action: Literal["retry", "later", "fatal"]
    reason: str
    seconds: float | None = None

    def verdict(self) -> Verdict:
        """As the session takes it."""
        return Verdict(self.action, self.reason, seconds=self.seconds)


_DAILY = (
    "the org's calls of 24 hours are used up; they come back as the oldest ones pass out of the 24 hours. Run again "
    "then: the run goes on from its STATE"
)
_PERMISSION = "the user lacks a permission for this; grant it in a permission set, or deselect the stream"
_NO_QUERY = "Salesforce answers no query for this object; deselect it"

_BY_CODE: Mapping[str, Rule] = MappingProxyType(
    {
        # passing
        "UNABLE_TO_LOCK_ROW": Rule("retry", "Salesforce could not lock a row", _LOCKED_SECONDS),
        "SERVER_UNAVAILABLE": Rule("retry", "Salesforce is overloaded for a moment"),
        "UNKNOWN_EXCEPTION": Rule("retry", "Salesforce met an error of its own"),
        "TXN_SECURITY_METERING_ERROR": Rule(
            "retry",
            "a transaction security policy could not be checked; grant the permission Exempt from Transaction Security",
        ),
        # quotas
        "REQUEST_LIMIT_EXCEEDED": Rule("later", _DAILY),
        # the request can never be answered, and why
        "API_DISABLED_FOR_ORG": Rule("fatal", "the org's edition has no API, or the user lacks API Enabled"),
        "API_CURRENTLY_DISABLED": Rule("fatal", "the API is switched off for this org at the moment"),
        "INSUFFICIENT_ACCESS": Rule("fatal", _PERMISSION),
        "INSUFFICIENT_ACCESS_OR_READONLY": Rule("fatal", _PERMISSION),
        "INVALID_TYPE": Rule("fatal", "the org has no such object, or the user may not see it"),
        "INVALID_FIELD": Rule("fatal", "a field is not there, or the user may not see it; discover anew"),
        "MALFORMED_QUERY": Rule("fatal", "the query is refused as malformed; check the filters of the stream"),
        "INVALID_TYPE_FOR_OPERATION": Rule("fatal", _NO_QUERY),
        "EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION": Rule("fatal", _NO_QUERY),
        "EXTERNAL_OBJECT_EXCEPTION": Rule("fatal", "the system behind the external object does not answer"),
        "INVALID_QUERY_LOCATOR": Rule("fatal", "the locator of the page has run out"),
        "INVALID_QUERY_FILTER_OPERATOR": Rule("fatal", "the query filters by a field in a way that it does not allow"),
        "QUERY_TIMEOUT": Rule("fatal", "the query ran longer than the two minutes that Salesforce gives it"),
        "QUERY_TOO_COMPLICATED": Rule("fatal", "the query, with its formulas, is too long; select fewer fields"),
        "OPERATION_TOO_LARGE": Rule("fatal", "the query touches too many records at once"),
        "EXCEEDED_ID_LIMIT": Rule("fatal", "more than 600,000 records changed; ask for a shorter time"),
        "INVALID_REPLICATION_DATE": Rule("fatal", "the time lies further back than Salesforce remembers"),
        "LIMIT_EXCEEDED": Rule("fatal", "the Bulk API's query jobs or megabytes of 24 hours are used up"),
        "EXCEEDEDQUOTA": Rule("fatal", "the Bulk API's query jobs or megabytes of 24 hours are used up"),
        "API_ERROR": Rule("fatal", "the API refuses the object or the query"),
        "INVALIDENTITY": Rule("fatal", "the Bulk API does not serve this object"),
        "FEATURENOTENABLED": Rule("fatal", "the Bulk API does not serve a field of this object"),
        "INVALIDJOB": Rule("fatal", "the Bulk job is not valid any more"),
        "UNSUPPORTED_API_VERSION": Rule("fatal", "the API version is not offered; change api_version"),
    }
)

_BY_STATUS: Mapping[int, Rule] = MappingProxyType(
    {
        # an empty body with the reason "CustomNotAcceptable", in discovery above all; it passes
        406: Rule("retry", "Salesforce could not give the answer for a moment (406)"),
        409: Rule("fatal", "results have to be read with the API version that made the job"),
        410: Rule("fatal", "Salesforce has retired this API version; set api_version to a current one"),
        414: Rule("fatal", "the URL is too long for Salesforce; select fewer fields"),
        # Salesforce Edge, which answers in HTML
        420: Rule("retry", "Salesforce Edge is setting things up", _EDGE_SECONDS),
        431: Rule("fatal", "URL and headers are too long for Salesforce; select fewer fields"),
    }
)


def judge(response: requests.Response) -> Verdict | None:
    """Read a response that is not a success; None leaves it to the general rules."""
    return None if response.ok else verdict_on(response.status_code, trouble_in(response))


def passing(response: requests.Response) -> Verdict | None:
    """Whether what stands before the token endpoint has only stumbled; its own refusals are another matter."""
    rule = _BY_STATUS.get(response.status_code)
    return rule.verdict() if rule is not None and rule.action == "retry" else None


def verdict_on(status: int, trouble: Trouble | None) -> Verdict | None:
    """The same for an answer within a composite one."""
    if status == _UNAUTHORIZED:
        return Verdict.fatal(_unauthorized(trouble))
    if trouble is not None:
        return _by_code(trouble, status)
    rule = _BY_STATUS.get(status)
    return rule.verdict() if rule else None


def _by_code(trouble: Trouble, status: int) -> Verdict | None:
    if trouble.code == "REQUEST_LIMIT_EXCEEDED" and "Concurrent" in trouble.message:
        # 25 calls of more than 20 s side by side (5 in developer and trial orgs), whoever makes them
        return Verdict.retry(_LONG_CALLS_SECONDS, "too many long calls are under way in the org")
    if reason := _by_message(trouble):
        return Verdict.fatal(reason)
    rule = _BY_CODE.get(trouble.code.upper()) or _BY_STATUS.get(status)
    if rule is not None:
        return rule.verdict()
    if status in _BY_TABLE or status >= _SERVER_ERROR:
        return None
    return Verdict.fatal(f"Salesforce says {trouble.code}; run with `debug: true` to see the requests")


def _by_message(trouble: Trouble) -> str | None:
    """What only the message tells; of it, the names of objects and fields alone are shown."""
    if trouble.code == "INVALID_FIELD" and (found := _NO_SUCH_COLUMN.search(trouble.message)):
        return f"{found[2]} has no field {found[1]} that the user may see; discover anew"
    if trouble.code == "MALFORMED_QUERY" and (found := _NEEDS_FILTER.search(trouble.message)):
        fields = f" by {found[1]}" if found[1] else ""
        return f"the object can only be read with a filter{fields}; give one, or deselect it"
    return None


def _unauthorized(trouble: Trouble | None) -> str:
    message = trouble.message.lower() if trouble else ""
    if "not valid for use" in message:
        return "the session may not use the REST API; add the scope `api` to the app, or use another access token"
    if "not attached to agent" in message:
        return "the app is not meant for the API; use an External Client App with the scope `api`"
    return "Salesforce does not accept the access token; it has ended or was revoked. Check the credentials"


def trouble_in(response: requests.Response) -> Trouble | None:
    """The error that a response tells, if it does."""
    body = parse_json(response)
    return None if isinstance(body, Fault) else Trouble.of(body)


def code_of(error: Exception) -> str:
    """The API's code for an error such as `INVALID_QUERY_LOCATOR`, in capitals; "" where it has none."""
    response: requests.Response | None = getattr(error, "response", None)
    trouble = None if response is None else trouble_in(response)
    return "" if trouble is None else trouble.code.upper()
