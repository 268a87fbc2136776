"""One request until it is answered well: refresh once, judge the answer, wait, try again, give up."""

from __future__ import annotations

import itertools
import logging
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from crmdb_core.answers import decode_json, parse_json, wants_json
from crmdb_core.counters import spend_call
from crmdb_core.exceptions import RetriesExhaustedError, TryLaterError, UnreachableError
from crmdb_core.faults import Fault, refusal
from crmdb_core.instants import format_instant
from crmdb_core.retry import asked_wait

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from crmdb_core.http import ApiSession

__all__ = ["Answer", "Delivery", "Renewal"]

logger = logging.getLogger(__name__)

_UNAUTHORIZED = 401
_TOO_MANY_REQUESTS = 429


@dataclass(frozen=True)
class Answer:
    """A good response, and its JSON value where one was due."""

    response: requests.Response
    value: Any = None


class Delivery:
    """The tries of one request over a session."""

    def __init__(
        self,
        session: ApiSession,
        request: requests.PreparedRequest,
        bucket: str,
        options: Mapping[str, Any],
        decode: Callable[[bytes], Any] = decode_json,
    ) -> None:
        self._session = session
        self._policy = session.retry
        self._request = request
        self._bucket = bucket
        self._options = options
        self._decode = decode
        self._where: SplitResult = urlsplit(str(request.url))
        self._name = f"{request.method} {self._where.path}"

    def run(self) -> Answer:
        """Try until a good answer comes, or raise; a TryLaterError holds for every request of the session."""
        spend_call()
        try:
            return self._tried()
        except TryLaterError as error:
            self._session.quota.close(error)
            raise

    def _tried(self) -> Answer:
        clock = self._session.clock
        started, own_waits, refreshed = clock(), self._policy.waits(), False
        for attempt in itertools.count(1):
            generation = self._session.renewal.generation
            response = self._session.exchange(self._request, self._bucket, self._options)
            if not isinstance(response, Fault) and response.status_code == _UNAUTHORIZED and not refreshed:
                refreshed = self._session.renewal.renew(generation)
                if refreshed:
                    continue
            outcome = response if isinstance(response, Fault) else self._judged(response)
            if isinstance(outcome, Answer):
                return outcome
            wait = next(own_waits) if outcome.asked is None else outcome.asked
            if outcome.stale and attempt == 1:
                wait = 0.0  # an idle connection that the server had closed says nothing about its health
            self._give_up(outcome, attempt, clock() - started, wait)
            self._pause(outcome, attempt, wait)
        raise AssertionError  # count() never ends

    def _judged(self, response: requests.Response) -> Answer | Fault:
        """Accept an answer, find a passing fault in it, or raise."""
        judge = self._session.judge
        verdict = judge(response) if judge else None
        if verdict is None:
            return self._by_table(response)
        if verdict.action == "later":
            raise TryLaterError(verdict.reason, until=verdict.until)
        if verdict.action == "fatal":
            raise refusal(response, self._where, verdict.reason)
        asked = self._asked_wait(response)
        return self._fault(response, verdict.reason, verdict.seconds if asked is None else asked)

    def _by_table(self, response: requests.Response) -> Answer | Fault:
        status = response.status_code
        if self._policy.retries_status(status):
            return self._fault(response, "", self._asked_wait(response))
        if not 200 <= status < 300:  # noqa: PLR2004 - the range of success
            raise refusal(response, self._where, "")
        if "into" in self._options or not wants_json(response.request):
            return Answer(response)
        value = parse_json(response, self._decode)
        return value if isinstance(value, Fault) else Answer(response, value)

    @staticmethod
    def _fault(response: requests.Response, reason: str, asked: float | None) -> Fault:
        limited = response.status_code == _TOO_MANY_REQUESTS
        return Fault(
            reason or f"answered {response.status_code}",
            "limited" if limited else "answer",
            asked,
            response=response,
        )

    def _asked_wait(self, response: requests.Response) -> float | None:
        asked = asked_wait(response.headers.get("Retry-After"), self._session.server_now())
        return self._policy.short_wait() if asked is not None and asked <= 0 else asked

    def _give_up(self, fault: Fault, attempt: int, elapsed: float, wait: float) -> None:
        """Raise if another try is not allowed: too long a wait, too many tries, too much time."""
        what = f"{self._name}: {fault.reason}"
        if fault.asked is not None and fault.asked > self._policy.max_wait:
            until = self._session.server_now() + timedelta(seconds=fault.asked)
            raise TryLaterError(
                f"{what}; the server asks to wait {fault.asked:,.0f} s, more than {self._policy.max_wait:g} s; "
                f"run again after {format_instant(until)[:19]}Z",
                until=until,
            )
        most = min(self._policy.attempts, self._policy.dns_attempts if fault.kind == "name" else attempt + 1)
        if attempt < most and elapsed + wait <= self._policy.max_elapsed:
            return
        summary = f"{what}; gave up after {attempt} tries in {elapsed:.0f} s"
        if fault.kind == "limited":
            raise TryLaterError(f"{summary}; run again later or lower rate_limit")
        raise self._exhausted(summary, fault, attempt)

    def _exhausted(self, summary: str, fault: Fault, attempt: int) -> RetriesExhaustedError:
        unreachable = fault.kind in {"name", "unreachable"}
        error = (UnreachableError if unreachable else RetriesExhaustedError)(
            f"{summary}; check the network and api_url" if unreachable else f"{summary}; run again later",
            method=str(self._request.method),
            path=self._where.path,
            status=None if fault.response is None else fault.response.status_code,
            response=fault.response,
        )
        error.attempts = attempt
        return error

    def _pause(self, fault: Fault, attempt: int, wait: float) -> None:
        most = self._policy.attempts
        logger.info("%s: %s; try %d of %d in %.1f s", self._name, fault.reason, attempt + 1, most, wait)
        if fault.kind == "limited":
            self._session.pacer.hold(self._bucket, wait)
        if wait > 0:
            self._session.counters.add(waited=wait)
            self._session.sleep(wait)


class Renewal:
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
