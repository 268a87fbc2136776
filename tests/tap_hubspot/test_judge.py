"""What each of HubSpot's refusals is taken for."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from crmdb_core.retry import Verdict
from tap_hubspot.judge import judge


def answer(status: int, body: Any = None, *, path: str = "/crm/objects/2026-09/contacts") -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response._content = json.dumps(body).encode() if not isinstance(body, str) else body.encode()
    response.request = requests.Request("POST", f"https://api.example.com{path}").prepare()
    return response


def limited(**body: str) -> requests.Response:
    return answer(429, {"status": "error", "errorType": "RATE_LIMIT", **body})


@pytest.mark.parametrize(
    ("response", "seconds"),
    [
        (limited(policyName="SECONDLY"), 1.0),
        (limited(policyName="TEN_SECONDLY_ROLLING"), 10.0),
        (limited(message="You have reached your secondly limit."), 1.0),
        (limited(message="You have reached your ten_secondly_rolling limit."), 10.0),
        (limited(policyName="NEW_ONE"), None),
        (limited(), None),
        (answer(429, "<html>", path="/crm/objects/2026-09/contacts/search"), 1.0),
        (answer(423), 2.0),
        (answer(477), None),
        (answer(530, "error code: 1016"), None),
    ],
)
def test_a_passing_refusal_is_tried_again(response: requests.Response, seconds: float | None) -> None:
    verdict = judge(response)
    assert verdict is not None
    assert (verdict.action, verdict.seconds) == ("retry", seconds)


@pytest.mark.parametrize("body", [{"policyName": "DAILY"}, {"message": "You have reached your daily limit."}])
def test_the_daily_limit_stops_the_run_for_later(body: dict[str, str]) -> None:
    verdict = judge(limited(**body))
    assert verdict is not None
    assert (verdict.action, "daily limit" in verdict.reason) == ("later", True)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("The OAuth token used to make this call expired 20543 day(s) ago.", "cut off or mistyped"),
        ("The OAuth token used to make this call expired 75 second(s) ago.", "has expired"),
        ("Authentication credentials not found.", "did not accept the credentials"),
    ],
)
def test_a_refused_token_is_explained(message: str, expected: str) -> None:
    verdict = judge(answer(401, {"message": message}))
    assert verdict is not None
    assert expected in verdict.reason


@pytest.mark.parametrize("key", ["requiredScopes", "requiredGranularScopes"])
def test_a_missing_scope_is_named(key: str) -> None:
    body = {"category": "MISSING_SCOPES", "errors": [{"context": {key: ["crm.b.read", "crm.a.read"]}}]}
    reason = "the key or app lacks a scope; add any one of: crm.a.read, crm.b.read"
    assert judge(answer(403, body)) == Verdict.fatal(reason)


def test_a_refusal_without_names_is_still_explained() -> None:
    assert judge(answer(403, "<html>")) == Verdict.fatal("HubSpot refused access; check the scopes of the key or app")


@pytest.mark.parametrize("status", [400, 404, 414, 500, 502, 524])
def test_what_is_not_special_to_hubspot_is_left_to_the_general_rules(status: int) -> None:
    assert judge(answer(status)) is None
