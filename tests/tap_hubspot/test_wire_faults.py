"""Faults on the wire, met by the whole tap on each kind of call: what passes costs time, the rest ends honestly."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import ExitCode, SyncFailedError, TryLaterError
from fake_crm import FakeCrm
from tap_hubspot.tap import TapHubSpot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.tap_hubspot.conftest import Run, RunTap

Json = dict[str, Any]

# every kind of call that a run makes, and whether it is a delta's
CALLS = {
    "account": ("/account-info/", False),
    "properties": ("/properties/2026-09/contacts", False),
    "list": (r"/contacts\?.*archived=false", False),
    "recycle bin": (r"/contacts\?.*archived=true", True),
    "search": ("/contacts/search", True),
    "batch read": ("/contacts/batch/read", True),
    "owners": (r"/owners/2026-09\?", False),
    "pipelines": ("/pipelines/2026-09/deals", False),
}
PASSING: dict[str, Json] = {
    "N01": {"policy": "TEN_SECONDLY_ROLLING", "headers": {"Retry-After": "37"}},
    "N02": {"policy": "SECONDLY", "headers": {"Retry-After": "Sun, 01 Nov 2026 00:00:07 GMT"}},
    "N02 garbage": {"policy": "SECONDLY", "headers": {"Retry-After": "soon"}},
    "N03": {"policy": "TEN_SECONDLY_ROLLING"},
    "N05": {"status": 503, "headers": {"Retry-After": "12"}},
    "N07": {"kind": "reset", "cut": 40},
    "N08": {"kind": "short_body"},
    "N09": {"kind": "truncate"},
    "N10": {"kind": "html"},
    "N11": {"kind": "gzip"},
    "N12": {"kind": "stall", "seconds": 5},
    "N17 closed": {"kind": "close"},
    "N17 empty": {"kind": "empty"},
}
STREAMS = ("contacts", "owners", "deal_pipelines")


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(seed=7, contacts=230, companies=0, deals=0, tickets=0, clock="2026-11-01T00:00:00Z") as crm:
        for record in crm.hubspot.records("contacts")[:20]:
            crm.hubspot.archive("contacts", record["id"])
        crm.clock.advance(7200)
        yield crm


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the tap would have made."""
    slept: list[float] = []
    monkeypatch.setattr(TapHubSpot, "rest", lambda _, seconds: slept.append(seconds))
    return slept


def runs_through(run_tap: RunTap, crm: FakeCrm, fault: Json, *, delta: bool, **settings: Any) -> list[Run]:
    """A run that meets the fault, after a first sync where it is a delta's call."""
    runs: list[Run] = []
    if delta:
        runs.append(run_tap(crm, *STREAMS))
        crm.clock.advance(7200)
        crm.hubspot.bulk_stamp("contacts", [record["id"] for record in crm.hubspot.records("contacts")])
        crm.clock.advance(7200)
    crm.faults.add(**fault)
    runs.append(run_tap(crm, *STREAMS, state=runs[0].state if runs else None, **settings))
    return runs


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", PASSING)
def test_a_passing_fault_of_any_call_costs_time_only(
    run_tap: RunTap, crm: FakeCrm, waits: list[float], name: str, call: str
) -> None:
    """N01, N02, N03, N05, N07-N12, N17: no error, nothing lost, nothing twice."""
    path, delta = CALLS[call]
    fault: Json = {"path": path, "times": 2, **PASSING[name]}
    runs = runs_through(run_tap, crm, fault, delta=delta, **({"timeout": 0.3} if name == "N12" else {}))
    assert [run.error for run in runs] == [None] * len(runs)
    assert run_tap.differences(crm, "contacts", *runs) == []
    for stream in STREAMS:
        assert len(set(runs[-1].ids(stream))) == len(runs[-1].ids(stream))
    asked = {"N01": 37.0, "N05": 12.0}.get(name)
    assert asked is None or waits.count(asked) == 2


@pytest.mark.parametrize("call", ["list", "search", "batch read"])
@pytest.mark.parametrize(
    "fault_and_error",
    [
        ({"policy": "TEN_SECONDLY_ROLLING"}, TryLaterError),
        ({"policy": "SECONDLY", "headers": {"Retry-After": "4000"}}, TryLaterError),
        ({"policy": "SECONDLY", "headers": {"Retry-After": "Sun, 01 Nov 2036 00:00:00 GMT"}}, TryLaterError),
        ({"status": 500}, SyncFailedError),
        ({"kind": "html"}, SyncFailedError),
        ({"kind": "empty"}, SyncFailedError),
        ({"kind": "reset"}, SyncFailedError),
    ],
    ids=["N04 429", "N02 too long", "N02 in ten years", "N05 500", "N10 html", "N17 empty", "N07 reset"],
)
def test_a_fault_that_stays_keeps_what_was_read_and_claims_no_more(
    run_tap: RunTap, crm: FakeCrm, waits: list[float], fault_and_error: tuple[Json, type[Exception]], call: str
) -> None:
    """N02, N04, N05, N07, N10, N17: a bounded number of tries, the bookmark stays, the next run ends what is left."""
    path, delta = CALLS[call]
    fault, error = fault_and_error
    runs = runs_through(
        run_tap, crm, {"path": path, "times": None, "after": 1, **fault}, delta=delta, concurrency=1, retry_attempts=4
    )
    failed = runs[-1]
    assert isinstance(failed.error, error)
    assert failed.bookmark("contacts") == (runs[0].bookmark("contacts") if delta else None)
    assert len(waits) < 40
    crm.faults.clear()
    runs.append(run_tap(crm, *STREAMS, state=runs[-1].state))
    assert runs[-1].error is None
    assert run_tap.differences(crm, "contacts", *runs) == []


def test_n13_a_host_that_nobody_knows_ends_in_one_plain_line(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"api_url": "http://crm.invalid", "access_token": "pat-na1-x", "retry_attempts": 1}))
    config.chmod(0o600)
    command = [sys.executable, "-m", "tap_hubspot", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == ExitCode.FAILED
    assert done.stdout == ""
    assert "the name of host crm.invalid could not be resolved" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_n13_a_host_that_is_found_again_is_no_failure(
    run_tap: RunTap, crm: FakeCrm, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = socket.getaddrinfo, [1, 2]

    def sometimes(*args: Any, **options: Any) -> Any:
        if failures:
            failures.pop()
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", sometimes)
    run = run_tap(crm, "contacts")
    assert (run.error, failures) == (None, [])
    assert len(waits) >= 2


@pytest.mark.parametrize("call", ["account", "list", "recycle bin", "search", "batch read"])
def test_n15_no_call_follows_a_redirect_to_another_host(
    run_tap: RunTap, crm: FakeCrm, fake_hubspot: FakeCrm, waits: list[float], call: str
) -> None:
    path, delta = CALLS[call]
    fault = {"path": path, "kind": "redirect", "location": f"{fake_hubspot.url}/steal", "times": None}
    runs = runs_through(run_tap, crm, fault, delta=delta)
    assert runs[-1].error is not None
    assert len(fake_hubspot.requests) == 0
    assert waits == []
    crm.faults.clear()
    runs.append(run_tap(crm, *STREAMS, state=runs[-1].state if runs[-1].messages else None))
    assert run_tap.differences(crm, "contacts", *runs) == []


def test_n16_a_next_link_to_another_host_is_never_followed(
    run_tap: RunTap, crm: FakeCrm, fake_hubspot: FakeCrm
) -> None:
    """Only the cursor is taken from an answer, so the page behind it comes from where the first one came."""
    page = {
        "results": crm.hubspot.records("contacts")[:100],
        "paging": {
            "next": {"after": crm.hubspot.records("contacts")[100]["id"], "link": f"{fake_hubspot.url}/crm?after=1"}
        },
    }
    crm.faults.add(path=CALLS["list"][0], status=200, body=page)
    run = run_tap(crm, "contacts")
    assert run.error is None
    assert run_tap.differences(crm, "contacts", run) == []
    assert len(fake_hubspot.requests) == 0


def test_s14_an_api_version_that_is_gone_is_a_matter_of_settings(
    run_tap: RunTap, crm: FakeCrm, waits: list[float]
) -> None:
    crm.faults.add(path="/2026-09/", times=None, status=410, body={"status": "error", "message": "gone"})
    run = run_tap(crm, "contacts")
    assert run.error is not None
    assert run.error.exit_code == ExitCode.CONFIG
    assert "api_version" in str(run.error)
    assert waits == []


@pytest.mark.parametrize("header", ["Sunset", "Deprecation"])
def test_s14_a_sunset_is_told_once_with_its_date(
    run_tap: RunTap, crm: FakeCrm, caplog: pytest.LogCaptureFixture, header: str
) -> None:
    headers = {header: "Mon, 30 Mar 2028 00:00:00 GMT"}
    for path in ("/account-info/", CALLS["list"][0]):
        body: Json = {"results": []} if "contacts" in path else {}
        crm.faults.add(path=path, status=200, body=body, headers=headers)
    run = run_tap(crm, "contacts")
    assert run.error is None
    told = [record for record in caplog.records if "2028" in record.getMessage()]
    assert len(told) == 1
    assert "api_version" in told[0].getMessage()
