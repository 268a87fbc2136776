"""Passing faults of an exchange, and the errors that are none."""

from __future__ import annotations

import http.client
import ssl
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import requests
import urllib3.exceptions as wire

from crmdb_core.exceptions import (
    ApiError,
    ForbiddenError,
    GoneError,
    NotFoundError,
    TlsError,
    UnauthorizedError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from urllib.parse import SplitResult

__all__ = ["Fault", "fault_of", "refusal"]


@dataclass(frozen=True)
class Fault:
    """A reason to try again. `asked` is the wait in seconds that the server wants, if it said so.

    `kind`: the host's name was not found, no connection came about, a connection broke, an answer was no good, or
    too many requests were made. `stale`: the connection was closed while idle, so the first retry need not wait.
    """

    reason: str
    kind: Literal["name", "unreachable", "broken", "answer", "limited"] = "answer"
    asked: float | None = None
    stale: bool = False
    response: requests.Response | None = None


def fault_of(error: Exception, host: str, timeout: float) -> Fault:
    """Classify what went wrong on the wire; raises TlsError or ApiError where no retry can help."""
    causes = list(_causes(error))
    if any(isinstance(cause, (wire.NameResolutionError,)) for cause in causes):
        return Fault(f"the name of host {host} could not be resolved", "name")
    _refuse_tls(causes, host)
    if any(isinstance(cause, (wire.NewConnectionError, wire.ConnectTimeoutError)) for cause in causes):
        return Fault(f"no connection to {host}", "unreachable")
    if any(isinstance(cause, (wire.ReadTimeoutError, TimeoutError, requests.ReadTimeout)) for cause in causes):
        return Fault(f"{host} sent nothing for {timeout:g} s", "broken")
    if any(isinstance(cause, wire.DecodeError) for cause in causes):
        return Fault("the compressed body was corrupt", "broken")
    if isinstance(error, requests.RequestException) and not isinstance(
        error,
        (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError),
    ):
        raise ApiError(f"the request to {host} could not be made ({type(error).__name__})") from None
    stale = any(isinstance(cause, (http.client.RemoteDisconnected, ConnectionResetError)) for cause in causes)
    return Fault(f"the connection to {host} broke", "broken", stale=stale)


def _refuse_tls(causes: list[BaseException], host: str) -> None:
    """Raise TlsError for a refused certificate or protocol; a TLS connection cut mid-way is a passing fault."""
    if any(isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) for cause in causes):
        return
    found = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
    if found is None:
        return
    why = getattr(found, "verify_message", "") or (found.reason or "TLS failed").replace("_", " ").lower()
    raise TlsError(f"the TLS certificate or protocol of {host} was refused: {why}; nothing was sent") from None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything inside and behind it."""
    waiting: deque[BaseException] = deque([error])
    seen: set[int] = set()
    while waiting:
        cause = waiting.popleft()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args)
        waiting.extend(item for item in inner if isinstance(item, BaseException))


def refusal(response: requests.Response, where: SplitResult, reason: str) -> ApiError:
    """The error for a response that no retry can mend; its text holds method, path and status, never a body."""
    kinds = {401: UnauthorizedError, 403: ForbiddenError, 404: NotFoundError, 410: GoneError}
    hints = {
        401: "the credentials do not work; check the token or connect again",
        403: "the credentials lack the permission for this; grant it or deselect the stream",
        404: "it does not exist; check the address and the API version in the settings",
        410: "the API has ended it; set api_version to a current one, or update the tap",
        414: "the URL is too long; select fewer fields",
    }
    status, method = response.status_code, str(response.request.method)
    why = reason or hints.get(status, "no retry can help; run with `debug: true` to see the requests")
    return kinds.get(status, ApiError)(
        f"{method} {where.path} was answered {status}: {why}",
        method=method,
        path=where.path,
        status=status,
        response=response,
    )
