"""Whatever happens in the org and to the tap, one clean run makes the target's tables those of the org.

An org is edited between runs and during them, some of it in transactions that commit long after, runs meet passing and
lasting faults, are killed at any message and go on from a STATE that was printed. The messages of all runs, taken in
their order by a model of a target, must be the org's truth after one clean run.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from typing_extensions import override

from crmdb_core.exceptions import CrmdbError
from fake_crm import FakeSalesforce
from tap_salesforce.tap import TapSalesforce
from tests.tap_hubspot.tables import Tables
from tests.tap_hubspot.test_property import End, Killed, Pipe
from tests.tap_salesforce.conftest import config_for
from tests.tap_salesforce.people import Edit, People
from tests.tap_salesforce.truth import differences

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]

STREAMS = ("Contact", "Lead")
COMMON = ("edit", "create", "delete", "storm", "pause", "begin", "commit")
RARE = ("undelete", "purge", "merge", "roll back")

edits = st.builds(
    Edit,
    verb=st.sampled_from(COMMON * 2 + RARE),
    stream=st.sampled_from(STREAMS),
    a=st.integers(0, 400),
    b=st.integers(0, 400),
)
meanwhile = st.lists(st.tuples(st.integers(0, 12), edits), max_size=6)
PLACES = ["/query", "/composite", "/jobs/query", "/results", "/resultPages"]
passing = st.fixed_dictionaries(
    {"path": st.sampled_from(PLACES), "after": st.integers(0, 3), "times": st.integers(1, 2)}
).flatmap(
    lambda where: st.sampled_from(
        [
            {**where, "status": 503},
            {**where, "status": 420},
            {**where, "times": 1, "status": 401},
            {**where, "kind": "reset"},
            {**where, "kind": "short_body"},
            {**where, "kind": "html"},
            {**where, "path": r"v[\d.]+/query/", "times": 1, "status": 400, "policy": "INVALID_QUERY_LOCATOR"},
            {**where, "path": r"v[\d.]+/query", "times": 1, "status": 400, "policy": "QUERY_TIMEOUT"},
            {**where, "path": "/jobs/query$", "status": 400, "policy": "LIMIT_EXCEEDED"},
        ]
    )
)
lasting = st.fixed_dictionaries(
    {"path": st.sampled_from(PLACES), "after": st.integers(0, 3), "times": st.none()}
).flatmap(
    lambda where: st.sampled_from(
        [{**where, "status": 500}, {**where, "status": 403, "policy": "REQUEST_LIMIT_EXCEEDED"}]
    )
)
apis = st.sampled_from(["rest", "bulk"])


class Meanwhile:
    """Edits at the n-th request that reads records."""

    def __init__(self, people: People, plan: list[tuple[int, Edit]]) -> None:
        self.people = people
        self.plan = plan
        self.seen = 0

    def __call__(self, request: Any) -> None:
        if "query" in request.path or "composite" in request.path:
            self.seen += 1
            for at, edit in self.plan:
                if at == self.seen:
                    self.people.make(edit)


class Org(RuleBasedStateMachine):
    """One org, one target, one STATE between them."""

    def __init__(self) -> None:
        super().__init__()
        self.crm: FakeSalesforce
        self.people: People
        self.tables: tuple[Tables, ...] = (Tables(), Tables(guarded=False))
        self.state: Json = {}
        self.unfinished = False

    @initialize(
        contacts=st.sampled_from([3, 50, 90]),
        page=st.sampled_from([10, 40, 2000]),
        short=st.sampled_from([0, 3]),
        live=st.booleans(),
        polls=st.sampled_from([0, 2]),
    )
    def open(self, contacts: int, *, page: int, short: int, live: bool, polls: int) -> None:
        sizes = {"Contact": contacts, "Lead": 8, "User": 2}
        self.crm = FakeSalesforce(seed=1, empty=True, sizes=sizes, clock="2026-11-01T00:00:00Z").start()
        quirks = self.crm.quirks
        quirks.page_rows = quirks.bulk_page = quirks.bulk_chunk = page
        quirks.short_every, quirks.live_pages, quirks.bulk_polls = short, live, polls
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

    @rule(seconds=st.sampled_from([1, 61, 301, 5000, 90_000]))
    def time_passes(self, seconds: float) -> None:
        self.crm.clock.advance(seconds)

    @rule(
        plan=meanwhile,
        faults=st.lists(passing, max_size=2),
        api=apis,
        full=st.sampled_from([False, False, False, True]),
        formulas=st.sampled_from([0, 0, 1]),
        back=st.sampled_from([0, 0, 1]),
    )
    def sync(
        self, plan: list[tuple[int, Edit]], faults: list[Json], *, api: str, full: bool, formulas: int, back: int
    ) -> None:
        """A run to its end; the target may yet have died before it took all of it."""
        end = self.run(plan, faults, api_type=api, full_refresh=full, refresh_formulas_every=formulas)
        assert end.well
        self.deliver(end, back)

    @rule(
        plan=meanwhile,
        most=st.integers(0, 20) | st.integers(0, 130),
        api=apis,
        full=st.sampled_from([False, False, False, True]),
        back=st.sampled_from([0, 0, 0, 1, 5]),
        cut=st.booleans(),
    )
    def killed_sync(
        self, plan: list[tuple[int, Edit]], *, most: int, api: str, full: bool, back: int, cut: bool
    ) -> None:
        end = self.run(plan, [], most=most, api_type=api, full_refresh=full)
        self.deliver(end, back, cut=cut)

    @rule(edits=st.lists(edits, min_size=1, max_size=3), hours=st.sampled_from([0.2, 5, 30]), api=apis)
    def sync_before_the_commit(self, edits: list[Edit], hours: float, api: str) -> None:
        """A run between a write and its commit, longer after the write than any lookback."""
        self.people.make(Edit("begin", "Contact", edits[0].a, 1))
        for edit in edits:
            self.people.make(edit)
        self.crm.clock.advance(hours * 3600)
        self.deliver(self.run([], [], api_type=api))
        self.people.commit_all()

    @rule(
        edits=st.lists(edits, min_size=1, max_size=3),
        most=st.integers(10, 100),
        later=st.sampled_from([1, 400, 60 * 3600]),
        api=apis,
        other=apis,
    )
    def storm_and_kill(self, edits: list[Edit], most: int, later: float, api: str, other: str) -> None:
        """A run of many rows with one stamp is killed inside; what it read is edited before the next goes on."""
        self.people.make(Edit("storm", "Contact"))
        self.crm.clock.advance(5000)  # so long that no later lookback makes good for a loss
        self.deliver(self.run([], [], most=most, api_type=api))
        for edit in edits:
            self.people.make(edit)
        self.crm.clock.advance(later)
        self.deliver(self.run([], [], api_type=other))

    @rule(plan=meanwhile, fault=lasting, api=apis)
    def failing_sync(self, plan: list[tuple[int, Edit]], *, fault: Json, api: str) -> None:
        """There is much to read, all of it older than any later lookback."""
        for stream in STREAMS:
            self.people.make(Edit("storm", stream))
        self.crm.clock.advance(5000)
        self.deliver(self.run(plan, [fault], api_type=api))

    @rule(plan=meanwhile, most=st.sampled_from([1, 3, 50, 1000]))
    def trial(self, plan: list[tuple[int, Edit]], most: int) -> None:
        """A trial leaves an interrupted run's place as it was."""
        before = self.unfinished
        self.deliver(self.run(plan, [], max_records=most))
        self.unfinished = before

    @rule(days=st.sampled_from([16, 40]))
    def nobody_looks(self, days: int) -> None:
        """So long a pause that nobody remembers what was deleted."""
        self.people.commit_all()
        self.crm.clock.advance(days * 86_400)

    @rule()
    def settle(self) -> None:
        """One clean run; after a broken one it only ends that one's window, and the next does the rest."""
        self.people.commit_all()
        self.crm.clock.advance(121)
        for _ in range(2 if self.unfinished else 1):
            end = self.run([], [])
            assert end.well
            self.deliver(end)
        for tables in self.tables:
            assert differences(self.crm, tables, *STREAMS) == []

    @override
    def teardown(self) -> None:
        if hasattr(self, "people"):
            try:
                self.settle()
            finally:
                self.crm.stop()

    def run(self, plan: list[tuple[int, Edit]], faults: list[Json], *, most: int | None = None, **ways: Any) -> End:
        for fault in faults:
            self.crm.faults.add(**fault)
        self.meanwhile = Meanwhile(self.people, plan)
        pipe = Pipe(most)
        well = False
        with contextlib.redirect_stdout(pipe), contextlib.suppress(Killed, CrmdbError):
            config = config_for(self.crm, streams=list(STREAMS), concurrency=2, **ways)
            tap = TapSalesforce(config=config, state=json.loads(json.dumps(self.state)))
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
    monkeypatch.setattr(TapSalesforce, "state_seconds", 0.0)  # a STATE wherever one may stand
    monkeypatch.setattr(TapSalesforce, "rest", lambda *_: None)
    monkeypatch.setattr("tap_salesforce.results._ONE_PAGE", 30)  # both ways to read a result
    run_state_machine_as_test(
        Org,
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


def test_whatever_happens_one_clean_run_makes_it_right(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S01-S08."""
    assert own_cache
    check(monkeypatch, examples=20, steps=10, phases=QUICK)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_whatever_happens_many_times(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S01-S08."""
    assert own_cache
    check(monkeypatch, examples=300, steps=25)
