"""A proxy in front of Postgres that reads the messages of its protocol and can lose any one of them.

The frames are those of https://www.postgresql.org/docs/current/protocol-message-formats.html: a startup message of
length and code, then messages of one byte of kind and a length. Clients come over TCP, the server is behind a socket.
"""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import BinaryIO

__all__ = ["Fault", "Message", "Proxy", "Session", "answer_of_commit", "commit", "copy_data", "sent_bytes"]

_ENCRYPTION = {80877103, 80877104}  # SSLRequest and GSSENCRequest, answered N: go on in the clear
_CANCEL = 80877102
_STARTING_UP = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"


@dataclass(frozen=True)
class Message:
    """One message of the protocol; a startup message has no kind."""

    kind: bytes
    body: bytes
    from_server: bool = False

    @property
    def raw(self) -> bytes:
        return self.kind + struct.pack("!i", len(self.body) + 4) + self.body


@dataclass
class Session:
    """One client's connection and the one that stands for it at the server."""

    client: socket.socket
    server: socket.socket
    pid: int | None = None
    sent: int = 0
    copied: int = 0  # bytes of COPY data since the last commit
    ended: bool = False

    def note(self, message: Message) -> None:
        """Keep count of what passes."""
        if message.from_server:
            if message.kind == b"K":
                self.pid = int(struct.unpack("!i", message.body[:4])[0])
            return
        self.sent += len(message.raw)
        self.copied += len(message.body) if message.kind == b"d" else 0

    def cut(self) -> None:
        """Break the connection on both sides; what is still to be read of it is nobody's."""
        self.ended = True
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def copy_data(session: Session, message: Message) -> bool:
    """A piece of a COPY that is under way."""
    return message.kind == b"d" and not message.from_server and session.copied > 0


def commit(session: Session, message: Message) -> bool:
    """The COMMIT of a transaction with copied rows, on its way to the server; simple or extended query."""
    text = message.body.partition(b"\0")[2] if message.kind == b"P" else message.body
    asks = not message.from_server and message.kind in {b"Q", b"P"} and text.strip(b"\0 ;").upper() == b"COMMIT"
    return asks and session.copied > 0


def answer_of_commit(session: Session, message: Message) -> bool:
    """The server's word that a transaction with copied rows is committed."""
    return message.from_server and (message.kind, message.body) == (b"C", b"COMMIT\0") and session.copied > 0


def sent_bytes(number: int) -> Callable[[Session, Message], bool]:
    """The message with which a client has sent so many bytes."""
    return lambda session, message: not message.from_server and session.sent >= number


@dataclass
class Fault:
    """What happens when the `nth` message comes that `where` knows, once: `act`, by default a cut.

    Then the message goes on, or it is lost and the connection with it.
    """

    where: Callable[[Session, Message], bool]
    act: Callable[[Session], object] = Session.cut
    nth: int = 1
    delivered: bool = False
    fired: threading.Event = field(default_factory=threading.Event)
    _seen: int = 0

    def passes(self, session: Session, message: Message) -> bool:
        """Act if this is the message; tell whether it goes on."""
        if self.fired.is_set() or not self.where(session, message):
            return True
        self._seen += 1
        if self._seen < self.nth:
            return True
        self.fired.set()
        self.act(session)
        if not self.delivered:
            session.cut()
        return self.delivered


class Proxy:
    """Listens on a port of 127.0.0.1 for the server that a libpq URI with a socket names, as a context manager."""

    def __init__(self, conninfo: str) -> None:
        parts = urlsplit(conninfo)
        query = parse_qs(parts.query)
        self._database = parts.path.lstrip("/")
        self._user = parts.username
        self._upstream = f"{query['host'][0]}/.s.PGSQL.{query['port'][0]}"
        self._listener: socket.socket | None = None
        self._port = 0
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self.fault: Fault | None = None
        self.starting_up = False
        self.sessions: list[Session] = []
        self.refused = 0

    def __enter__(self) -> Self:
        self._listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hang_up()
        for thread in self._threads:
            thread.join(10)

    @property
    def sqlalchemy_url(self) -> str:
        """The database's URL by way of this proxy."""
        return f"postgresql+psycopg://{self._user}@127.0.0.1:{self._port}/{self._database}"

    def lose(self, where: Callable[[Session, Message], bool], *, nth: int = 1) -> Fault:
        """Cut the connection instead of passing this message on."""
        return self.on(where, nth=nth)

    def on(
        self,
        where: Callable[[Session, Message], bool],
        act: Callable[[Session], object] = Session.cut,
        *,
        nth: int = 1,
        delivered: bool = False,
    ) -> Fault:
        """Set what is to happen at a message; one fault at a time."""
        self.fault = Fault(where, act, nth, delivered)
        return self.fault

    @contextmanager
    def dead(self) -> Iterator[None]:
        """Refuse and cut all connections for the time of the block."""
        self._hang_up()
        yield
        self._listen()

    def _listen(self) -> None:
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self._port))
        self._port = self._listener.getsockname()[1]
        self._listener.listen()
        self._start(self._accept, self._listener)

    def _hang_up(self) -> None:
        if self._listener:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for connections
            self._listener.close()
        for session in self.sessions:
            session.cut()

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:
                return
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        """Answer what comes before a session, then pass messages both ways until an end is gone."""
        with client, client.makefile("rb") as stream, suppress(OSError):
            startup = _read_startup(stream, client)
            if startup is None:
                return
            if self.starting_up:
                self.refused += 1
                client.sendall(Message(b"E", _STARTING_UP).raw)
                return
            with socket.socket(socket.AF_UNIX) as server, server.makefile("rb") as answers:
                server.connect(self._upstream)
                server.sendall(startup.raw)
                if startup.body[:4] == struct.pack("!i", _CANCEL):
                    server.recv(1)
                    return
                session = Session(client, server)
                self.sessions.append(session)
                back = threading.Thread(target=self._answers, args=(session, answers), daemon=True)
                back.start()
                self._questions(session, stream)
                back.join()

    def _questions(self, session: Session, stream: BinaryIO) -> None:
        """Pass on what the client says; a client that is gone is told to the server."""
        with suppress(OSError):
            while message := _read(stream, from_server=False):
                if self._passes(session, message):
                    session.server.sendall(message.raw)
        with suppress(OSError):
            session.server.shutdown(socket.SHUT_WR)

    def _answers(self, session: Session, stream: BinaryIO) -> None:
        """Pass on what the server says; its last words reach the client before the connection ends."""
        with suppress(OSError):
            while message := _read(stream, from_server=True):
                if self._passes(session, message):
                    session.client.sendall(message.raw)
                if message.kind == b"C" and message.body in {b"COMMIT\0", b"ROLLBACK\0"}:
                    session.copied = 0
        session.cut()

    def _passes(self, session: Session, message: Message) -> bool:
        with self._lock:
            if session.ended:  # else the rest of a session that was cut could meet the next fault
                return False
            session.note(message)
            return self.fault is None or self.fault.passes(session, message)


def _read_startup(stream: BinaryIO, client: socket.socket) -> Message | None:
    while True:
        head = stream.read(4)
        if len(head) < 4:
            return None
        body = stream.read(struct.unpack("!i", head)[0] - 4)
        if struct.unpack("!i", body[:4])[0] not in _ENCRYPTION:
            return Message(b"", body)
        client.sendall(b"N")


def _read(stream: BinaryIO, *, from_server: bool) -> Message | None:
    head = stream.read(5)
    if len(head) < 5:
        return None
    length = struct.unpack("!i", head[1:])[0] - 4
    body = stream.read(length)
    return Message(head[:1], body, from_server) if len(body) == length else None
