"""HTTP/1.1 on a loopback socket: requests in, replies out, and the ways in which an answer can go wrong on the way.

The standard library's server is used because faults need the socket itself: to cut, to drip, to reset.
"""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import struct
import sys
import threading
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Request:
    """One request as it came: `target` is path and query as sent, headers are in Title-Case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(urlsplit(self.target).path)

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """Parameters of the URL, each with all its values."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    @cached_property
    def form(self) -> dict[str, str]:
        """The body as a form; the first value of each field."""
        return {name: values[0] for name, values in parse_qs(self.body.decode("utf-8", "replace")).items()}

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None where it is empty or is not JSON."""
        try:
            return json.loads(self.body) if self.body else None
        except ValueError:
            return None


@dataclass(frozen=True)
class Reply:
    """One answer, before anything goes wrong with it; `parts` makes a long body piece by piece, instead of `body`."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json;charset=utf-8"
    parts: Callable[[], Iterable[bytes]] | None = None

    @classmethod
    def of(cls, data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        """A JSON answer."""
        return cls(status, json.dumps(data, separators=(",", ":")).encode(), headers or {})

    @classmethod
    def with_results(cls, results: Iterable[str], more: Mapping[str, Any], status: int = 200) -> Reply:
        """A JSON answer whose `results` are JSON already, beside the fields of `more`."""
        rest = json.dumps(more, separators=(",", ":"))[1:]
        return cls(status, f'{{"results":[{",".join(results)}]{"," if more else ""}{rest}'.encode())

    def whole(self) -> Reply:
        """The answer with its body in one piece."""
        return replace(self, body=b"".join(self.parts()), parts=None) if self.parts else self

    @classmethod
    def html(cls, text: str, status: int = 200) -> Reply:
        """An HTML answer, as proxies give."""
        return cls(status, text.encode(), {}, "text/html")


@dataclass(frozen=True)
class Delivery:
    """How a reply travels.

    `cut`: send only so many bytes of the body, though its length was announced, then end the connection. `reset`: end
    with RST. `drip`: seconds between single bytes. `hold`: seconds before the first byte. `close`: end the connection
    after a whole answer without announcing it.
    """

    reply: Reply | None
    cut: int | None = None
    reset: bool = False
    drip: float = 0.0
    hold: float = 0.0
    close: bool = False


class App(Protocol):
    """What a server serves."""

    def deliver(self, request: Request) -> Delivery:
        """The answer to a request and how it travels."""

    def now(self) -> datetime:
        """The `Date` header's time."""


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Serves one app on 127.0.0.1; a thread per connection, connections stay open."""

    allow_reuse_address = True
    request_queue_size = 256
    daemon_threads = True  # one that a test forgot must not keep the process alive

    def __init__(self, app: App, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.app = app
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._reset: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End every connection and wait until each thread has gone; may be called at any time, and again."""
        self.stopping.set()
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def reset_later(self, connection: socket.socket) -> None:
        """Let the end of this connection be a reset, not an orderly close."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        with self._lock:
            self._reset.add(connection)

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    @override
    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
            reset = request in self._reset
            self._reset.discard(request)
        if reset:
            request.close()  # without the orderly shutdown, or the client would see an end instead of a reset
        else:
            super().shutdown_request(request)

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # a client that went away is no error of ours
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def _answer(self) -> None:
        body = self._body()
        headers = {name.title(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body)
        delivery = self.server.app.deliver(request)
        if delivery.hold:
            self.server.stopping.wait(delivery.hold)
        self._send(delivery)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":  # jsforce sends its forms so
            return b"".join(self._chunks())
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length) if length else b""

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815 - names the base class looks for

    def _send(self, delivery: Delivery) -> None:
        reply = delivery.reply
        if reply is not None and reply.parts is not None:
            self._stream(self._head(reply), reply.parts())
        elif reply is not None:
            head, body = self._head(reply), reply.body[: delivery.cut]
            self._write(head, body, delivery.drip)
        cut_short = reply is None or delivery.cut is not None
        if delivery.reset:
            self.server.reset_later(self.connection)
        if cut_short or delivery.reset or delivery.close:
            self.close_connection = True

    def _stream(self, head: bytes, parts: Iterable[bytes]) -> None:
        self.connection.sendall(head)
        for part in parts:
            if part:
                self.connection.sendall(b"%x\r\n%b\r\n" % (len(part), part))
        self.connection.sendall(b"0\r\n\r\n")

    def _write(self, head: bytes, body: bytes, drip: float) -> None:
        if not drip:
            self.connection.sendall(head + body)
            return
        self.connection.sendall(head)
        for at in range(len(body)):
            if self.server.stopping.wait(drip):
                break
            self.connection.sendall(body[at : at + 1])

    def _head(self, reply: Reply) -> bytes:
        phrase = HTTPStatus(reply.status).phrase if reply.status in HTTPStatus._value2member_map_ else "Status"
        headers = {"Date": format_datetime(self.server.app.now(), usegmt=True), "Connection": "keep-alive"}
        if reply.status != HTTPStatus.NO_CONTENT:
            length = {"Content-Length": str(len(reply.body))}
            headers |= {
                "Content-Type": reply.content_type,
                **({"Transfer-Encoding": "chunked"} if reply.parts else length),
            }
        headers |= reply.headers
        lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the request log is the record."""
