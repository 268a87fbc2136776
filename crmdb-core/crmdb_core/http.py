"""One HTTP session for all taps: paced, retried, within a deadline, and never away from its own host."""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
import time
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from typing_extensions import override

from crmdb_core.answers import parse_json, wants_json
from crmdb_core.exceptions import (
    ApiError,
    CrmdbError,
    RetriesExhaustedError,
    TryLaterError,
    UnreachableError,
)
from crmdb_core.faults import Fault, fault_of, refusal
from crmdb_core.instants import format_instant
from crmdb_core.origin import Origin
from crmdb_core.pacing import Budget, Pacer
from crmdb_core.retry import RetryPolicy, Verdict, asked_wait
from crmdb_core.server_clock import ServerClock
from crmdb_core.transport import Deadline, DeadlineAdapter, read_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["ApiSession", "Budget", "Pacer", "RetryPolicy", "Stats", "Verdict"]

logger = logging.getLogger(__name__)

_CONNECT_SECONDS = 15.0
_MOST_REDIRECTS = 5
_TOO_MANY_REQUESTS = 429
_UNAUTHORIZED = 401
_LABEL: ContextVar[str | None] = ContextVar("label", default=None)


@dataclass
class Stats:
    """Requests made (every try counts) and seconds spent waiting for limits and retries."""

    calls: int = 0
    waited: float = 0.0


class ApiSession(requests.Session):
    """Sends every request until it is answered well, or raises one plain error. Thread-safe.

    Retried (see `RetryPolicy`): 423, 429, 477, 5xx, broken connections, cut or HTML answers where JSON was due. POST is
    retried too: taps only read. A 401 is answered by one `auth.refresh()` for all threads, if auth has it, and the
    same request again. `auth` is called before every try and must be idempotent. `judge` reads each response first
    (after a refresh, for 401) and may overrule the table. `timeout` is the longest silence in seconds, `deadline` the
    longest single try, `max_bytes` the largest decompressed body. Redirects (at most five) and absolute links are
    followed on the API's own origin only.

    As `requests_session` of the SDK's RESTStream it works through `send()`; switch the SDK's own backoff off there.
    """

    def __init__(
        self,
        *,
        api_url: str,
        auth: requests.auth.AuthBase | None = None,
        pacer: Pacer | None = None,
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
        # never None: requests would look for a password in ~/.netrc
        self.auth = auth or _no_auth
        self.pacer = pacer or Pacer(clock=clock, sleep=sleep)
        self.retry = retry or RetryPolicy()
        self.timeout = timeout
        self.deadline = deadline
        self.judge = judge
        self.max_bytes = max_bytes
        self.stats = Stats()
        self._by_label: dict[str, Stats] = {}
        self._stats_lock = threading.Lock()
        self._clock = clock
        self._sleep = sleep
        self._server_clock = ServerClock(local_now)
        self._renewal = _Renewal(auth)
        self.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
        adapter = DeadlineAdapter(connections=connections)
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def get_json(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        bucket: str = "default",
        stream: str | None = None,
    ) -> Any:
        """GET a path below the API root (or an absolute next link) and return the JSON value of the answer."""
        return self._json(requests.Request("GET", self.origin.url(path), params=params), bucket, stream)

    def post_json(self, path: str, body: Any, *, bucket: str = "default", stream: str | None = None) -> Any:
        """POST a JSON body (a search, a batch read: nothing is changed by it) and return the JSON value."""
        return self._json(requests.Request("POST", self.origin.url(path), json=body), bucket, stream)

    def post_form(
        self, path: str, form: Mapping[str, str], *, bucket: str = "default", stream: str | None = None
    ) -> Any:
        """POST a form (an OAuth grant) and return the JSON value."""
        return self._json(requests.Request("POST", self.origin.url(path), data=dict(form)), bucket, stream)

    def _json(self, request: requests.Request, bucket: str, label: str | None) -> Any:
        request.auth = _no_auth  # applied before each try instead, for a token may change between two
        prepared = self.prepare_request(request)
        options = self.merge_environment_settings(prepared.url, {}, None, None, None)
        with self.counting(label) if label else contextlib.nullcontext():
            return self._deliver(prepared, bucket, options)[1]

    @override
    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a prepared request, paced and retried; the caller's `timeout` and `allow_redirects` do not count."""
        bucket = kwargs.pop("bucket", "default")
        options: dict[str, Any] = {name: kwargs[name] for name in ("verify", "cert", "proxies") if name in kwargs}
        return self._deliver(request, bucket, options)[0]

    @override
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: requests must not follow (nor read) a redirect; `_follow` does."""
        return None

    def server_now(self) -> datetime:
        """The server's time in UTC by the last Date header; the local clock's before the first answer."""
        return self._server_clock.now()

    @property
    def clock_is_known(self) -> bool:
        """Whether the server has told its time yet."""
        return self._server_clock.is_known

    @contextlib.contextmanager
    def counting(self, label: str) -> Iterator[Stats]:
        """Count the calls and waits made in this block (and by `in_order` threads of it) under a stream's name too."""
        token = _LABEL.set(label)
        try:
            yield self.stats_of(label)
        finally:
            _LABEL.reset(token)

    def stats_of(self, label: str) -> Stats:
        """The counters of one label."""
        with self._stats_lock:
            return self._by_label.setdefault(label, Stats())

    def _count(self, *, calls: int = 0, waited: float = 0.0) -> None:
        label = _LABEL.get()
        with self._stats_lock:
            counters = [self.stats] + ([self._by_label.setdefault(label, Stats())] if label else [])
            for stats in counters:
                stats.calls += calls
                stats.waited += waited

    def _deliver(
        self,
        request: requests.PreparedRequest,
        bucket: str,
        options: Mapping[str, Any],
    ) -> tuple[requests.Response, Any]:
        """Try until a good answer comes; returns it with its JSON value (None where none was due)."""
        self.origin.check(str(request.url))
        started, waits, refreshed = self._clock(), self.retry.waits(), False
        for attempt in itertools.count(1):  # pragma: no branch - left by return and raise
            generation = self._renewal.generation
            answer = self._attempt(request, bucket, options)
            if not isinstance(answer, Fault) and answer.status_code == _UNAUTHORIZED and not refreshed:
                refreshed = self._renewal.renew(generation)
                if refreshed:
                    continue
            outcome = answer if isinstance(answer, Fault) else self._judged(answer)
            if not isinstance(outcome, Fault):
                return outcome
            wait = next(waits) if outcome.asked is None else outcome.asked
            self._give_up(request, outcome, attempt, self._clock() - started, wait)
            self._pause(request, bucket, outcome, attempt, wait)
        raise AssertionError  # pragma: no cover

    def _attempt(
        self,
        request: requests.PreparedRequest,
        bucket: str,
        options: Mapping[str, Any],
    ) -> requests.Response | Fault:
        """One try on the wire, body included; its status is not looked at yet."""
        self._count(waited=self.pacer.wait(bucket))
        self._count(calls=1)
        started = self._clock()
        with Deadline(self.deadline) as deadline:
            try:
                response = self._follow(request, options)
                # read here rather than by requests, which knows neither deadline nor limit
                response._content = read_body(response, most=self.max_bytes)  # noqa: SLF001
                response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001
            except CrmdbError:
                raise
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                if not deadline.expired:
                    return fault_of(error, self._host, self.timeout)
        if deadline.expired:
            return Fault(f"{self._host} gave no complete answer within {self.deadline:g} s", "broken")
        self._server_clock.observe(response.headers.get("Date"))
        logger.debug(
            "%s %s -> %d, %d bytes, %.3f s",
            request.method,
            urlsplit(str(request.url)).path,
            response.status_code,
            len(response.content),
            self._clock() - started,
        )
        return response

    @property
    def _host(self) -> str:
        return urlsplit(self.origin.base).hostname or ""

    def _follow(self, request: requests.PreparedRequest, options: Mapping[str, Any]) -> requests.Response:
        """Send, following redirects that stay on the origin; the check comes before anything is sent."""
        for _ in range(_MOST_REDIRECTS + 1):
            self.origin.check(str(request.url))
            request = self._sign(request)
            response = super().send(
                request,
                **{**options, "stream": True, "allow_redirects": False, "timeout": (_CONNECT_SECONDS, self.timeout)},
            )
            if not response.is_redirect:
                return response
            response.close()
            if request.method != "GET" and response.status_code not in {307, 308}:
                break
            request = request.copy()
            request.url = self.origin.follow(str(request.url), response.headers["Location"])
        raise ApiError(
            f"{request.method} {urlsplit(str(request.url)).path} was redirected too often or away from its method; "
            "check api_url",
            status=response.status_code,
        )

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return self.auth(request) if callable(self.auth) else request

    def _judged(self, response: requests.Response) -> tuple[requests.Response, Any] | Fault:
        """Accept an answer, find a passing fault in it, or raise."""
        status, asked = response.status_code, self._asked_wait(response)
        verdict = self.judge(response) if self.judge else None
        kind: Any = "limited" if status == _TOO_MANY_REQUESTS else "answer"
        if verdict is not None:
            if verdict.action == "later":
                raise TryLaterError(verdict.reason, until=verdict.until)
            if verdict.action == "fatal":
                raise refusal(response, urlsplit(str(response.url)), verdict.reason)
            reason = verdict.reason or f"answered {status}"
            return Fault(reason, kind, verdict.seconds if asked is None else asked, response=response)
        if self.retry.retries_status(status):
            return Fault(f"answered {status}", kind, asked, response=response)
        if not response.ok or not 200 <= status < 300:  # noqa: PLR2004 - the range of success
            raise refusal(response, urlsplit(str(response.url)), "")
        if not wants_json(response.request):
            return response, None
        value = parse_json(response)
        return value if isinstance(value, Fault) else (response, value)

    def _asked_wait(self, response: requests.Response) -> float | None:
        asked = asked_wait(response.headers.get("Retry-After"), self.server_now())
        return self.retry.short_wait() if asked is not None and asked <= 0 else asked

    def _give_up(
        self,
        request: requests.PreparedRequest,
        fault: Fault,
        attempt: int,
        elapsed: float,
        wait: float,
    ) -> None:
        """Raise if another try is not allowed: too long a wait, too many tries, too much time."""
        what = f"{request.method} {urlsplit(str(request.url)).path}: {fault.reason}"
        if fault.asked is not None and fault.asked > self.retry.max_wait:
            until = self.server_now() + timedelta(seconds=fault.asked)
            raise TryLaterError(
                f"{what}; the server asks to wait {fault.asked:,.0f} s, more than {self.retry.max_wait:g} s; "
                f"run again after {format_instant(until)[:19]}Z",
                until=until,
            )
        most = self.retry.dns_attempts if fault.kind == "name" else self.retry.attempts
        if attempt < most and elapsed + wait <= self.retry.max_elapsed:
            return
        summary = f"{what}; gave up after {attempt} tries in {elapsed:.0f} s"
        if fault.kind == "limited":
            raise TryLaterError(f"{summary}; run again later or lower rate_limit")
        raise self._exhausted(summary, request, fault, attempt)

    @staticmethod
    def _exhausted(
        summary: str,
        request: requests.PreparedRequest,
        fault: Fault,
        attempt: int,
    ) -> RetriesExhaustedError:
        unreachable = fault.kind in {"name", "unreachable"}
        error = (UnreachableError if unreachable else RetriesExhaustedError)(
            f"{summary}; check the network and api_url" if unreachable else f"{summary}; run again later",
            method=str(request.method),
            path=urlsplit(str(request.url)).path,
            status=None if fault.response is None else fault.response.status_code,
            response=fault.response,
        )
        error.attempts = attempt
        return error

    def _pause(
        self,
        request: requests.PreparedRequest,
        bucket: str,
        fault: Fault,
        attempt: int,
        wait: float,
    ) -> None:
        if fault.stale and attempt == 1:
            wait = 0.0  # an idle connection that the server had closed says nothing about its health
        logger.info(
            "%s %s: %s; try %d of %d in %.1f s",
            request.method,
            urlsplit(str(request.url)).path,
            fault.reason,
            attempt + 1,
            self.retry.attempts,
            wait,
        )
        if fault.kind == "limited":
            self.pacer.hold(bucket, wait)
        if wait > 0:
            self._count(waited=wait)
            self._sleep(wait)


class _Renewal:
    """`auth.refresh()` once for all threads that met the same 401."""

    def __init__(self, auth: Any) -> None:
        self._refresh: Callable[[], None] | None = getattr(auth, "refresh", None)
        self._lock = threading.Lock()
        self.generation = 0

    def renew(self, seen: int) -> bool:
        """Refresh unless another thread has since generation `seen`; False where auth cannot be refreshed."""
        if self._refresh is None:
            return False
        with self._lock:
            if self.generation == seen:
                self._refresh()
                self.generation += 1
        return True


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
