"""Is an answer whole and what was asked for? JSON is parsed here, with exact decimals."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from crmdb_core.faults import Fault

if TYPE_CHECKING:
    import requests

__all__ = ["parse_json", "wants_json"]

_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def wants_json(request: requests.PreparedRequest) -> bool:
    """Whether JSON is due: the request accepts it and awaits a body."""
    return request.method != "HEAD" and "json" in (request.headers.get("Accept") or "")


def parse_json(response: requests.Response) -> Any | Fault:
    """The JSON value of a body, numbers with a point as Decimal; a Fault for an empty, cut or HTML body."""
    body: bytes = response.content
    if not body.strip():
        return Fault(f"answered {response.status_code} without a body where JSON was due", response=response)
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass  # stricter than JSON: lone surrogates; the standard library decides
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return Fault(_what_instead(response, body), response=response)


def _what_instead(response: requests.Response, body: bytes) -> str:
    if "html" in response.headers.get("Content-Type", "").lower() or body.lstrip()[:1] == b"<":
        return "the API returned HTML instead of JSON (maintenance?)"
    return "the JSON in the answer was cut or broken"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
