"""`kill -9` of the tap, of the target and of Meltano in the midst of a sync: nothing lost, nothing doubled.

C05 of the fault catalogue (Meltano killed, a stale run left behind) is part of it.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeCrm

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from tests.end_to_end.conftest import Meltano, Oracle

RUN = ("run", "--force", "tap-hubspot", "target-crmdb")
STATE_ID = "prod:tap-hubspot-to-target-crmdb"
VICTIMS = ("tap-hubspot", "target-crmdb", "meltano")


def family(pid: int) -> Iterator[int]:
    """A process and all that descend from it."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
    except OSError:
        return
    for child in children:
        yield from family(int(child))


def find(process: subprocess.Popen[str], name: str) -> int | None:
    """The pid of Meltano, or of the plugin that it runs (not of a discovery or an installation)."""
    if name == "meltano":
        return process.pid
    for pid in family(process.pid):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if any(word.endswith(f"/bin/{name}") for word in words) and "--discover" not in words:
            return pid
    return None


def rows_now(database: Any) -> int:
    """How many contacts are durable at this moment."""
    if database.query("SELECT to_regclass('hubspot.contacts')") == [(None,)]:
        return 0
    return int(database.query("SELECT count(*) FROM hubspot.contacts")[0][0])


def kill_in_midst(process: subprocess.Popen[str], victim: str, database: Any, *, beyond: int) -> None:
    """SIGKILL the victim once more than so many rows are durable; then wait for the whole family to end."""
    try:
        wait_for_rows(process, database, beyond=beyond)
        pid = find(process, victim)
        assert pid is not None, f"{victim} is not running"
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)  # or it would go on beneath the next test
        raise
    everyone = list(family(process.pid))
    os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=60)
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{one}").exists() for one in everyone) and time.monotonic() < deadline:
        time.sleep(0.05)


def wait_for_rows(process: subprocess.Popen[str], database: Any, *, beyond: int) -> None:
    """Until more than so many rows are durable."""
    deadline = time.monotonic() + 120
    while rows_now(database) <= beyond:
        assert process.poll() is None, process.communicate()[0][-4000:]
        assert time.monotonic() < deadline, "the sync did not get that far"
        time.sleep(0.05)


def bookmark_of(meltano: Meltano) -> dict[str, Any]:
    """The contacts' part of the state that Meltano holds, empty before there is any."""
    lines = [line for line in meltano.run("state", "get", STATE_ID).splitlines() if line.startswith("{")]
    state = json.loads(lines[-1]) if lines else {}
    bookmarks: dict[str, Any] = state.get("singer_state", state).get("bookmarks", {})
    return dict(bookmarks.get("contacts", {}))


def assert_state_is_durable(meltano: Meltano, crm: FakeCrm, database: Any) -> None:
    """Every contact that the state calls read stands in the table."""
    bookmark = bookmark_of(meltano)
    stored = {row[0] for row in database.query("SELECT id FROM hubspot.contacts")}
    claimed = set()
    if value := bookmark.get("replication_key_value"):
        claimed |= {record["id"] for record in crm.hubspot.records("contacts") if record["updatedAt"] < value}
    if after := bookmark.get("progress", {}).get("after_id"):
        claimed |= {record["id"] for record in crm.hubspot.records("contacts") if int(record["id"]) <= int(after)}
    assert claimed <= stored


def sweep(meltano: Meltano, crm: FakeCrm, database: Any, oracle: Oracle, *, seed: int) -> None:
    """Kill each part once at a random moment of the sync, then run clean and compare."""
    meltano.env["TAP_HUBSPOT_SEARCHES_PER_SECOND"] = "500"  # the kills are the subject, not HubSpot's pace
    meltano.env["TARGET_CRMDB_BATCH_SIZE_ROWS"] = "2000"  # the target stays close behind, so all are still at work
    chance = random.Random(seed)
    total = len(crm.hubspot.records("contacts"))
    order = list(VICTIMS)
    chance.shuffle(order)
    for number, victim in enumerate(order):
        low, high = number * total // 4, (number + 1) * total // 4
        process = meltano.start(*RUN)
        kill_in_midst(
            process, victim, database, beyond=min(chance.randrange(low, high), rows_now(database) + total // 5)
        )
        assert_state_is_durable(meltano, crm, database)
    meltano.run(*RUN)
    assert oracle.differences("contacts") == []
    assert [("success",)] == database.query("SELECT status FROM _crmdb.runs ORDER BY started_at DESC LIMIT 1")
    assert [] == database.query("SELECT 1 FROM _crmdb.runs WHERE status = 'running'")


def test_kills_of_a_large_sync_lose_and_double_nothing(
    job: Callable[[FakeCrm], Meltano], oracle_of: Callable[[FakeCrm], Oracle], database: Any
) -> None:
    # the whole size on one server is enough for `make test`; the long sweeps below do it on all
    contacts = 50_000 if database.postgres.installation.kind == "embedded" else 20_000
    with FakeCrm(seed=5, contacts=contacts, companies=0, deals=0, tickets=0, latency=0.01) as crm:
        sweep(job(crm), crm, database, oracle_of(crm), seed=1)


def test_c05_a_killed_meltano_leaves_a_run_that_is_told_apart_and_a_lock_that_force_takes(
    job: Callable[[FakeCrm], Meltano], oracle_of: Callable[[FakeCrm], Oracle], database: Any
) -> None:
    with FakeCrm(seed=9, contacts=4_000, companies=0, deals=0, tickets=0) as crm:
        meltano = job(crm)
        meltano.env["TARGET_CRMDB_STATE_INTERVAL"] = "0.2"
        kill_in_midst(meltano.start(*RUN), "meltano", database, beyond=200)
        told = json.loads(meltano.call("crmdb", "history", "--json"))
        # failed, where the target came to its next STATE before it saw that its input had ended: nobody reads that
        assert {row["status"] for row in told} <= {"interrupted", "failed"}
        assert told
        refused = meltano.run("run", "tap-hubspot", "target-crmdb", expect=1)
        assert "--force" in refused
        meltano.run(*RUN)
        assert oracle_of(crm).differences("contacts") == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 8))
def test_kills_at_many_random_moments(
    job: Callable[[FakeCrm], Meltano], oracle_of: Callable[[FakeCrm], Oracle], database: Any, seed: int
) -> None:
    with FakeCrm(seed=seed, contacts=50_000, companies=0, deals=0, tickets=0, latency=0.01) as crm:
        sweep(job(crm), crm, database, oracle_of(crm), seed=seed)
