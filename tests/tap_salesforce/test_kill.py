"""A tap that is killed or stopped: the next run goes on with the same cursor or job, nothing lost."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeSalesforce
from tests.tap_hubspot.killing import stop_inside
from tests.tap_hubspot.tables import Tables
from tests.tap_salesforce.conftest import config_for
from tests.tap_salesforce.people import Edit, People
from tests.tap_salesforce.truth import differences, lines, loaded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.tap_salesforce.conftest import RunTap

RECORDS = 400
HOUR = 3600
# the tap as its console script runs it, but with a STATE every 20 ms: a test has no time for the usual few seconds
SCRIPT = """
from tap_salesforce.tap import TapSalesforce
TapSalesforce.state_seconds = 0.02
from tap_salesforce.__main__ import main
main()
"""


@pytest.fixture
def crm() -> Iterator[FakeSalesforce]:
    sizes = {"Contact": RECORDS, "Lead": 20, "User": 2}
    with FakeSalesforce(seed=9, clock="2026-11-01T00:00:00Z", empty=True, sizes=sizes, latency=0.02) as crm:
        crm.quirks.page_rows = crm.quirks.bulk_page = 25
        crm.clock.advance(HOUR)
        yield crm


def start(crm: FakeSalesforce, folder: Path, state: Any = None, **settings: Any) -> subprocess.Popen[str]:
    config, saved = (folder / name for name in ("config.json", "state.json"))
    config.write_text(json.dumps(config_for(crm, streams=["Contact", "Lead"], concurrency=2, **settings)))
    config.chmod(0o600)
    saved.write_text(json.dumps(state or {}, default=float))
    command = [sys.executable, "-c", SCRIPT, "--config", str(config), "--state", str(saved)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("api", ["rest", "bulk"])
@pytest.mark.parametrize(
    "end", [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["KILL", "TERM", "INT"]
)
def test_a_stopped_tap_goes_on_where_it_stood(
    run_tap: RunTap, crm: FakeSalesforce, tmp_path: Path, end: tuple[int, int], api: str
) -> None:
    signum, code = end
    process = start(crm, tmp_path, api_type=api)
    stopped = run_tap.printed(stop_inside(process, signum))
    assert process.returncode == code
    point = stopped.state["bookmarks"]["Contact"]["resume"]["point"]
    assert ("job" in point) == (api == "bulk")
    assert stopped.bookmark("Contact") is None
    made: list[str] = []
    crm.on_request(lambda request: made.append(request.path) if request.method == "POST" else None)
    resumed = run_tap(crm, "Contact", "Lead", state=stopped.state, api_type=api)
    assert resumed.error is None
    # the first STATE of all comes when one stream's job is kept and the other's may not be yet
    assert sum(path.endswith("/jobs/query") for path in made) <= 1
    assert differences(crm, loaded(stopped, resumed), "Contact", "Lead") == []
    assert resumed.bookmark("Contact") is not None
    assert "resume" not in json.dumps(resumed.state)


class Day:
    """Kills the tap at the n-th request that reads records, and edits something at every third."""

    def __init__(self, crm: FakeSalesforce, seed: int) -> None:
        self.people = People(crm)
        self.random = random.Random(seed)
        self.process: subprocess.Popen[str] | None = None
        self.left = 0
        self.killed = 0
        crm.on_request(self)

    def __call__(self, request: Any) -> None:
        if self.process is None or not any(part in request.path for part in ("query", "composite")):
            return
        self.left -= 1
        if self.left == 0:
            self.process.kill()
        elif self.left % 3 == 0:
            verb = self.random.choice(("edit", "create", "delete", "merge", "storm", "purge", "begin", "commit"))
            self.people.make(Edit(verb, "Contact", self.random.randrange(400), self.random.randrange(400)))
            self.people.make(Edit("pause", "Contact", self.random.randrange(5)))

    def run(self, process: subprocess.Popen[str], most: int) -> list[str]:
        """The whole lines that a run printed before it was killed at its `most`-th request, or ended."""
        self.left, self.process = most, process
        output, _ = process.communicate(timeout=60)
        self.process = None
        assert process.returncode in {0, -9}
        self.killed += process.returncode != 0
        return [line for line in output.split("\n")[:-1] if line]


def kill_often(run_tap: RunTap, crm: FakeSalesforce, folder: Path, *, seed: int, kills: int) -> None:
    day = Day(crm, seed)
    state: Any = {}
    tables = [Tables(), Tables(guarded=False)]
    for _ in range(kills):
        api = day.random.choice(["rest", "bulk"])
        printed = day.run(start(crm, folder, state, api_type=api), day.random.randrange(3, 14))
        state = next((json.loads(line)["value"] for line in reversed(printed) if '"type":"STATE"' in line), state)
        for each in tables:
            each.take(printed)
    assert day.killed >= kills // 3
    day.people.commit_all()
    crm.latency = 0
    for _ in range(2):  # the first ends the window of the run that was killed
        crm.clock.advance(HOUR)
        run = run_tap(crm, "Contact", "Lead", state=state)
        assert run.error is None
        state = run.state
        for each in tables:
            each.take(lines(run.messages))
    assert [differences(crm, each, "Contact", "Lead") for each in tables] == [[], []]


def test_g1_a_few_kills_at_random_requests_lose_nothing(run_tap: RunTap, crm: FakeSalesforce, tmp_path: Path) -> None:
    kill_often(run_tap, crm, tmp_path, seed=1, kills=4)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(2, 12))
def test_g1_many_kills_at_random_requests_lose_nothing(
    run_tap: RunTap, crm: FakeSalesforce, tmp_path: Path, seed: int
) -> None:
    kill_often(run_tap, crm, tmp_path, seed=seed, kills=12)
