"""The floor for a first sync: `ideal_read.py PLAN` reads all pages as fast as the limits let it, and keeps nothing.

It knows beforehand where each page begins, and which properties there are, so that nothing waits for an answer but the
limit itself. PLAN is JSON: url, token, burst (calls in any `seconds`; 0 for no limit), seconds, workers, pages (paths).
Prints how many records there were.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_OK = 200


@dataclass
class IdealReader:
    """Many connections, each in a thread of its own."""

    plan: dict[str, Any]
    local: threading.local = field(default_factory=threading.local)
    opened: list[HTTPConnection] = field(default_factory=list)
    ended: list[Future[tuple[float, int]]] = field(default_factory=list)

    def run(self) -> int:
        """Read all pages; returns the number of records."""
        with ThreadPoolExecutor(self.plan["workers"]) as pool:
            for number, path in enumerate(self.plan["pages"]):
                self.ended.append(pool.submit(self._page, number, path))
        for connection in self.opened:
            connection.close()
        return sum(future.result()[1] for future in self.ended)

    def _page(self, number: int, path: str) -> tuple[float, int]:
        """When the page was there, and its number of records."""
        self._wait(number)
        connection = self._connection()
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.plan['token']}"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != _OK:
            raise SystemExit(f"status {answer.status}: the ideal client does not keep to the limits")
        return time.monotonic(), body.count(b'"updatedAt":')

    def _wait(self, number: int) -> None:
        """Until `seconds` after all calls but the latest `burst` - 1 are over: they have left the window for sure."""
        last = number - self.plan["burst"]
        if not self.plan["burst"] or last < 0:
            return
        under_way = self.ended[max(last - self.plan["workers"], 0) : last + 1]
        over = max(future.result()[0] for future in under_way)
        time.sleep(max(0.0, over + self.plan["seconds"] - time.monotonic()))

    def _connection(self) -> HTTPConnection:
        if not hasattr(self.local, "connection"):
            self.local.connection = HTTPConnection(urlsplit(self.plan["url"]).netloc)
            self.opened.append(self.local.connection)
        connection: HTTPConnection = self.local.connection
        return connection


if __name__ == "__main__":
    print(IdealReader(json.loads(Path(sys.argv[1]).read_text("utf-8"))).run())
