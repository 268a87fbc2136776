"""Singer messages out: encoded by msgspec, buffered, flushed in whole lines, honest about a reader that is gone."""

from __future__ import annotations

import atexit
import math
import os
import select
import sys
import time
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerWriter, SingerMessageType
from singer_sdk.singerlib.json import serialize_json
from singer_sdk.singerlib.messages import Message, RecordMessage
from typing_extensions import override

from crmdb_core.exceptions import OutputClosedError
from crmdb_core.signals import critical

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

__all__ = ["BufferedWriter", "Envelope"]

_FULL = 256 * 1024
_LONGEST_HELD = 1.0


@dataclass(frozen=True)
class Envelope:
    """What stands around the records of one stream that were extracted at one time, as a message without a record."""

    message: RecordMessage
    head: bytes
    tail: bytes


class BufferedWriter(GenericSingerWriter[bytes, Message]):
    """Writes messages to stdout in blocks of whole lines.

    `checks_numbers` can be switched off where no decimal is NaN or infinite: to look for one takes time.

    A block goes out at 256 KiB, after a second, with every message that is no RECORD, and at exit. Decimals keep
    their digits, NaN and infinities become null, datetimes are RFC 3339. `clock` gives monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._encoder = msgspec.json.Encoder(enc_hook=str, decimal_format="number")
        self._lines: list[bytes] = []
        self._size = 0
        self._clock = clock
        self._flushed_at = clock()
        self._closed = False
        self.checks_numbers = True
        atexit.register(self._flush_at_exit)

    @override
    def serialize_message(self, message: Message) -> bytes:
        """One JSON line, newline included."""
        value = message.to_dict()
        line = self._encoded(value)
        if line is None:
            value = _finite(value)
            try:
                line = self._encoder.encode(value)
            except (UnicodeEncodeError, OverflowError):
                line = serialize_json(value).encode()
        return line + b"\n"

    def _encoded(self, value: dict[str, Any]) -> bytes | None:
        """The value as msgspec writes it; None where that is not (or not surely) right."""
        try:
            line = self._encoder.encode(value)
        except (UnicodeEncodeError, OverflowError):  # a lone surrogate, for one: JSON can escape it
            return None
        # msgspec nulls NaN of floats, not of decimals
        return None if self.checks_numbers and (b"NaN" in line or b"Infinity" in line) else line

    @override
    def write_message(self, message: Message) -> None:
        """Buffer a message; raises OutputClosedError once the reader is gone."""
        self._lines.append(self.serialize_message(message))
        self._take_in(len(self._lines[-1]), is_record=message.type == SingerMessageType.RECORD)

    def envelope(self, stream: str, version: int | None, extracted_at: datetime) -> Envelope:
        """What is the same in the RECORD messages of a page, encoded once."""
        message = RecordMessage(stream, {}, version, extracted_at)
        head, _, tail = self.serialize_message(message).partition(b'"record":{}')
        return Envelope(message, head + b'"record":', tail)

    def write_record(self, envelope: Envelope, record: dict[str, Any]) -> None:
        """Buffer the same line as `write_message` would of this record, for a fifth of the time."""
        line = self._encoded(record)
        if line is None:
            self.write_message(replace(envelope.message, record=record))
            return
        self._lines += (envelope.head, line, envelope.tail)
        self._take_in(len(envelope.head) + len(line) + len(envelope.tail), is_record=True)

    def _take_in(self, size: int, *, is_record: bool) -> None:
        self._size += size
        if not is_record or self._size >= _FULL or self._clock() - self._flushed_at >= _LONGEST_HELD:
            self.flush()

    def flush(self) -> None:
        """Write out what is buffered, in whole lines: a signal that comes meanwhile waits."""
        if self._closed:
            raise OutputClosedError("the reader of the messages is gone; see the target's own error")
        if not self._lines:
            return
        with critical():
            block = b"".join(self._lines)
            self._lines.clear()
            self._size = 0
            self._flushed_at = self._clock()
            try:
                _write(block)
            except (BrokenPipeError, ConnectionResetError):
                self._closed = True
                raise OutputClosedError("the reader of the messages is gone; see the target's own error") from None

    def _flush_at_exit(self) -> None:
        if not self._closed:
            self.flush()


def _write(block: bytes) -> None:
    """Write to the process's stdout by its descriptor; to a replaced stdout (tests) as that takes it."""
    out = sys.stdout
    out.flush()
    if out is sys.__stdout__ and out is not None:
        _write_all(out.fileno(), block)
        return
    binary = getattr(out, "buffer", None)
    if binary is None:
        out.write(block.decode())
    else:
        binary.write(block)
        binary.flush()


def _write_all(descriptor: int, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # somebody set the pipe non-blocking
            select.select([], [descriptor], [])


def _finite(value: Any) -> Any:
    """The value with null for what JSON cannot say: NaN and infinities."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
