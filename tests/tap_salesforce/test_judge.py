"""Every error of Salesforce and its rule: try again, come back later, or say what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tap_salesforce.judge import Trouble, code_of, judge

LATER, RETRY, FATAL = "later", "retry", "fatal"
EDGE = "<html><body>We are setting things up</body></html>"
TOO_LONG = "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>"


def response(status: int, body: Any) -> requests.Response:
    made = requests.Response()
    made.status_code = status
    made._content = (body if isinstance(body, str) else json.dumps(body)).encode()
    return made


def error(code: str, message: str = "…") -> list[dict[str, str]]:
    return [{"message": message, "errorCode": code}]


@pytest.mark.parametrize(
    ("status", "body", "action", "told"),
    [
        (401, error("INVALID_SESSION_ID", "Session expired or invalid"), FATAL, "has ended or was revoked"),
        (401, error("INVALID_AUTH", "This session is not valid for use with the REST API"), FATAL, "scope `api`"),
        (401, error("INVALID_AUTH", "Connected app is not attached to Agent"), FATAL, "External Client App"),
        (403, error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), LATER, "24 hours"),
        (
            403,
            error("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
            RETRY,
            "long calls",
        ),
        (403, error("API_DISABLED_FOR_ORG"), FATAL, "API Enabled"),
        (403, error("API_CURRENTLY_DISABLED"), FATAL, "switched off"),
        (403, error("INSUFFICIENT_ACCESS"), FATAL, "permission"),
        (400, error("INVALID_FIELD"), FATAL, "discover anew"),
        (
            400,
            error(
                "INVALID_FIELD",
                "SELECT Foo FROM Account WHERE Name = 'Ada'\n^\nERROR at Row:1:Column:8\nNo such column 'Foo' on entity"
                " 'Account'. If you are attempting to use a custom field, …",
            ),
            FATAL,
            "Account has no field Foo",
        ),
        (400, error("INVALID_TYPE", "sObject type 'XYZZY' is not supported."), FATAL, "no such object"),
        (400, error("MALFORMED_QUERY", "unexpected token: 'Ada'"), FATAL, "malformed"),
        (
            400,
            error("MALFORMED_QUERY", "a filter on a reified column is required [UserId,DurableId]"),
            FATAL,
            "with a filter by UserId,DurableId",
        ),
        (
            400,
            error(
                "MALFORMED_QUERY", "Implementation restriction: ContentDocumentLink requires a filter by a single Id"
            ),
            FATAL,
            "with a filter;",
        ),
        (400, error("INVALID_TYPE_FOR_OPERATION", "entity type X does not support query"), FATAL, "no query"),
        (400, error("EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION"), FATAL, "no query"),
        (400, error("INVALID_QUERY_LOCATOR"), FATAL, "locator"),
        (400, error("QUERY_TIMEOUT", "Your query request was running for too long."), FATAL, "two minutes"),
        (500, error("QUERY_TIMEOUT"), FATAL, "two minutes"),
        (400, error("QUERY_TOO_COMPLICATED"), FATAL, "fewer fields"),
        (400, error("OPERATION_TOO_LARGE", "exceeded 100000 distinct who/what's"), FATAL, "too many records"),
        (400, error("EXCEEDED_ID_LIMIT"), FATAL, "600,000"),
        (400, error("INVALID_REPLICATION_DATE"), FATAL, "further back"),
        (400, error("UNABLE_TO_LOCK_ROW"), RETRY, "lock"),
        (400, error("TXN_SECURITY_METERING_ERROR"), RETRY, "Exempt from Transaction Security"),
        (400, error("LIMIT_EXCEEDED", "Max bulk v2 query jobs (10000) per 24 hrs has been reached"), FATAL, "Bulk API"),
        (400, error("ExceededQuota"), FATAL, "Bulk API"),
        (400, error("API_ERROR", "Entity 'X' is not supported by the Bulk API."), FATAL, "refuses"),
        (400, error("INVALIDENTITY", "Entity 'X' is not supported by the Bulk API."), FATAL, "does not serve"),
        (400, {"exceptionCode": "InvalidJob", "exceptionMessage": "…"}, FATAL, "job"),
        (400, {"exceptionCode": "FeatureNotEnabled", "exceptionMessage": "…"}, FATAL, "field"),
        (400, error("SOMETHING_NEW", "whose value is Ada"), FATAL, "SOMETHING_NEW"),
        (406, "", RETRY, "406"),
        (409, "", FATAL, "version"),
        (410, error("UNSUPPORTED_API_VERSION"), FATAL, "api_version"),
        (410, "", FATAL, "api_version"),
        (414, TOO_LONG, FATAL, "fewer fields"),
        (420, EDGE, RETRY, "Edge"),
        (431, TOO_LONG, FATAL, "fewer fields"),
        (500, error("UNKNOWN_EXCEPTION"), RETRY, "an error of its own"),
        (503, error("SERVER_UNAVAILABLE"), RETRY, "overloaded"),
    ],
)
def test_an_error_has_its_rule(status: int, body: Any, action: str, told: str) -> None:
    verdict = judge(response(status, body))
    assert verdict is not None
    assert action == verdict.action
    assert told in verdict.reason
    assert "Ada" not in verdict.reason  # a message may quote the query


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {}),
        (204, ""),
        (404, error("NOT_FOUND")),
        (429, ""),
        (500, ""),
        (502, EDGE),
        (503, ""),
        (500, error("NEW")),
    ],
)
def test_the_general_rules_have_the_rest(status: int, body: Any) -> None:
    assert judge(response(status, body)) is None


def test_a06_the_403_of_a_used_up_quota_is_no_matter_of_access() -> None:
    verdict = judge(response(403, error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")))
    assert verdict is not None
    assert LATER == verdict.action


@pytest.mark.parametrize("body", [None, "text", [], [1], {}, {"message": "x"}, [{"errorCode": "a b; drop"}]])
def test_a_body_that_tells_no_error_is_none(body: Any) -> None:
    assert Trouble.of(body) is None


def test_the_code_of_an_error_is_known_to_who_reads() -> None:
    class RefusedError(Exception):
        response = response(400, error("InvalidJob"))

    assert "INVALIDJOB" == code_of(RefusedError())
    assert "" == code_of(ValueError())
