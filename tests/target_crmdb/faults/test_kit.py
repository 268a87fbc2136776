"""The injectors themselves: a fault that does not happen proves nothing."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.target_crmdb.faults.proxy import answer_of_commit, commit, copy_data, sent_bytes
from tests.target_crmdb.faults.servers import end_sessions, full_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Database
    from tests.target_crmdb.faults.proxy import Proxy
    from tests.target_crmdb.faults.servers import OwnServer


@contextmanager
def connect(proxy: Proxy) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A client's connection; it ends without a COMMIT."""
    url = make_url(proxy.sqlalchemy_url).set(drivername="postgresql")
    with closing(psycopg.connect(url.render_as_string())) as connection:
        yield connection


def copy_rows(connection: psycopg.Connection[tuple[Any, ...]], rows: int = 3) -> None:
    with connection.cursor() as cursor, cursor.copy("COPY t FROM STDIN") as copy:
        for number in range(rows):
            copy.write_row((number, "x" * 1000))


@pytest.fixture
def table(database: Database) -> Database:
    database.query("CREATE TABLE t (n integer, text text)")
    return database


def test_without_a_fault_all_passes(proxy: Proxy, table: Database) -> None:
    with connect(proxy) as connection:
        copy_rows(connection, 1000)
        assert [(1000,)] == connection.execute("SELECT count(*) FROM t").fetchall()
        connection.commit()
        assert [connection.info.backend_pid] == [session.pid for session in proxy.sessions]
    assert [(1000,)] == table.query("SELECT count(*) FROM t")


@pytest.mark.parametrize(("where", "rows"), [(commit, 0), (answer_of_commit, 3)])
def test_a_lost_commit_is_not_its_lost_answer(proxy: Proxy, table: Database, where: object, rows: int) -> None:
    fault = proxy.lose(where)  # type: ignore[arg-type]
    with connect(proxy) as connection:
        connection.execute("SELECT 1")
        connection.commit()
        copy_rows(connection)
        with pytest.raises(psycopg.OperationalError):
            connection.commit()
    assert fault.fired.is_set()
    end_sessions(table)
    assert [(rows,)] == table.query("SELECT count(*) FROM t")


def test_a_connection_is_cut_within_a_copy_or_after_some_bytes(proxy: Proxy, table: Database) -> None:
    for where in (copy_data, sent_bytes(5000)):
        proxy.lose(where)
        with connect(proxy) as connection, pytest.raises(psycopg.OperationalError):
            copy_rows(connection, 1000)
    end_sessions(table)
    assert [(0,)] == table.query("SELECT count(*) FROM t")


def test_a_dead_server_refuses_and_comes_back(proxy: Proxy) -> None:
    with connect(proxy) as connection, proxy.dead():
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError, match="refused"), connect(proxy):
            pass
    with connect(proxy) as connection:
        connection.execute("SELECT 1")
    proxy.starting_up = True
    with pytest.raises(psycopg.OperationalError, match="starting up"), connect(proxy):
        pass


def test_an_own_server_crashes_and_keeps_what_was_committed(own: OwnServer) -> None:
    own.database.query("CREATE TABLE t (n integer)")
    with psycopg.connect(own.database.url) as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        own.crash_and_come_back()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert [] == own.database.query("SELECT * FROM t")


def test_a_full_disk_is_one_and_can_be_freed(own: OwnServer) -> None:
    own.database.query("CREATE TABLE t (n integer, text text)")
    insert = "INSERT INTO t SELECT n, repeat('x', 100) FROM generate_series(1, 20000) n"
    with full_disk(own) as disk:
        disk.hold("t")
        own.database.query("INSERT INTO t VALUES (0, 'small')")
        with pytest.raises(psycopg.errors.DiskFull):
            own.database.query(insert)
        disk.free()
        own.database.query(insert)
        assert [(20001,)] == own.database.query("SELECT count(*) FROM t")
