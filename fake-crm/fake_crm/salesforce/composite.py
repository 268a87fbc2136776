"""Several requests in one (vendor pages "Composite" and "Batch"): the first counts as one call, the other as many."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.errors import ApiError
from fake_crm.wire import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fake_crm.salesforce.call import Call

_MOST = 25
_MOST_QUERIES = 5  # from CumulusCI's practice and the vendor's common text: not verified
_REFERENCE = re.compile(r"[A-Za-z0-9_]+")
_CLOSED = re.compile(r"/(composite|jobs)(/|$)")


def composite(call: Call) -> Reply:
    """POST composite."""
    requests = _listed(call, "compositeRequest")
    references = [str(each.get("referenceId", "")) for each in requests]
    if len(set(references)) < len(references):
        raise ApiError(400, "INVALID_INPUT", "Duplicate ReferenceId provided in composite request.")
    if not all(_REFERENCE.fullmatch(each) for each in references):
        raise ApiError(400, "INVALID_INPUT", "Provided referenceId must contain only letters, digits and underscores")
    queries = sum(re.search(r"/(query|queryAll)(/|\?|$)", str(each.get("url"))) is not None for each in requests)
    if queries > _MOST_QUERIES:
        raise ApiError(400, "LIMIT_EXCEEDED", f"No more than {_MOST_QUERIES} queries can be in a composite request.")
    answers = ",".join(_answered(call, each) for each in requests)
    return Reply(200, f'{{"compositeResponse":[{answers}]}}'.encode())


def batch(call: Call) -> Reply:
    """POST composite/batch: every part counts."""
    requests = _listed(call, "batchRequests")
    call.usage.admit(len(requests) - 1)
    halt = bool(call.body().get("haltOnError", False))
    results: list[dict[str, Any]] = []
    for each in requests:
        if halt and any(result["statusCode"] >= 400 for result in results):  # noqa: PLR2004 - errors begin there
            message = "Request not processed, because a previous one failed"  # wording unverified
            results.append({"statusCode": 412, "result": [{"errorCode": "PROCESSING_HALTED", "message": message}]})
            continue
        url = str(each.get("url", ""))
        reply = _inner(call, str(each.get("method", "")), "/services/data/" + url.removeprefix("/services/data/"), each)
        results.append({"statusCode": reply.status, "result": _body(reply)})
    return Reply.of({"hasErrors": any(each["statusCode"] >= 400 for each in results), "results": results})  # noqa: PLR2004


def _listed(call: Call, name: str) -> list[dict[str, Any]]:
    requests = call.body().get(name)
    if not isinstance(requests, list) or not requests or not all(isinstance(each, dict) for each in requests):
        raise ApiError(400, "JSON_PARSER_ERROR", f"{name} must be a list of objects")
    if len(requests) > _MOST:
        message = f"Limit exceeded. {name} cannot have more than {_MOST} operations."  # wording unverified
        raise ApiError(400, "LIMIT_EXCEEDED", message)
    return requests


def _answered(call: Call, each: Mapping[str, Any]) -> str:
    url = str(each.get("url", ""))
    reply = _inner(call, str(each.get("method", "")), url, each)
    shown = {name: value for name, value in reply.headers.items() if name in {"Last-Modified", "ETag", "Location"}}
    head = json.dumps({"httpHeaders": shown, "httpStatusCode": reply.status, "referenceId": each["referenceId"]})
    body = reply.body.decode("utf-8", "surrogatepass") if reply.body else "null"
    return f'{{"body":{body},{head[1:]}'


def _body(reply: Reply) -> Any:
    return json.loads(reply.body) if reply.body else None


def _inner(call: Call, method: str, url: str, each: Mapping[str, Any]) -> Reply:
    if not url.startswith("/services/data/v") or _CLOSED.search(url.partition("?")[0]):
        message = f"The URL {url.partition('?')[0]} cannot be part of a composite request."  # wording unverified
        return ApiError(400, "INVALID_INPUT", message).reply()
    given = each.get("httpHeaders") or {}
    headers = {**call.request.headers, **{str(name).title(): str(value) for name, value in given.items()}}
    headers.pop("If-Modified-Since" if "If-Modified-Since" not in given else "", None)
    body = each.get("body", each.get("richInput"))
    content = b"" if body is None else json.dumps(body).encode()
    return call.inner(Request(method.upper(), url, headers, content))
