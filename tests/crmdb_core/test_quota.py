"""A quota that others use too: never drawn beyond the share, however many calls are under way."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import TryLaterError
from crmdb_core.http import ApiSession
from crmdb_core.quota import Quota, Ticket, Use, reset_text
from crmdb_core.retry import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

RESET = datetime(2026, 11, 27, tzinfo=timezone(timedelta(hours=-5), "EST"))


def use_of(headers: Mapping[str, str]) -> Use | None:
    return Use(int(headers["X-Limit"]), int(headers["X-Left"])) if "X-Left" in headers else None


def told(limit: int, used: int) -> dict[str, str]:
    return {"X-Limit": str(limit), "X-Left": str(limit - used)}


def calls_until_closed(quota: Quota, most: int = 1000) -> int:
    for count in range(most):
        try:
            quota.reserve()
        except TryLaterError:
            return count
    return most


def test_without_any_number_there_is_no_limit() -> None:
    quota = Quota(use_of, share=0.5)
    quota.settle(quota.reserve(), {})
    assert 50 == calls_until_closed(quota, 50)
    assert (None, None, "no quota is known") == (quota.left, quota.left_for_us, quota.describe())


@pytest.mark.parametrize(("share", "allowed"), [(0.9, 90), (0.29, 29), (1.0, 100), (0.001, 0)])
def test_the_share_is_what_everybody_together_may_use(share: float, allowed: int) -> None:
    quota = Quota(use_of, share=share)
    quota.settle(quota.reserve(), told(100, used=20))
    assert max(allowed - 20, 0) == quota.left_for_us == calls_until_closed(quota)


def test_own_calls_without_a_number_are_counted() -> None:
    quota = Quota(use_of)
    quota.settle(quota.reserve(), told(100, used=20))
    for _ in range(5):
        quota.settle(quota.reserve(), {})
    quota.settle(quota.reserve())  # no answer came
    assert (74, "74 of 100 calls left today") == (quota.left, quota.describe())


def test_what_others_use_is_taken_over() -> None:
    quota = Quota(use_of)
    quota.settle(quota.reserve(), told(100, used=20))
    quota.settle(quota.reserve(), told(100, used=60))
    assert 40 == quota.left


def test_calls_cost_what_they_cost() -> None:
    quota = Quota(use_of, share=0.5, unit="tokens")
    first = quota.reserve(20)
    quota.settle(first, told(100, used=30))  # 20 of them are ours
    quota.settle(quota.reserve(10), {})
    assert (10, 30) == (quota.left_for_us, quota.spent)
    with pytest.raises(TryLaterError, match="40 of the 100 tokens"):
        quota.reserve(20)


def test_an_answer_tells_of_the_calls_paid_before_it() -> None:
    quota = Quota(use_of)
    slow = quota.reserve(40)
    quota.settle(quota.reserve(10), told(100, used=10))  # may have come before the slow one
    assert 50 == quota.left
    quota.settle(slow, told(100, used=50))  # whether the other one is in this number is not sure
    assert 40 == quota.left
    quota.settle(quota.reserve(5), told(100, used=55))
    assert 45 == quota.left


def test_a_limit_that_is_known_before_holds_until_a_number_comes() -> None:
    quota = Quota(use_of, limit=30)
    quota.settle(quota.reserve(20), {})
    with pytest.raises(TryLaterError):
        quota.reserve(20)
    other = Quota(use_of, limit=30)
    other.settle(other.reserve(20), told(100, used=20))
    assert 80 == other.left


def test_of_answers_that_cross_the_later_number_holds() -> None:
    quota = Quota(use_of)
    first, second = quota.reserve(), quota.reserve()
    quota.settle(second, told(100, used=22))
    quota.settle(first, told(100, used=21))
    assert quota.left is not None
    assert 76 <= quota.left <= 78  # both may be counted in 22 already, or one of them not yet


def test_an_early_answer_that_comes_late_takes_nothing_back() -> None:
    quota = Quota(use_of)
    early = quota.reserve()
    for used in range(2, 12):
        quota.settle(quota.reserve(), told(100, used))
    quota.settle(early, told(100, used=1))
    assert quota.left in {88, 89}  # the late one may be counted twice until the next answer comes


def test_a_lower_number_of_a_later_call_is_a_new_day() -> None:
    quota = Quota(use_of)
    quota.settle(quota.reserve(), told(100, used=80))
    quota.settle(quota.reserve(), told(100, used=1))
    assert 99 == quota.left


def test_a_limit_that_was_raised_is_followed() -> None:
    quota = Quota(use_of, share=0.9)
    quota.settle(quota.reserve(), told(100, used=80))
    quota.settle(quota.reserve(), told(1000, used=81))
    assert 819 == quota.left_for_us


def test_n02_the_refusal_says_when_the_quota_resets() -> None:
    quota = Quota(use_of, share=0.9, name="HubSpot's daily limit", resets=lambda: RESET)
    quota.settle(quota.reserve(), told(100, used=90))
    with pytest.raises(TryLaterError) as caught:
        quota.reserve()
    assert RESET == caught.value.until
    for part in ("90 of the 100 calls in HubSpot's daily limit", "max_daily_share (0.9)", "2026-11-27 05:00 UTC"):
        assert part in str(caught.value)


def test_the_time_of_the_reset_is_told_in_both_zones() -> None:
    assert "it resets at 2026-11-27 00:00 EST (2026-11-27 05:00 UTC)" == reset_text(RESET)
    assert "it resets at 2026-11-27 05:00 UTC" == reset_text(RESET.astimezone(UTC))
    assert "2026-11-27 00:00 UTC+02:00" in reset_text(RESET.replace(tzinfo=timezone(timedelta(hours=2))))
    assert "midnight" in reset_text(None)


def test_closed_is_closed_for_good() -> None:
    quota = Quota()
    quota.close(TryLaterError("the first", until=RESET))
    quota.close(TryLaterError("the second"))
    for _ in range(2):
        with pytest.raises(TryLaterError, match="the first") as caught:
            quota.reserve()
        assert RESET == caught.value.until


class Server:
    """Counts calls when it comes to them, and tells the number with those answers that have it."""

    def __init__(self, limit: int, used: int) -> None:
        self.limit, self.used = limit, used

    def answer(self, *, tells: bool) -> dict[str, str]:
        self.used += 1
        return told(self.limit, self.used) if tells else {}


@pytest.mark.parametrize("share", [0.3, 0.7, 1.0])
def test_n04_no_interleaving_of_calls_draws_more_than_the_share(share: float) -> None:
    for seed in range(150):
        chance = random.Random(seed)
        server, quota = Server(60, chance.randrange(20)), Quota(use_of, share=share)
        quota.settle(quota.reserve(), server.answer(tells=True))
        start = server.used
        sent: list[Ticket] = []
        answered: list[tuple[Ticket, dict[str, str]]] = []
        for _ in range(1200):
            step = chance.random()
            if step < 0.4 and len(sent) + len(answered) < 12:
                with contextlib.suppress(TryLaterError):
                    sent.append(quota.reserve())
            elif step < 0.7 and sent:
                answered.append((sent.pop(chance.randrange(len(sent))), server.answer(tells=chance.random() < 0.4)))
            elif answered:
                quota.settle(*answered.pop(chance.randrange(len(answered))))
        most = max(start, int(60 * share + 1e-6))
        # what is under way may be counted twice, so the end may come early by so much
        assert most - 2 * 12 <= server.used + len(sent) <= most, seed


# over a session


@pytest.mark.parametrize("threads", [1, 8])
def test_a_session_stops_all_its_threads_at_the_share(server: Any, threads: int) -> None:
    lock, used = threading.Lock(), [0]

    def count(request: Any, wire: Any) -> None:
        with lock:
            used[0] += 1
            headers = told(100, used[0]) if request.path != "/search" else {}
        time.sleep(random.random() / 500)
        wire.answer({}, headers=headers)

    server.default = count
    session = ApiSession(api_url=server.url, quota=Quota(use_of, share=0.6))
    session.get_json("/account")
    refusals: list[TryLaterError] = []

    def work() -> None:
        try:
            while True:
                session.get_json(random.choice(["/search", "/list"]))
        except TryLaterError as error:
            refusals.append(error)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert threads == len(refusals)
    assert 60 - 2 * threads <= len(server.requests) <= 60  # what is under way may be counted twice
    assert session.stats.calls == len(server.requests)


def test_s09_once_told_to_come_back_later_no_thread_asks_again(server: Any) -> None:
    server.then(lambda _, wire: wire.answer({}, 429))
    until = datetime(2026, 11, 27, tzinfo=UTC)
    session = ApiSession(
        api_url=server.url,
        judge=lambda response: Verdict.later("the day is used up", until) if response.status_code == 429 else None,
    )
    for _ in range(3):
        with pytest.raises(TryLaterError, match="the day is used up") as caught:
            session.get_json("/x")
        assert until == caught.value.until
    assert 1 == len(server.requests)


def test_n02_a_wait_beyond_the_limit_closes_the_session_too(server: Any) -> None:
    server.then(lambda _, wire: wire.answer({}, 429, {"Retry-After": "9999"}))
    session = ApiSession(api_url=server.url)
    for _ in range(2):
        with pytest.raises(TryLaterError, match="9,999 s"):
            session.get_json("/x")
    assert 1 == len(server.requests)
