"""The parts of the benchmark of tap-hubspot."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from bench.calls import Calls
from bench.delta import Delta
from bench.emitted import Emitted
from bench.fake_server import served
from bench.first_sync import Attempt
from bench.ideal_read import IdealReader
from bench.measure import FailedRunError, Usage, Workshop
from bench.readers import IDEAL, MELTANOLABS, OURS, SINGER
from bench.reading import Reading
from bench.reading_goals import reading_goals
from bench.reading_report import reading_report
from bench.throughput import Pace
from fake_crm.hubspot.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fake_crm import FakeCrm

CONTACTS = "/crm/objects/2026-09/contacts"
SOME_CALLS = Calls(
    Counter(
        {
            (f"POST {CONTACTS}/search", 200): 6,
            (f"POST {CONTACTS}/search", 429): 1,
            (f"POST {CONTACTS}/batch/read", 200): 10,
            (f"GET {CONTACTS}?archived=true", 200): 1,
            (f"GET {CONTACTS}", 414): 2,
            ("GET /crm/properties/2026-09/contacts", 200): 1,
            ("POST /crm/objects/2026-09/deals/search", 200): 1,
            ("GET /companies/v2/companies/{id}", 200): 3,
            ("GET /companies/v2/companies/paged", 200): 1,
        }
    )
)
BATCHES: Counter[tuple[str, int | None]] = Counter({(f"POST {CONTACTS}/batch/read", 200): 9})


def usage(seconds: float) -> Usage:
    return Usage(seconds, 1.0, 50.0)


def attempt(contender: str, seconds: float | None, failure: str = "", properties: int = 250) -> Attempt:
    took = None if seconds is None else usage(seconds)
    return Attempt(contender, 0, properties, 10, took, failure, Calls(Counter()), 900.0)


def test_calls_are_told_apart_by_kind_and_type() -> None:
    contacts = SOME_CALLS.about("contacts")
    assert {"searches": 7, "batch reads": 10, "archived scans": 1, "list pages": 2, "schema": 1} == contacts.kinds()
    others = SOME_CALLS.without("contacts")
    assert {"single records": 3, "searches": 1, "list pages": 1} == others.kinds()
    assert (26, 1, {414: 2}) == (SOME_CALLS.total(), SOME_CALLS.limited(), SOME_CALLS.refusals())
    assert {"batch reads": 9} == SOME_CALLS.since(SOME_CALLS.since(Calls(BATCHES))).kinds()


def test_what_did_not_come_is_missing(tmp_path: Path) -> None:
    messages = [
        {"type": "RECORD", "stream": "deals", "record": {"dealId": 91}},
        {"type": "RECORD", "stream": "deals", "record": {"dealId": 91}},
        {"type": "STATE", "value": {"at": 1}},
        {"type": "STATE", "value": {"at": 2}},
    ]
    path = tmp_path / "out.singer"
    path.write_text("\n".join(map(json.dumps, messages)), "utf-8")
    emitted = Emitted.read(path, {"deals": "dealId", "tickets": "id"})
    assert (2, {"at": 2}) == (emitted.records, emitted.state)
    assert [0, 1, 3] == [
        emitted.missing({"deals": ["91"]}),
        emitted.missing({"deals": ["91", "92"]}),
        emitted.missing({"deals": ["91"], "tickets": ["91", "92", "93"]}),
    ]


def test_a_failing_program_and_a_slow_one_are_results(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, os.environ)
    with pytest.raises(FailedRunError, match="exit code 3"):
        workshop.attempt([sys.executable, "-c", "raise SystemExit(3)"], name="a", stdout=tmp_path / "out", limit=20)
    started = time.monotonic()
    with pytest.raises(FailedRunError, match="more than 1 s"):
        workshop.attempt(["sleep", "60"], name="b", stdout=tmp_path / "out", limit=1)
    assert time.monotonic() - started < 30


def ask_until_it_fails(folder: Path) -> None:
    with served(folder, properties=0) as fake:
        os.kill(fake.pid, signal.SIGKILL)
        while True:
            fake.calls()


def test_a_fake_that_ended_is_named_as_the_cause(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="ended meanwhile, with -9"):
        ask_until_it_fails(tmp_path)


def test_the_ideal_client_is_as_fast_as_the_limit_and_never_above(fake_crm: Callable[..., FakeCrm]) -> None:
    crm = fake_crm(contacts=120, limits=Limits(burst=4, burst_seconds=0.5))
    pages = [f"{CONTACTS}?limit=10&after={91 + 10 * page}" for page in range(12)]
    plan = {"url": crm.url, "token": crm.token, "burst": 4, "seconds": 0.5, "workers": 3, "pages": pages}
    started = time.monotonic()
    assert 120 == IdealReader(plan).run()
    assert time.monotonic() - started >= 1.0
    assert [200] * 12 == [entry.status for entry in crm.requests]


def test_the_goals_say_how_a_peer_fared() -> None:
    attempts = [
        attempt(IDEAL, 10.0),
        attempt(OURS, 12.0),
        attempt(SINGER, None, "more than 900 s"),
        attempt(MELTANOLABS, None, "exit code 1 after answers 414 (5 times)"),
    ]
    goals = [(goal.found, goal.met) for goal in reading_goals(Reading(attempts))]
    assert [("1.20 (1.20-1.20)", True), ("more than 75.0", True)] == goals
    shown = "\n".join(reading_report(Reading(attempts)))
    assert "| MeltanoLabs/tap-hubspot | 250 | fails: exit code 1 after answers 414 (5 times) | - |" in shown
    assert "| singer-io/tap-hubspot | 250 | more than 900 s | - |" in shown


def test_a_peer_that_failed_is_compared_in_the_smaller_account() -> None:
    attempts = [
        attempt(IDEAL, 10.0),
        attempt(OURS, 12.0),
        attempt(SINGER, None, "exit code 1"),
        attempt(IDEAL, 5.0, properties=100),
        attempt(OURS, 6.0, properties=100),
        attempt(SINGER, 42.0, properties=100),
    ]
    goals = [(goal.says, goal.found, goal.met) for goal in reading_goals(Reading(attempts))]
    says = "first sync, 100 properties: at least 10 times faster than singer-io/tap-hubspot"
    assert [(says, "7.0", False)] == goals[1:]


def test_throughput_says_whether_the_reader_had_to_wait() -> None:
    paces = [Pace(IDEAL, 0, 40_000, usage(1.0)), Pace(OURS, 0, 40_000, usage(2.0))]
    goals = [(goal.found, goal.met) for goal in reading_goals(Reading(paces=paces))]
    assert [("20,000, busy 50% of the time", True), ("at most 50", True)] == goals
    assert "| **tap-hubspot** | 20,000 (20,000-20,000) | 25 | 50% | 50 |" in reading_report(Reading(paces=paces))


def test_a_deltas_goals_leave_schema_and_recycle_bin_apart() -> None:
    delta = Delta(1000, 1000, usage(3.0), SOME_CALLS)
    goals = [(goal.says.split(": ")[1], goal.found, goal.met) for goal in reading_goals(Reading(delta=delta))]
    assert [
        ("at most 6 searches", "7", False),
        ("at most 10 batch reads", "10", True),
        ("at most 0 other calls", "2", False),
    ] == goals
