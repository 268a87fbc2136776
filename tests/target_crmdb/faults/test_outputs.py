"""STATE and its reader, the log and its reader: what is said is true, and nobody's silence stops a commit."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import pty
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.target_crmdb.conftest import lines_of
from tests.target_crmdb.faults.conftest import Many, rows_of, statuses
from tests.target_crmdb.faults.servers import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.target_crmdb.conftest import Loader, Message, Singer
    from tests.target_crmdb.faults.conftest import Starter

PATIENCE = 60  # seconds


def test_t17_every_state_is_true_at_the_moment_when_it_is_read(load: Loader, start: Starter, many: Many) -> None:
    """T17: of interleaved streams, whichever fills its batch first; each STATE later than the one before."""
    run = start(state_interval=0, batch_size_rows=7)
    seen = 0
    for first in range(0, 100, 10):
        run.send(*many(first, first + 9))
        run.until(lambda seen=seen: len(run.out) > seen)  # type: ignore[misc]
        claimed = run.states[-1]
        assert claimed + 1 <= rows_of(load)
        assert claimed + 1 <= rows_of(load, "visits")
        seen = len(run.out)
    assert 0 == run.finish(), run.log
    assert run.states == sorted(set(run.states))
    assert 99 == run.states[-1]


def test_t17_a_stream_that_never_fills_a_batch_is_not_overtaken(load: Loader, start: Starter, singer: Singer) -> None:
    """T17: one row of a slow stream waits while a fast one commits many batches."""
    rows: list[Message] = [singer.record({"id": "slow"}, stream="deals"), singer.state(0)]
    for number in range(1, 50):
        rows += [singer.record({"id": f"{number:03}"}), singer.state(number)]
    run = start(
        singer.schema(), singer.schema(stream="deals"), *rows, env={"CRMDB_FAILPOINTS": "after_commit:3=kill"},
        batch_size_rows=5,
    )  # fmt: skip
    run.wait()
    assert run.states
    assert [("slow",)] == load.table("id", "deals")


def started(load: Loader, tmp_path: Path, out: int, err: int, **settings: Any) -> subprocess.Popen[bytes]:
    """Start the target with these files as its output."""
    config = tmp_path / "config.json"
    config.touch(mode=0o600)
    config.write_text(json.dumps({**load.config, **settings}), "utf-8")
    command = [sys.executable, "-m", "target_crmdb", "--config", str(config)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=err)


def feed(process: subprocess.Popen[bytes], lines: list[Message | bytes]) -> None:
    """Write its whole input; a target that is gone is judged by its exit code."""
    assert process.stdin
    with suppress(BrokenPipeError), process.stdin as pipe:
        pipe.write(lines_of(lines))


def written_to(load: Loader, tmp_path: Path, lines: list[Message | bytes], out: int, err: int) -> int:
    """Run the target to its end with these files as its output; give the exit code."""
    process = started(load, tmp_path, out, err)
    feed(process, lines)
    return process.wait(PATIENCE)


@pytest.fixture(params=[errno.ENOSPC, errno.EIO], ids=["ENOSPC", "EIO"])
def broken_output(request: pytest.FixtureRequest) -> Iterator[int]:
    """A file to which nothing can be written: a device that is full, or a terminal that is gone."""
    if request.param == errno.ENOSPC:
        descriptor = os.open("/dev/full", os.O_WRONLY)
    else:
        terminal, descriptor = pty.openpty()
        os.close(terminal)
    with pytest.raises(OSError, match=os.strerror(request.param)):
        os.write(descriptor, b"x")
    yield descriptor
    os.close(descriptor)


def test_t19_a_state_that_cannot_be_written_fails_the_run_and_undoes_nothing(
    load: Loader, singer: Singer, tmp_path: Path, broken_output: int
) -> None:
    """T19: standard output is a full disk, or an input/output error: 1, a plain last line, and the data is there."""
    log = tmp_path / "log"
    with log.open("wb") as err:
        code = written_to(
            load, tmp_path, [singer.schema(), singer.record({"id": "1"}), singer.state("end")], broken_output,
            err.fileno(),
        )  # fmt: skip
    text = log.read_text("utf-8")
    assert 1 == code, text
    assert "STATE" in text.splitlines()[-1]
    assert "Traceback" not in text
    assert [("1",)] == load.table("id")
    assert ["failed"] == statuses(load)


def test_t18_a_log_that_nobody_can_read_any_more_is_no_failure(load: Loader, singer: Singer, tmp_path: Path) -> None:
    """T18: the reader of standard error is gone; data and STATE are none of its business."""
    reader, err = os.pipe()
    os.close(reader)
    with (tmp_path / "out").open("wb") as out:
        lines: list[Message | bytes] = [singer.schema(), singer.record({"id": "1"}), singer.state("end")]
        code = written_to(load, tmp_path, [*lines, {"type": "PING"}], out.fileno(), err)
    os.close(err)
    assert 0 == code
    assert '{"bookmarks":"end"}' == (tmp_path / "out").read_text("utf-8").strip().replace(" ", "")
    assert [("1",)] == load.table("id")


def test_t18_a_log_that_nobody_reads_never_stops_a_commit(load: Loader, singer: Singer, tmp_path: Path) -> None:
    """T18: standard error is a full pipe while thousands of lines are rejected.

    What is promised: the log of a run is bounded, or dropped; no commit waits for its reader.
    """
    lines: list[Message | bytes] = [singer.schema({"v": singer.integer})]
    for number in range(2000):
        lines += [b"{broken\n", singer.record({"id": f"{number:04}", "v": number})]
    reader, err = os.pipe()
    fcntl.fcntl(err, fcntl.F_SETPIPE_SZ, 4096)
    with (tmp_path / "out").open("wb") as out:
        process = started(load, tmp_path, out.fileno(), err, max_protocol_errors=10_000, batch_size_rows=500)
    feeder = threading.Thread(target=feed, args=(process, [*lines, singer.state("end")]))
    feeder.start()
    try:
        assert 0 == process.wait(PATIENCE)
    finally:
        process.kill()
        feeder.join()
        process.wait()
        os.close(reader)
        os.close(err)
    assert 2000 == rows_of(load)
    assert '{"bookmarks":"end"}' == (tmp_path / "out").read_text("utf-8").strip()


def test_t18_a_slow_reader_of_state_is_waited_for(load: Loader, singer: Singer, tmp_path: Path) -> None:
    """T18: a full pipe stops the target, not its data; once read, every STATE is there, in order."""
    lines: list[Message | bytes] = [singer.schema()]
    for number in range(60):
        lines += [singer.record({"id": f"{number:02}"}), singer.state({"at": number, "more": "x" * 500})]
    reader, out = os.pipe()
    fcntl.fcntl(out, fcntl.F_SETPIPE_SZ, 4096)
    with (tmp_path / "log").open("wb") as err:
        process = started(load, tmp_path, out, err.fileno(), state_interval=0, batch_size_rows=1)
    os.close(out)
    feeder = threading.Thread(target=feed, args=(process, lines))
    feeder.start()
    wait_for(lambda: rows_of(load) > 5, "a commit")
    with os.fdopen(reader, "rb") as pipe:
        states = [json.loads(line)["bookmarks"]["at"] for line in pipe]
    feeder.join()
    assert 0 == process.wait(PATIENCE), (tmp_path / "log").read_text("utf-8")
    assert states == sorted(set(states))
    assert 59 == states[-1]
    assert 60 == rows_of(load)
