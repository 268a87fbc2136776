"""What must not be lost: rows of a source that answers wrongly, and the bookkeeping itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.target_crmdb.faults.conftest import Many, rows_of, statuses

if TYPE_CHECKING:
    from tests.target_crmdb.conftest import Loader, Message, Singer
    from tests.target_crmdb.faults.conftest import Starter
    from tests.target_crmdb.faults.proxy import Message as Frame
    from tests.target_crmdb.faults.proxy import Proxy, Session

HERE = Path(__file__).parent


def read(singer: Singer, version: int, *ids: int) -> list[Message]:
    """A whole read: rows, the version last, then STATE."""
    rows = [singer.record({"id": str(number)}, version=version) for number in ids]
    return [singer.schema(), *rows, singer.activate(version), singer.state(version)]


def living(load: Loader) -> list[str]:
    return [row[0] for row in load.table("id, _sdc_deleted_at") if row[1] is None]


@pytest.mark.parametrize("hard", [False, True], ids=["mark", "delete"])
def test_t20_a_read_that_lost_most_rows_asks_before_it_removes_them(
    load: Loader, start: Starter, singer: Singer, *, hard: bool
) -> None:
    """T20: the breaker: exit code 1, no row gone, STATE not advanced; `confirm_deletes` lets it happen."""
    load(*read(singer, 1, *range(10)))
    tripped = start.whole(*read(singer, 2, 0, 1), hard_delete=hard)
    assert 1 == tripped.process.returncode, tripped.log
    assert "confirm_deletes" in tripped.last_line
    assert "contacts" in tripped.last_line
    assert re.search(r"\b8\b", tripped.last_line)
    assert [] == tripped.states
    assert [str(number) for number in range(10)] == living(load)
    assert ["success", "failed"] == statuses(load)

    confirmed = start.whole(*read(singer, 3, 0, 1), hard_delete=hard, confirm_deletes=True)
    assert 0 == confirmed.process.returncode, confirmed.log
    assert ["0", "1"] == living(load)
    assert [3] == confirmed.states
    assert 8 == load.outcomes()["deleted"]


@pytest.mark.parametrize(("share", "code"), [(0.2, 1), (0.3, 0), (1, 0), (0, 1)])
def test_t20_the_share_is_a_setting(load: Loader, start: Starter, singer: Singer, share: float, code: int) -> None:
    """T20: three of ten rows would go; exactly the share is still allowed."""
    load(*read(singer, 1, *range(10)))
    run = start.whole(*read(singer, 2, *range(7)), max_delete_share=share)
    assert code == run.process.returncode, run.log
    assert (10 if code else 7) == len(living(load))


def test_t20_rows_that_are_marked_already_count_for_nothing(load: Loader, start: Starter, singer: Singer) -> None:
    """T20: the share is one of the live rows."""
    load(*read(singer, 1, *range(10)))
    load(*read(singer, 2, *range(6)))
    load(*read(singer, 3, *range(4)))
    run = start.whole(*read(singer, 4, 0))
    assert 1 == run.process.returncode, run.log
    assert ["0", "1", "2", "3"] == living(load)


@pytest.mark.parametrize("settings", [{}, {"sweep_at_end": True}, {"hard_delete": True}], ids=str)
def test_t20_an_empty_read_empties_no_table(
    load: Loader, start: Starter, singer: Singer, settings: dict[str, Any]
) -> None:
    """T20: whatever the settings, without a confirmation; a broken source looks the same as an empty one."""
    load(*read(singer, 1, *range(10)))
    run = start.whole(*read(singer, 2), **settings)
    assert run.process.returncode in {0, 1}, run.log
    assert [str(number) for number in range(10)] == living(load)


@pytest.mark.parametrize("table", ["rejects", "state", "run_streams", "columns", "tables", "schema_log", "versions"])
def test_t21_a_bookkeeping_table_that_is_missing_is_made_or_named(
    load: Loader, start: Starter, singer: Singer, table: str
) -> None:
    """T21: someone dropped it; the run goes well, or ends with 78 and says which one is missing. No row is lost."""
    load(singer.schema(), singer.record({"id": "1"}))
    load.database.query(f"DROP TABLE _crmdb.{table} CASCADE")
    run = start.whole(
        singer.schema(), singer.record({"id": "2"}), singer.record({"id": "3", "at": "bad"}), singer.state("end")
    )
    assert run.process.returncode in {0, 78}, run.log
    assert ("1",) in load.table("id")
    if run.process.returncode:
        assert f"_crmdb.{table}" in run.last_line.replace('"', "")
    else:
        assert [("1",), ("2",)] == load.table("id")


def test_t21_bookkeeping_that_is_gone_takes_no_data_with_it(load: Loader, start: Starter, singer: Singer) -> None:
    """T21: the schema was dropped; the table is adopted, or refused by name, and keeps its rows."""
    load(singer.schema(), singer.record({"id": "1"}))
    load.database.query("DROP SCHEMA _crmdb CASCADE")
    run = start.whole(singer.schema(), singer.record({"id": "2"}), singer.state("end"))
    assert run.process.returncode in {0, 78}, run.log
    assert [("1",), ("2",)][: 1 if run.process.returncode else 2] == load.table("id")
    assert run.process.returncode == 0 or "crm_test.contacts" in run.last_line.replace('"', "")


def test_t21_bookkeeping_of_an_older_version_is_brought_up(load: Loader, start: Starter, singer: Singer) -> None:
    """T21: as version 0.1.0 left it, with a run that was killed; its history and its tables are kept."""
    load.database.query((HERE / "bookkeeping_0_1_0.sql").read_text("utf-8"))
    run = start.whole(singer.schema(), singer.record({"id": "2"}), singer.state("end"))
    assert 0 == run.process.returncode, run.log
    assert [("1",), ("2",)] == load.table("id")
    assert ["success", "interrupted", "success"] == statuses(load)
    assert [("old",)] == load.database.query("SELECT state->>'bookmarks' FROM _crmdb.state WHERE run_id = 1")


def any_commit(session: Session, message: Frame) -> bool:
    del session
    return not message.from_server and message.kind == b"Q" and message.body.upper().startswith(b"COMMIT")


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_t21_a_migration_that_was_cut_is_finished_by_the_next_run(
    load: Loader, start: Starter, many: Many, proxy: Proxy, nth: int
) -> None:
    """T21: each is one transaction, so none is half made; this run goes on after it, or ends with 75."""
    fault = proxy.lose(any_commit, nth=nth)
    cut = start.whole(*many(0, 9), sqlalchemy_url=proxy.sqlalchemy_url)
    assert fault.fired.is_set()
    assert cut.process.returncode in {0, 75}, cut.log
    clean = start.whole(*many(0, 9))
    assert 0 == clean.process.returncode, clean.log
    Many.assert_loaded(load, 9)
    versions = [row[0] for row in load.database.query("SELECT version FROM _crmdb.migrations ORDER BY 1")]
    assert list(range(1, len(versions) + 1)) == versions


def test_t21_first_runs_that_begin_together_migrate_once(load: Loader, start: Starter, singer: Singer) -> None:
    """T21: under a lock; each loads a stream of its own."""
    runs = [
        start(singer.schema(stream=name), singer.record({"id": "1"}, stream=name), singer.state(name))
        for name in ("a", "b", "c", "d")
    ]
    assert [0, 0, 0, 0] == [run.finish() for run in runs], [run.last_line for run in runs]
    assert [1, 1, 1, 1] == [rows_of(load, name) for name in ("a", "b", "c", "d")]
    assert ["success"] * 4 == statuses(load)
