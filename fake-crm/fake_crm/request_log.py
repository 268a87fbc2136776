"""What was asked of the fake: the tests' oracle. Bounded in number and in bytes."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from typing_extensions import override

if TYPE_CHECKING:
    from datetime import datetime

    from fake_crm.wire import Request

_MOST_BODY_BYTES = 256_000  # of one request: the longest batch fits
_MOST_BYTES = 64_000_000  # of all of them together
_ID = re.compile(r"(?<=/)\d+(?=/|$)")


@dataclass(frozen=True)
class LoggedRequest:
    """One request and the status that it got; None where the connection was cut before any answer."""

    request: Request
    status: int | None
    at: datetime

    @property
    def method(self) -> str:
        """The method, such as GET."""
        return self.request.method

    @property
    def path(self) -> str:
        """The path without the query."""
        return self.request.path

    @property
    def query(self) -> dict[str, list[str]]:
        """The URL's parameters."""
        return self.request.query

    @property
    def json(self) -> Any:
        """The JSON body, or None."""
        return self.request.json

    @property
    def call(self) -> str:
        """What was called, whichever record it was about: `GET /crm/v3/objects/contacts/{id}`; `?archived` apart."""
        archived = "?archived=true" if self.query.get("archived", [""])[-1].lower() == "true" else ""
        return f"{self.method} {_ID.sub('{id}', self.path)}{archived}"

    def summary(self) -> dict[str, Any]:
        """The entry as JSON, without headers: they hold the token."""
        body = self.request.body.decode("utf-8", "replace") if self.json is not None else ""
        return {
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "status": self.status,
            "at": self.at.isoformat(),
            "json": json.loads(body) if body else None,
        }


class RequestLog(Sequence[LoggedRequest]):
    """The latest requests, oldest first; `total` and `calls` count those that are gone too."""

    def __init__(self, most: int = 20_000) -> None:
        self._entries: deque[LoggedRequest] = deque()
        self._lock = threading.Lock()
        self._most = most
        self._bytes = 0
        self.total = 0
        self._calls: Counter[tuple[str, int | None]] = Counter()

    def add(self, entry: LoggedRequest) -> None:
        """Keep an entry, and forget the oldest where it gets too much; a huge body is kept without its text."""
        with self._lock:
            self._entries.append(entry)
            self._bytes += min(len(entry.request.body), _MOST_BODY_BYTES)
            self.total += 1
            self._calls[entry.call, entry.status] += 1
            while len(self._entries) > self._most or self._bytes > _MOST_BYTES:
                self._bytes -= min(len(self._entries.popleft().request.body), _MOST_BODY_BYTES)

    def calls(self) -> list[dict[str, Any]]:
        """How often each call got each status, since the start."""
        with self._lock:
            counted = sorted(self._calls.items(), key=str)
        return [{"call": call, "status": status, "count": count} for (call, status), count in counted]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0

    @override
    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> LoggedRequest: ...
    @overload
    def __getitem__(self, index: slice) -> list[LoggedRequest]: ...
    @override
    def __getitem__(self, index: int | slice) -> LoggedRequest | list[LoggedRequest]:
        with self._lock:
            return list(self._entries)[index]

    @override
    def __iter__(self) -> Any:
        with self._lock:
            return iter(list(self._entries))
