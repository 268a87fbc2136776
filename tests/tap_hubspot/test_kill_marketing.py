"""Streams of many pages whose tap is killed: the next run goes on inside them, nothing lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeCrm
from tests.tap_hubspot.killing import SCRIPT, stop_inside

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.tap_hubspot.conftest import Run, RunTap


def fill_lists(crm: FakeCrm) -> int:
    for name in ("a", "b"):
        crm.hubspot.add_list(name, members=map(str, range(1, 2001)))
    return 4000


def fill_forms(crm: FakeCrm) -> int:
    for name in ("a", "b"):
        form = crm.hubspot.add_form(name)
        for number in range(400):
            crm.hubspot.submit_form(form, {"email": f"{number}@example.com"}, at="2026-10-01T00:00:00Z")
    return 800


def fill_events(crm: FakeCrm) -> int:
    for number in range(12_000):
        crm.hubspot.add_email_event("SENT", "a@example.com", at=f"2026-10-01T00:{number // 200:02}:00.{number % 200}Z")
    return 12_000


CASES = [
    ("list_memberships", fill_lists, ("listId", "recordId")),
    ("form_submissions", fill_forms, ("formId", "conversionId")),
    ("email_events", fill_events, ("id", "created")),
]


def killed(crm: FakeCrm, tmp_path: Path, catalog: Any) -> str:
    """What a tap printed that was killed once a STATE told a resume point."""
    config, chosen = tmp_path / "config.json", tmp_path / "catalog.json"
    config.write_text(json.dumps({"api_url": crm.url, "access_token": crm.token, "legacy": True}))
    config.chmod(0o600)
    chosen.write_text(json.dumps(catalog))
    command = [sys.executable, "-c", SCRIPT, "--config", str(config), "--catalog", str(chosen)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    printed = stop_inside(process, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    return printed


@pytest.mark.parametrize(("stream", "fill", "keys"), CASES, ids=[case[0] for case in CASES])
def test_a_killed_tap_goes_on_inside_the_stream(
    run_tap: RunTap, tmp_path: Path, stream: str, fill: Callable[[FakeCrm], int], keys: tuple[str, ...]
) -> None:
    empty = FakeCrm(contacts=0, companies=0, deals=0, tickets=0, latency=0.05, clock="2026-11-01T00:00:00Z")
    with empty as crm:
        count = fill(crm)
        catalog = run_tap.catalog(crm, legacy=True)
        for entry in catalog["streams"]:
            entry["metadata"][-1]["metadata"]["selected"] = entry["tap_stream_id"] == stream
        stopped: Run = run_tap.printed(killed(crm, tmp_path, catalog))
        resumed = run_tap(crm, stream, state=stopped.state, legacy=True)
    rows = [{tuple(record[name] for name in keys) for record in run.records(stream)} for run in (stopped, resumed)]
    assert (None, count) == (resumed.error, len(rows[0] | rows[1]))
    assert 0 < len(rows[1]) < count
    assert "resume" not in resumed.state["bookmarks"][stream]
