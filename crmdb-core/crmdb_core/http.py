"""One HTTP session for all taps: paced, retried, within a deadline, and never away from its own host."""

from __future__ import annotations

import contextlib
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from typing_extensions import override

from crmdb_core.answers import decode_json
from crmdb_core.counters import Counters, Stats
from crmdb_core.delivery import Answer, Delivery, Renewal
from crmdb_core.exceptions import ApiError, CrmdbError, DamagedBodyError
from crmdb_core.faults import Fault, fault_of
from crmdb_core.origin import Origin
from crmdb_core.pacing import Budget, Pacer
from crmdb_core.quota import Quota
from crmdb_core.retry import RetryPolicy, Verdict
from crmdb_core.server_clock import ServerClock
from crmdb_core.sunset import Announcements
from crmdb_core.transport import Deadline, DeadlineAdapter, copy_body, read_body

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

__all__ = ["ApiSession", "Budget", "Pacer", "RetryPolicy", "Stats", "Verdict"]

logger = logging.getLogger(__name__)

_CONNECT_SECONDS = 15.0
_LONGEST_DOWNLOAD = 3600.0
_MOST_REDIRECTS = 5
_SAME_METHOD = frozenset({307, 308})


class ApiSession(requests.Session):
    """Sends every request until it is answered well, or raises one plain error. Thread-safe.

    Retried (see `RetryPolicy`): 423, 429, 477, 5xx, broken connections, cut or HTML answers where JSON was due. POST is
    retried too: taps only read. A 401 is answered by one `auth.refresh()` for all threads, if auth has it, and the
    same request again. `auth` is called before every try and must be idempotent. `judge` reads each response first
    (after a refresh, for 401) and may overrule the table. `timeout` is the longest silence in seconds, `deadline` the
    longest single try, `max_bytes` the largest decompressed body. Redirects (at most five) and absolute links are
    followed on the API's own origin only. A call that `quota` does not allow is not sent; once any request has been
    told to come back later (TryLaterError), no other one is sent either.

    As `requests_session` of the SDK's RESTStream it works through `send()`; switch the SDK's own backoff off there.
    """

    def __init__(
        self,
        *,
        api_url: str,
        auth: requests.auth.AuthBase | None = None,
        pacer: Pacer | None = None,
        quota: Quota | None = None,
        retry: RetryPolicy | None = None,
        timeout: float = 60.0,
        deadline: float = 300.0,
        user_agent: str = "crmdb",
        judge: Callable[[requests.Response], Verdict | None] | None = None,
        max_bytes: int = 256 * 1024 * 1024,
        connections: int = 16,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        local_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self.origin = Origin(api_url)
        self.auth = auth or _no_auth  # never None: requests would look for a password in ~/.netrc
        self.pacer = pacer or Pacer(clock=clock, sleep=sleep)
        self.quota = quota or Quota()
        self.retry = retry or RetryPolicy()
        self.timeout = timeout
        self.deadline = deadline
        self.judge = judge
        self.max_bytes = max_bytes
        self.clock = clock
        self.sleep = sleep
        self.counters = Counters()
        self.renewal = Renewal(auth)
        self._server_clock = ServerClock(local_now)
        self._announcements = Announcements()
        self.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
        adapter = DeadlineAdapter(connections=connections)
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    # what a tap calls

    def get_json(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        bucket: str = "default",
        stream: str | None = None,
        decode: Callable[[bytes], Any] = decode_json,
    ) -> Any:
        """GET a path below the API root (or an absolute next link) and return the JSON value of the answer.

        `decode` may make something else of the body; it raises ValueError for one that is cut or broken.
        """
        return self._json(requests.Request("GET", self.origin.url(path), params=params), bucket, stream, decode)

    def post_json(self, path: str, body: Any, *, bucket: str = "default", stream: str | None = None) -> Any:
        """POST a JSON body (a search, a batch read: nothing is changed by it) and return the JSON value."""
        return self._json(requests.Request("POST", self.origin.url(path), json=body), bucket, stream)

    def post_form(
        self,
        path: str,
        form: Mapping[str, str],
        *,
        bucket: str = "default",
        stream: str | None = None,
    ) -> Any:
        """POST a form (an OAuth grant) and return the JSON value."""
        return self._json(requests.Request("POST", self.origin.url(path), data=dict(form)), bucket, stream)

    def change(self, method: str, path: str, body: Any = None, *, bucket: str = "default") -> None:
        """Ask for something that gives no value back: to stop or to delete a job that the tap has begun."""
        request = requests.Request(method, self.origin.url(path), json=body, headers={"Accept": "*/*"})
        self._deliver(request, bucket)

    def download(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        into: Any,
        accept: str = "*/*",
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """GET a body of any length into a file, as it comes over the wire (`Content-Encoding` says how it is packed).

        The file is emptied before every try. Of the response only status and headers are of use. A try may take an
        hour, for such a body may be long; the longest silence holds as always. `into` is what `store` takes.
        """
        wanted = {"Accept-Encoding": "gzip", **(headers or {}), "Accept": accept}
        request = requests.Request("GET", self.origin.url(path), params=params, headers=wanted)
        return self._deliver(request, "default", into=into).response

    # what a subclass may do in its own way

    def store(self, response: requests.Response, into: Any) -> None:
        """Take the body of a good answer to `download`; raise DamagedBodyError to have it asked for again."""
        copy_body(response, into)

    def follow(self, request: requests.PreparedRequest, options: Mapping[str, Any]) -> requests.Response:
        """Send, following redirects that stay on the origin; the check comes before anything is sent."""
        for _ in range(_MOST_REDIRECTS + 1):
            response = self.pass_on(request, options)
            if not response.is_redirect:
                return response
            response.close()
            if request.method != "GET" and response.status_code not in _SAME_METHOD:
                break
            request = request.copy()
            request.url = self.origin.follow(str(request.url), response.headers["Location"])
        path = urlsplit(str(request.url)).path
        raise ApiError(
            f"{request.method} {path} was redirected too often or away from its method; check the address in use",
            method=str(request.method),
            path=path,
            status=response.status_code,
        )

    def pass_on(self, request: requests.PreparedRequest, options: Mapping[str, Any]) -> requests.Response:
        """Send once, whatever the answer; its body is not read yet."""
        wire = {"stream": True, "allow_redirects": False, "timeout": (_CONNECT_SECONDS, self.timeout)}
        return super().send(request, **{**options, **wire})

    # what is known

    def server_now(self) -> datetime:
        """The server's time in UTC by the last Date header; the local clock's before the first answer."""
        return self._server_clock.now()

    @property
    def clock_is_known(self) -> bool:
        """Whether the server has told its time yet."""
        return self._server_clock.is_known

    @property
    def stats(self) -> Stats:
        """Calls and waits of the whole session."""
        return self.counters.total

    def counting(self, label: str) -> AbstractContextManager[Stats]:
        """Count the calls and waits of this block (and of `in_order` threads begun in it) under a stream's name too."""
        return self.counters.labelled(label)

    def stats_of(self, label: str) -> Stats:
        """Calls and waits under one label."""
        return self.counters.of(label)

    # how it is sent

    def _json(
        self,
        request: requests.Request,
        bucket: str,
        label: str | None,
        decode: Callable[[bytes], Any] = decode_json,
    ) -> Any:
        with self.counting(label) if label else contextlib.nullcontext():
            return self._deliver(request, bucket, decode).value

    def _deliver(
        self,
        request: requests.Request,
        bucket: str,
        decode: Callable[[bytes], Any] = decode_json,
        **more: Any,
    ) -> Answer:
        request.auth = _no_auth  # applied before each try instead, for a token may change between two
        prepared = self.prepare_request(request)
        options = self.merge_environment_settings(prepared.url, {}, None, None, None)
        return Delivery(self, prepared, bucket, {**options, **more}, decode).run()

    @override
    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a prepared request, paced and retried; the caller's `timeout` and `allow_redirects` do not count."""
        bucket = kwargs.pop("bucket", "default")
        given: dict[str, Any] = {name: kwargs[name] for name in ("verify", "cert", "proxies") if name in kwargs}
        options = self.merge_environment_settings(request.url, {}, None, None, None)
        return Delivery(self, request, bucket, {**options, **given}).run().response

    def exchange(
        self,
        request: requests.PreparedRequest,
        bucket: str,
        options: Mapping[str, Any],
    ) -> requests.Response | Fault:
        """One try on the wire, paced, body included; the status is not looked at yet."""
        self.origin.check(str(request.url))
        # before the deadline begins, for this may refresh a token; a redirect keeps the headers
        request = self.auth(request) if callable(self.auth) else request
        slot = self.pacer.take(bucket)
        self.counters.add(waited=slot.waited)
        ticket = self.quota.reserve(self.quota.price(request))
        self.counters.add(calls=1)
        try:
            response = self._on_the_wire(request, options)
        except BaseException:
            self.quota.settle(ticket)
            raise
        finally:
            self.pacer.answered(slot)
        self.quota.settle(ticket, None if isinstance(response, Fault) else response.headers)
        return response

    def _on_the_wire(self, request: requests.PreparedRequest, options: Mapping[str, Any]) -> requests.Response | Fault:
        host = urlsplit(self.origin.base).hostname or ""
        into = options.get("into")
        wire = {name: value for name, value in options.items() if name != "into"}
        with Deadline(self.deadline if into is None else max(self.deadline, _LONGEST_DOWNLOAD)) as deadline:
            try:
                response = self._whole(self.follow(request, wire), into)
            except CrmdbError:
                raise
            except DamagedBodyError as error:
                if not deadline.expired:
                    return Fault(str(error), "broken")
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                if not deadline.expired:
                    return fault_of(error, host, self.timeout)
        if deadline.expired:
            return Fault(f"{host} gave no complete answer within {self.deadline:g} s", "broken")
        self._server_clock.observe(response.headers.get("Date"))
        path, size = urlsplit(str(request.url)).path, len(response.content)
        self._announcements.observe(response.headers, path)
        logger.debug("%s %s -> %d, %d bytes", request.method, path, response.status_code, size)
        return response

    def _whole(self, response: requests.Response, into: Any) -> requests.Response:
        """Read the body here rather than in requests, which knows neither deadline nor limit."""
        if into is not None and response.ok:
            self.store(response, into)
            response._content = b""  # noqa: SLF001 - as above
        else:
            response._content = read_body(response, most=self.max_bytes)  # noqa: SLF001 - as above
        response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001 - as above
        return response

    @override
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: requests must not follow (nor read) a redirect; `follow` does."""
        return None


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
