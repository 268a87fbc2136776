"""The connection breaks, at every place where it may: whole batches are written again, none twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.target_crmdb.conftest import Loader
from tests.target_crmdb.faults.conftest import Many, Starter, rows_of, statuses
from tests.target_crmdb.faults.proxy import Proxy, Session, answer_of_commit, commit, copy_data, sent_bytes
from tests.target_crmdb.faults.servers import end_sessions, own_server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Postgres
    from tests.target_crmdb.conftest import Singer
    from tests.target_crmdb.faults.conftest import Running
    from tests.target_crmdb.faults.servers import OwnServer

LAST = 199
BATCH: dict[str, Any] = {"batch_size_rows": 50}


def assert_went_well(run: Running, load: Loader) -> None:
    """It ended with 0, everything is there once, and the last STATE is printed."""
    assert 0 == run.process.returncode, run.log
    Many.assert_loaded(load, LAST)
    assert LAST == run.states[-1]
    assert ["success"] == statuses(load)
    assert {"seen": LAST + 1, "created": LAST + 1} == load.outcomes()
    assert {"seen": LAST + 1, "created": LAST + 1} == load.outcomes("visits")


@pytest.mark.parametrize("batch", [1, 3])
def test_t01_a_backend_ended_within_a_copy_costs_nothing(
    load: Loader, start: Starter, many: Many, proxy: Proxy, batch: int
) -> None:
    """T01: reconnected, the whole batch written again, exit code 0."""
    fault = proxy.on(
        copy_data, lambda session: end_sessions(load.database, session.pid), nth=2 * batch - 1, delivered=True
    )
    run = start.whole(*many(0, LAST), **BATCH, sqlalchemy_url=proxy.sqlalchemy_url)
    assert fault.fired.is_set()
    assert_went_well(run, load)


@pytest.mark.parametrize("where", [copy_data, sent_bytes(40_000)], ids=["within a copy", "after 40 kB"])
def test_t01_a_connection_cut_within_a_batch_costs_nothing(
    load: Loader, start: Starter, many: Many, proxy: Proxy, where: Callable[..., bool]
) -> None:
    """T01: the same where the network breaks and no server says a last word."""
    fault = proxy.lose(where)
    run = start.whole(*many(0, LAST), **BATCH, sqlalchemy_url=proxy.sqlalchemy_url)
    assert fault.fired.is_set()
    assert_went_well(run, load)


def test_t01_a_session_ended_between_two_batches_costs_nothing(load: Loader, start: Starter, many: Many) -> None:
    """T01: the target waits for its tap while its session ends."""
    run = start(*many(0, 99), **BATCH)
    run.until(lambda: rows_of(load))
    assert end_sessions(load.database)
    run.finish(*many(100, LAST))
    assert_went_well(run, load)


def test_t01_a_server_that_is_gone_for_a_while_is_waited_for(
    load: Loader, start: Starter, many: Many, proxy: Proxy
) -> None:
    """T01: refused again and again within `retry_timeout`, then back."""
    run = start(*many(0, 99), **BATCH, sqlalchemy_url=proxy.sqlalchemy_url)
    run.until(lambda: rows_of(load))
    with proxy.dead():
        end_sessions(load.database)
        run.send(*many(100, LAST))
    assert 0 == run.finish(), run.log
    assert_went_well(run, load)


def test_t01_a_server_that_stays_away_ends_the_run_with_75(
    load: Loader, start: Starter, many: Many, proxy: Proxy
) -> None:
    """T01: after `retry_timeout`; STATE stays at what is durable and the next run does the rest."""
    settings = {**BATCH, "sqlalchemy_url": proxy.sqlalchemy_url}
    run = start(*many(0, 99), **settings, retry_timeout=1, connect_timeout=1, state_interval=0)
    run.until(lambda: run.states)
    with proxy.dead():
        end_sessions(load.database)
        assert 75 == run.finish(*many(100, LAST)), run.log
    assert run.states[-1] + 1 <= rows_of(load) <= 100
    assert "connection" in run.last_line or "does not answer" in run.last_line
    again = start.whole(*many(0, LAST), **settings)
    assert 0 == again.process.returncode, again.log
    Many.assert_loaded(load, LAST)
    assert ["interrupted", "success"] == statuses(load)


@pytest.mark.parametrize(
    ("where", "delivered"),
    [(copy_data, True), (commit, True), (answer_of_commit, False), (answer_of_commit, True)],
    ids=["within a copy", "before the commit", "its answer lost", "after its answer"],
)
def test_t02_a_server_that_crashes_and_recovers_costs_nothing(  # noqa: PLR0917 - fixtures
    own: OwnServer, own_load: Loader, own_start: Starter, many: Many, where: Callable[..., bool], delivered: bool
) -> None:
    """T02: whether a transaction was committed is found in `_crmdb.batches`, wherever the crash was."""
    with Proxy(own.database.url) as proxy:
        fault = proxy.on(where, own.crash_and_come_back, nth=2, delivered=delivered)
        run = own_start.whole(*many(0, LAST), **BATCH, sqlalchemy_url=proxy.sqlalchemy_url)
    assert fault.fired.is_set()
    assert_went_well(run, own_load)


def test_t02_state_is_durable_on_a_server_that_answers_commits_early(
    postgres: Postgres, many: Many, tmp_path: Path
) -> None:
    """T02, G3: with `synchronous_commit` off a crash would undo what STATE has said; the target asks for more."""
    settings = {"synchronous_commit": "off", "wal_writer_delay": "10s", "wal_writer_flush_after": "1GB"}
    with own_server(postgres.installation, **settings) as own:
        database = own.database
        load = Loader(database, {"sqlalchemy_url": database.sqlalchemy_url, "default_target_schema": "crm_test"})
        run = Starter(load, tmp_path)(*many(0, 99), **BATCH, state_interval=0)
        run.until(lambda: run.states)
        claimed = run.states[-1]
        own.crash()
        run.kill()
        own.come_back()
        assert claimed + 1 <= rows_of(load)


@pytest.mark.parametrize("where", [commit, answer_of_commit], ids=["COMMIT lost", "its answer lost"])
@pytest.mark.parametrize("batch", [1, 3])
def test_t03_a_commit_without_an_answer_is_done_exactly_once(  # noqa: PLR0917 - fixtures
    load: Loader, start: Starter, many: Many, proxy: Proxy, where: Callable[..., bool], batch: int
) -> None:
    """T03: a batch that is found by its id is not repeated, one that is not found is; STATE advances."""
    fault = proxy.lose(where, nth=batch)
    run = start.whole(*many(0, LAST), **BATCH, sqlalchemy_url=proxy.sqlalchemy_url)
    assert fault.fired.is_set()
    assert_went_well(run, load)


def test_t03_a_keyless_stream_alone_is_not_doubled(load: Loader, start: Starter, singer: Singer, proxy: Proxy) -> None:
    """T03: no key of its own hides a batch that was written twice."""
    rows = [singer.record({"id": str(number // 2), "at": None}, stream="visits") for number in range(10)]
    proxy.lose(answer_of_commit)
    run = start.whole(
        singer.schema(stream="visits", key_properties=[]),
        *rows,
        singer.state(9),
        sqlalchemy_url=proxy.sqlalchemy_url,
    )
    assert 0 == run.process.returncode, run.log
    assert sorted([(str(number // 2),) for number in range(10)]) == load.table("id", "visits")
    assert [9] == run.states


def test_t03_after_a_lost_answer_a_run_that_may_not_retry_says_75(
    load: Loader, start: Starter, many: Many, proxy: Proxy
) -> None:
    """T03: it does not know, so it prints no STATE for that batch, and the next run doubles nothing."""

    def cut_for_good(session: Session) -> None:
        session.cut()
        proxy.starting_up = True

    proxy.on(answer_of_commit, cut_for_good)
    settings = {**BATCH, "sqlalchemy_url": proxy.sqlalchemy_url}
    run = start.whole(*many(0, LAST), **settings, retry_timeout=1, connect_timeout=1)
    assert 75 == run.process.returncode, run.log
    assert [] == run.states
    proxy.starting_up = False
    again = start.whole(*many(0, LAST), **settings)
    assert 0 == again.process.returncode, again.log
    Many.assert_loaded(load, LAST)


def test_t07_a_server_that_still_starts_is_waited_for(load: Loader, start: Starter, many: Many, proxy: Proxy) -> None:
    """T07: refused three times, then there."""
    proxy.starting_up = True
    run = start(*many(0, LAST), **BATCH, sqlalchemy_url=proxy.sqlalchemy_url, connect_timeout=60)
    run.until(lambda: proxy.refused >= 3)
    assert run.process.poll() is None
    proxy.starting_up = False
    run.finish()
    assert_went_well(run, load)


def test_t07_a_server_that_never_starts_is_75(load: Loader, start: Starter, many: Many, proxy: Proxy) -> None:
    """T07: within `connect_timeout`, by a plain line, and nothing is printed."""
    proxy.starting_up = True
    run = start.whole(*many(0, 3), sqlalchemy_url=proxy.sqlalchemy_url, connect_timeout=1)
    assert 75 == run.process.returncode
    assert "starting up" in run.last_line
    assert "Traceback" not in run.log
    assert [] == run.states
    assert 0 == rows_of(load)
