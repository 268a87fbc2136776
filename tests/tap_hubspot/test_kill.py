"""A tap that is killed or stopped: the next run goes on inside the stream, nothing lost."""

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
    from pathlib import Path

    from tests.tap_hubspot.conftest import Run, RunTap

RECORDS = 3000


def start(crm: FakeCrm, tmp_path: Path, state: Any = None) -> subprocess.Popen[str]:
    catalog, config, saved = (tmp_path / name for name in ("catalog.json", "config.json", "state.json"))
    config.write_text(json.dumps({"api_url": crm.url, "access_token": crm.token, "searches_per_second": 1000}))
    config.chmod(0o600)
    saved.write_text(json.dumps(state or {}, default=float))
    command = [sys.executable, "-c", SCRIPT, "--config", str(config), "--state", str(saved)]
    if catalog.exists():
        command += ["--catalog", str(catalog)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def in_the_contacts(state: dict[str, Any]) -> dict[str, Any] | None:
    """Where the reading stands, by a STATE."""
    resume = state["bookmarks"].get("contacts", {}).get("resume")
    return None if resume is None else dict(resume["point"])


@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["KILL", "TERM", "INT"]
)
def test_a_stopped_tap_goes_on_inside_the_stream(run_tap: RunTap, tmp_path: Path, signum: int, code: int) -> None:
    with FakeCrm(seed=9, contacts=RECORDS, companies=0, deals=0, tickets=0, latency=0.05) as crm:
        catalog = run_tap.catalog(crm)
        for entry in catalog["streams"]:
            entry["metadata"][-1]["metadata"]["selected"] = entry["tap_stream_id"] == "contacts"
        (tmp_path / "catalog.json").write_text(json.dumps(catalog))
        process = start(crm, tmp_path)
        stopped: Run = run_tap.printed(stop_inside(process, signum))
        assert process.returncode == code
        reached = in_the_contacts(stopped.state)
        assert reached is not None
        assert stopped.bookmark("contacts") is None
        resumed = run_tap(crm, "contacts", state=stopped.state)
        assert resumed.error is None
        assert 0 < len(resumed.records("contacts")) < RECORDS
        assert run_tap.differences(crm, "contacts", stopped, resumed) == []
        assert resumed.bookmark("contacts") is not None
        assert in_the_contacts(resumed.state) is None


def test_s07_killed_in_a_storm_of_one_timestamp_nothing_is_lost(run_tap: RunTap, tmp_path: Path) -> None:
    with FakeCrm(seed=10, contacts=RECORDS, companies=0, deals=0, tickets=0, latency=0.05) as crm:
        first = run_tap(crm, "contacts")
        crm.clock.advance(3600)
        crm.hubspot.bulk_stamp("contacts", [one["id"] for one in crm.hubspot.records("contacts")], crm.clock.now())
        crm.clock.advance(3600)
        killed: Run = run_tap.printed(stop_inside(start(crm, tmp_path, first.state), signal.SIGKILL))
        assert killed.bookmark("contacts") == first.bookmark("contacts")
        crm.clock.advance(60)
        edited = killed.ids("contacts")[0]
        crm.hubspot.update("contacts", edited, {"firstname": "edited after it was read"})
        crm.clock.advance(3600)
        resumed = run_tap(crm, "contacts", state=killed.state)
        crm.clock.advance(3600)
        last = run_tap(crm, "contacts", state=resumed.state)
        assert last.ids("contacts") == [edited]
        assert set(killed.ids("contacts")) | set(resumed.ids("contacts")) == set(first.ids("contacts"))
        assert run_tap.differences(crm, "contacts", first, killed, resumed, last) == []


def test_s09_a_used_up_day_is_exit_75_in_one_plain_line(run_tap: RunTap, tmp_path: Path) -> None:
    with FakeCrm(seed=10, contacts=1000, companies=0, deals=0, tickets=0) as crm:
        (tmp_path / "catalog.json").write_text(json.dumps(run_tap.catalog(crm, "contacts")))
        crm.faults.add(path=r"/contacts\?", times=None, after=2, policy="DAILY")
        process = start(crm, tmp_path)
        output, errors = process.communicate(timeout=60)
        stopped = run_tap.printed(output)
        assert process.returncode == 75
        assert in_the_contacts(stopped.state) is not None
        assert "Traceback" not in errors
        assert errors.splitlines()[-1].count("resets at") == 1
        assert crm.token not in errors
