"""A tap that is killed, or stopped, at any place: from every STATE that it printed the rest comes."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakePipedrive
from tests.tap_pipedrive.conftest import Run, Table, config_for, parse, table_differences

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.tap_pipedrive.conftest import RunTap

STREAMS = ("deals", "persons", "leads", "notes", "files", "deal_products", "deal_installments")
TABLES = {"deal_installments": "installments"}
SIZES = {"deals": 60, "persons": 60, "leads": 40, "notes": 40, "files": 30}
# the tap as its console script runs it, with a STATE wherever one may stand
SCRIPT = """
from tap_pipedrive.tap import TapPipedrive
from tap_pipedrive.streams.of_deals import BulkStream
TapPipedrive.state_seconds, BulkStream.at_once = 0.0, 4
from tap_pipedrive.__main__ import main
main()
"""


@pytest.fixture
def crm() -> Iterator[FakePipedrive]:
    with FakePipedrive(clock="2026-11-01T00:00:00Z", sizes=SIZES, fields=4) as crm:
        crm.clock.advance(3600)
        yield crm


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tap_pipedrive.tap.TapPipedrive.state_seconds", 0.0)
    monkeypatch.setattr("tap_pipedrive.streams.of_deals.BulkStream.at_once", 4)


def assert_complete(crm: FakePipedrive, messages: list[dict[str, Any]], streams: tuple[str, ...] = STREAMS) -> None:
    for stream in streams:
        table = Table()
        table.load(messages, stream)
        assert table_differences(crm, TABLES.get(stream, stream), table, ("id",)) == [], stream


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("delta", [False, True], ids=["whole", "delta"])
def test_s07_g18_from_every_state_the_rest_comes(run_tap: RunTap, crm: FakePipedrive, delta: bool) -> None:
    """S08: a cursor of the dead run may be over as well."""
    catalog = run_tap.catalog(crm, *STREAMS)
    before = run_tap(crm, catalog=catalog) if delta else None
    if delta:
        crm.clock.advance(600)
        for table in SIZES:
            for row in crm.pipedrive.live(table):
                crm.pipedrive.update(table, row["id"])
        crm.clock.advance(600)
    state = before.state if before else None
    whole = run_tap(crm, catalog=catalog, state=state, page_size=7)
    places = [at for at, message in enumerate(whole.messages) if message["type"] == "STATE"]
    inside = [at for at in places if '"point"' in json.dumps(whole.messages[at], default=float)]
    assert len(inside) > 20
    chosen = random.Random(1).sample(inside, 12)
    for number, at in enumerate(chosen):
        if number % 2:
            crm.cursors.forget()
        rest = run_tap(crm, catalog=catalog, state=whole.messages[at]["value"], page_size=7)
        assert rest.error is None
        messages = [*(before.messages if before else []), *whole.messages[: at + 1], *rest.messages]
        assert_complete(crm, messages)


@pytest.mark.usefixtures("at_once")
def test_a_resumed_run_does_not_begin_anew(run_tap: RunTap, crm: FakePipedrive) -> None:
    whole = run_tap(crm, "persons", page_size=7)
    states = [message["value"] for message in whole.messages if message["type"] == "STATE"]
    inside = [state for state in states if "resume" in state.get("bookmarks", {}).get("persons", {})]
    rest = run_tap(crm, "persons", state=inside[len(inside) // 2], page_size=7)
    assert 0 < len(rest.records("persons")) < 45
    assert not set(rest.ids("persons")) & set(whole.ids("persons")[:14])


def run_until(folder: Path, crm: FakePipedrive, catalog: Any, state: Any, *, requests: int, signum: int) -> Run:
    """A run in a process of its own that gets a signal at its n-th request for rows."""
    paths = {name: folder / f"{name}.json" for name in ("config", "catalog", "state")}
    contents = {"config": config_for(crm, page_size=7), "catalog": catalog, "state": state}
    for name, path in paths.items():
        path.write_text(json.dumps(contents[name], default=float))
        path.chmod(0o600)
    options = [part for name, path in paths.items() for part in (f"--{name}", str(path))]
    left = [requests]
    process: list[subprocess.Popen[str]] = []

    def strike(request: Any) -> None:
        if process and "Fields" not in request.path:
            left[0] -= 1
            if left[0] == 0:
                process[0].send_signal(signum)

    crm._hooks[:] = [strike]
    process.append(
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    )
    output, _ = process[0].communicate(timeout=60)
    crm._hooks.clear()
    assert process[0].returncode in {0, -9, 143}
    return Run(parse(output))


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_s07_g1_kills_at_random_requests_lose_nothing(
    run_tap: RunTap, crm: FakePipedrive, tmp_path: Path, signum: int
) -> None:
    crm.latency = 0.01
    catalog = run_tap.catalog(crm, *STREAMS)
    messages: list[dict[str, Any]] = []
    state: Any = {}
    chance = random.Random(2)
    for _ in range(3 if signum == signal.SIGKILL else 1):
        run = run_until(tmp_path, crm, catalog, state, requests=chance.randrange(4, 16), signum=signum)
        messages += run.messages
        states = [message["value"] for message in run.messages if message["type"] == "STATE"]
        state = states[-1] if states else state
        for table in SIZES:
            crm.pipedrive.update(table, chance.choice(crm.pipedrive.live(table))["id"])
            crm.pipedrive.create(table)
        crm.clock.advance(5)
    crm.latency = 0
    for _ in range(2):  # the first ends the windows of the run that was killed
        crm.clock.advance(600)
        run = run_tap(crm, catalog=catalog, state=state)
        assert run.error is None
        messages, state = messages + run.messages, run.state
    assert_complete(crm, messages)
