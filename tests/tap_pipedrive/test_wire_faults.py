"""Faults on the wire, met by the whole tap on each kind of call: what passes costs time, the rest ends honestly."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import ExitCode
from fake_crm import FakePipedrive
from tests.tap_pipedrive.conftest import differences

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tap_pipedrive.conftest import RunTap

Json = dict[str, Any]

STREAMS = ("deals", "leads", "stages", "deal_products")
CALLS = {
    "company": "/v1/users/me",
    "fields": "/api/v2/dealFields",
    "list": r"/api/v2/deals\?",
    "archived": "/api/v2/deals/archived",
    "v1 list": r"/v1/leads\?",
    "bulk": "/api/v2/deals/products",
}
PASSING: dict[str, Json] = {
    "N01": {"status": 429, "headers": {"Retry-After": "37"}},
    "N02": {"status": 429, "headers": {"Retry-After": "Sun, 01 Nov 2026 01:00:07 GMT"}},
    "N02 garbage": {"status": 429, "headers": {"Retry-After": "soon"}},
    "N03": {"status": 429},
    "N05": {"status": 503, "headers": {"Retry-After": "12"}},
    "N05 plain": {"status": 500},
    "N07": {"kind": "reset", "cut": 40},
    "N08": {"kind": "short_body"},
    "N09": {"kind": "truncate"},
    "N10": {"kind": "html"},
    "N11": {"kind": "gzip"},
    "N12": {"kind": "stall", "seconds": 5},
    "N17 closed": {"kind": "close"},
    "N17 empty": {"kind": "empty"},
}


@pytest.mark.parametrize("fault", PASSING)
def test_n01_n02_n03_n05_n07_n08_n09_n10_n11_n12_n17_passing_faults_cost_time_only(
    run_tap: RunTap, crm: FakePipedrive, waits: list[float], fault: str
) -> None:
    for path in CALLS.values():
        crm.faults.add(path=path, **PASSING[fault])
    run = run_tap(crm, *STREAMS, timeout=0.5, page_size=5)
    assert run.error is None
    for stream in STREAMS:
        assert differences(crm, stream, run) == []
    if fault == "N01":
        assert max(waits) >= 37


def test_n02_a_wait_that_is_too_long_is_for_later(run_tap: RunTap, crm: FakePipedrive, waits: list[float]) -> None:
    crm.faults.add(path=CALLS["list"], status=429, headers={"Retry-After": "86400"})
    run = run_tap(crm, "deals")
    assert run.error is not None
    assert run.error.exit_code == ExitCode.TRY_LATER
    assert waits == []


def test_n12_a_dripping_server_meets_the_deadline(run_tap: RunTap, crm: FakePipedrive, monkeypatch: Any) -> None:
    from crmdb_core.http import ApiSession  # noqa: PLC0415 - beside what it is for

    monkeypatch.setattr("crmdb_core.tap.ApiSession", lambda **options: ApiSession(**{**options, "deadline": 0.3}))
    monkeypatch.setattr("tap_pipedrive.tap.TapPipedrive.rest", lambda *_: None)
    crm.faults.add(path=CALLS["list"], kind="drip", seconds=0.05)
    run = run_tap(crm, "deals")
    assert run.error is None
    assert differences(crm, "deals", run) == []


def test_n13_a_host_that_is_not_found_ends_the_run_with_its_name(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"api_token": "canary", "api_url": "http://acme.invalid", "retry_attempts": 1}))
    config.chmod(0o600)
    command = [sys.executable, "-m", "tap_pipedrive", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "acme.invalid" in done.stderr
    assert "Traceback" not in done.stderr
    assert "canary" not in done.stderr


def test_n13_a_name_that_is_found_again_costs_time_only(
    run_tap: RunTap, crm: FakePipedrive, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = socket.getaddrinfo, [1, 2]

    def sometimes(*args: Any, **options: Any) -> Any:
        if failures:
            failures.pop()
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", sometimes)
    assert run_tap(crm, "stages").error is None
    assert len(waits) >= 2


@pytest.mark.parametrize("call", [*CALLS])
def test_n15_no_call_follows_a_redirect_to_another_host(
    run_tap: RunTap, crm: FakePipedrive, waits: list[float], call: str
) -> None:
    with FakePipedrive() as other:
        crm.faults.add(path=CALLS[call], kind="redirect", location=f"{other.url}/steal", times=None)
        run = run_tap(crm, *STREAMS)
        assert run.error is not None
        assert len(other.requests) == 0
        assert waits == []


def test_n15_a_redirect_without_end_is_left(run_tap: RunTap, crm: FakePipedrive) -> None:
    crm.faults.add(path=CALLS["list"], kind="redirect", times=None)
    run = run_tap(crm, "deals")
    assert run.error is not None
    assert sum("/api/v2/deals" in entry.path for entry in crm.requests) <= 7


def test_n16_a_cursor_is_a_parameter_wherever_it_seems_to_lead(run_tap: RunTap, crm: FakePipedrive) -> None:
    """Pipedrive gives no links: whatever its cursor holds goes to its own host."""
    with FakePipedrive() as other:
        rows = sorted(crm.pipedrive.live("persons"), key=lambda row: row["update_time"])[:1]
        for cursor in (f"{other.url}/api/v2/persons", "//evil@example.invalid", "file:///etc/passwd"):
            body = {"success": True, "data": rows, "additional_data": {"next_cursor": cursor}}
            crm.faults.add(path=r"/api/v2/persons\?", status=200, body=body)
            run = run_tap(crm, "persons")
            assert run.error is None  # the fake refuses the cursor, and the tap goes on by the last second
            assert differences(crm, "persons", run) == []
        assert len(other.requests) == 0


def test_no_secret_is_ever_logged(run_tap: RunTap, crm: FakePipedrive, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    crm.access.add_token("canary-token")
    run = run_tap(crm, "deals", "leads", api_token="canary-token", debug=True)
    assert run.error is None
    assert "canary-token" not in caplog.text
    assert "Deal 1" not in caplog.text
    assert not any("canary-token" in entry.request.target for entry in crm.requests)
