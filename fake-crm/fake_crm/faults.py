"""Faults on order: which request goes wrong, how often, in what way."""

from __future__ import annotations

import gzip
import json
import re
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from fake_crm.wire import Delivery, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fake_crm.wire import Request

Kind = Literal[
    "status",
    "reset",
    "truncate",
    "short_body",
    "html",
    "drip",
    "stall",
    "redirect",
    "latency",
    "empty",
    "gzip",
    "close",
]
KINDS: tuple[str, ...] = get_args(Kind)
_FOREVER = 86_400.0
_MAINTENANCE = "<html><head><title>Maintenance</title></head><body><h1>We will be back soon</h1></body></html>"
_BAD_GATEWAY = "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>"


@dataclass
class Fault:
    """One fault.

    Requests that match `path` (a regular expression, searched) and `method` are counted; the first `after` of them pass
    unharmed, the next `times` (None: all) go wrong.

    Kinds: `status` answers `status` with `headers` and `body` (JSON, or text as HTML; else a CRM's usual body, for 429
    with `policy`); `reset` cuts the connection with RST, after `cut` bytes of the body if given; `truncate` cuts the
    text but announces the right length; `short_body` sends less than announced; `html` is a page with status 200;
    `drip` sends a byte every `seconds`; `stall` sends nothing for `seconds`; `redirect` goes to `location` (itself if
    None); `latency` answers rightly after `seconds`; `empty` is 200 without a body; `gzip` is a corrupt gzip body;
    `close` answers rightly and closes the connection unannounced.
    """

    path: str = ""
    method: str | None = None
    times: int | None = 1
    after: int = 0
    kind: Kind = "status"
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    policy: str | None = None
    seconds: float | None = None
    location: str | None = None
    cut: int | None = None
    seen: int = 0
    hits: int = 0

    def matches(self, request: Request) -> bool:
        """Whether the request is one of those that this fault is about."""
        return self.method in {None, request.method} and re.search(self.path, request.target) is not None

    def strikes(self) -> bool:
        """Count a matching request; whether it goes wrong."""
        self.seen += 1
        if self.seen <= self.after or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True


class FaultBook:
    """All faults that are ordered; each request meets the first one that strikes."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, **order: Any) -> Fault:
        """Order a fault; see `Fault` for what it takes. Returns it, with its running `hits`.

        Raises:
            ValueError: for an unknown kind or option, all of them in one message.
        """
        fault = _ordered(order)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def strike(self, request: Request) -> Fault | None:
        """The fault that this request meets, if any."""
        with self._lock:
            return next((fault for fault in self._faults if fault.matches(request) and fault.strikes()), None)


def _ordered(order: dict[str, Any]) -> Fault:
    known = set(Fault.__dataclass_fields__) - {"seen", "hits"}
    problems = [f"unknown option {name!r} (known: {', '.join(sorted(known))})" for name in order if name not in known]
    if order.get("policy"):
        order = {"status": 429, **order}
    if order.get("kind", "status") not in KINDS:
        problems.append(f"unknown kind {order['kind']!r} (known: {', '.join(KINDS)})")
    try:
        re.compile(order.get("path", ""))
    except re.error as error:
        problems.append(f"path is no regular expression: {error}")
    if problems:
        raise ValueError("; ".join(problems))
    return Fault(**order)


def harmed(  # noqa: PLR0911 - one return for each kind
    fault: Fault, request: Request, answer: Callable[[], Reply], refusal: Callable[[Fault], Reply | None]
) -> Delivery:
    """The delivery of a request that met a fault; `answer` works out the right reply, if the fault lets it.

    `refusal` gives the CRM's own body for a status, or None for a proxy's page.
    """
    seconds = fault.seconds
    match fault.kind:
        case "status":
            return Delivery(_refused(fault, refusal))
        case "reset":
            return Delivery(None if fault.cut is None else answer(), cut=fault.cut, reset=True)
        case "truncate":
            reply = answer()
            return Delivery(replace(reply, body=reply.body[: _cut(fault, reply)]))
        case "short_body":
            reply = answer()
            return Delivery(reply, cut=_cut(fault, reply))
        case "stall":
            return Delivery(None, hold=_FOREVER if seconds is None else seconds)
        case "drip":
            return Delivery(answer(), drip=1.0 if seconds is None else seconds)
        case "latency":
            return Delivery(answer(), hold=seconds or 0.0)
        case "close":
            return Delivery(answer(), close=True)
        case _:
            return Delivery(_other(fault, request, answer))


def _other(fault: Fault, request: Request, answer: Callable[[], Reply]) -> Reply:
    if fault.kind == "redirect":
        return Reply(
            302 if fault.status == Fault.status else fault.status, headers={"Location": _target(fault, request)}
        )
    if fault.kind == "html":
        return Reply.html(fault.body or _MAINTENANCE)
    if fault.kind == "empty":
        return Reply()
    reply = answer()
    packed = gzip.compress(reply.body)
    middle = len(packed) // 2
    broken = packed[:middle] + bytes(byte ^ 0xFF for byte in packed[middle:])
    return replace(reply, body=broken, headers={**reply.headers, "Content-Encoding": "gzip"})


def _target(fault: Fault, request: Request) -> str:
    return fault.location if fault.location is not None else request.target


def _cut(fault: Fault, reply: Reply) -> int:
    return len(reply.body) // 2 if fault.cut is None else fault.cut


def _refused(fault: Fault, refusal: Callable[[Fault], Reply | None]) -> Reply:
    if isinstance(fault.body, str):
        reply = Reply.html(fault.body, fault.status)
    elif fault.body is not None:
        reply = Reply(fault.status, json.dumps(fault.body).encode())
    else:
        reply = refusal(fault) or Reply.html(_BAD_GATEWAY.format(status=fault.status), fault.status)
    return replace(reply, headers={**reply.headers, **fault.headers})
