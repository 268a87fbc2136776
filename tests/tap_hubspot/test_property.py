"""Whatever happens in the portal and to the tap, one clean run makes the target's tables those of the portal.

A portal is edited between runs and during them, runs meet passing and lasting faults, are killed at any message and
go on from a STATE that was printed. The messages of all runs, taken in their order by a model of a target, must be
the portal's truth after one clean run. Faults S01 to S07 at random; N and A faults have tests of their own.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from typing_extensions import override

from crmdb_core.exceptions import CrmdbError
from fake_crm import FakeCrm
from tap_hubspot.tap import TapHubSpot
from tests.tap_hubspot.conftest import config_for, select
from tests.tap_hubspot.people import Edit, People
from tests.tap_hubspot.tables import Tables
from tests.tap_hubspot.truth import differences

Json = dict[str, Any]

STREAMS = ("contacts", "deals")
HOLD_BACK, LOOKBACK = 60, 240
COMMON = ("edit", "fill", "create", "archive", "storm", "pause")
RARE = ("clear out", "restore", "merge", "merge", "purge", "add property", "remove property", "retype property")

edits = st.builds(
    Edit,
    verb=st.sampled_from(COMMON * 2 + RARE),
    stream=st.sampled_from(STREAMS),
    a=st.integers(0, 400),
    b=st.integers(0, 400),
)
meanwhile = st.lists(st.tuples(st.integers(0, 12), edits), max_size=6)
passing = st.fixed_dictionaries(
    {
        "path": st.sampled_from(["/search", "/batch/read", r"/(contacts|deals)\?", "/properties/"]),
        "after": st.integers(0, 3),
        "times": st.integers(1, 2),
    },
).flatmap(
    lambda where: st.sampled_from(
        [
            {**where, "status": 502},
            {**where, "policy": "SECONDLY"},
            {**where, "kind": "truncate"},
            {**where, "kind": "reset"},
            {**where, "kind": "short_body"},
            {**where, "kind": "empty"},
        ]
    )
)
lasting = st.fixed_dictionaries(
    {
        "path": st.sampled_from([r"/contacts\?", r"/deals\?", "/search", "/batch/read"]),
        "after": st.integers(0, 3),
        "times": st.none(),
    },
).flatmap(lambda where: st.sampled_from([{**where, "status": 500}, {**where, "policy": "DAILY"}]))


class Killed(BaseException):
    """The process is no more."""


class Pipe:
    """A stdout; after `most` lines the process that writes to it is killed, and a line may have been cut."""

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


@dataclass(frozen=True)
class End:
    """What a run printed, and whether it came to its end."""

    lines: list[str]
    well: bool

    def states(self) -> list[int]:
        """Places of the STATE lines."""
        return [at for at, line in enumerate(self.lines) if line.startswith('{"type":"STATE"')]


class Meanwhile:
    """Edits at the n-th request that is about one of the streams."""

    def __init__(self, people: People, plan: list[tuple[int, Edit]]) -> None:
        self.people = people
        self.plan = plan
        self.seen = 0

    def __call__(self, request: Any) -> None:
        if any(name in request.path for name in STREAMS):
            self.seen += 1
            for at, edit in self.plan:
                if at == self.seen:
                    self.people.make(edit)


class Portal(RuleBasedStateMachine):
    """One portal, one target, one STATE between them."""

    def __init__(self) -> None:
        super().__init__()
        self.crm: FakeCrm
        self.people: People
        self.tables: tuple[Tables, ...] = (Tables(), Tables(guarded=False))
        self.state: Json = {}
        self.unfinished = False

    @initialize(
        contacts=st.sampled_from([3, 130, 230, 230]),
        text=st.booleans(),
        lag=st.sampled_from([0.0, 100.0, 290.0]),
        short=st.sampled_from([0, 0, 2, 3]),
        empty=st.sampled_from([0, 0, 3, 4]),
    )
    def open(self, contacts: int, *, text: bool, lag: float, short: int, empty: int) -> None:
        self.crm = FakeCrm(
            seed=1, contacts=contacts, companies=0, deals=8, tickets=0, clock="2026-11-01T00:00:00Z", search_lag=lag
        ).start()
        self.crm.quirks.ids_as_text = text
        self.crm.quirks.short_every, self.crm.quirks.empty_every = short, empty
        self.people = People(self.crm)
        self.crm.on_request(self.at_request)
        self.meanwhile: Meanwhile | None = None

    def at_request(self, request: Any) -> None:
        if self.meanwhile is not None:
            self.meanwhile(request)

    @rule(edits=st.lists(edits, min_size=1, max_size=5))
    def people_work(self, edits: list[Edit]) -> None:
        for edit in edits:
            self.people.make(edit)

    @rule(seconds=st.sampled_from([1, 61, 301, 5000]))
    def time_passes(self, seconds: float) -> None:
        self.crm.clock.advance(seconds)

    @rule(
        plan=meanwhile,
        faults=st.lists(passing, max_size=2),
        page_size=st.sampled_from([1, 7, 200]),
        concurrency=st.sampled_from([1, 4]),
        full=st.sampled_from([False, False, False, True]),
        back=st.sampled_from([0, 0, 1]),
    )
    def sync(self, plan: list[tuple[int, Edit]], faults: list[Json], *, full: bool, back: int, **ways: int) -> None:
        """A run to its end; the target may yet have died before it took all of it."""
        end = self.run(plan, faults, full_refresh=full, **ways)
        assert end.well
        self.deliver(end, back)

    @rule(
        plan=meanwhile,
        most=st.integers(0, 20) | st.integers(0, 260),
        page_size=st.sampled_from([1, 7, 200]),
        concurrency=st.sampled_from([1, 4]),
        full=st.sampled_from([False, False, False, True]),
        back=st.sampled_from([0, 0, 0, 1, 5]),
        cut=st.booleans(),
    )
    def killed_sync(
        self, plan: list[tuple[int, Edit]], *, most: int, full: bool, back: int, cut: bool, **ways: int
    ) -> None:
        end = self.run(plan, [], most=most, full_refresh=full, **ways)
        self.deliver(end, back, cut=cut)

    @rule(edits=st.lists(edits, min_size=1, max_size=3), early=st.sampled_from([1, 20, 45]))
    def sync_before_the_index(self, edits: list[Edit], early: float) -> None:
        """A run that comes a little too early for what was written last to show in searches."""
        for edit in edits:
            self.people.make(edit)
        self.crm.clock.advance(max(self.crm.quirks.search_lag - early, 0))
        self.deliver(self.run([], []))

    @rule(
        edits=st.lists(edits, min_size=1, max_size=3),
        most=st.integers(100, 235),
        later=st.sampled_from([1, 400]),
        ways=st.sampled_from([{}, {"full_refresh": True, "concurrency": 4}]),
    )
    def storm_and_kill(self, edits: list[Edit], most: int, later: float, ways: Json) -> None:
        """A run of many rows with one time is killed inside; what it read is edited before the next goes on."""
        self.people.make(Edit("storm", "contacts"))
        self.crm.clock.advance(HOLD_BACK + LOOKBACK + 100)  # so long that no later lookback makes good for a loss
        self.deliver(self.run([], [], most=most, **ways))
        for edit in edits:
            self.people.make(edit)
        self.crm.clock.advance(later)
        self.deliver(self.run([], [], **ways))

    @rule(plan=meanwhile, fault=lasting, page_size=st.sampled_from([1, 7, 200]))
    def failing_sync(self, plan: list[tuple[int, Edit]], *, fault: Json, page_size: int) -> None:
        """There is much to read, all of it older than any later lookback."""
        for stream in STREAMS:
            self.people.make(Edit("storm", stream))
        self.crm.clock.advance(HOLD_BACK + LOOKBACK + 100)
        self.deliver(self.run(plan, [fault], page_size=page_size))

    @rule(plan=meanwhile, ago=st.sampled_from([0, 1, 100, 500, 6000, 10**8]))
    def sync_since(self, plan: list[tuple[int, Edit]], ago: int) -> None:
        since = (self.crm.clock.now() - timedelta(seconds=ago)).isoformat()
        self.deliver(self.run(plan, [], since=since, page_size=7))

    @rule(plan=meanwhile, most=st.sampled_from([1, 3, 50, 1000]))
    def trial(self, plan: list[tuple[int, Edit]], most: int) -> None:
        """A trial leaves an interrupted run's place as it was."""
        before = self.unfinished
        self.deliver(self.run(plan, [], max_records=most, page_size=7))
        self.unfinished = before

    @rule(whole=st.booleans())
    def settle(self, *, whole: bool) -> None:
        """One clean run; after a broken one it only ends that one's window, and the next does the rest."""
        self.crm.clock.advance(max(HOLD_BACK, self.crm.quirks.search_lag) + 1)
        for _ in range(2 if self.unfinished else 1):
            end = self.run([], [])
            assert end.well
            self.deliver(end)
        self.compare()
        if whole:
            self.deliver(self.run([], [], full_refresh=True))
            self.people.purged.clear()
            self.compare()

    def compare(self) -> None:
        for tables in self.tables:
            assert differences(self.crm, self.people, tables, STREAMS) == []

    @override
    def teardown(self) -> None:
        if hasattr(self, "people"):
            try:
                self.settle(whole=True)
            finally:
                self.crm.stop()

    def run(self, plan: list[tuple[int, Edit]], faults: list[Json], *, most: int | None = None, **ways: Any) -> End:
        for fault in faults:
            self.crm.faults.add(**fault)
        self.meanwhile = Meanwhile(self.people, plan)
        pipe = Pipe(most)
        well = False
        with contextlib.redirect_stdout(pipe), contextlib.suppress(Killed, CrmdbError):
            config = config_for(self.crm, hold_back=HOLD_BACK, lookback=LOOKBACK, **ways)
            tap = TapHubSpot(config=config, state=json.loads(json.dumps(self.state)))
            select(tap, STREAMS)
            tap.sync_all()
            well = True
        self.meanwhile = None
        self.crm.faults.clear()
        return End(pipe.lines, well)

    def deliver(self, end: End, back: int = 0, *, cut: bool = False) -> None:
        """Let the targets take the lines and go on from a STATE among them: the last one, or one before it.

        `cut`: lines after that STATE never arrived.
        """
        places = end.states()
        chosen = places[: len(places) - back]
        taken = end.lines[: chosen[-1] + 1 if chosen else 0] if cut else end.lines
        for tables in self.tables:
            tables.take(taken)
        if chosen:
            self.state = json.loads(end.lines[chosen[-1]])["value"]
        self.unfinished = self.unfinished and not chosen
        self.unfinished |= not (end.well and back == 0)


# to look for a smaller example takes minutes: only where there is time for it
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)


def check(
    monkeypatch: pytest.MonkeyPatch, *, examples: int, steps: int, phases: tuple[Phase, ...] = tuple(Phase)
) -> None:
    monkeypatch.setattr(TapHubSpot, "state_seconds", 0.0)  # a STATE wherever one may stand
    monkeypatch.setattr(TapHubSpot, "rest", lambda *_: None)
    monkeypatch.setattr("tap_hubspot.starts.SHORTEST", 40)  # lists read side by side with few records
    run_state_machine_as_test(
        Portal,
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
    """S01-S07, S10."""
    check(monkeypatch, examples=40, steps=12, phases=QUICK)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_whatever_happens_many_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """S01-S07, S10."""
    check(monkeypatch, examples=400, steps=25)
