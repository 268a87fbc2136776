"""The server answers, but not with what was wished for: full, locked, deadlocked, read-only, forbidden."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.target_crmdb.faults.conftest import Many, is_waiting_for_a_lock, rows_of, statuses
from tests.target_crmdb.faults.servers import full_disk, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.target_crmdb.conftest import Loader, Message, Singer
    from tests.target_crmdb.faults.conftest import Running, Starter
    from tests.target_crmdb.faults.servers import OwnServer


def raise_at_insert(load: Loader, sqlstate: str, times: int) -> None:
    """Have the server refuse the first statements that write contacts, with this code; `attempts` counts them all."""
    load.database.query("CREATE SEQUENCE attempts")
    load.database.query(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF nextval('public.attempts') <= {times} THEN"
        f" RAISE EXCEPTION 'as the server would' USING ERRCODE = '{sqlstate}'; END IF; RETURN NULL; END $$"
    )
    load.database.query("CREATE TRIGGER refuse BEFORE INSERT ON crm_test.contacts EXECUTE FUNCTION public.refuse()")


def attempts(load: Loader) -> int:
    return int(load.database.query("SELECT last_value FROM public.attempts")[0][0])


def test_t04_a_full_disk_stops_the_run_and_the_next_goes_on_where_there_is_room(
    own: OwnServer, own_load: Loader, own_start: Starter, singer: Singer
) -> None:
    """T04: exit code 1 at once, nothing claimed that is not there, and all of it after room was made."""
    schema = singer.schema({"text": singer.text})
    rows: list[Message] = [
        message
        for number in range(2000)
        for message in (singer.record({"id": f"{number:04}", "text": "x" * 800}), singer.state(number))
    ]
    own_load(schema)
    with full_disk(own) as disk:
        disk.hold("crm_test.contacts")
        full = own_start.whole(schema, *rows, batch_size_rows=1000)
        assert 1 == full.process.returncode, full.log
        assert re.search(r"No space left|disk|room|space", full.last_line)
        assert "Traceback" not in full.log
        assert max(full.states, default=-1) + 1 <= rows_of(own_load) < 2000
        assert ["success", "failed"] == statuses(own_load)
        assert [] == own_load.rejects()

        disk.free()
        again = own_start.whole(schema, *rows, batch_size_rows=1000)
        assert 0 == again.process.returncode, again.log
        assert [(f"{number:04}",) for number in range(2000)] == own_load.table("id")
        assert 1999 == again.states[-1]


@pytest.mark.parametrize("sqlstate", ["53100", "53200", "53400"])
def test_t04_a_server_without_resources_is_no_bad_row_and_not_asked_twice(
    load: Loader, start: Starter, singer: Singer, sqlstate: str
) -> None:
    """T04: class 53 is neither retried nor searched row by row."""
    load(singer.schema())
    raise_at_insert(load, sqlstate, 1000)
    rows = [singer.record({"id": str(number)}) for number in range(20)]
    run = start.whole(singer.schema(), *rows, singer.state("end"))
    assert 1 == run.process.returncode, run.log
    assert [] == run.states
    assert 1 == attempts(load)
    assert [] == load.rejects()
    assert 0 == rows_of(load)


@pytest.mark.parametrize("sqlstate", ["40P01", "40001", "55P03", "57P01"])
def test_t05_what_may_pass_is_tried_again(load: Loader, start: Starter, singer: Singer, sqlstate: str) -> None:
    """T05: deadlock, serialization failure, lock timeout, a server that shuts down; rows and rejects come once."""
    load(singer.schema())
    raise_at_insert(load, sqlstate, 2)
    rows = [singer.record({"id": "1"}), singer.record({"id": "2", "at": "bad"}), singer.record({"id": "3"})]
    run = start.whole(singer.schema(), *rows, singer.state("end"))
    assert 0 == run.process.returncode, run.log
    assert ["end"] == run.states
    assert 3 <= attempts(load)
    assert [("1",), ("3",)] == load.table("id")
    assert 1 == len(load.rejects())
    assert {"seen": 3, "created": 2, "rejected": 1} == load.outcomes()


def test_t05_what_never_passes_ends_with_75(load: Loader, start: Starter, singer: Singer) -> None:
    """T05: after `retry_timeout`, without STATE."""
    load(singer.schema())
    raise_at_insert(load, "40P01", 1_000_000)
    run = start.whole(singer.schema(), singer.record({"id": "1"}), singer.state("end"), retry_timeout=1)
    assert 75 == run.process.returncode, run.log
    assert [] == run.states
    assert attempts(load) > 1


def changed(singer: Singer, value: int) -> list[Message]:
    schema = singer.schema({"v": singer.integer})
    return [schema, *(singer.record({"id": f"{number:02}", "v": value}) for number in range(20)), singer.state(value)]


def test_t05_a_real_deadlock_with_another_writer(load: Loader, start: Starter, singer: Singer) -> None:
    """T05: the other one holds the last row and asks for the first; the target is the one that gives way."""
    load(*changed(singer, 1))
    load.database.query(f"ALTER DATABASE {load.database.name} SET deadlock_timeout TO '2s'")
    with psycopg.connect(load.database.url) as other:
        other.execute("SET deadlock_timeout TO '10min'")
        other.execute("UPDATE crm_test.contacts SET v = -1 WHERE id = '19'")
        run = start(*changed(singer, 2))
        run.end_input()
        run.until(lambda: is_waiting_for_a_lock(load))
        other.execute("UPDATE crm_test.contacts SET v = -1 WHERE id = '00'")
        other.commit()
    assert 0 == run.wait(), run.log
    assert [(f"{number:02}", 2) for number in range(20)] == load.table("id, v")
    assert [2] == run.states
    wait_for(
        lambda: load.database.query("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0][0]
    )


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_t05_a_real_serialization_failure(load: Loader, start: Starter, singer: Singer, level: str) -> None:
    """T05: another writer commits a change of the row that this transaction is about to change."""
    load(*changed(singer, 1))
    load.database.query(f"ALTER DATABASE {load.database.name} SET default_transaction_isolation TO '{level}'")
    with psycopg.connect(load.database.url) as other:
        other.execute("UPDATE crm_test.contacts SET v = -1 WHERE id = '07'")
        run = start(*changed(singer, 2))
        run.end_input()
        run.until(lambda: is_waiting_for_a_lock(load))
        other.commit()
    assert 0 == run.wait(), run.log
    assert [(f"{number:02}", 2) for number in range(20)] == load.table("id, v")
    assert [2] == run.states


@pytest.mark.parametrize("messages", [["record"], ["wider"]], ids=["merge", "DDL"])
def test_t06_a_lock_that_is_not_given_names_who_holds_it(
    load: Loader, start: Starter, singer: Singer, messages: list[str]
) -> None:
    """T06: by pid and the first word of its statement, never the whole of it; exit code 75."""
    load(singer.schema())
    schema = singer.schema({"v": singer.text} if messages == ["wider"] else None)
    with psycopg.connect(load.database.url) as holder:
        holder.execute("LOCK TABLE crm_test.contacts IN ACCESS EXCLUSIVE MODE")
        holder.execute("UPDATE crm_test.contacts SET id = 'canary' WHERE id = 'canary'")
        run = start.whole(schema, singer.record({"id": "1"}), singer.state("end"), lock_timeout=0.3, retry_timeout=0.5)
        pid = holder.info.backend_pid
    assert 75 == run.process.returncode, run.log
    assert str(pid) in run.last_line
    assert "UPDATE" in run.last_line
    assert "canary" not in run.log
    assert [] == run.states
    assert 0 == rows_of(load)


def test_t06_a_lock_that_comes_free_in_time_is_no_failure(load: Loader, start: Starter, singer: Singer) -> None:
    """T06: the first wait ends by `lock_timeout`, a later one succeeds."""
    load(singer.schema())
    with psycopg.connect(load.database.url) as holder:
        holder.execute("LOCK TABLE crm_test.contacts IN ACCESS EXCLUSIVE MODE")
        run = start(singer.schema(), singer.record({"id": "1"}), singer.state("end"), lock_timeout=0.5)
        run.end_input()
        begun: set[Any] = set()

        def waits_again() -> bool:
            begun.update(filter(None, [is_waiting_for_a_lock(load)]))
            return len(begun) > 1

        run.until(waits_again)
    assert 0 == run.wait(), run.log
    assert [("1",)] == load.table("id")
    assert ["end"] == run.states


def test_t06_a_statement_that_never_ends_is_ended(load: Loader, start: Starter, singer: Singer) -> None:
    """T06: by the setting `statement_timeout`, which the last line names."""
    load(singer.schema())
    load.database.query(
        "CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(600); RETURN NULL; END $$"
    )
    load.database.query("CREATE TRIGGER sleep BEFORE INSERT ON crm_test.contacts EXECUTE FUNCTION public.sleep()")
    run = start.whole(
        singer.schema(), singer.record({"id": "1"}), singer.state("end"), statement_timeout=0.5, retry_timeout=0.5
    )
    assert 75 == run.process.returncode, run.log
    assert "statement_timeout" in run.last_line
    assert [] == run.states


@pytest.fixture
def poor(load: Loader) -> Iterator[tuple[str, str]]:
    """A role that may do nothing yet, and the URL with which it connects."""
    role = f"poor_{load.database.name}"
    load.database.query(f"CREATE ROLE {role} LOGIN")
    yield role, load.database.sqlalchemy_url.replace("postgres@", f"{role}@")
    load.database.query(f"DROP OWNED BY {role} CASCADE")
    load.database.query(f"DROP ROLE {role}")


def granted(load: Loader, start: Starter, messages: list[Message], role: str, url: str) -> Running:
    """Run, and as long as it ends with 78, do what its last line says, as a person would."""
    for _ in range(12):
        run = start.whole(*messages, sqlalchemy_url=url)
        if run.process.returncode != 78:
            return run
        assert role in run.last_line
        assert "permission denied" in run.last_line
        grants = re.findall(rf"GRANT [^;`]*? TO \"?{role}\"?", run.last_line)
        assert grants, run.last_line
        for grant in grants:
            load.database.query(grant)
    return run


def test_t08_the_grants_that_are_named_are_all_that_is_needed(
    load: Loader, start: Starter, singer: Singer, poor: tuple[str, str]
) -> None:
    """T08: each refusal names role, object and a GRANT that can be run as it stands, until the run goes well."""
    role, url = poor
    messages = [singer.schema(), singer.record({"id": "1"}), singer.state("end")]
    run = granted(load, start, messages, role, url)
    assert 0 == run.process.returncode, run.log
    assert [("1",)] == load.table("id")


def test_t08_the_grants_for_tables_of_someone_else(
    load: Loader, start: Starter, singer: Singer, poor: tuple[str, str]
) -> None:
    """T08: the tables are there and belong to another role."""
    role, url = poor
    messages = [singer.schema(), singer.record({"id": "1"}), singer.state("end")]
    load(*messages)
    run = granted(load, start, [messages[0], singer.record({"id": "2"}), messages[2]], role, url)
    assert 0 == run.process.returncode, run.log
    assert [("1",), ("2",)] == load.table("id")


def test_t08_read_only_in_the_midst_of_a_run(load: Loader, start: Starter, many: Many) -> None:
    """T08: as when a primary becomes a replica; 78, and STATE stays at what is there."""
    run = start(*many(0, 99), batch_size_rows=20, state_interval=0)
    run.until(lambda: run.states)
    name = load.database.name
    load.database.query(f"ALTER DATABASE {name} SET default_transaction_read_only TO on")
    load.database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid()"
    )
    assert 78 == run.finish(*many(100, 199)), run.log
    assert "read-only" in run.last_line
    assert run.states[-1] + 1 <= rows_of(load) < 200
