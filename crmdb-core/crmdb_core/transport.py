"""One exchange on the wire: a total deadline that a dripping server cannot outlive, and a cap on the body's size."""

from __future__ import annotations

import contextlib
import socket
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from crmdb_core.exceptions import ResponseTooLargeError

if TYPE_CHECKING:
    import requests
    from urllib3.response import HTTPResponse

__all__ = ["Deadline", "DeadlineAdapter", "copy_body", "read_body"]

_CHUNK = 65536


class Deadline:
    """Shuts the connection of the exchange made inside the `with` block when the time is up.

    A read timeout starts anew with every byte; this does not. After expiry the read in progress fails (or seems to
    end), so `expired` has to be asked afterwards.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.expired = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._token = _CURRENT.set(self)
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        _CURRENT.reset(self._token)

    def watch(self, sock: socket.socket | None) -> None:
        """Name the socket to shut."""
        with self._lock:
            self._socket = sock
            if self.expired:
                self._shut()

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


_CURRENT: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


class _Watched(HTTPConnection):
    """Tells the current deadline its socket before the answer's first byte is awaited."""

    @override
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 itself declares it
        deadline = _CURRENT.get()
        if deadline is not None:
            deadline.watch(self.sock)
        return super().getresponse()


class _WatchedHTTPS(_Watched, HTTPSConnection):
    """The same over TLS."""


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}


class DeadlineAdapter(HTTPAdapter):
    """requests' adapter with connections that obey a `Deadline`; never retries by itself."""

    def __init__(self, *, connections: int) -> None:
        super().__init__(pool_connections=4, pool_maxsize=connections, max_retries=0)

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    @override
    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


def read_body(response: requests.Response, *, most: int) -> bytes:
    """Read the whole body, decompressed; raises ResponseTooLargeError above `most` bytes (a gzip bomb)."""
    parts: list[bytes] = []
    size = 0
    for part in response.raw.stream(_CHUNK, decode_content=True):
        size += len(part)
        if size > most:
            response.close()
            raise ResponseTooLargeError(f"a response grew past {most:,} bytes and was dropped; ask for smaller pages")
        parts.append(part)
    return b"".join(parts)


def copy_body(response: requests.Response, file: BinaryIO) -> None:
    """Write the whole body into a file that is emptied first, still packed as it came."""
    try:
        file.seek(0)
        file.truncate()
        file.writelines(response.raw.stream(_CHUNK, decode_content=False))
        file.seek(0)
    except BaseException:
        response.close()  # where it was the file that failed, the connection is still open
        raise
