"""The floor for a Bulk result: `bare_download.py URL SOQL` downloads all its pages side by side, and keeps nothing.

It makes the job, waits for it, lists the pages, and reads the same packed bytes as the tap. Prints how many there were.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

_JOBS = "/services/data/v68.0/jobs/query"
_WORKERS = 8
_CHUNK = 1 << 20


class BareClient:
    """A token, and calls with it."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        form = {
            "grant_type": "client_credentials",
            "client_id": "fake-client-id",
            "client_secret": "fake-client-secret",
        }
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        token = json.loads(self._call("POST", "/services/oauth2/token", urlencode(form), kind))["access_token"]
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def _call(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> bytes:
        connection = HTTPConnection(self._host)
        connection.request(method, path, body, headers)
        answer = connection.getresponse().read()
        connection.close()
        return answer

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer."""
        return json.loads(self._call(method, path, None if body is None else json.dumps(body), self._headers))

    def size(self, path: str) -> int:
        """The bytes of a page as they come."""
        connection = HTTPConnection(self._host)
        connection.request("GET", path, headers={**self._headers, "Accept": "text/csv", "Accept-Encoding": "gzip"})
        answer, size = connection.getresponse(), 0
        while part := answer.read(_CHUNK):
            size += len(part)
        connection.close()
        return size

    def pages(self, job: str) -> list[str]:
        """The paths of all pages."""
        path, found = f"{_JOBS}/{job}/resultPages", []
        while path:
            answer = self.json("GET", path)
            found += [each["resultUrl"] for each in answer["resultPages"]]
            path = "" if answer["done"] else answer["nextRecordsUrl"]
        return found


def main(url: str, soql: str) -> int:
    """Read it all."""
    client = BareClient(url)
    order = {"operation": "queryAll", "query": soql, "contentType": "CSV", "lineEnding": "LF"}
    job = client.json("POST", _JOBS, order)["id"]
    while client.json("GET", f"{_JOBS}/{job}")["state"] != "JobComplete":
        time.sleep(0.2)
    with ThreadPoolExecutor(_WORKERS) as pool:
        return sum(pool.map(client.size, client.pages(job)))


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2]))
