"""HubSpot's own meaning of a response: which limit was hit, what is missing, what to do."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from crmdb_core.retry import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import requests

# Waits in seconds where a 429 has no Retry-After, which is undocumented and often missing (vendor page "API usage
# guidelines"; the values are those of the vendor's own Node client).
_WAITS = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0}
_DAILY = "HubSpot's daily limit of API requests is used up"
MALFORMED_TOKEN = 530  # Cloudflare's, for a host that it cannot resolve; seen for badly formed tokens (unverified)
_LOCKED_SECONDS = 2.0  # vendor page "Error handling", status 423
_EXPIRED_IN_1970 = re.compile(r"expired \d{5,} day\(s\) ago")
_SCOPE_KEYS = ("requiredScopes", "requiredGranularScopes")


def _limited(response: requests.Response) -> Verdict:
    policy = _policy(_body(response))
    if policy == "DAILY":
        return Verdict.later(_DAILY)  # the session's reader knows when it resets
    if policy is None and (response.request.path_url or "").endswith("/search"):
        policy = "SECONDLY"  # the only limit of a search beside the daily one
    return Verdict.retry(_WAITS.get(policy or ""), f"HubSpot's limit {policy or '(unnamed)'} is reached")


def _policy(body: dict[str, Any]) -> str | None:
    """The limit's name; some answers tell it in the message only: "You have reached your secondly limit."."""
    if body.get("policyName"):
        return str(body["policyName"])
    found = re.search(r"your (\w+) limit", str(body.get("message", "")))
    return found.group(1).upper() if found else None


def _unauthorized(response: requests.Response) -> str:
    message = str(_body(response).get("message", ""))
    if _EXPIRED_IN_1970.search(message):
        return (
            "HubSpot cannot read the access token (it takes its expiry for 1970): it is cut off or mistyped; "
            "copy it again into access_token"
        )
    if "expired" in message:
        return "the access token has expired; renew it, or use refresh_token so that it is renewed by itself"
    return "HubSpot did not accept the credentials; check access_token (or client_id, client_secret, refresh_token)"


def _forbidden(response: requests.Response) -> str:
    scopes = scopes_of(response)
    if not scopes:
        return "HubSpot refused access; check the scopes of the key or app"
    return f"the key or app lacks a scope; add any one of: {', '.join(scopes)}"


def scopes_of(response: requests.Response) -> tuple[str, ...]:
    """The scopes that a 403 names; any one of them suffices (the key differs between HubSpot's endpoints)."""
    return tuple(sorted(set(_scopes(_body(response)))))


def _scopes(body: dict[str, Any]) -> Iterator[str]:
    for error in body.get("errors") or ():
        context = error.get("context") or {}
        for key in _SCOPE_KEYS:
            yield from map(str, context.get(key) or ())


def _body(response: requests.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


_READINGS: Mapping[int, Callable[[requests.Response], Verdict]] = MappingProxyType(
    {
        401: lambda response: Verdict.fatal(_unauthorized(response)),
        403: lambda response: Verdict.fatal(_forbidden(response)),
        423: lambda _: Verdict.retry(_LOCKED_SECONDS, "HubSpot has locked the resource for a moment"),
        429: _limited,
        477: lambda _: Verdict.retry(None, "HubSpot is moving this account to another data centre"),
        MALFORMED_TOKEN: lambda _: Verdict.retry(
            None, "HubSpot answers 530, as it does for a malformed access_token too; check it"
        ),
    }
)


def judge(response: requests.Response) -> Verdict | None:
    """Read a response that is not a success; None leaves it to the general rules."""
    reading = _READINGS.get(response.status_code)
    return reading(response) if reading else None
