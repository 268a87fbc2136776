"""Stopped from outside, politely or not, at every place: what is durable is told, the next run does the rest."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.target_crmdb.faults.conftest import Many, is_waiting_for_a_lock, rows_of, statuses
from tests.target_crmdb.faults.servers import end_sessions, wait_for

if TYPE_CHECKING:
    from tests.target_crmdb.conftest import Loader, Message, Singer
    from tests.target_crmdb.faults.conftest import Starter

LAST = 99
BATCH: dict[str, Any] = {"batch_size_rows": 20, "state_interval": 3600}
POINTS = ["after_ddl", "after_copy", "after_merge", "before_commit", "after_commit", "before_state", "after_state"]
PATIENCE = 30  # seconds; 10 are promised, on a machine that has nothing else to do


def with_rejects(many: Many) -> list[Message]:
    """All rows, and a bad one after every tenth."""
    result: list[Message] = []
    for message in many(0, LAST):
        result.append(message)
        if message["type"] == "STATE" and message["value"]["bookmarks"] % 10 == 9:
            result.append(many.singer.record({"id": "bad", "v": "x"}))
    return result


def assert_whole(load: Loader, start: Starter, messages: list[Message]) -> None:
    """A clean run of the whole input makes the tables right, and its counters add up."""
    clean = start.whole(*messages, **BATCH)
    assert 0 == clean.process.returncode, clean.log
    assert LAST == clean.states[-1]
    Many.assert_loaded(load, LAST)
    assert ["interrupted", "partial"] == statuses(load)
    outcomes = load.outcomes()
    assert LAST + 11 == outcomes["seen"]
    assert 10 == outcomes["rejected"]
    assert LAST + 1 == outcomes.get("created", 0) + outcomes.get("unchanged", 0)
    keyless = load.outcomes("visits")
    assert LAST + 1 == keyless["seen"] == keyless.get("created", 0) + keyless.get("unchanged", 0)


def assert_nothing_is_claimed_that_is_not_there(load: Loader, states: list[int]) -> None:
    claimed = max(states, default=-1)
    assert claimed + 1 <= rows_of(load) <= LAST + 1
    assert claimed + 1 <= rows_of(load, "visits") <= LAST + 1
    assert states == sorted(set(states))


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("nth", [2, *(pytest.param(n, marks=pytest.mark.long) for n in (1, 3, 4, 5))])
def test_t10_kill_9_at_every_failpoint_then_a_clean_run(
    load: Loader, start: Starter, many: Many, point: str, nth: int
) -> None:
    """T10, G1, G2, G3: nothing lost, nothing doubled, not even of equal rows without a key."""
    messages = with_rejects(many)
    killed = start.whole(*messages, env={"CRMDB_FAILPOINTS": f"{point}:{nth}=kill"}, **BATCH)
    if point == "after_ddl" and nth > 2 and not killed.process.returncode:
        return  # there are two tables to make
    assert -signal.SIGKILL == killed.process.returncode, killed.log
    assert_nothing_is_claimed_that_is_not_there(load, killed.states)
    assert_whole(load, start, messages)


@pytest.mark.parametrize("point", POINTS)
def test_t09_sigterm_at_every_failpoint(load: Loader, start: Starter, many: Many, point: str) -> None:
    """T09: the batch is finished or rolled back, the STATE of what is durable printed, and the exit code is 143."""
    messages = with_rejects(many)
    stopped = start(*messages, env={"CRMDB_FAILPOINTS": f"{point}:2=term"}, **BATCH)
    stopped.end_input()
    assert 143 == stopped.wait(PATIENCE), stopped.log
    assert_nothing_is_claimed_that_is_not_there(load, stopped.states)
    stored = load.database.query("SELECT (state->>'bookmarks')::int FROM _crmdb.state")
    assert stored == [(state,) for state in stopped.states[-1:]]
    assert_whole(load, start, messages)


def test_t09_sigterm_while_it_waits_for_its_tap(load: Loader, start: Starter, many: Many) -> None:
    """T09: what came is committed and its STATE printed, though no batch is full."""
    run = start(*many(0, 30), **BATCH)
    run.until(lambda: rows_of(load) >= 20)
    run.process.send_signal(signal.SIGTERM)
    assert 143 == run.wait(PATIENCE), run.log
    assert run.states[-1] + 1 <= rows_of(load) <= run.states[-1] + 2
    assert ["interrupted"] == statuses(load)


@pytest.mark.parametrize("twice", [False, True], ids=["once", "twice"])
def test_t09_sigterm_while_a_batch_waits_for_a_lock(load: Loader, start: Starter, many: Many, *, twice: bool) -> None:
    """T09: the batch cannot be finished, so it is rolled back; a second signal does not wait for that."""
    load(*many.schemas)
    with psycopg.connect(load.database.url) as holder:
        holder.execute("LOCK TABLE crm_test.contacts IN ACCESS EXCLUSIVE MODE")
        run = start(*many(0, LAST), **BATCH, lock_timeout=600)
        run.until(lambda: is_waiting_for_a_lock(load))
        run.process.send_signal(signal.SIGTERM)
        if twice:
            time.sleep(1.5)  # one that comes sooner is taken for the echo of the first
            run.process.send_signal(signal.SIGTERM)
        assert 143 == run.wait(PATIENCE), run.log
        assert [] == run.states
    wait_for(lambda: not is_waiting_for_a_lock(load))
    assert 0 == rows_of(load) == rows_of(load, "visits")
    again = start.whole(*many(0, LAST), **BATCH)
    assert 0 == again.process.returncode, again.log
    Many.assert_loaded(load, LAST)
    assert ["success", "interrupted", "success"] == statuses(load)


def test_t09_sigterm_during_ddl(load: Loader, start: Starter, singer: Singer) -> None:
    """T09: a new column waits for a reader of the table; the run gives up waiting and leaves the table as it was."""
    load(singer.schema(), singer.record({"id": "1"}))
    wider = singer.schema({"v": singer.text})
    with psycopg.connect(load.database.url) as reader:
        reader.execute("SELECT * FROM crm_test.contacts")
        run = start(wider, singer.record({"id": "2", "v": "x"}), lock_timeout=600)
        run.until(lambda: is_waiting_for_a_lock(load))
        run.process.send_signal(signal.SIGTERM)
        assert 143 == run.wait(PATIENCE), run.log
    wait_for(lambda: not is_waiting_for_a_lock(load))
    assert [] == load.database.query(
        "SELECT 1 FROM information_schema.columns WHERE table_name = 'contacts' AND column_name = 'v'"
    )
    load(wider, singer.record({"id": "2", "v": "x"}))
    assert [("1", None), ("2", "x")] == load.table("id, v")
    assert ["success", "interrupted", "success"] == statuses(load)


def wait_until_stopped(pid: int) -> None:
    """Wait until the process stands still after SIGSTOP."""

    def state() -> str:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - a line of /proc, no file
            return file.read().rpartition(")")[2].split()[0]

    wait_for(lambda: state() == "T")


def test_t11_a_stopped_run_still_holds_its_streams(load: Loader, start: Starter, many: Many) -> None:
    """T11: a second run ends at once with 75; the first goes on when it may."""
    first = start(*many(0, 49), **BATCH)
    first.until(lambda: rows_of(load) >= 20)
    first.process.send_signal(signal.SIGSTOP)
    wait_until_stopped(first.process.pid)
    second = start.whole(*many(0, LAST), **BATCH)
    assert 75 == second.process.returncode
    assert "Another run" in second.last_line
    first.process.send_signal(signal.SIGCONT)
    assert 0 == first.finish(*many(50, LAST)), first.log
    Many.assert_loaded(load, LAST)
    assert ["success", "failed"] == statuses(load)


@pytest.mark.parametrize("ended", ["second finished", "second runs"])
def test_t11_a_zombie_changes_nothing(load: Loader, start: Starter, many: Many, ended: str) -> None:
    """T11: its session ended while it was stopped, another run took the streams; woken, it ends with 75."""
    singer = many.singer
    zombie = start(*many(0, 49), **BATCH)
    zombie.until(lambda: rows_of(load) >= 20)
    zombie.process.send_signal(signal.SIGSTOP)
    wait_until_stopped(zombie.process.pid)
    assert end_sessions(load.database)
    durable = rows_of(load)
    second = start(*many.schemas, singer.record({"id": "00000", "v": -1}), singer.state("second"), **BATCH)
    if ended == "second finished":
        assert 0 == second.finish(), second.log
    else:
        second.send(*many(100, 120))
        second.until(lambda: load.table("v")[0] == (-1,))
    tables = load.table("id, v"), load.table("id", "visits")

    zombie.process.send_signal(signal.SIGCONT)
    assert 75 == zombie.finish(*many(50, LAST)), zombie.log
    assert all(number < durable for number in zombie.states)  # it may say what it had committed, and no more
    assert tables == (load.table("id, v"), load.table("id", "visits"))
    if ended == "second runs":
        assert 0 == second.finish(), second.log
    assert [("success",)] == load.database.query("SELECT status FROM _crmdb.runs ORDER BY run_id DESC LIMIT 1")
    assert "success" != statuses(load)[0]


def test_t11_two_processes_at_once_never_mix(load: Loader, start: Starter, many: Many) -> None:
    """T11: of five runs that begin together each ends with 0 or 75, and one at least with 0."""
    runs = [start(*many(0, LAST), **BATCH) for _ in range(5)]
    for run in runs:
        run.end_input()
    codes = {run.wait() for run in runs}
    assert {0} <= codes <= {0, 75}, [run.log for run in runs]
    Many.assert_loaded(load, LAST)
