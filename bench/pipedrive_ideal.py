"""The floor: asks for what it knows beforehand, side by side within the burst limit, and keeps nothing.

`pipedrive_ideal.py PLAN`, a JSON file: url, token, burst, chains (lists followed by their cursors), single (paths).
Prints the number of calls.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

_SECONDS = 2.1
_TRIES = 3
_WORKERS = 16


class Reader:
    """Calls of all threads within one sliding window."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._starts: deque[float] = deque()
        self._lock = threading.Lock()
        self._local = threading.local()
        self.calls = 0

    def follow(self, path: str) -> None:
        """Read a list to its last page."""
        here = path
        while True:
            body = json.loads(self.get(here))
            cursor = (body.get("additional_data") or {}).get("next_cursor")
            if not cursor:
                return
            here = f"{path}&cursor={quote(cursor)}"

    def get(self, path: str) -> bytes:
        """One call; what is refused again and again ends the run."""
        for _ in range(_TRIES):
            self._wait()
            connection = self._connection()
            connection.request("GET", path, headers={"x-api-token": self._plan["token"]})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == HTTPStatus.OK:
                return body
            time.sleep(1)  # a loaded machine may hand a call over late
        raise SystemExit(f"{path.partition('?')[0]} was answered {answer.status}")

    def _wait(self) -> None:
        with self._lock:
            now = time.monotonic()
            while self._starts and self._starts[0] <= now - _SECONDS:
                self._starts.popleft()
            burst = self._plan["burst"]
            slot = now if len(self._starts) < burst else max(now, self._starts[-burst] + _SECONDS)
            self._starts.append(slot)
            self.calls += 1
        time.sleep(max(slot - now, 0))

    def _connection(self) -> HTTPConnection:
        if not hasattr(self._local, "connection"):
            self._local.connection = HTTPConnection(urlsplit(self._plan["url"]).netloc)
        connection: HTTPConnection = self._local.connection
        return connection


def main() -> None:
    """Run the plan."""
    plan = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    reader = Reader(plan)
    with ThreadPoolExecutor(_WORKERS) as pool:
        jobs: list[Future[Any]] = [pool.submit(reader.follow, path) for path in plan["chains"]]
        jobs += [pool.submit(reader.get, path) for path in plan["single"]]
        for job in jobs:
            job.result()
    print(reader.calls)


if __name__ == "__main__":
    main()
