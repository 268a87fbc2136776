"""Faults on the wire, met by the whole tap on each kind of call: what passes costs time, the rest ends honestly."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import ExitCode, SyncFailedError, TlsError, TryLaterError
from fake_crm import FakeSalesforce
from tests.crmdb_core.test_http_tls import Authority, serving
from tests.tap_salesforce.truth import differences, loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.tap_salesforce.conftest import Run, RunTap

Json = dict[str, Any]

# every kind of call that a run makes, and the API that it belongs to
CALLS = {
    "token": (r"/oauth2/token$", "rest"),
    "versions": (r"/services/data$", "rest"),
    "composite": (r"/composite$", "rest"),
    "next page": (r"/query/", "rest"),
    "job": (r"/jobs/query$", "bulk"),
    "look": (r"/jobs/query/\w+$", "bulk"),
    "results": (r"/jobs/query/\w+/results", "bulk"),
}
PAGES = ("next page", "results")
ACCOUNTS = 450
PASSING: dict[str, Json] = {
    "N01": {"status": 429, "headers": {"Retry-After": "37"}},
    "N02": {"status": 429, "headers": {"Retry-After": "Sun, 01 Nov 2026 01:00:07 GMT"}},
    "N02 garbage": {"status": 429, "headers": {"Retry-After": "soon"}},
    "N03": {"status": 429},
    "N05": {"status": 503, "headers": {"Retry-After": "12"}},
    "N05 lock": {"status": 400, "policy": "UNABLE_TO_LOCK_ROW"},
    "N07": {"kind": "reset", "cut": 40},
    "N08": {"kind": "short_body"},
    "N09": {"kind": "truncate"},
    "N10": {"kind": "html"},
    "N10 edge": {"status": 420},
    "N10 not acceptable": {"status": 406},
    "N11": {"kind": "gzip"},
    "N12": {"kind": "stall", "seconds": 5},
    "N17 closed": {"kind": "close"},
    "N17 empty": {"kind": "empty"},
}


@pytest.fixture
def fake() -> Iterator[FakeSalesforce]:
    sizes = {"Account": ACCOUNTS, "Contact": 20, "Lead": 10}
    with FakeSalesforce(sizes=sizes, empty=True, clock="2026-11-01T00:00:00Z") as fake:
        fake.quirks.page_rows = fake.quirks.bulk_page = fake.quirks.bulk_chunk = 100
        fake.clock.advance(3600)
        yield fake


def read(run_tap: RunTap, fake: FakeSalesforce, call: str, **settings: Any) -> Run:
    return run_tap(fake, "Account", api_type=CALLS[call][1], cache_dir="none", **settings)


@pytest.mark.parametrize(
    ("name", "call"),
    [(name, call) for name in PASSING for call in CALLS if (name, call) != ("N05 lock", "token")],
)
def test_a_passing_fault_of_any_call_costs_time_only(
    run_tap: RunTap, fake: FakeSalesforce, waits: list[float], name: str, call: str
) -> None:
    """N01, N02, N03, N05, N07-N12, N17: no error, nothing lost, nothing twice."""
    fault = fake.faults.add(path=CALLS[call][0], times=2, **PASSING[name])
    run = read(run_tap, fake, call, **({"timeout": 0.5} if name == "N12" else {}))
    assert run.error is None
    assert differences(fake, loaded(run), "Account") == []
    assert len(set(run.ids("Account"))) == len(run.ids("Account"))
    assert fault.hits == 2 or name == "N17 closed"  # that answers rightly, so that it need not be asked again
    assert fault.hits > 0
    asked = {"N01": 37.0, "N05": 12.0}.get(name)
    assert asked is None or waits.count(asked) == 2


@pytest.mark.parametrize("call", PAGES)
@pytest.mark.parametrize(
    "fault_and_error",
    [
        ({"status": 429}, TryLaterError),
        ({"status": 429, "headers": {"Retry-After": "4000"}}, TryLaterError),
        ({"status": 429, "headers": {"Retry-After": "Sun, 01 Nov 2036 00:00:00 GMT"}}, TryLaterError),
        ({"status": 500}, SyncFailedError),
        ({"kind": "html"}, SyncFailedError),
        ({"kind": "empty"}, SyncFailedError),
        ({"kind": "reset"}, SyncFailedError),
    ],
    ids=["N04 429", "N02 too long", "N02 in ten years", "N05 500", "N10 html", "N17 empty", "N07 reset"],
)
def test_a_fault_that_stays_keeps_what_was_read_and_claims_no_more(
    run_tap: RunTap,
    fake: FakeSalesforce,
    waits: list[float],
    fault_and_error: tuple[Json, type[Exception]],
    call: str,
) -> None:
    """N02, N04, N05, N07, N10, N17: a bounded number of tries, the bookmark stays, the next run ends what is left."""
    fault, error = fault_and_error
    fake.faults.add(path=CALLS[call][0], times=None, after=1, **fault)
    failed = read(run_tap, fake, call, concurrency=1, retry_attempts=4)
    assert isinstance(failed.error, error)
    assert failed.bookmark("Account") is None
    assert len(waits) < 40
    fake.faults.clear()
    rest = read(run_tap, fake, call, state=failed.state)
    assert rest.error is None
    assert differences(fake, loaded(failed, rest), "Account") == []
    assert len(rest.ids("Account")) < ACCOUNTS or failed.ids("Account") == []


def test_n13_a_host_that_nobody_knows_ends_in_one_plain_line(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    settings = {
        "login_url": "http://crm.invalid",
        "client_id": "3MVG9",
        "client_secret": "secret-of-the-app",
        "retry_attempts": 1,
    }
    config.write_text(json.dumps(settings))
    config.chmod(0o600)
    command = [sys.executable, "-m", "tap_salesforce", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == ExitCode.FAILED
    assert done.stdout == ""
    assert "the name of host crm.invalid could not be resolved" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_n14_a_certificate_that_nobody_vouches_for_is_refused_at_once(
    run_tap: RunTap, fake: FakeSalesforce, waits: list[float], tmp_path: Path
) -> None:
    """Before the app's secret is sent."""
    with serving(Authority(tmp_path).issue()) as (url, seen):
        run = run_tap(fake, "Account", login_url=url)
    assert isinstance(run.error, TlsError)
    assert ExitCode.FAILED == run.error.exit_code
    assert "certificate" in str(run.error)
    assert ([], []) == (seen, waits)


def test_n13_a_host_that_is_found_again_is_no_failure(
    run_tap: RunTap, fake: FakeSalesforce, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = socket.getaddrinfo, [1, 2]

    def sometimes(*args: Any, **options: Any) -> Any:
        if failures:
            failures.pop()
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", sometimes)
    run = read(run_tap, fake, "next page")
    assert (run.error, failures) == (None, [])
    assert len(waits) >= 2


@pytest.mark.parametrize("call", [name for name in CALLS if name != "token"])
def test_n15_no_call_follows_a_redirect_to_another_host(
    run_tap: RunTap,
    fake: FakeSalesforce,
    fake_salesforce: Callable[..., FakeSalesforce],
    waits: list[float],
    call: str,
) -> None:
    other = fake_salesforce(empty=True)
    fake.faults.add(path=CALLS[call][0], kind="redirect", location=f"{other.url}/steal", status=307, times=None)
    run = read(run_tap, fake, call)
    assert run.error is not None
    assert len(other.requests) == 0
    assert max(waits, default=0.0) < 1.0  # jobs are looked at after a moment


def test_n16_a_next_page_on_another_host_is_never_fetched(
    run_tap: RunTap, fake: FakeSalesforce, fake_salesforce: Callable[..., FakeSalesforce]
) -> None:
    other = fake_salesforce(empty=True)
    page = {"totalSize": 9, "done": False, "nextRecordsUrl": f"{other.url}/services/data/v68.0/query/x", "records": []}
    fake.faults.add(path=CALLS["next page"][0], status=200, body=page, times=None)
    run = read(run_tap, fake, "next page")
    assert isinstance(run.error, SyncFailedError)
    assert "away from" in str(run.error.failures["Account"])
    assert len(other.requests) == 0
    assert run.bookmark("Account") is None


def refuse(fake: FakeSalesforce, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let no query of an object be answered, by itself or within a composite call."""
    answer = fake.answer
    refusal = [{"errorCode": "INSUFFICIENT_ACCESS", "message": "insufficient access rights"}]

    def refusing(request: Any) -> Any:
        reply = answer(request)
        if f"FROM+{name}" in request.target or f"FROM%20{name}" in request.target:
            return type(reply)(403, json.dumps(refusal).encode(), reply.headers)
        if not request.path.endswith("/composite"):
            return reply
        body = json.loads(reply.body)
        for asked, given in zip(request.json["compositeRequest"], body["compositeResponse"], strict=True):
            if f"FROM+{name}" in asked["url"] or f"FROM%20{name}" in asked["url"]:
                given.update(body=refusal, httpStatusCode=403)
        return type(reply)(reply.status, json.dumps(body).encode(), reply.headers)

    fake.quirks.gzip = False
    monkeypatch.setattr(fake, "answer", refusing)


def test_a05_an_object_without_its_permission_fails_and_the_others_are_read(
    run_tap: RunTap, fake: FakeSalesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(fake, monkeypatch, "Lead")
    run = run_tap(fake, "Account", "Lead", "Contact", api_type="rest")
    assert isinstance(run.error, SyncFailedError)
    assert list(run.error.failures) == ["Lead"]
    assert "permission" in str(run.error.failures["Lead"])
    assert run.bookmark("Lead") is None
    assert differences(fake, loaded(run), "Account", "Contact") == []


def test_a05_a_forbidden_object_is_passed_over_where_that_is_wanted(
    run_tap: RunTap, fake: FakeSalesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(fake, monkeypatch, "Lead")
    run = run_tap(fake, "Lead", "Contact", api_type="rest", skip_forbidden=True)
    assert run.error is None
    assert run.bookmark("Lead") is None
    assert differences(fake, loaded(run), "Contact") == []


def test_s14_a_version_that_is_retired_in_the_midst_is_a_matter_of_settings(
    run_tap: RunTap, fake: FakeSalesforce, waits: list[float]
) -> None:
    fake.faults.add(path=r"/services/data/v68\.0/", times=None, status=410)
    run = read(run_tap, fake, "composite")
    assert run.error is not None
    assert run.error.exit_code == ExitCode.CONFIG
    assert "api_version" in str(run.error)
    assert waits == []


@pytest.mark.parametrize("status", [414, 431])
def test_html_of_a_url_that_is_too_long_is_understood(
    run_tap: RunTap, fake: FakeSalesforce, waits: list[float], status: int
) -> None:
    fake.faults.add(path=CALLS["next page"][0], times=None, status=status)
    run = read(run_tap, fake, "next page")
    assert isinstance(run.error, SyncFailedError)
    assert "fewer fields" in str(run.error.failures["Account"])
    assert waits == []


def test_s13_an_object_without_rows_ends_well_and_says_so(
    run_tap: RunTap, caplog: pytest.LogCaptureFixture, fake_salesforce: Callable[..., FakeSalesforce]
) -> None:
    caplog.set_level("INFO")
    for api_type in ("rest", "bulk"):
        run = run_tap(fake_salesforce(empty=True), "Account", api_type=api_type)
        assert (run.error, run.records("Account")) == (None, [])
        assert run.bookmark("Account") is not None
    assert caplog.text.count("Account: 0 emitted") == 2


@pytest.mark.parametrize("call", ["composite", "next page", "look"])
def test_s13_an_answer_without_what_was_asked_for_is_no_empty_object(
    run_tap: RunTap, fake: FakeSalesforce, call: str
) -> None:
    fake.faults.add(path=CALLS[call][0], times=None, status=200, body={"status": "error"})
    run = read(run_tap, fake, call)
    assert run.error is not None
    assert "unexpected" not in str(run.error)
    if run.messages:
        assert run.bookmark("Account") is None
        assert not [message for message in run.messages if message["type"] == "ACTIVATE_VERSION"]
