"""C02: no secret in any log line, in any spelling, at any level, in any exception."""

from __future__ import annotations

import base64
import io
import json
import logging
import re
import sys
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk import metrics
from singer_sdk.logging import ConsoleFormatter, StructuredFormatter

from crmdb_core.redaction import Redactor, current, install, register, secrets_of, uninstall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECRET = 'pat-na1/ä"b+c d\\e=='
ENCODINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "url": quote,
    "url_all": lambda text: quote(text, safe=""),
    "url_plus": quote_plus,
    "url_lower": lambda text: quote(text, safe="").replace("%C3%A4", "%c3%a4").replace("%2F", "%2f"),
    "json": lambda text: json.dumps({"k": text}),
    "json_utf8": lambda text: json.dumps({"k": text}, ensure_ascii=False),
    "repr": lambda text: repr({"k": text}),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64_basic": lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
    "base64_basic_2": lambda text: base64.b64encode(f"me:{text}:more".encode()).decode(),
    "base64_url": lambda text: base64.urlsafe_b64encode(f"id:{text}".encode()).decode(),
}


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What a root handler writes."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(ConsoleFormatter())
    logging.getLogger().addHandler(handler)
    yield written
    uninstall()
    logging.getLogger().removeHandler(handler)


def clean(text: str, secret: str = SECRET) -> bool:
    inner = base64.b64encode(secret.encode()).decode()[4:-6]
    return secret not in text and inner not in text and quote(secret) not in text


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_c02_every_spelling_of_a_secret_is_removed(encoding: str) -> None:
    text = ENCODINGS[encoding](SECRET)
    redacted = Redactor([SECRET]).redact(f"before {text} after")
    assert "***" in redacted
    assert "before " in redacted
    assert " after" in redacted
    assert "na1" not in redacted
    assert not hidden_in_base64(redacted)


def hidden_in_base64(text: str) -> bool:
    """Whether four bytes of the secret in a row can be decoded from some word of the text."""
    pieces = {SECRET.encode()[start : start + 4] for start in range(len(SECRET.encode()) - 3)}
    for word in re.findall(r"[A-Za-z0-9+/_-]{4,}", text):
        for offset in range(4):
            aligned = word[offset:].replace("_", "/").replace("-", "+")
            decoded = base64.b64decode(aligned[: len(aligned) // 4 * 4])
            if any(piece in decoded for piece in pieces):
                return True
    return False


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO, logging.ERROR])
@pytest.mark.parametrize("logger", ["", "urllib3.connectionpool", "tap-demo.contacts"])
def test_c02_messages_and_arguments_of_any_logger_are_redacted(stream: io.StringIO, level: int, logger: str) -> None:
    logging.getLogger().setLevel(logging.DEBUG)
    install([SECRET])
    logging.getLogger(logger).log(level, "token=%s in %r", SECRET, {"a": SECRET})
    assert clean(stream.getvalue())
    assert "***" in stream.getvalue()


def test_c02_exception_text_and_causes_are_redacted(stream: io.StringIO) -> None:
    install([SECRET])
    try:
        try:
            _raise()
        except ValueError as error:
            raise RuntimeError(f"while sending {SECRET}") from error
    except RuntimeError:
        logging.getLogger("x").exception("failed")
    assert clean(stream.getvalue())
    assert "RuntimeError" in stream.getvalue()


def test_c02_structured_logs_are_redacted_too() -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(StructuredFormatter())
    logging.getLogger().addHandler(handler)
    try:
        install([SECRET])
        try:
            _raise()
        except ValueError:
            logging.getLogger("x").exception("failed with %s", SECRET, extra={"config": {"token": SECRET}})
    finally:
        logging.getLogger().removeHandler(handler)
    assert "na1" not in written.getvalue()
    assert "ValueError" == json.loads(written.getvalue())["exception"]["type"]


def test_metrics_stay_readable_for_structured_logs() -> None:
    point = metrics.Point("counter", metrics.Metric.RECORD_COUNT, 5, {"stream": "contacts"})
    record = logging.LogRecord("m", logging.INFO, "", 0, "METRIC: %s", (point,), None)
    Redactor([SECRET]).filter(record)
    assert ("METRIC: %s", (point,)) == (record.msg, record.args)


def test_a_broken_log_call_does_not_break_the_filter() -> None:
    record = logging.LogRecord("m", logging.INFO, "", 0, f"%d {SECRET}", ("x",), None)
    assert Redactor([SECRET]).filter(record)
    assert clean(record.getMessage())


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer ***"),
        ("{'Authorization': 'Basic dXNlcjpwYXNz'}", "{'Authorization': 'Basic ***'}"),
        ('{"authorization":"abc123def"}', '{"authorization":"***"}'),
        ("sent Bearer eyJhbGciOiJIUzI1NiJ9.x.y to", "sent Bearer *** to"),
        ("GET /v1/deals?api_token=abc123&limit=5", "GET /v1/deals?api_token=***&limit=5"),
        ("https://x/y?limit=5&access_token=abc", "https://x/y?limit=5&access_token=***"),
        ("grant_type=refresh_token&refresh_token=abc&client_secret=def", "grant_type=refresh_token&refresh_token=***"),
        ("postgresql://me:pw@host/db", "postgresql://me:***@host/db"),
    ],
)
def test_unregistered_tokens_are_recognised_by_their_place(text: str, kept: str) -> None:
    assert Redactor().redact(text).startswith(kept)


@pytest.mark.parametrize("text", ["12,000 contacts in 3.5 s", "see https://x.test/a?limit=5#frag", "user@example.com"])
def test_ordinary_lines_stay_as_they_are(text: str) -> None:
    assert text == Redactor([SECRET]).redact(text)


def test_the_longest_secret_goes_first() -> None:
    assert "x *** y" == Redactor(["abcd", "abcdefgh"]).redact("x abcdefgh y")


def test_later_secrets_and_handlers_are_covered(stream: io.StringIO) -> None:
    first = install()
    register("late-secret-value")
    logging.getLogger("x").warning("late-secret-value")
    assert "late-secret" not in stream.getvalue()
    assert current() is first is install()


def test_uncaught_exceptions_are_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    install([SECRET])
    error = ValueError(SECRET)
    sys.excepthook(ValueError, error, None)
    thread = threading.Thread(target=_raise, name="worker")
    thread.start()
    thread.join()
    text = capsys.readouterr().err
    assert clean(text)
    assert 2 == text.count("ValueError: ***")


def _raise() -> None:
    raise ValueError(SECRET)


def test_secrets_are_found_by_the_schema_at_any_depth() -> None:
    schema = {
        "properties": {
            "token": {"secret": True},
            "port": {"type": "integer"},
            "pin": {"secret": True},
            "oauth": {"properties": {"client_secret": {"secret": True}, "client_id": {}}},
            "keys": {"secret": True},
            "unset": {"secret": True},
        },
    }
    config: dict[str, Any] = {
        "token": "t0ken",
        "port": 1,
        "pin": 12345,
        "oauth": {"client_secret": "s3cret", "client_id": "id"},
        "keys": ["k1", {"deep": "k2"}],
        "unset": None,
    }
    assert {"t0ken", "12345", "s3cret", "k1", "k2"} == set(secrets_of(config, schema))


@given(st.text(min_size=4, max_size=40), st.sampled_from(["raw", "url", "json", "url_plus"]))
def test_any_secret_is_removed(secret: str, encoding: str) -> None:
    try:
        text = ENCODINGS[encoding](secret)
    except UnicodeEncodeError:
        return
    redacted = Redactor([secret]).redact(f"<{text}>")
    assert secret not in redacted or secret in "<***>{'k': \"***\"}"
