"""The HTTP session: as all taps' one, with bodies of files that are kept on disk and checked against their names."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urljoin, urlsplit

import requests
from typing_extensions import override

from crmdb_core.exceptions import ApiError, ResponseTooLargeError, SecurityError
from crmdb_core.http import ApiSession, Verdict
from tap_csv_github.content import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_csv_github.content import Content

__all__ = ["OCTETS", "RAW", "GitHubSession", "Wanted", "git_root"]

RAW = "application/vnd.github.raw+json"
OCTETS = "application/octet-stream"
_CHUNK = 65536
_MOST_HOPS = 5
_PARTIAL = 206


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


_WANTED: ContextVar[Wanted | None] = ContextVar("wanted", default=None)


class GitHubSession(ApiSession):
    """Bodies of downloads go to a `Content`; one that is not what was wanted is asked for again.

    Octets may be redirected to another host (release files); it gets no credentials, and never less than TLS.
    `slots` is how many downloads are under way at once.
    """

    def __init__(self, *, slots: int = 16, **options: Any) -> None:
        self._judge_rest: Callable[[requests.Response], Verdict | None] = options.pop("judge", None) or (lambda _: None)
        super().__init__(judge=self._judge_file, **options)
        self._slots = threading.BoundedSemaphore(slots)
        self._contents: dict[int, Content] = {}

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
        request = requests.Request("GET", self.origin.url(url), headers={**(headers or {}), "Accept": accept})
        if wanted.most is not None:
            request.headers["Range"] = f"bytes=0-{wanted.most - 1}"
        prepared = self.prepared(request)
        token = _WANTED.set(wanted)
        try:
            with self._slots:
                response = self.send(prepared)
        finally:
            _WANTED.reset(token)
        return self._contents.pop(id(response))

    def _judge_file(self, response: requests.Response) -> Verdict | None:
        """Look into a download before anything else does."""
        content, wanted = self._contents.get(id(response)), _WANTED.get()
        if content is None or wanted is None or wanted.is_met_by(content):
            return self._judge_rest(response)
        self._contents.pop(id(response)).close()
        return Verdict.retry(reason="the file arrived cut or damaged")

    @override
    def _whole(self, response: requests.Response, into: BinaryIO | None) -> requests.Response:
        wanted = _WANTED.get()
        if wanted is None or response.status_code not in {requests.codes.ok, _PARTIAL}:
            return super()._whole(response, into)
        spool = Spool()
        for chunk in response.raw.stream(_CHUNK, decode_content=True):
            spool.write(chunk if wanted.most is None else chunk[: wanted.most - spool.size])
            if spool.size > self.max_bytes:
                response.close()
                raise ResponseTooLargeError(f"a file grew past {self.max_bytes:,} bytes and was dropped")
            if wanted.most is not None and spool.size >= wanted.most:
                response.close()
                break
        self._contents[id(response)] = spool.content()
        response._content = b""  # noqa: SLF001 - it is kept elsewhere
        response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001 - as above
        response.request = response.request.copy()
        response.request.headers["Accept"] = OCTETS  # the raw media type has "json" in its name, and nobody is to look
        return response

    @override
    def _follow(self, request: requests.PreparedRequest, options: Mapping[str, Any]) -> requests.Response:
        if request.headers.get("Accept") != OCTETS:
            return super()._follow(request, options)
        wire = {"stream": True, "allow_redirects": False, "timeout": (self.timeout, self.timeout)}
        for _ in range(_MOST_HOPS + 1):
            response = requests.Session.send(self, request, **{**options, **wire})
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
