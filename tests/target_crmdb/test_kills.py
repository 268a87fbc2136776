"""Killed, stopped or doubled runs, and how the history tells them; faults/ has what breaks around them."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.target_crmdb.conftest import Loader, Message, Singer

ROWS = 40
BATCH: dict[str, Any] = {"batch_size_rows": 10}


def messages(singer: Singer) -> list[Message]:
    """Two interleaved streams, a STATE after every record that counts them, and a bad row in each batch."""
    result = [singer.schema({"v": singer.integer}), singer.schema({"v": singer.integer}, stream="deals")]
    for number in range(ROWS):
        result.append(singer.record({"id": f"{number:03}", "v": number}))
        result.append(singer.record({"id": f"{number:03}", "v": "x" if number % 10 == 5 else number}, stream="deals"))
        result.append(singer.state(number))
    return result


def printed(out: bytes) -> list[int]:
    return [json.loads(line)["bookmarks"] for line in out.splitlines()]


def statuses(load: Loader) -> list[str]:
    return [row[0] for row in load.database.query("SELECT status FROM _crmdb.runs ORDER BY run_id")]


def begin(load: Loader, singer: Singer, tmp_path: Path) -> subprocess.Popen[bytes]:
    """Start a target that has committed two rows, has a third waiting, and waits for more input."""
    process = load.start(tmp_path, batch_size_rows=2, state_interval=3600)
    assert process.stdin
    lines = [singer.schema(), singer.record({"id": "1"}), singer.record({"id": "2"}), singer.record({"id": "3"})]
    process.stdin.write(b"".join(json.dumps(message).encode() + b"\n" for message in [*lines, singer.state(3)]))
    process.stdin.flush()
    wait_for(lambda: rows_of(load) == 2)
    return process


def rows_of(load: Loader) -> int:
    if load.database.query("SELECT to_regclass('crm_test.contacts')") == [(None,)]:
        return 0
    return len(load.table("id"))


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def end(process: subprocess.Popen[bytes]) -> tuple[int, bytes, bytes]:
    assert process.stdin
    process.stdin.close()
    process.stdin = None
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_commits_what_came_and_prints_its_state(
    load: Loader, singer: Singer, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """T09: not exit code 0, which a tap's run would be taken for complete by."""
    process = begin(load, singer, tmp_path)
    time.sleep(0.5)  # the third row came in one piece with the others: it is read at once after the commit
    process.send_signal(number)  # and the input ends in the same moment, as when Meltano stops both plugins
    returncode, out, err = end(process)
    assert code == returncode, err
    assert [3] == printed(out), err
    assert [("1",), ("2",), ("3",)] == load.table("id")
    assert ["interrupted"] == statuses(load)


def test_a_signal_within_a_commit_lets_it_finish(load: Loader, singer: Singer, tmp_path: Path) -> None:
    done = load.process(tmp_path, *messages(singer), env={"CRMDB_FAILPOINTS": "before_commit:2=term"}, **BATCH)
    assert 143 == done.returncode
    assert printed(done.stdout)[-1] < ROWS - 1
    assert printed(done.stdout)[-1] + 1 <= len(load.table("id"))
    assert ["interrupted"] == statuses(load)


def test_a_killed_run_is_closed_by_the_next_and_its_lock_is_free(load: Loader, singer: Singer, tmp_path: Path) -> None:
    process = begin(load, singer, tmp_path)
    process.kill()
    end(process)
    assert ["running"] == statuses(load)
    load(singer.schema())
    assert ["interrupted", "success"] == statuses(load)
    assert [("interrupted",), ("success",)] == load.database.query(
        "SELECT status FROM _crmdb.run_streams ORDER BY run_id"
    )


def test_a_second_run_of_the_same_stream_ends_at_once_with_75(load: Loader, singer: Singer, tmp_path: Path) -> None:
    """T11; other streams are not concerned."""
    process = begin(load, singer, tmp_path)
    (tmp_path / "second").mkdir()
    second = load.process(tmp_path / "second", singer.schema(), singer.record({"id": "9"}))
    assert 75 == second.returncode
    assert b"Another run" in second.stderr
    other = load.process(tmp_path / "second", singer.schema(stream="deals"), singer.record({"id": "9"}, stream="deals"))
    assert 0 == other.returncode
    assert ["running", "failed", "success"] == statuses(load)
    assert 0 == end(process)[0]
    assert ["success", "failed", "success"] == statuses(load)


def test_a_read_only_database_is_78(load: Loader, singer: Singer, tmp_path: Path) -> None:
    """T08."""
    load(singer.schema())
    name = load.database.query("SELECT current_database()")[0][0]
    load.database.query(f"ALTER DATABASE {name} SET default_transaction_read_only TO on")
    done = load.process(tmp_path, singer.schema())
    assert 78 == done.returncode
    assert b"read-only" in done.stderr.splitlines()[-1]


def test_a_missing_privilege_is_78_and_says_which(load: Loader, singer: Singer, tmp_path: Path) -> None:
    """T08."""
    load(singer.schema())
    role = f"poor_{load.database.query('SELECT current_database()')[0][0]}"
    load.database.query(f"CREATE ROLE {role} LOGIN")
    try:
        url = load.database.sqlalchemy_url.replace("postgres@", f"{role}@")
        done = load.process(tmp_path, singer.schema(), sqlalchemy_url=url)
        assert 78 == done.returncode, done.stderr
        assert b"permission denied" in done.stderr
        assert b"GRANT" in done.stderr
    finally:
        load.database.query(f"DROP ROLE {role}")


def test_a_reader_that_blocks_a_change_of_the_table_is_named(load: Loader, singer: Singer, tmp_path: Path) -> None:
    """T06: even a transaction that has only read keeps a column from being added."""
    load(singer.schema())
    with psycopg.connect(load.database.url) as reader:
        reader.execute("SELECT count(*) FROM crm_test.contacts")
        more = singer.schema({"more": singer.text})
        done = load.process(tmp_path, more, lock_timeout=0.2, retry_timeout=0.5)
        pid = reader.info.backend_pid
    assert 75 == done.returncode
    assert f"session {pid} ".encode() in done.stderr.splitlines()[-1]
