"""Whatever happens in the company and to the tap, one clean run makes the target's tables those of the company.

A company is edited between runs and during them, runs meet passing and lasting faults, are killed at any message and
go on from a STATE that was printed. The messages of all runs, taken in their order by a model of a target, must be the
company's truth after one clean run. Faults S01 to S08 at random; N and A faults have tests of their own.
"""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from typing_extensions import override

from crmdb_core.exceptions import CrmdbError
from fake_crm import FakePipedrive
from tap_pipedrive.tap import TapPipedrive
from tests.tap_pipedrive.conftest import Poisoned, Table, config_for, parse, select, table_differences

Json = dict[str, Any]

STREAMS = ("deals", "persons", "leads", "notes", "deal_products")
EDITED = ("deals", "persons", "leads", "notes")
VERBS = ("edit", "edit", "create", "archive", "delete", "merge", "storm", "pause", "child")
DEFAULT_SECONDS = 60

edits = st.tuples(st.sampled_from(VERBS), st.sampled_from(EDITED), st.integers(0, 200))
meanwhile = st.lists(st.tuples(st.integers(1, 15), edits), max_size=6)
PLACES = (r"/api/v2/deals\?", "/deals/archived", r"/api/v2/persons\?", r"/v1/leads", r"/v1/notes", "/deals/products")
passing = st.builds(
    lambda path, after, how: {"path": path, "after": after, **how},
    st.sampled_from(PLACES),
    st.integers(0, 3),
    st.sampled_from(
        [{"status": 502}, {"status": 429}, {"kind": "truncate"}, {"kind": "reset"}, {"kind": "empty"}, {"kind": "html"}]
    ),
)
lasting = st.builds(
    lambda path, after, how: {"path": path, "after": after, "times": None, **how},
    st.sampled_from(PLACES),
    st.integers(0, 3),
    st.sampled_from([{"status": 500}, {"status": 429, "policy": "DAILY"}, {"status": 403, "policy": "blocked"}]),
)


class Killed(BaseException):
    """The process is no more."""


class Pipe:
    """A stdout; after `most` lines the process that writes to it is killed."""

    def __init__(self, most: int | None = None) -> None:
        self.most = most
        self.lines: list[str] = []

    def write(self, text: str) -> int:
        for line in text.splitlines(keepends=True):
            if self.most is not None and len(self.lines) >= self.most:
                raise Killed
            self.lines.append(line)
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back."""


class Company(RuleBasedStateMachine):
    """One company, one target, one STATE between them."""

    def __init__(self) -> None:
        super().__init__()
        self.crm: FakePipedrive
        self.tables = {stream: Table() for stream in STREAMS}
        self.state: Json = {}
        self.plan: list[tuple[int, Any]] = []
        self.seen = 0
        self.unfinished = False

    @initialize(lag=st.sampled_from([0.0, 0.0, 50.0, 110.0]), short=st.sampled_from([0, 0, 2, 3]))
    def open(self, lag: float, short: int) -> None:
        sizes = {"deals": 12, "persons": 20, "leads": 9, "notes": 9, "organizations": 2, "activities": 1}
        self.crm = FakePipedrive(sizes=sizes, fields=2, clock="2026-11-01T00:00:00Z").start()
        self.crm.quirks.lag, self.crm.quirks.short_every = lag, short
        self.crm.clock.advance(600)
        self.crm.on_request(self.at_request)

    def at_request(self, request: Any) -> None:
        if any(name in request.path for name in EDITED):
            self.seen += 1
            for at, edit in self.plan:
                if at == self.seen:
                    self.make(*edit)

    def make(self, verb: str, table: str, number: int) -> None:
        """One edit, as somebody makes it."""
        world = self.crm.pipedrive
        live = world.live(table)
        keys = [row["id"] for row in live]
        key = keys[number % len(keys)] if keys else None
        if verb == "pause":
            self.crm.clock.advance(number % 5)
        elif verb == "create" or key is None:
            world.create(table)
        elif verb == "edit":
            world.update(table, key)
        elif verb == "archive" and table in {"deals", "leads"}:
            world.archive(table, key, archived=not world.rows(table)[keys.index(key)].get("is_archived"))
        elif verb == "storm":
            for each in keys:
                world.update(table, each)
        elif verb == "child" and table == "deals":
            world.create("deal_products", deal_id=key)
            world.update("deals", key)
        elif verb == "merge" and len(keys) > 3 and table == "deals":
            world.merge(table, key, next(each for each in keys if each != key))
        elif verb == "delete" and len(keys) > 3 and table == "deals":
            world.delete(table, key)

    @rule(edits=st.lists(edits, min_size=1, max_size=5))
    def people_work(self, edits: list[Any]) -> None:
        for edit in edits:
            self.make(*edit)

    @rule(seconds=st.sampled_from([1, 61, 301, 5000]))
    def time_passes(self, seconds: float) -> None:
        self.crm.clock.advance(seconds)

    @rule(
        plan=meanwhile,
        faults=st.lists(passing, max_size=2),
        page_size=st.sampled_from([2, 5, 500]),
        full=st.sampled_from([False, False, False, True]),
        back=st.sampled_from([0, 0, 1, 4]),
    )
    def sync(self, plan: list[Any], faults: list[Json], *, full: bool, back: int, page_size: int) -> None:
        """A run to its end; the target may yet have died before it took all of it."""
        lines, well = self.run(plan, faults, page_size=page_size, full_refresh=full)
        assert well
        self.deliver(lines, well, back)

    @rule(
        plan=meanwhile,
        most=st.integers(0, 30) | st.integers(0, 150),
        page_size=st.sampled_from([2, 5, 500]),
        full=st.sampled_from([False, False, True]),
        cut=st.booleans(),
        forget=st.booleans(),
    )
    def killed_sync(self, plan: list[Any], *, most: int, page_size: int, full: bool, cut: bool, forget: bool) -> None:
        lines, well = self.run(plan, [], most=most, page_size=page_size, full_refresh=full)
        self.deliver(lines, well, cut=cut)
        if forget:
            self.crm.cursors.forget()

    @rule(plan=meanwhile, fault=lasting, page_size=st.sampled_from([2, 5]))
    def failing_sync(self, plan: list[Any], fault: Json, page_size: int) -> None:
        lines, well = self.run(plan, [fault], page_size=page_size)
        self.deliver(lines, well)

    @rule(
        plan=meanwhile,
        stream=st.sampled_from(STREAMS),
        number=st.integers(0, 200),
        page_size=st.sampled_from([2, 5, 500]),
        full=st.booleans(),
        back=st.sampled_from([0, 0, 1]),
    )
    def sick_sync(self, plan: list[Any], stream: str, *, number: int, page_size: int, full: bool, back: int) -> None:
        """A row cannot be read, wherever it stands (N06)."""
        ids = [row["id"] for row in self.crm.pipedrive.live(stream)]
        path = "/deals/products$" if stream == "deal_products" else rf"/{stream}(/archived)?$"
        poisoned = Poisoned(self.crm, path, {ids[number % len(ids)]} if ids else ())
        lines, well = self.run(plan, [], page_size=page_size, full_refresh=full)
        poisoned.heal()
        self.deliver(lines, well, back)

    @rule(most=st.sampled_from([1, 3, 50]))
    def trial(self, most: int) -> None:
        before = self.unfinished
        lines, well = self.run([], [], max_records=most, page_size=5)
        self.deliver(lines, well)
        self.unfinished = before

    @rule()
    def settle(self) -> None:
        """One clean run; after a broken one it only ends that one's window, and the next does the rest."""
        self.crm.clock.advance(DEFAULT_SECONDS + self.crm.quirks.lag + 1)
        for _ in range(2 if self.unfinished else 1):
            lines, well = self.run([], [])
            assert well
            self.deliver(lines, well)
        for stream, table in self.tables.items():
            found = table_differences(self.crm, stream, table, ("id", "update_time"))
            assert [each for each in found if stream != "deal_products" or self.is_of_live_deal(each)] == [], stream

    def is_of_live_deal(self, difference: str) -> bool:
        """What hangs on a deal that was deleted is in no list any more."""
        row = self.crm.pipedrive.get("deal_products", int(re.findall(r"\d+", difference)[0]))
        deal = None if row is None else self.crm.pipedrive.get("deals", row["deal_id"])
        return deal is not None and not deal["is_deleted"]

    @override
    def teardown(self) -> None:
        if hasattr(self, "crm"):
            try:
                self.settle()
            finally:
                self.crm.stop()

    def run(
        self, plan: list[Any], faults: list[Json], *, most: int | None = None, **ways: Any
    ) -> tuple[list[str], bool]:
        for fault in faults:
            self.crm.faults.add(**fault)
        self.plan, self.seen = plan, 0
        pipe, well = Pipe(most), False
        with contextlib.redirect_stdout(pipe), contextlib.suppress(Killed, CrmdbError):
            config = config_for(self.crm, retry_attempts=3, **ways)
            tap = TapPipedrive(config=config, state=json.loads(json.dumps(self.state)))
            select(tap, STREAMS)
            tap.sync_all()
            well = True
        self.plan = []
        self.crm.faults.clear()
        return pipe.lines, well

    def deliver(self, lines: list[str], well: bool, back: int = 0, *, cut: bool = False) -> None:
        """Let the target take the lines and go on from a STATE among them: the last one, or one before it.

        `cut`: lines after that STATE never arrived.
        """
        places = [at for at, line in enumerate(lines) if line.startswith('{"type":"STATE"')]
        chosen = places[: len(places) - back]
        taken = lines[: chosen[-1] + 1 if chosen else 0] if cut else lines
        for stream, table in self.tables.items():
            table.load(parse("".join(taken)), stream)
        if chosen:
            self.state = json.loads(lines[chosen[-1]])["value"]
        self.unfinished = (self.unfinished and not chosen) or not (well and back == 0)


# to look for a smaller example takes minutes: only where there is time for it
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)


def check(
    monkeypatch: pytest.MonkeyPatch, *, examples: int, steps: int, phases: tuple[Phase, ...] = tuple(Phase)
) -> None:
    monkeypatch.setattr(TapPipedrive, "state_seconds", 0.0)  # a STATE wherever one may stand
    monkeypatch.setattr(TapPipedrive, "rest", lambda *_: None)
    monkeypatch.setattr("tap_pipedrive.streams.of_deals.BulkStream.at_once", 3)
    run_state_machine_as_test(
        Company,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            print_blob=True,
            report_multiple_bugs=False,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_whatever_happens_one_clean_run_makes_it_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """S01-S08."""
    check(monkeypatch, examples=12, steps=10, phases=QUICK)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_whatever_happens_many_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """S01-S08."""
    check(monkeypatch, examples=300, steps=20)
