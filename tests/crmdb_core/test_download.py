"""Bodies of any length go into a file as they come, whole or not at all."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pytest
import requests
from typing_extensions import override

from crmdb_core.exceptions import DamagedBodyError, ForbiddenError, RetriesExhaustedError
from crmdb_core.http import ApiSession, RetryPolicy

TEXT = b"a line of text\n" * 5000
PACKED = gzip.compress(TEXT)
KIND = {"Content-Type": "text/csv", "Content-Encoding": "gzip"}


def session(server: Any, clock: Any, **options: Any) -> ApiSession:
    return ApiSession(api_url=server.url, clock=clock, sleep=clock.sleep, timeout=0.5, **options)


def test_a_body_comes_packed_as_it_was_sent(server: Any, clock: Any) -> None:
    server.default = lambda _, wire: wire.answer(PACKED, headers=KIND)
    file = io.BytesIO()
    answer = session(server, clock).download("/big", into=file, accept="text/csv")
    assert PACKED == file.getvalue()
    assert answer.headers["Content-Encoding"] == "gzip"
    assert file.tell() == 0


def test_a_file_of_a_broken_try_is_emptied_before_the_next(server: Any, clock: Any) -> None:
    tries: list[int] = []

    def answer(_: Any, wire: Any) -> None:
        tries.append(1)
        wire.answer(b"x" * 200_000 if len(tries) == 1 else b"y", length=300_000 if len(tries) == 1 else None)

    server.default = answer
    file = io.BytesIO()
    session(server, clock).download("/big", into=file)
    assert len(tries) == 2
    assert file.getvalue() == b"y"


def test_a_refusal_is_read_and_not_written(server: Any, clock: Any) -> None:
    server.default = lambda _, wire: wire.answer([{"errorCode": "NO"}], status=403)
    file = io.BytesIO()
    with pytest.raises(ForbiddenError) as error:
        session(server, clock).download("/big", into=file)
    assert error.value.response is not None
    assert b"NO" in error.value.response.content
    assert file.getvalue() == b""


def test_a_body_that_is_never_whole_is_given_up(server: Any, clock: Any) -> None:
    server.default = lambda _, wire: wire.answer(b"x", length=10)
    with pytest.raises(RetriesExhaustedError):
        session(server, clock, retry=RetryPolicy(attempts=2)).download("/big", into=io.BytesIO())


def test_a_closed_file_leaves_no_connection_behind(server: Any, clock: Any) -> None:
    server.default = lambda _, wire: wire.answer(b"x" * 1_000_000)
    file = io.BytesIO()
    file.close()
    with pytest.raises(ValueError, match="closed file"):
        session(server, clock).download("/big", into=file)


def test_changes_are_asked_for_by_their_own_method(server: Any, clock: Any) -> None:
    seen: list[tuple[str, bytes]] = []

    def answer(request: Any, wire: Any) -> None:
        seen.append((request.method, request.body))
        wire.answer(status=204)

    server.default = answer
    asking = session(server, clock)
    asking.change("PATCH", "/job", {"state": "Aborted"})
    asking.change("DELETE", "/job")
    assert seen == [("PATCH", b'{"state": "Aborted"}'), ("DELETE", b"")]


class Kept(ApiSession):
    """Keeps bodies in a list, and wants them whole."""

    @override
    def store(self, response: Any, into: Any) -> None:
        into.append(response.raw.read())
        if into[-1] != b"[whole":
            raise DamagedBodyError("it is cut")


def test_a_subclass_may_store_bodies_in_its_own_way_and_ask_again(server: Any, clock: Any) -> None:
    """A body that went elsewhere is not looked into, whatever its type is called."""
    bodies = [b"[wh", b"[whole"]
    seen: list[Any] = []

    def answer(request: Any, wire: Any) -> None:
        seen.append((request.headers["accept"], request.headers["range"]))
        wire.answer(bodies[len(seen) - 1])

    server.default = answer
    kept: list[bytes] = []
    keeping = Kept(api_url=server.url, clock=clock, sleep=clock.sleep)
    keeping.download("/big", into=kept, accept="application/x.raw+json", headers={"Range": "bytes=0-9"})
    assert bodies == kept
    assert [("application/x.raw+json", "bytes=0-9")] * 2 == seen
    server.default = lambda _, wire: wire.answer(b"[wh")
    with pytest.raises(RetriesExhaustedError, match="it is cut"):
        Kept(api_url=server.url, clock=clock, sleep=clock.sleep, retry=RetryPolicy(attempts=2)).download(
            "/big", into=kept
        )


def test_a_prepared_request_trusts_what_the_environment_says(
    server: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server with a certificate of the company's own (REQUESTS_CA_BUNDLE), asked in either way."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/company.pem")
    asking, seen = session(server, clock), list[Any]()
    follow = asking.follow

    def noted(request: Any, wire: Any) -> Any:
        seen.append(wire["verify"])
        return follow(request, wire)

    monkeypatch.setattr(asking, "follow", noted)
    server.default = lambda _, wire: wire.answer({})
    asking.get_json("/a")
    asking.send(asking.prepare_request(requests.Request("GET", f"{server.url}/a")))
    assert ["/company.pem"] * 2 == seen
