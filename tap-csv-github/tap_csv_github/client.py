"""The HTTP session: as all taps' one, with bodies of files that are kept on disk and checked against their names."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import requests
from typing_extensions import override

from crmdb_core.exceptions import ApiError, DamagedBodyError, ResponseTooLargeError, SecurityError
from crmdb_core.http import ApiSession
from tap_csv_github.content import Spool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_csv_github.content import Content

__all__ = ["OCTETS", "RAW", "GitHubSession", "Wanted", "git_root"]

RAW = "application/vnd.github.raw+json"
OCTETS = "application/octet-stream"
_CHUNK = 65536
_MOST_HOPS = 5


@dataclass(frozen=True)
class Wanted:
    """What a download must be, where that is known: git's hash, a SHA-256, a size. `most`: only so many first bytes."""

    sha: str | None = None
    sha256: str | None = None
    size: int | None = None
    most: int | None = None

    def is_met_by(self, content: Content) -> bool:
        """Whether this is it, whole and unharmed."""
        if self.most is not None and content.size >= self.most:
            return True
        if self.sha is not None and content.sha != self.sha:
            return False
        if self.size is not None and content.size != self.size:
            return False
        return self.sha256 is None or content.sha256() == self.sha256


@dataclass
class _Order:
    """A download: what it must be, and what came."""

    wanted: Wanted
    content: Content | None = None


class GitHubSession(ApiSession):
    """Bodies of downloads go to a `Content`; one that is not what was wanted is asked for again.

    Octets may be redirected to another host (release files); it gets no credentials, and never less than TLS.
    `slots` is how many downloads are under way at once.
    """

    def __init__(self, *, slots: int = 16, **options: Any) -> None:
        super().__init__(**options)
        self._slots = threading.BoundedSemaphore(slots)

    def get_unless(self, etag: str, path: str, params: Mapping[str, Any] | None = None) -> tuple[Any, str]:
        """The JSON of a path and its ETag; None instead where it still has this one (304, which costs nothing)."""
        request = requests.Request("GET", self.origin.url(path), params=params)
        request.headers = {"If-None-Match": etag} if etag else {}
        try:
            response = self.send(self.prepared(request))
        except ApiError as error:
            if error.status != requests.codes.not_modified:
                raise
            return None, etag
        return response.json(), response.headers.get("ETag", "")

    def prepared(self, request: requests.Request) -> requests.PreparedRequest:
        """The request with the session's headers; it is signed before each try, for a token may change between two."""
        request.auth = _unsigned
        return self.prepare_request(request)

    def fetch_file(
        self, url: str, wanted: Wanted, *, accept: str = RAW, headers: Mapping[str, str] | None = None
    ) -> Content:
        """A file, whole, or only its first bytes; as large as it may be it takes little memory."""
        order = _Order(wanted)
        part = {}
        if wanted.most is not None:  # of a packed body it would be another part
            part = {"Range": f"bytes=0-{wanted.most - 1}", "Accept-Encoding": "identity"}
        with self._slots:
            self.download(url, into=order, accept=accept, headers={**(headers or {}), **part})
        assert order.content is not None
        return order.content

    @override
    def store(self, response: requests.Response, into: _Order) -> None:
        try:
            content = self._received(response, into.wanted)
        except BaseException:
            response.close()  # where it was the disk that failed, the connection is still open
            raise
        if not into.wanted.is_met_by(content):
            content.close()
            raise DamagedBodyError("the file arrived cut or damaged")
        into.content = content

    def _received(self, response: requests.Response, wanted: Wanted) -> Content:
        """The body, unpacked; where it is longer than wanted no more of it than that."""
        spool, limit = Spool(), self.max_bytes if wanted.size is None else wanted.size
        for chunk in response.raw.stream(_CHUNK, decode_content=True):
            spool.write(chunk if wanted.most is None else chunk[: wanted.most - spool.size])
            if wanted.most is not None and spool.size >= wanted.most:
                response.close()
                break
            if spool.size > limit:
                if wanted.size is not None:
                    response.close()
                    break
                raise ResponseTooLargeError(f"a file grew past {limit:,} bytes and was dropped")
        return spool.content()

    @override
    def follow(self, request: requests.PreparedRequest, options: Mapping[str, Any]) -> requests.Response:
        if request.headers.get("Accept") != OCTETS:
            return super().follow(request, options)
        for _ in range(_MOST_HOPS + 1):
            response = self.pass_on(request, options)
            if not response.is_redirect:
                return response
            response.close()
            request = _without_credentials(str(request.url), response.headers["Location"])
        raise ApiError("a release file was redirected too often; nothing was read of it", method="GET")


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _without_credentials(url: str, location: str) -> requests.PreparedRequest:
    """The request for where a file is redirected to, which is signed by its URL."""
    target = urljoin(url, location)
    here, there = urlsplit(url), urlsplit(target)
    if there.scheme not in {"http", "https"} or (here.scheme == "https" and there.scheme != "https"):
        raise SecurityError("a release file was redirected away from TLS; nothing was read of it")
    if there.username is not None:
        raise SecurityError("a release file was redirected to a link with a user name; nothing was read of it")
    return requests.Request("GET", target, headers={"Accept": OCTETS, "User-Agent": "crmdb"}).prepare()


def git_root(api_url: str) -> str:
    """Where git itself is served, beside the API: `github.com`, an Enterprise server, a subdomain of `ghe.com`."""
    parts = urlsplit(api_url)
    host, path = parts.netloc, parts.path.rstrip("/")
    if host == "api.github.com" or (host.startswith("api.") and host.endswith(".ghe.com")):
        host = host.removeprefix("api.")
    return f"{parts.scheme}://{host}{path.removesuffix('/api/v3')}"
