"""A tap whose process is killed at any moment, while people go on working: the runs together bring the truth."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeCrm
from tests.tap_hubspot.conftest import config_for
from tests.tap_hubspot.people import Edit, People
from tests.tap_hubspot.tables import Tables
from tests.tap_hubspot.truth import differences

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tap_hubspot.conftest import RunTap

STREAMS = ("contacts", "deals")
VERBS = ("edit", "create", "archive", "merge", "storm", "restore")
# the tap as its console script runs it, with a STATE every 20 ms
SCRIPT = """
from tap_hubspot.tap import TapHubSpot
TapHubSpot.state_seconds = 0.02
from tap_hubspot.__main__ import main
main()
"""


class Day:
    """Kills the tap at the n-th request of its run that is about a stream, and edits something at every third."""

    def __init__(self, crm: FakeCrm, seed: int) -> None:
        self.people = People(crm)
        self.random = random.Random(seed)
        self.process: subprocess.Popen[str] | None = None
        self.left = 0
        self.killed = 0
        crm.on_request(self)

    def __call__(self, request: Any) -> None:
        if self.process is None or not any(name in request.path for name in STREAMS):
            return
        self.left -= 1
        if self.left == 0:
            self.process.kill()
        elif self.left % 3 == 0:
            self.edit()

    def edit(self) -> None:
        stream, verb = self.random.choice(STREAMS), self.random.choice(VERBS)
        self.people.make(Edit(verb, stream, self.random.randrange(400), self.random.randrange(400)))
        self.people.make(Edit("pause", stream, self.random.randrange(5)))

    def run(self, command: list[str], most: int) -> list[str]:
        """The whole lines that a run printed before it was killed at its `most`-th request, or ended."""
        self.left = most
        process = self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        output, _ = process.communicate(timeout=60)
        self.process = None
        assert process.returncode in {0, -9}
        self.killed += process.returncode != 0
        return [line for line in output.splitlines(keepends=True) if line.endswith("\n")]


def kill_often(run_tap: RunTap, folder: Path, *, seed: int, kills: int) -> None:
    with FakeCrm(seed=seed, contacts=900, companies=0, deals=30, tickets=0, clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(86_400)
        crm.latency = 0.01
        day = Day(crm, seed)
        catalog = run_tap.catalog(crm)
        for entry in catalog["streams"]:
            entry["metadata"][-1]["metadata"]["selected"] = entry["tap_stream_id"] in STREAMS
        paths = {name: folder / f"{name}.json" for name in ("config", "catalog", "state")}
        paths["config"].write_text(json.dumps(config_for(crm, concurrency=2)))
        paths["config"].chmod(0o600)
        paths["catalog"].write_text(json.dumps(catalog))
        state: Any = {}
        tables = [Tables(), Tables(guarded=False)]
        options = [part for name, path in paths.items() for part in (f"--{name}", str(path))]
        for _ in range(kills):
            paths["state"].write_text(json.dumps(state))
            lines = day.run([sys.executable, "-c", SCRIPT, *options], day.random.randrange(3, 16))
            state = next((json.loads(line)["value"] for line in reversed(lines) if '"type":"STATE"' in line), state)
            for each in tables:
                each.take(lines)
        assert day.killed >= kills // 3
        for _ in range(2):  # the first ends the window of the run that was killed
            crm.clock.advance(3600)
            run = run_tap(crm, *STREAMS, state=state, catalog=catalog)
            assert run.error is None
            state = run.state
            for each in tables:
                each.take(json.dumps(message, default=float) for message in run.messages)
        assert [differences(crm, day.people, each, STREAMS) for each in tables] == [[], []]


def test_g1_a_few_kills_at_random_requests_lose_nothing(run_tap: RunTap, tmp_path: Path) -> None:
    kill_often(run_tap, tmp_path, seed=1, kills=4)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(2, 12))
def test_g1_many_kills_at_random_requests_lose_nothing(run_tap: RunTap, tmp_path: Path, seed: int) -> None:
    kill_often(run_tap, tmp_path, seed=seed, kills=12)
