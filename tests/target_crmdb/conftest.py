"""Loads Singer messages into a fresh database, in this process or in one that may be killed."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from target_crmdb import TargetCrmdb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Message = dict[str, Any]
# with compiled modules kept, a process starts in a third of the time
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
FILES = Path(__file__).parents[1] / "messages"


@dataclass(frozen=True)
class Loader:
    """Runs the target on messages, with this test's database as its own."""

    database: Any
    config: dict[str, Any] = field(default_factory=dict)

    def __call__(self, *messages: Message | bytes, **settings: Any) -> list[Any]:
        """Load messages in this process; give the STATEs printed."""
        return self.text(lines_of(messages), **settings)

    def to_stdout(self, *messages: Message | bytes, **settings: Any) -> None:
        """Load messages in this process and let STATE go to standard output."""
        TargetCrmdb(config={**self.config, **settings}).listen(io.BytesIO(lines_of(messages)))  # type: ignore[arg-type]

    def file(self, name: str, **settings: Any) -> list[Any]:
        """Load a file of tests/messages."""
        return self.text((FILES / f"{name}.singer").read_bytes(), **settings)

    def text(self, content: bytes, **settings: Any) -> list[Any]:
        """Load raw input."""
        target = TargetCrmdb(config={**self.config, **settings})
        printed = io.StringIO()
        with redirect_stdout(printed):
            target.listen(io.BytesIO(content))  # type: ignore[arg-type]  # as stdin's buffer is: bytes
        return [json.loads(line) for line in printed.getvalue().splitlines()]

    def start(
        self, tmp_path: Path, *, env: Mapping[str, str] | None = None, **settings: Any
    ) -> subprocess.Popen[bytes]:
        """Start the target as a process of its own that reads a pipe."""
        config = tmp_path / "config.json"
        config.touch(mode=0o600)
        config.write_text(json.dumps({**self.config, **settings}), "utf-8")
        return subprocess.Popen(
            [sys.executable, "-m", "target_crmdb", "--config", str(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**_ENVIRONMENT, **(env or {})},
        )

    def process(
        self, tmp_path: Path, *messages: Message | bytes, env: Mapping[str, str] | None = None, **settings: Any
    ) -> subprocess.CompletedProcess[bytes]:
        """Load messages in a process of its own, to its end."""
        process = self.start(tmp_path, env=env, **settings)
        out, err = process.communicate(lines_of(messages), timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def table(self, columns: str = "*", stream: str = "contacts") -> list[tuple[Any, ...]]:
        """Give the stream's rows, by key."""
        rows: list[tuple[Any, ...]] = self.database.query(f"SELECT {columns} FROM crm_test.{stream} ORDER BY 1")
        return rows

    def rejects(self) -> list[tuple[Any, ...]]:
        """Give stream, line, field and class of all rejects, in order."""
        rows: list[tuple[Any, ...]] = self.database.query(
            "SELECT stream, line, field, error_class FROM _crmdb.rejects ORDER BY reject_id"
        )
        return rows

    def outcomes(self, stream: str = "contacts") -> dict[str, int]:
        """Give the counters of the stream's last run, without those that are 0."""
        names = ("seen", "created", "updated", "unchanged", "stale", "deduplicated", "rejected", "deleted")
        rows = self.database.query(
            f"SELECT {', '.join(names)} FROM _crmdb.run_streams WHERE stream = %s ORDER BY run_id DESC LIMIT 1", stream
        )
        return {name: value for name, value in zip(names, rows[0], strict=True) if value}


def lines_of(messages: Iterable[Message | bytes]) -> bytes:
    """Write messages as lines; bytes are lines already."""
    return b"".join(m if isinstance(m, bytes) else json.dumps(m).encode() + b"\n" for m in messages)


class Singer:
    """Writes Singer messages of one stream, `contacts` unless said otherwise."""

    text: ClassVar[Message] = {"type": ["null", "string"]}
    instant: ClassVar[Message] = {"type": ["null", "string"], "format": "date-time"}
    number: ClassVar[Message] = {"type": ["null", "number"]}
    integer: ClassVar[Message] = {"type": ["null", "integer"]}

    def schema(self, properties: Message | None = None, *, stream: str = "contacts", **more: Any) -> Message:
        """A SCHEMA with the key `id`, the bookmark `at`, and these properties."""
        base = {"id": {"type": "string"}, "at": self.instant}
        return {
            "type": "SCHEMA",
            "stream": stream,
            "key_properties": ["id"],
            "bookmark_properties": ["at"],
            "schema": {"type": "object", "properties": {**base, **(properties or {})}},
            **more,
        }

    @staticmethod
    def record(values: Message, *, stream: str = "contacts", **more: Any) -> Message:
        """A RECORD."""
        return {"type": "RECORD", "stream": stream, "record": values, **more}

    @staticmethod
    def state(value: Any) -> Message:
        """A STATE whose bookmark is this value."""
        return {"type": "STATE", "value": {"bookmarks": value}}

    @staticmethod
    def activate(version: int, *, stream: str = "contacts") -> Message:
        """An ACTIVATE_VERSION."""
        return {"type": "ACTIVATE_VERSION", "stream": stream, "version": version}


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """Give pytest its own signal handlers back: a target that ran in this process has put others in their place."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def singer() -> Singer:
    """Writes messages."""
    return Singer()


@pytest.fixture
def load(database: Any) -> Loader:
    """Loads messages into this test's database, schema crm_test."""
    return Loader(database, {"sqlalchemy_url": database.sqlalchemy_url, "default_target_schema": "crm_test"})


@pytest.fixture
def crmdb(load: Loader, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `crmdb` on this test's database."""
    config = tmp_path / "crmdb.json"
    config.touch(mode=0o600)
    program = str(Path(sys.executable).parent / "crmdb")

    def run(*arguments: str, env: Mapping[str, str] | None = None, **settings: Any) -> subprocess.CompletedProcess[str]:
        config.write_text(json.dumps({**load.config, **settings}), "utf-8")
        return subprocess.run(
            [program, "--config", str(config), *arguments],
            capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL,
            env={**_ENVIRONMENT, **(env or {})},
        )  # fmt: skip

    return run


@pytest.fixture
def day() -> Callable[[int], str]:
    """The n-th day of 2026 as an instant."""
    return lambda number: f"2026-01-{number:02d}T00:00:00Z"
