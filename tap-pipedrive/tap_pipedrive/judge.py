"""Pipedrive's own meaning of a response: which limit was hit, what is missing, what to do."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from crmdb_core.pacing import Budget, Pacer
from crmdb_core.quota import Use, reset_text
from crmdb_core.retry import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

__all__ = ["FEATURE_OFF", "Reader", "budgets", "daily_use", "next_midnight"]

# Requests of one token in two seconds (vendor page "Rate limiting"): the least of all plans, until a response tells.
_WINDOW = 2.0
_MARGIN = 0.1  # seconds by which the window is taken longer than stated: requests do not all travel equally fast
_LEAST_BURST = {"api_token": 20, "oauth": 80}
FEATURE_OFF = 415
_BODY_TO_LOOK_AT = 4096
_ENDED = (
    "Pipedrive's daily budget of tokens is used up; {}. Run again after that, or buy a top-up: the run goes on from "
    "its STATE"
)
_BLOCKED = (
    "Cloudflare answers for Pipedrive with a page that blocks this address, as it does after too many refused calls; "
    "wait some minutes before the next run, and give a lower rate_limit if something else uses this token too"
)


def budgets(kind: str) -> dict[str, Budget]:
    """The burst limit to begin with, for `api_token` or `oauth`."""
    return {"default": Budget(_LEAST_BURST[kind], _WINDOW + _MARGIN)}


def daily_use(headers: Mapping[str, str]) -> Use | None:
    """The company's tokens of the day; undocumented headers, which may be missing."""
    limit = _whole(headers.get("x-daily-ratelimit-token-limit"))
    remaining = _whole(headers.get("x-daily-ratelimit-token-remaining"))
    return None if not limit or remaining is None else Use(limit, remaining)


def next_midnight(now: datetime) -> datetime:
    """When the budget is whole again: at midnight of the server (unverified: that its zone is UTC)."""
    return datetime.combine(now.date() + timedelta(days=1), time.min, UTC)


class Reader:
    """Reads every response for the session: learns the burst limit from its headers, then judges."""

    def __init__(self, day_ends: Callable[[], datetime]) -> None:
        self.pacer: Pacer | None = None
        self._day_ends = day_ends

    def __call__(self, response: requests.Response) -> Verdict | None:
        """The verdict on one response; None leaves it to the general rules."""
        self._learn(response.headers)
        status = response.status_code
        if status == 200:  # noqa: PLR2004 - the status itself
            return _without_data(response)
        reading = _READINGS.get(status)
        verdict = reading(response) if reading else None
        if verdict is None or verdict.action != "later" or verdict.reason:
            return verdict
        until = self._day_ends()
        return Verdict.later(_ENDED.format(reset_text(until)), until)

    def _learn(self, headers: Mapping[str, str]) -> None:
        limit, left = _whole(headers.get("x-ratelimit-limit")), _whole(headers.get("x-ratelimit-remaining"))
        if self.pacer is not None and limit:
            self.pacer.learn(limit=limit, remaining=left, per_seconds=_WINDOW + _MARGIN)


def _without_data(response: requests.Response) -> Verdict | None:
    """A list of v2 or a list of fields is never null: such an answer is a fault that passes (singer-io PR 131)."""
    if len(response.content) > _BODY_TO_LOOK_AT:
        return None
    path = str(response.request.path_url).partition("?")[0]
    if not (path.startswith("/api/v2/") or path.endswith("Fields")):
        return None
    body = _body(response, otherwise={"data": ""})
    if isinstance(body, dict) and body.get("data") is not None:
        return None
    return Verdict.retry(None, "the answer holds no data")


def _limited(response: requests.Response) -> Verdict:
    headers = response.headers
    if _whole(headers.get("x-daily-ratelimit-token-remaining")) == 0:
        return Verdict.later("")
    reset = _whole(headers.get("x-ratelimit-reset"))
    return Verdict.retry(None if reset is None else float(reset), "Pipedrive's burst limit is reached")


def _forbidden(response: requests.Response) -> Verdict:
    body = _body(response)
    if not isinstance(body, dict):
        return Verdict.later(_BLOCKED)
    if "scope" in str(body.get("error", "")).lower():
        return Verdict.fatal("the app lacks the scope for this; grant it, connect again, or deselect the stream")
    return Verdict.fatal("the user of this token may not read it; grant the permission or deselect the stream")


def _unauthorized(_: requests.Response) -> Verdict:
    return Verdict.fatal(
        "Pipedrive did not accept the credentials; copy api_token anew from Settings > Personal preferences > API, or "
        "connect the app again"
    )


_READINGS: Mapping[int, Callable[[requests.Response], Verdict]] = {
    401: _unauthorized,
    402: lambda _: Verdict.fatal("the company's account is closed or its trial has ended"),
    403: _forbidden,
    410: lambda _: Verdict.fatal("Pipedrive has ended it; update the tap, or deselect the stream"),
    FEATURE_OFF: lambda _: Verdict.fatal("the feature is not switched on in this account, or not in its plan"),
    429: _limited,
}


def _body(response: requests.Response, otherwise: Any = None) -> Any:
    try:
        return response.json()
    except ValueError:
        return otherwise


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
