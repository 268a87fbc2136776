"""Random messages, kills and replays against an independent model; see test_model.py for the guard that it follows.

A source is a log of records that only grows. Runs read it from the last STATE that was printed, or from its beginning.
The stream `visits` has no key and is always read whole: it is a bag, and n equal rows stay n.

After a run that was killed, its counters say how much of the input it has committed; the tables, the rejects and the
STATE must be exactly those of that much input, since all of them are one transaction.
"""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from typing_extensions import override

from tests.target_crmdb.conftest import Singer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target_crmdb.conftest import Loader, Message

Row = dict[str, Any]

singer = Singer()
SCHEMAS = {
    "contacts": singer.schema({"v": singer.integer, "_sdc_deleted_at": singer.instant}),
    "visits": singer.schema({"v": singer.integer}, stream="visits", key_properties=[]),
}
POINTS = ["after_ddl", "after_copy", "after_merge", "before_commit", "after_commit", "before_state", "after_state"]


def day(number: int) -> str:
    return f"2026-01-{number:02d}T00:00:00Z"


later = st.integers(1, 4).map(day)
instants = st.one_of(later, later, later, st.none())
contacts = st.fixed_dictionaries(
    {"id": st.sampled_from("ab"), "at": instants, "v": st.integers(0, 3)},
    optional={"_sdc_deleted_at": instants, "more": st.integers(0, 1)},
)
parts = st.fixed_dictionaries(  # a tombstone with only its id, and records that lack fields
    {"id": st.sampled_from("ab")},
    optional={"_sdc_deleted_at": later, "at": instants, "v": st.none() | st.integers(0, 3)},
)
bad = st.fixed_dictionaries({"id": st.sampled_from("ab"), "v": st.just("bad")})
visits = st.fixed_dictionaries({"id": st.sampled_from("xy")}, optional={"v": st.sampled_from([0, 1, "bad"])})
keyed = st.tuples(st.just("contacts"), st.one_of(contacts, contacts, parts, bad))
unkeyed = st.tuples(st.just("visits"), visits)


def new_records(*, keyless: bool) -> st.SearchStrategy[list[tuple[tuple[str, Row], bool]]]:
    """Records with their streams, and after which of them the tap tells its STATE."""
    return st.lists(
        st.tuples(st.one_of(keyed, keyed, unkeyed) if keyless else keyed, st.booleans()), min_size=6, max_size=16
    )


@dataclass
class Model:
    """What the database should hold: contacts by key, visits as a bag."""

    contacts: dict[str, Row] = field(default_factory=dict)
    visits: Counter[str] = field(default_factory=Counter)

    def after(self, records: list[tuple[str, Row]]) -> Model:
        """The model after one run has taken these records, in this order."""
        result = deepcopy(self)
        seen: Counter[str] = Counter()
        for stream, record in records:
            if record.get("v") == "bad":
                continue
            if stream == "contacts":
                result.take(record)
            else:  # the n-th equal row of a run is the n-th of the table
                visit = as_text({"id": record["id"], "v": record.get("v")})
                seen[visit] += 1
                result.visits[visit] = max(result.visits[visit], seen[visit])
        return result

    def take(self, record: Row) -> None:
        """The guard: no older version, absent fields stay, null is stored, a tombstone is as new as it says."""
        fields: Row = {name: record[name] for name in ("at", "v", "_sdc_deleted_at") if name in record}
        extra = {"more": record["more"]} if "more" in record else {}
        stored = self.contacts.get(record["id"])
        if stored is None:
            self.contacts[record["id"]] = {"at": None, "v": None, "_sdc_deleted_at": None, **fields, "extra": extra}
            return
        version = max((v for v in (fields.get("at"), fields.get("_sdc_deleted_at")) if v is not None), default=None)
        if version is not None and stored["at"] is not None and version < stored["at"]:
            return
        stored.update(fields)
        stored["extra"] = {**stored["extra"], **extra}


def as_text(row: Row) -> str:
    return json.dumps(row, sort_keys=True)


class Kills(RuleBasedStateMachine):
    """One database, one source; every rule leaves it as a clean or a broken run does."""

    def __init__(self, load: Loader, folder: Path, *, keyless: bool) -> None:
        super().__init__()
        self.load = load
        self.folder = folder
        self.keyless = keyless
        self.source: list[tuple[str, Row]] = []
        self.marks: set[int] = set()
        self.position = 0
        self.model = Model()

    @initialize()
    def empty(self) -> None:
        self.load.database.query("DROP SCHEMA IF EXISTS crm_test CASCADE")
        self.load.database.query("DROP SCHEMA IF EXISTS _crmdb CASCADE")

    def add(self, data: st.DataObject) -> None:
        """Let the source change some rows."""
        for record, told in data.draw(new_records(keyless=self.keyless), "new records"):
            self.source.append(record)
            if told:
                self.marks.add(len(self.source))

    @rule(data=st.data(), whole=st.booleans(), rows=st.integers(1, 9))
    def run(self, data: st.DataObject, *, whole: bool, rows: int) -> None:
        """A clean run in this process."""
        self.add(data)
        self.run_to_the_end(whole=whole, rows=rows)

    @rule(
        data=st.data(),
        whole=st.booleans(),
        rows=st.integers(1, 9),
        point=st.sampled_from(POINTS),
        nth=st.sampled_from([1, 1, 2, 3]),
        action=st.sampled_from(["kill", "kill", "kill", "term"]),
        often=st.sampled_from([False, False, True]),
    )
    def run_that_breaks(
        self, data: st.DataObject, *, whole: bool, rows: int, point: str, nth: int, action: str, often: bool
    ) -> None:
        """A run in a process that is killed or stopped at a failpoint, unless it ends before."""
        self.add(data)
        messages, records = self.input(whole=whole)
        env = {"CRMDB_FAILPOINTS": f"{point}:{nth}={action}"}
        interval = 0 if often else 3600
        done = self.load.process(self.folder, *messages, env=env, batch_size_rows=rows, state_interval=interval)
        states = [json.loads(line)["bookmarks"] for line in done.stdout.splitlines()]
        if done.returncode == 0:
            self.ended_well(records, states)
            return
        assert done.returncode == {"kill": -9, "term": 143}[action], done.stderr
        self.ended_early(records, states)

    @override
    def teardown(self) -> None:
        """Whatever happened, one clean run of the whole source makes all of it right."""
        if self.source:
            self.run_to_the_end(whole=True, rows=5)

    def run_to_the_end(self, *, whole: bool, rows: int) -> None:
        messages, records = self.input(whole=whole)
        states = self.load(*messages, batch_size_rows=rows)
        self.ended_well(records, [state["bookmarks"] for state in states])

    def input(self, *, whole: bool) -> tuple[list[Message], list[tuple[str, Row]]]:
        """The messages of one run, and their records."""
        start = 0 if whole else self.position
        messages = [SCHEMAS["contacts"], *([SCHEMAS["visits"]] if self.keyless else [])]
        records = []
        for place, (stream, record) in enumerate(self.source):
            if stream == "visits" or place >= start:
                messages.append(singer.record(record, stream=stream))
                records.append((stream, record))
            if place + 1 in self.marks and place + 1 > start:
                messages.append(singer.state(place + 1))
        messages.append(singer.state(len(self.source)))
        return messages, records

    def ended_well(self, records: list[tuple[str, Row]], states: list[int]) -> None:
        assert states == sorted(states)
        assert [len(self.source)] == states[-1:]
        assert len(records) == sum(self.seen().values())
        self.compare(self.model.after(records), records)
        self.position = len(self.source)

    def ended_early(self, records: list[tuple[str, Row]], states: list[int]) -> None:
        """Find by the counters how much is durable, and compare all that belongs to it."""
        assert states == sorted(states)
        taken, left = [], self.seen()
        for stream, record in records:
            if not left[stream]:
                break
            left[stream] -= 1
            taken.append((stream, record))
        assert not +left, "the counters are those of no beginning of the input"
        self.compare(self.model.after(taken), taken)
        if states:
            behind = len(self.source) - states[-1]
            assert len(records) - behind <= len(taken), "STATE claims more than is there"
            self.position = states[-1]

    def seen(self) -> Counter[str]:
        """The records that the last run has counted, by stream; each of them has one outcome."""
        rows = self.load.database.query(
            "SELECT stream, seen, created + updated + unchanged + stale + deduplicated + rejected"
            " FROM _crmdb.run_streams WHERE run_id = (SELECT max(run_id) FROM _crmdb.runs)"
        )
        assert all(seen == outcomes for _, seen, outcomes in rows)
        return Counter({stream: seen for stream, seen, _ in rows})

    def compare(self, expected: Model, records: list[tuple[str, Row]]) -> None:
        """The tables and the rejects of the last run are those of these records."""
        found = Model(self.contacts(), self.bag())
        assert expected.contacts == found.contacts
        assert +expected.visits == found.visits
        bad = sum(record.get("v") == "bad" for _, record in records)
        assert [(bad,)] == self.load.database.query(
            "SELECT count(*) FROM _crmdb.rejects WHERE run_id = (SELECT max(run_id) FROM _crmdb.runs)"
        )
        self.model = expected

    def exists(self, table: str) -> bool:
        return bool(self.load.database.query("SELECT 1 WHERE to_regclass(%s) IS NOT NULL", f"crm_test.{table}"))

    def contacts(self) -> dict[str, Row]:
        if not self.exists("contacts"):
            return {}
        form = '\'YYYY-MM-DD"T"HH24:MI:SS"Z"\''
        rows = self.load.table(
            f"id, to_char(at AT TIME ZONE 'UTC', {form}), v,"
            f" to_char(_sdc_deleted_at AT TIME ZONE 'UTC', {form}), coalesce(_extra, '{{}}')"
        )
        names = ("at", "v", "_sdc_deleted_at", "extra")
        return {key: dict(zip(names, rest, strict=True)) for key, *rest in rows}

    def bag(self) -> Counter[str]:
        if not self.exists("visits"):
            return Counter()
        return Counter(as_text({"id": key, "v": v}) for key, v in self.load.table("id, v", "visits"))


def check(load: Loader, folder: Path, *, keyless: bool, examples: int, steps: int) -> None:
    class Machine(Kills):
        def __init__(self) -> None:
            super().__init__(load, folder, keyless=keyless)

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            print_blob=True,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),  # each step of a search for less is a process
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_kills_and_replays_end_in_the_models_tables(load: Loader, tmp_path: Path) -> None:
    """T09, T10, T17, G1-G3."""
    check(load, tmp_path, keyless=True, examples=10, steps=10)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("keyless", [False, True], ids=["keyed", "with a keyless stream"])
def test_many_more_kills_and_replays(load: Loader, tmp_path: Path, *, keyless: bool) -> None:
    """T09, T10, T17, G1-G3."""
    check(load, tmp_path, keyless=keyless, examples=60, steps=20)
