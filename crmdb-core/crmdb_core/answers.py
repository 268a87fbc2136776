"""Is an answer whole and what was asked for? JSON is parsed here, with exact decimals."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from crmdb_core.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

__all__ = ["decode_json", "parse_json", "wants_json"]

_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def wants_json(request: requests.PreparedRequest) -> bool:
    """Whether JSON is due: the request accepts it and awaits a body."""
    return request.method != "HEAD" and "json" in (request.headers.get("Accept") or "")


def decode_json(body: bytes) -> Any:
    """The JSON value of a body, numbers with a point as Decimal; raises ValueError or RecursionError."""
    try:
        return _DECODER.decode(body)
    except ValueError:
        pass  # stricter than JSON: lone surrogates; the standard library decides
    return json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)


def parse_json(response: requests.Response, decode: Callable[[bytes], Any] = decode_json) -> Any | Fault:
    """What `decode` makes of a body; a Fault for an empty, cut or HTML one."""
    body: bytes = response.content
    if not body.strip():
        return Fault(f"answered {response.status_code} without a body where JSON was due", response=response)
    try:
        return decode(body)
    except (ValueError, RecursionError):
        return Fault(_what_instead(response, body), response=response)


def _what_instead(response: requests.Response, body: bytes) -> str:
    if "html" in response.headers.get("Content-Type", "").lower() or body.lstrip()[:1] == b"<":
        return "the API returned HTML instead of JSON (maintenance?)"
    return "the JSON in the answer was cut or broken"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
