"""A raw HTTP server whose answers are scripted byte by byte, a fake clock, and a demo tap."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from crmdb_core import redaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

DEMO_TAP = Path(__file__).with_name("demo_tap.py")


@dataclass(frozen=True)
class Request:
    """One request as the server saw it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Wire:
    """The server's side of one connection, for answers that no well-behaved server gives."""

    def __init__(self, connection: socket.socket, stream: Any, stopping: threading.Event) -> None:
        self.connection = connection
        self.stream = stream
        self.stopping = stopping

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def answer(
        self,
        body: bytes | str | dict[str, Any] | list[Any] = b"",
        status: int = 200,
        headers: dict[str, str] | None = None,
        *,
        length: int | None = None,
    ) -> None:
        if isinstance(body, (dict, list)):
            headers = {"Content-Type": "application/json", **(headers or {})}
            body = json.dumps(body)
        data = body.encode() if isinstance(body, str) else body
        lines = {"Content-Length": str(len(data) if length is None else length), **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.send(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + data)

    def drip(self, data: bytes, every: float) -> None:
        """Send byte by byte until the client has gone."""
        for index in range(len(data)):
            if self.stopping.wait(every):
                return
            self.send(data[index : index + 1])

    def reset(self) -> None:
        """Close with RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        self.stream.close()  # the socket lives on in it otherwise
        self.connection.close()


@dataclass
class FaultServer:
    """Answers by a script, one entry per request, then by `default`; remembers every request."""

    default: Callable[[Request, Wire], None]
    script: list[Callable[[Request, Wire], None]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def then(self, *replies: Callable[[Request, Wire], None]) -> FaultServer:
        self.script.extend(replies)
        return self

    def close(self) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection.makefile("rb") as stream:
                while (request := _read_request(stream)) is not None:
                    with self._lock:
                        self.requests.append(request)
                        reply = self.script.pop(0) if self.script else self.default
                    reply(request, Wire(connection, stream, self._stopping))
        except (OSError, ValueError):
            return  # the client went away, or the script closed the connection
        finally:
            connection.close()


def _read_request(stream: Any) -> Request | None:
    first = stream.readline().decode().split()
    if len(first) != 3:
        return None
    headers: dict[str, str] = {}
    while (line := stream.readline().decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    target = urlsplit(first[1])
    query = {name: values[0] for name, values in parse_qs(target.query, keep_blank_values=True).items()}
    return Request(first[0], target.path, query, headers, body)


def ok(request: Request, wire: Wire) -> None:
    wire.answer({"path": request.path})


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """A server that answers well unless told otherwise by `then(...)`."""
    fault_server = FaultServer(ok)
    yield fault_server
    fault_server.close()


@pytest.fixture
def other_server() -> Iterator[FaultServer]:
    """A second host, to which nothing may ever be sent."""
    fault_server = FaultServer(ok)
    yield fault_server
    fault_server.close()


class FakeClock:
    """Monotonic seconds that pass only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds
            self.slept.append(seconds)


@pytest.fixture
def clock() -> FakeClock:
    """A clock on which waiting takes no time."""
    return FakeClock()


@pytest.fixture(autouse=True)
def clean_logging() -> Iterator[None]:
    """Leave logging and signal handlers as they were found."""
    levels = {name: logging.getLogger(name).level for name in (None, "urllib3")}
    logging.getLogger("urllib3").setLevel(logging.NOTSET)  # a tap made anywhere in this process has set it
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    redaction.uninstall()
    logging.captureWarnings(capture=False)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def demo() -> ModuleType:
    """The demo tap's module."""
    spec = importlib.util.spec_from_file_location("demo_tap", DEMO_TAP)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["demo_tap"] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class World:
    """Things behind a paging API, for the demo tap."""

    rows: int = 10
    page: int = 4
    delay: float = 0.0
    fail: dict[str, int] = field(default_factory=dict)
    """Path -> status to answer with from then on."""
    on_page: Callable[[int], None] = lambda _: None

    def __call__(self, request: Request, wire: Wire) -> None:
        if request.path in self.fail:
            wire.answer({"message": "no"}, self.fail[request.path])
            return
        after = int(request.query.get("after", 0))
        time.sleep(self.delay)
        self.on_page(after)
        ids = range(after + 1, min(after + self.page, self.rows) + 1)
        wire.answer({"total": self.rows, "results": [_row(number) for number in ids]}, headers={"Date": _http_now()})


def _row(number: int) -> dict[str, Any]:
    return {"id": number, "updated_at": f"2026-01-01T00:{number // 60 % 60:02}:{number % 60:02}Z", "name": f"n{number}"}


def _http_now() -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())


@pytest.fixture
def world() -> World:
    """What the demo tap reads; change its attributes in the test."""
    return World()


@pytest.fixture
def api(world: World) -> Iterator[FaultServer]:
    """The demo tap's API."""
    fault_server = FaultServer(world)
    yield fault_server
    fault_server.close()


class DemoRun:
    """Runs the demo tap as a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def command(self, *arguments: str, config: dict[str, Any] | None = None, state: Any = None) -> list[str]:
        command = [sys.executable, str(DEMO_TAP), *arguments]
        for name, value in (("config", config), ("state", state)):
            if value is not None:
                path = self.folder / f"{name}.json"
                path.write_text(json.dumps(value))
                path.chmod(0o600)
                command += [f"--{name}", str(path)]
        return command

    def __call__(
        self,
        *arguments: str,
        config: dict[str, Any] | None = None,
        state: Any = None,
        environment: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments, config=config, state=state),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=self.folder,
            env={**os.environ, **(environment or {})},
        )


@pytest.fixture
def run_demo(tmp_path: Path) -> DemoRun:
    """Runs the demo tap with settings and state; gives exit code, stdout and stderr."""
    return DemoRun(tmp_path)
