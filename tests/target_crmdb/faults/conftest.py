"""A target that is fed by hand, and what breaks around it: see proxy.py and servers.py."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any, Self

import pytest

from tests.target_crmdb.conftest import Loader, lines_of
from tests.target_crmdb.faults.proxy import Proxy
from tests.target_crmdb.faults.servers import OwnServer, own_server, wait_for

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.conftest import Database, Postgres
    from tests.target_crmdb.conftest import Message, Singer


@dataclass
class Running:
    """A target in a process of its own; what it says is read as it comes."""

    process: subprocess.Popen[bytes]
    out: list[bytes] = field(default_factory=list)
    err: list[bytes] = field(default_factory=list)
    input: SimpleQueue[bytes | None] = field(default_factory=SimpleQueue)
    threads: list[threading.Thread] = field(default_factory=list)

    @classmethod
    def of(cls, process: subprocess.Popen[bytes]) -> Self:
        running = cls(process)
        for pipe, lines in ((process.stdout, running.out), (process.stderr, running.err)):
            assert pipe
            running.threads.append(threading.Thread(target=_collect, args=(pipe, lines)))
        running.threads.append(threading.Thread(target=_feed, args=(process.stdin, running.input)))
        for thread in running.threads:
            thread.start()
        return running

    @property
    def states(self) -> list[Any]:
        """The bookmarks printed so far."""
        return [json.loads(line)["bookmarks"] for line in list(self.out)]

    @property
    def last_line(self) -> str:
        """What the last line of standard error says, behind its time and its level."""
        return (self.err or [b""])[-1].decode().split("|", 3)[-1].strip()

    @property
    def log(self) -> str:
        return b"".join(self.err).decode()

    def send(self, *messages: Message | bytes) -> None:
        """Send messages; does not wait for a target that does not read."""
        self.input.put(lines_of(messages))

    def end_input(self) -> None:
        self.input.put(None)

    def until(self, condition: Callable[[], Any]) -> None:
        """Wait until the condition holds; a target that ends before it does fails the test at once."""
        wait_for(lambda: condition() or self.process.poll() is not None)
        assert condition(), self.log

    def wait(self, seconds: float = 120) -> int:
        """Wait for its end; give the exit code."""
        code = self.process.wait(seconds)
        self.end_input()
        for thread in self.threads:
            thread.join()
        return code

    def finish(self, *messages: Message | bytes, seconds: float = 120) -> int:
        """Send the last messages, end the input and wait for the end; give the exit code."""
        self.send(*messages)
        self.end_input()
        return self.wait(seconds)

    def kill(self) -> None:
        """Leave no process behind."""
        self.process.kill()
        self.wait()


def _collect(pipe: IO[bytes], lines: list[bytes]) -> None:
    with pipe:
        lines.extend(iter(pipe.readline, b""))


def _feed(pipe: IO[bytes], pieces: SimpleQueue[bytes | None]) -> None:
    """Write what is to be sent; a target that is gone is judged by its exit code."""
    with suppress(BrokenPipeError), pipe:
        while (piece := pieces.get()) is not None:
            pipe.write(piece)
            pipe.flush()


@dataclass(frozen=True)
class Starter:
    """Starts targets on this test's database; none outlives the test."""

    load: Loader
    folder: Path
    started: list[Running] = field(default_factory=list)

    def __call__(self, *messages: Message | bytes, env: Mapping[str, str] | None = None, **settings: Any) -> Running:
        """Start one and send it these messages; its input stays open."""
        folder = self.folder / f"target-{len(self.started)}"
        folder.mkdir()
        running = Running.of(self.load.start(folder, env=env, **settings))
        self.started.append(running)
        running.send(*messages)
        return running

    def whole(self, *messages: Message | bytes, env: Mapping[str, str] | None = None, **settings: Any) -> Running:
        """Run one to its end; its exit code is `process.returncode`."""
        running = self(env=env, **settings)
        running.finish(*messages)
        return running


@pytest.fixture
def start(load: Loader, tmp_path: Path) -> Iterator[Starter]:
    """Starts targets."""
    starter = Starter(load, tmp_path)
    yield starter
    for running in starter.started:
        running.kill()


@pytest.fixture
def proxy(database: Database) -> Iterator[Proxy]:
    """A proxy before this test's database."""
    with Proxy(database.url) as one:
        yield one


@pytest.fixture
def own(postgres: Postgres) -> Iterator[OwnServer]:
    """A server that this test may crash, of the same version as the session's."""
    with own_server(postgres.installation) as server:
        yield server


@pytest.fixture
def own_load(own: OwnServer) -> Loader:
    """Loads into the test's own server."""
    database = own.database
    return Loader(database, {"sqlalchemy_url": database.sqlalchemy_url, "default_target_schema": "crm_test"})


@pytest.fixture
def own_start(own_load: Loader, tmp_path: Path) -> Iterator[Starter]:
    """Starts targets on the test's own server."""
    starter = Starter(own_load, tmp_path)
    yield starter
    for running in starter.started:
        running.kill()


@pytest.fixture
def many(singer: Singer) -> Many:
    """Messages whose rows are more than one piece of a COPY."""
    return Many(singer)


@dataclass(frozen=True)
class Many:
    """A keyed stream and one without a key, interleaved, with a STATE that counts them after each pair."""

    singer: Singer
    text: str = "x" * 500

    @property
    def schemas(self) -> list[Message]:
        more = {"v": self.singer.integer, "text": self.singer.text}
        return [self.singer.schema(more), self.singer.schema(more, stream="visits", key_properties=[])]

    def __call__(self, first: int, last: int) -> list[Message]:
        """The messages of rows `first` to `last`; every second visit is equal to the one before it."""
        result = self.schemas
        for number in range(first, last + 1):
            result.append(self.singer.record({"id": f"{number:05}", "v": number, "text": self.text}))
            result.append(self.singer.record({"id": f"{number // 2:05}", "v": 0, "text": self.text}, stream="visits"))
            result.append(self.singer.state(number))
        return result

    @staticmethod
    def assert_loaded(load: Loader, last: int) -> None:
        """All rows from 0 to `last` are there, once."""
        assert [(f"{number:05}", number) for number in range(last + 1)] == load.table("id, v")
        assert [(f"{number // 2:05}",) for number in range(last + 1)] == load.table("id", "visits")


def rows_of(load: Loader, stream: str = "contacts") -> int:
    """The number of rows that others see; 0 while there is no table."""
    if load.database.query("SELECT to_regclass(%s)", f"crm_test.{stream}") == [(None,)]:
        return 0
    return len(load.table("1", stream))


def statuses(load: Loader) -> list[str]:
    """How each run ended, in order."""
    return [row[0] for row in load.database.query("SELECT status FROM _crmdb.runs ORDER BY run_id")]


def is_waiting_for_a_lock(load: Loader) -> Any:
    """The start of the target's statement that waits for another session's lock, if one does."""
    rows = load.database.query(
        "SELECT query_start FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return rows and rows[0][0]


__all__ = ["Many", "Running", "Starter", "is_waiting_for_a_lock", "rows_of", "statuses"]
