"""What the session tries again, how long it waits for it, and what it never repeats."""

from __future__ import annotations

import gzip
import http.server
import ssl
import threading
import zlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from typing_extensions import override

from crmdb_core.exceptions import (
    ApiError,
    ExitCode,
    ForbiddenError,
    NotFoundError,
    ResponseTooLargeError,
    RetriesExhaustedError,
    TlsError,
    TryLaterError,
    UnauthorizedError,
    UnreachableError,
)
from crmdb_core.http import ApiSession, Budget, Pacer, RetryPolicy, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = datetime(2026, 11, 24, 8, 0, 0, tzinfo=UTC)
DATE = {"Date": format_datetime(NOW, usegmt=True)}


def make(server: Any, clock: Any, **options: Any) -> ApiSession:
    options.setdefault("retry", RetryPolicy(jitter=lambda most: most))
    return ApiSession(api_url=server.url, clock=clock, sleep=clock.sleep, local_now=lambda: NOW, **options)


def status(code: int, headers: dict[str, str] | None = None, body: Any = b"{}") -> Callable[[Any, Any], None]:
    return lambda _, wire: wire.answer(body, code, headers)


def test_a_call_that_was_long_under_way_is_not_followed_too_soon(server: Any, clock: Any) -> None:
    """The server may have counted it just before its answer; a window later a quick call would be one too many."""

    def slow(_: Any, wire: Any) -> None:
        clock.now += 3
        wire.answer(b"{}")

    server.then(slow)
    session = make(
        server, clock, pacer=Pacer({"default": Budget(1, 10, until_answered=True)}, clock=clock, sleep=clock.sleep)
    )
    began = clock.now
    session.get_json("/x")
    session.get_json("/x")
    assert 13 == clock.now - began


def test_the_caller_may_make_of_a_body_what_it_wants_and_a_broken_one_is_asked_for_again(
    server: Any, clock: Any
) -> None:
    server.then(status(200, body=b"cut"))
    session = make(server, clock)

    def decode(body: bytes) -> bytes:
        if body == b"cut":
            raise ValueError
        return body

    assert b"path" in session.get_json("/x", decode=decode)
    assert 2 == len(server.requests)


@pytest.mark.parametrize("code", [423, 429, 477, 500, 502, 503, 504, 520, 522, 524, 599])
def test_n05_passing_statuses_are_tried_again(server: Any, clock: Any, code: int) -> None:
    server.then(status(code))
    assert {"path": "/x"} == make(server, clock).get_json("/x")
    assert 2 == len(server.requests)
    assert [1.0] == clock.slept


@pytest.mark.parametrize(
    ("code", "error"),
    [(400, ApiError), (401, UnauthorizedError), (403, ForbiddenError), (404, NotFoundError), (414, ApiError)],
)
def test_lasting_statuses_are_not_repeated(server: Any, clock: Any, code: int, error: type[ApiError]) -> None:
    server.then(status(code, body={"message": "jane@example.com is wrong"}))
    with pytest.raises(error) as caught:
        make(server, clock).get_json("/crm/things", {"q": "jane"})
    assert 1 == len(server.requests)
    assert (code, "GET", "/crm/things") == (caught.value.status, caught.value.method, caught.value.path)
    assert "jane" not in str(caught.value)


def test_n01_waits_as_long_as_the_server_says(server: Any, clock: Any) -> None:
    server.then(status(429, {"Retry-After": "37"}))
    session = make(server, clock)
    session.get_json("/x", stream="contacts")
    assert [37.0] == clock.slept
    assert (2, 37.0) == (session.stats.calls, session.stats.waited)
    assert (2, 37.0) == (session.stats_of("contacts").calls, session.stats_of("contacts").waited)


def test_n05_retry_after_is_kept_for_503_too(server: Any, clock: Any) -> None:
    server.then(status(503, {"Retry-After": "12"}))
    make(server, clock).get_json("/x")
    assert [12.0] == clock.slept


def test_n02_retry_after_as_a_date_is_measured_by_the_servers_clock(server: Any, clock: Any) -> None:
    server_time = NOW + timedelta(hours=5)  # the local clock is far off
    headers = {
        "Date": format_datetime(server_time, usegmt=True),
        "Retry-After": format_datetime(server_time + timedelta(seconds=37), usegmt=True),
    }
    server.then(status(429, headers))
    make(server, clock).get_json("/x")
    assert [37.0] == clock.slept


def test_n02_a_date_in_the_past_means_a_short_jittered_wait(server: Any, clock: Any) -> None:
    server.then(status(429, {**DATE, "Retry-After": format_datetime(NOW - timedelta(days=1), usegmt=True)}))
    make(server, clock).get_json("/x")
    assert 0.5 <= clock.slept[0] <= 1.0


@pytest.mark.parametrize("value", ["soon", "-5", "1.5", "", "٣"])
def test_n02_garbage_means_the_own_backoff(server: Any, clock: Any, value: str) -> None:
    server.then(status(429, {"Retry-After": value}))
    make(server, clock).get_json("/x")
    assert [1.0] == clock.slept


def test_n02_a_wait_above_the_limit_stops_the_run_cleanly(server: Any, clock: Any) -> None:
    ten_years = NOW + timedelta(days=3650)
    server.then(status(429, {**DATE, "Retry-After": format_datetime(ten_years, usegmt=True)}))
    with pytest.raises(TryLaterError, match=r"run again after 2036-11-21T08:00:00Z") as caught:
        make(server, clock).get_json("/x")
    assert ExitCode.TRY_LATER == caught.value.exit_code
    assert ten_years == caught.value.until
    assert [] == clock.slept


def test_n03_without_header_waits_grow_with_full_jitter(server: Any, clock: Any) -> None:
    server.then(*[status(429)] * 5)
    policy = RetryPolicy(jitter=lambda most: most / 2)
    make(server, clock, retry=policy).get_json("/x")
    assert [0.5, 1.0, 2.0, 4.0, 8.0] == clock.slept
    assert all(0 <= wait <= 2.0**index for index, wait in zip(range(5), RetryPolicy().waits(), strict=False))


def test_n04_a_storm_of_429_ends_by_attempts(server: Any, clock: Any) -> None:
    server.default = status(429)
    with pytest.raises(TryLaterError, match="gave up after 7 tries"):
        make(server, clock).get_json("/x")
    assert 7 == len(server.requests)


def test_n04_a_storm_of_429_ends_by_time(server: Any, clock: Any) -> None:
    server.default = status(429, {"Retry-After": "50"})
    policy = RetryPolicy(attempts=1000, max_elapsed=200)
    with pytest.raises(TryLaterError, match="in 200 s"):
        make(server, clock, retry=policy).get_json("/x")
    assert 5 == len(server.requests)


def test_a_lasting_server_error_fails_with_its_status(server: Any, clock: Any) -> None:
    server.default = status(500)
    with pytest.raises(RetriesExhaustedError) as caught:
        make(server, clock).get_json("/x")
    assert (500, 7, ExitCode.FAILED) == (caught.value.status, caught.value.attempts, caught.value.exit_code)
    assert not caught.value.stops_run


def test_n07_a_reset_in_the_middle_of_the_body_is_tried_again(server: Any, clock: Any) -> None:
    def cut(_: Any, wire: Any) -> None:
        wire.answer(b'{"a": ', length=1000)
        wire.reset()

    server.then(cut)
    assert {"path": "/x"} == make(server, clock).get_json("/x")


def test_n08_a_body_shorter_than_announced_is_tried_again(server: Any, clock: Any) -> None:
    def short(_: Any, wire: Any) -> None:
        wire.answer(b'{"complete": "json"}', length=1000)
        wire.close()

    server.then(short)
    assert {"path": "/x"} == make(server, clock).get_json("/x")


def test_n09_truncated_json_is_tried_again(server: Any, clock: Any) -> None:
    server.then(status(200, body=b'{"results": [{"id": 1}, {"id"'))
    assert {"path": "/x"} == make(server, clock).get_json("/x")


def test_n09_a_truncated_chunked_body_is_tried_again(server: Any, clock: Any) -> None:
    def chunk(_: Any, wire: Any) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n[1,2,3]\n\r\n")
        wire.close()

    server.then(chunk)
    assert {"path": "/x"} == make(server, clock).get_json("/x")


@pytest.mark.parametrize("headers", [{"Content-Type": "text/html"}, {"Content-Type": "application/json"}])
def test_n10_html_with_status_200_is_tried_again_and_named(server: Any, clock: Any, headers: dict[str, str]) -> None:
    server.default = status(200, headers, b"<html><body>We are down</body></html>")
    with pytest.raises(RetriesExhaustedError, match=r"HTML instead of JSON \(maintenance\?\)"):
        make(server, clock).get_json("/x")
    assert 7 == len(server.requests)


def test_n11_corrupt_gzip_is_tried_again(server: Any, clock: Any) -> None:
    server.then(status(200, {"Content-Encoding": "gzip"}, gzip.compress(b'{"a": 1}')[:10] + b"garbage" * 10))
    assert {"path": "/x"} == make(server, clock).get_json("/x")


def test_n11_a_gzip_bomb_is_stopped_at_the_limit(server: Any, clock: Any) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b" " * 1024 * 1024
    bomb = b"".join(packer.compress(block) for _ in range(200)) + packer.flush()
    server.then(status(200, {"Content-Encoding": "gzip"}, bomb))
    with pytest.raises(ResponseTooLargeError, match="1,000,000 bytes"):
        make(server, clock, max_bytes=1_000_000).get_json("/x")
    assert 1 == len(server.requests)


@pytest.mark.parametrize("code", [200, 204])
def test_n17_an_empty_body_is_an_error_and_not_no_rows(server: Any, clock: Any, code: int) -> None:
    server.default = status(code, body=b"")
    with pytest.raises(RetriesExhaustedError, match=f"answered {code} without a body"):
        make(server, clock).get_json("/x")


def test_n17_a_connection_closed_between_pages_is_reopened_without_a_wait(server: Any, clock: Any) -> None:
    def answer_and_hang_up(request: Any, wire: Any) -> None:
        wire.answer({"path": request.path})
        wire.close()

    server.then(answer_and_hang_up)
    session = make(server, clock)
    session.get_json("/one")
    assert {"path": "/two"} == session.get_json("/two")
    assert 0.0 == sum(clock.slept)


def test_n13_an_unknown_host_is_named_after_few_tries(clock: Any) -> None:
    session = ApiSession(api_url="http://crm.invalid", clock=clock, sleep=clock.sleep)
    with pytest.raises(UnreachableError, match=r"crm\.invalid could not be resolved; gave up after 3 tries") as caught:
        session.get_json("/x")
    assert (ExitCode.FAILED, True) == (caught.value.exit_code, caught.value.stops_run)


def test_a_refused_connection_is_unreachable(server: Any, clock: Any) -> None:
    server.close()
    with pytest.raises(UnreachableError, match="no connection to 127"):
        make(server, clock).get_json("/x")


def test_post_is_tried_again_with_the_same_body(server: Any, clock: Any) -> None:
    server.then(status(502))
    make(server, clock).post_json("/search", {"limit": 200})
    assert [b'{"limit": 200}'] * 2 == [request.body for request in server.requests]


def test_numbers_keep_their_digits(server: Any, clock: Any) -> None:
    server.then(status(200, body=b'{"a": 1.10, "b": 12345678901234567890123, "c": 1e2}'))
    value = make(server, clock).get_json("/x")
    assert {"a": Decimal("1.10"), "b": 12345678901234567890123, "c": Decimal("1E+2")} == value
    assert "1.10" == str(value["a"])


def test_a_lone_surrogate_is_still_json(server: Any, clock: Any) -> None:
    server.then(status(200, body=b'{"name": "\\ud83d"}'))
    assert {"name": "\ud83d"} == make(server, clock).get_json("/x")


def test_nan_is_not_json(server: Any, clock: Any) -> None:
    server.then(status(200, body=b'{"a": NaN}'))
    assert {"path": "/x"} == make(server, clock).get_json("/x")


@pytest.mark.parametrize(
    ("verdict", "headers", "slept"),
    [
        (Verdict.retry(10), {}, [10.0]),
        (Verdict.retry(10), {"Retry-After": "3"}, [3.0]),
        (Verdict.retry(), {}, [1.0]),
    ],
)
def test_the_crms_own_reading_says_how_long(
    server: Any,
    clock: Any,
    verdict: Verdict,
    headers: dict[str, str],
    slept: list[float],
) -> None:
    server.then(status(429, headers))
    make(server, clock, judge=lambda answer: verdict if answer.status_code == 429 else None).get_json("/x")
    assert slept == clock.slept


def test_the_crms_own_reading_may_stop_the_run(server: Any, clock: Any) -> None:
    server.then(status(429))
    with pytest.raises(TryLaterError, match="daily quota"):
        make(server, clock, judge=lambda _: Verdict.later("the daily quota is used up")).get_json("/x")


def test_the_crms_own_reading_may_explain_a_refusal(server: Any, clock: Any) -> None:
    server.then(status(403))
    with pytest.raises(ForbiddenError, match=r"answered 403: scope crm\.read is missing"):
        make(server, clock, judge=lambda _: Verdict.fatal("scope crm.read is missing")).get_json("/x")


def test_a_429_holds_back_the_other_threads_of_the_bucket(server: Any, clock: Any) -> None:
    server.then(status(429, {"Retry-After": "5"}))
    session = make(server, clock)
    session.sleep = lambda _: None  # this request's own wait passes, the bucket stays held
    session.get_json("/x")
    assert [5.0] == clock.slept


def test_the_servers_clock_is_read_and_never_ahead(server: Any, clock: Any) -> None:
    server.then(status(200, {"Date": format_datetime(NOW - timedelta(minutes=10), usegmt=True)}))
    session = make(server, clock)
    assert (False, NOW) == (session.clock_is_known, session.server_now())
    session.get_json("/x")
    assert (True, NOW - timedelta(minutes=10)) == (session.clock_is_known, session.server_now())


def test_a_different_clock_is_reported_once(server: Any, clock: Any, caplog: pytest.LogCaptureFixture) -> None:
    server.then(*[status(200, {"Date": format_datetime(NOW + timedelta(minutes=10), usegmt=True)})] * 2)
    session = make(server, clock)
    session.get_json("/x")
    session.get_json("/x")
    assert 1 == caplog.text.count("differ by 600 s")


def test_send_serves_the_sdk_and_others(server: Any, clock: Any) -> None:
    server.then(status(503))
    session = make(server, clock)
    prepared = session.prepare_request(requests.Request("GET", f"{server.url}/x"))
    response = session.send(prepared, timeout=1, allow_redirects=True)
    assert {"path": "/x"} == response.json()
    assert 2 == session.stats.calls


def test_a_request_that_does_not_accept_json_is_not_parsed(server: Any, clock: Any) -> None:
    server.then(status(200, body=b"a,b\n1,2\n"))
    session = make(server, clock)
    prepared = session.prepare_request(requests.Request("GET", f"{server.url}/x", headers={"Accept": "text/csv"}))
    assert "a,b\n1,2\n" == session.send(prepared).text


def test_n14_a_self_signed_certificate_is_refused_at_once(clock: Any, tmp_path: Path) -> None:
    server, url = tls_server(tmp_path)
    try:
        with pytest.raises(TlsError, match="self-signed certificate"):
            ApiSession(api_url=url, clock=clock, sleep=clock.sleep).get_json("/x")
    finally:
        server.shutdown()
        server.server_close()
    assert [] == clock.slept


def tls_server(folder: Path) -> tuple[http.server.HTTPServer, str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(folder / "server.pem"))

    class Server(http.server.ThreadingHTTPServer):
        @override
        def handle_error(self, *_: Any) -> None:
            pass  # the client hangs up in the handshake: that is the test

    server = Server(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"https://127.0.0.1:{server.server_port}"


def self_signed(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return path
