"""A tap that is killed while it reads links or histories: the next run goes on there, nothing lost."""

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

SETTINGS: dict[str, Any] = {
    "associations": ["contacts:companies", "contacts:contacts"],
    "history_properties": ["contacts:firstname"],
    "searches_per_second": 1000,
    "concurrency": 1,
}
KEYS = {
    "contacts_associations": ("from_id", "to_object_type", "to_id", "category", "type_id"),
    "contacts_property_history": ("object_id", "property", "timestamp", "sequence"),
}


def kill_inside(crm: FakeCrm, tmp_path: Path, catalog: Any, signum: int) -> tuple[int, str]:
    """Signal the tap once a STATE says that it is inside a stream; its exit code and all that it printed."""
    files = {"catalog": catalog, "config": {"api_url": crm.url, "access_token": crm.token, **SETTINGS}}
    arguments = []
    for name, content in files.items():
        path = tmp_path / f"{name}.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(content), "utf-8")
        arguments += [f"--{name}", str(path)]
    command = [sys.executable, "-c", SCRIPT, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    printed = stop_inside(process, signum)
    return process.returncode, printed


def keys(run: Run, stream: str) -> set[tuple[Any, ...]]:
    return {tuple(record[name] for name in KEYS[stream]) for record in run.records(stream)}


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143)], ids=["KILL", "TERM"])
@pytest.mark.parametrize("stream", KEYS)
def test_a_stopped_tap_goes_on_inside_the_stream(
    run_tap: RunTap, tmp_path: Path, stream: str, signum: int, code: int
) -> None:
    with FakeCrm(seed=9, contacts=5000, companies=50, deals=0, tickets=0, latency=0.02) as crm:
        catalog = run_tap.catalog(crm, **SETTINGS)
        for entry in catalog["streams"]:
            entry["metadata"][-1]["metadata"]["selected"] = entry["tap_stream_id"] == stream
        returned, printed = kill_inside(crm, tmp_path, catalog, signum)
        assert returned == code
        stopped = run_tap.printed(printed)
        assert stopped.state["bookmarks"][stream]["resume"]["point"]
        resumed = run_tap(crm, stream, state=stopped.state, **SETTINGS)
        assert resumed.error is None
        whole = run_tap(crm, stream, **SETTINGS)
        assert keys(stopped, stream) | keys(resumed, stream) == keys(whole, stream)
        assert 0 < len(resumed.records(stream)) < len(whole.records(stream))
        assert "resume" not in resumed.state["bookmarks"][stream]
