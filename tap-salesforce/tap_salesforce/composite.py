"""Up to 25 reading calls in one, which Salesforce counts as one (vendor page "Composite")."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from crmdb_core.concurrency import in_order
from crmdb_core.exceptions import ApiError, ResponseTooLargeError, RetriesExhaustedError, TryLaterError
from crmdb_core.faults import refusal
from tap_salesforce.judge import Trouble, verdict_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from crmdb_core.http import ApiSession
    from crmdb_core.retry import Verdict
    from tap_salesforce.paths import Paths

__all__ = ["Answer", "Composite"]

logger = logging.getLogger(__name__)

MOST_CALLS = 25
MOST_QUERIES = 5  # of those; the rest of what Salesforce's own CumulusCI sends at once
_ROUNDS = 4
_MOST_SPOILT = 8
"""So many failed posts in a row are no spoilt call, which would stand alone by then, but a server that is down."""
_GENTLY = 2.0
_OK, _REDIRECTION, _SERVER_ERROR = 200, 300, 500
_PASSING = frozenset({412, 429})
"""A subrequest that was skipped for another one's sake, or that came too fast."""


@dataclass(frozen=True)
class Answer:
    """What one subrequest was answered; `url` is what was asked."""

    status: int
    body: Any
    headers: Mapping[str, str]
    url: str = ""

    @property
    def ok(self) -> bool:
        """Whether the body is what was asked for."""
        return _OK <= self.status < _REDIRECTION

    @property
    def trouble(self) -> Trouble | None:
        """The error that it tells, if it does."""
        return None if self.ok else Trouble.of(self.body)

    @property
    def verdict(self) -> Verdict | None:
        """What is to be done about it."""
        return None if self.ok else verdict_on(self.status, self.trouble)

    @property
    def passes(self) -> bool:
        """Whether it is worth another try."""
        verdict = self.verdict
        if verdict is not None:
            return verdict.action == "retry"
        return self.status >= _SERVER_ERROR or self.status in _PASSING

    def error(self) -> ApiError:
        """The error of an answer that is none, as a call of its own would have raised it."""
        response = requests.Response()
        response.status_code = self.status
        response._content = json.dumps(self.body, default=str).encode()  # noqa: SLF001 - there is no other way in
        response.request = requests.PreparedRequest()
        response.request.method = "GET"
        verdict = self.verdict
        return refusal(response, urlsplit(self.url), verdict.reason if verdict else "")


@dataclass(frozen=True)
class _Call:
    url: str
    headers: Mapping[str, str]


@dataclass
class _Spoilt:
    """How many posts in a row failed for good."""

    in_a_row: int = 0


class Composite:
    """Makes reading calls 25 at a time, such packs side by side; an error of one is its own answer."""

    def __init__(self, session: ApiSession, paths: Paths, *, workers: int = 8) -> None:
        self._session = session
        self._paths = paths
        self._workers = workers

    def get(self, urls: Sequence[str], headers: Sequence[Mapping[str, str]] | None = None) -> list[Answer]:
        """The answers to paths such as `/services/data/v68.0/sobjects/Account/describe`, in their order.

        `headers` are those of each subrequest. Errors that pass are tried again a few times, without the others.
        """
        given = [{}] * len(urls) if headers is None else headers
        calls = [_Call(url, each) for url, each in zip(urls, given, strict=True)]
        answers = self._all(calls)
        for round_number in range(1, _ROUNDS):
            again = [place for place, answer in enumerate(answers) if answer.passes]
            if not again:
                break
            logger.info("%d of %d calls in one were not answered yet; asked again", len(again), len(calls))
            self._session.sleep(_GENTLY * round_number)
            for place, answer in zip(again, self._all([calls[place] for place in again]), strict=True):
                answers[place] = answer
        return answers

    def _all(self, calls: Sequence[_Call]) -> list[Answer]:
        packs = list(self._packs(calls))
        found = in_order(self._pack, packs, workers=min(self._workers, max(len(packs), 1)))
        return [answer for pack in found for answer in pack]

    def _packs(self, calls: Sequence[_Call]) -> Iterator[list[_Call]]:
        pack: list[_Call] = []
        queries = 0
        for call in calls:
            is_query = self._is_query(call.url)
            if len(pack) == MOST_CALLS or (is_query and queries == MOST_QUERIES):
                yield pack
                pack, queries = [], 0
            pack.append(call)
            queries += is_query
        if pack:
            yield pack

    def _is_query(self, url: str) -> bool:
        return url.startswith((self._paths.query, self._paths.query_all))

    def _pack(self, calls: Sequence[_Call]) -> list[Answer]:
        """Answers of one pack; one that can never be answered is halved until what spoils it stands alone."""
        return list(self._halved(calls, _Spoilt()))

    def _halved(self, calls: Sequence[_Call], spoilt: _Spoilt) -> Iterator[Answer]:
        try:
            yield from self._posted(calls)
            spoilt.in_a_row = 0
        except (RetriesExhaustedError, ResponseTooLargeError) as error:
            spoilt.in_a_row += 1
            if error.stops_run or spoilt.in_a_row > _MOST_SPOILT:
                raise
            if len(calls) == 1:
                yield Answer(error.status or _SERVER_ERROR, [], {}, calls[0].url)
                return
            half = len(calls) // 2
            yield from self._halved(calls[:half], spoilt)
            yield from self._halved(calls[half:], spoilt)

    def _posted(self, calls: Sequence[_Call]) -> list[Answer]:
        requested = [_subrequest(place, call) for place, call in enumerate(calls)]
        found = self._session.post_json(self._paths.composite, {"allOrNone": False, "compositeRequest": requested})
        try:
            by_id = {each["referenceId"]: each for each in found["compositeResponse"]}
            answers = [_answer(by_id[each["referenceId"]], call) for each, call in zip(requested, calls, strict=True)]
        except (KeyError, TypeError, ValueError):
            raise ApiError(f"POST {self._paths.composite} was answered without what was asked for; run again") from None
        for answer in answers:
            verdict = answer.verdict
            if verdict is not None and verdict.action == "later":
                error = TryLaterError(verdict.reason)
                self._session.quota.close(error)
                raise error
        return answers


def _subrequest(place: int, call: _Call) -> dict[str, Any]:
    asked: dict[str, Any] = {"method": "GET", "url": call.url, "referenceId": f"r{place}"}
    return {**asked, "httpHeaders": dict(call.headers)} if call.headers else asked


def _answer(found: Mapping[str, Any], call: _Call) -> Answer:
    headers = {str(name): str(value) for name, value in (found.get("httpHeaders") or {}).items()}
    return Answer(
        int(found["httpStatusCode"]), found.get("body"), requests.structures.CaseInsensitiveDict(headers), call.url
    )
