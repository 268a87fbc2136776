"""N12: a server that stalls or drips cannot hold a run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import RetriesExhaustedError
from crmdb_core.http import ApiSession, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


def drip_body(_: Any, wire: Any) -> None:
    wire.send(HEAD)
    wire.drip(b" " * 1000, 0.02)


def drip_headers(_: Any, wire: Any) -> None:
    wire.drip(HEAD * 20, 0.02)


def drip_without_length(_: Any, wire: Any) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    wire.drip(b"[1,2]" + b" " * 1000, 0.02)


def drip_redirect(_: Any, wire: Any) -> None:
    wire.send(b"HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Length: 1000\r\n\r\n")
    wire.drip(b" " * 1000, 0.02)


@pytest.mark.parametrize("reply", [drip_body, drip_headers, drip_without_length])
def test_n12_a_drip_ends_at_the_total_deadline(server: Any, clock: Any, reply: Callable[[Any, Any], None]) -> None:
    server.default = reply
    session = ApiSession(
        api_url=server.url,
        timeout=5,
        deadline=0.3,
        retry=RetryPolicy(attempts=2),
        clock=clock,
        sleep=clock.sleep,
    )
    started = time.monotonic()
    with pytest.raises(RetriesExhaustedError, match=r"gave no complete answer within 0\.3 s; gave up after 2 tries"):
        session.get_json("/x")
    assert time.monotonic() - started < 3


def test_n12_the_body_of_a_redirect_is_not_waited_for(server: Any, clock: Any) -> None:
    server.then(drip_redirect)
    session = ApiSession(api_url=server.url, deadline=5, clock=clock, sleep=clock.sleep)
    started = time.monotonic()
    assert {"path": "/else"} == session.get_json("/x")
    assert time.monotonic() - started < 3


def test_n12_silence_ends_at_the_read_timeout(server: Any, clock: Any) -> None:
    server.then(lambda _, wire: wire.stopping.wait(5))
    session = ApiSession(api_url=server.url, timeout=0.2, clock=clock, sleep=clock.sleep)
    assert {"path": "/x"} == session.get_json("/x")
    assert 2 == len(server.requests)


def test_a_quick_answer_is_not_touched_by_the_deadline(server: Any, clock: Any) -> None:
    session = ApiSession(api_url=server.url, deadline=0.2, clock=clock, sleep=clock.sleep)
    session.get_json("/one")
    time.sleep(0.3)  # the first exchange's deadline would be over now: the kept connection must live on
    session.get_json("/two")
    assert 2 == session.stats.calls
