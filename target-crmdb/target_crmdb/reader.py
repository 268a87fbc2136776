"""Read Singer messages line by line: numbers exact, broken lines told to the target, never shown in a log."""

import json
import logging
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import IO, Any, ClassVar, Protocol, cast

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from typing_extensions import override

from target_crmdb.batch_files import BatchMessage
from target_crmdb.exceptions import BrokenMessageError, ProtocolError
from target_crmdb.input import InputLines
from target_crmdb.validation import replace_unstorable
from target_crmdb.validation.text import has_unstorable

Message = dict[str, Any]

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
# escapes of NUL and of surrogates; most surrogates come in pairs and are fine, so a hit is looked at closely
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_SUSPECT_TEXT = re.compile(_SUSPECT.pattern.decode())

_logger = logging.getLogger(__name__)


class Envelope(msgspec.Struct, gc=False):
    """A RECORD message whose record is still JSON text."""

    type: str
    stream: str | None = None
    record: msgspec.Raw = msgspec.Raw(b"null")
    version: int | None = None
    time_extracted: str | None = None


_open_envelope = msgspec.json.Decoder(Envelope).decode


def envelope_of(line: bytes) -> Envelope | None:
    """Open the message of a line; None if it is none, or too odd to be opened so."""
    try:
        return _open_envelope(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


class Listener(Protocol):
    """Who hears of what is read."""

    def take_lines(self, lines: Sequence[bytes], begin: int, number: int, otherwise: Callable[[int], None]) -> int:
        """Take lines from `begin` on unread, as far as they are records like the last one; give how many.

        The first is line `number` of the input; those that must go another way are handed to `otherwise`, by place.
        """

    def take_raw(self, envelope: Envelope, line: bytes, number: int) -> bool:
        """Take a record as JSON text, if that is possible."""

    def reject_line(self, error: ProtocolError) -> None:
        """Take note of a line that is not a message, or comes at the wrong place."""

    def patience(self) -> float | None:
        """For how many seconds nothing needs to be done if no message comes; None for ever."""

    def idle(self) -> None:
        """Nothing has come for that time."""

    def abort(self, error: BaseException) -> None:
        """Reading ends with an error."""


class MessageReader(GenericSingerReader[bytes]):
    """Reads bytes from stdin, or text from a test; `line` and `line_number` are those of the current message."""

    numbered: ClassVar[str] = "Line"
    """What `line_number` counts."""

    def __init__(self, listener: Listener, *, sanitize: bool) -> None:
        super().__init__()
        self._listener = listener
        self._sanitize = sanitize
        self._unknown: set[str] = set()
        self.line: bytes | str = b""
        self.line_number = 0
        self.unstorable = False
        self.torn = False

    @property
    @override
    def default_input(self) -> IO[bytes]:
        return sys.stdin.buffer

    @override
    def process_lines(
        self, file_input: IO[bytes] | None, callbacks: dict[str, Callable[[Message], None]]
    ) -> Counter[str]:
        """Hand every message to its callback until the input ends; give the number of messages by type."""
        try:
            return self._process(file_input or self.default_input, callbacks)
        except BaseException as error:
            self._listener.abort(error)
            raise

    @override
    def deserialize_json(self, line: bytes | str) -> Message:
        """Decode a line; numbers with a point become Decimals, never floats. Raises BrokenMessageError."""
        message = self._decoded(line)
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise BrokenMessageError("The line is not a Singer message")
        return self._storable(message, line)

    def read_record(self, text: bytes, batch: BatchMessage, callback: Callable[[Message], None]) -> None:
        """Hand over a record of a batch file as if it had come in a RECORD message; a broken one is rejected."""
        line = batch.as_record(text)
        envelope = Envelope("RECORD", batch.stream, msgspec.Raw(text), batch.version, batch.time_extracted)
        if not _is_suspect(text) and self._listener.take_raw(envelope, line, self.line_number):
            return
        self.line = text
        try:
            record = self._decoded(text)
            if not isinstance(record, dict):
                raise BrokenMessageError("A line of a batch file is not a record", stream=batch.stream)
            self.line = line
            message = {"type": "RECORD", "stream": batch.stream, "record": record, "version": batch.version}
            callback(self._storable({**message, "time_extracted": batch.time_extracted}, text))
        except ProtocolError as error:
            error.stream = error.stream or batch.stream
            self._broken(error, complete=True)

    def _storable(self, message: Message, line: bytes | str) -> Message:
        self.unstorable = _is_suspect(line) and has_unstorable(message)
        if self.unstorable and self._sanitize:
            self.unstorable = False
            return dict(replace_unstorable(message))
        return message

    def _process(self, source: IO[bytes], callbacks: Mapping[str, Callable[[Message], None]]) -> Counter[str]:
        counts: Counter[str] = Counter()
        source_lines = InputLines(source, self._listener.patience)
        for lines in source_lines:
            if lines is None:
                self._listener.idle()
            else:
                self._take_lines(lines, callbacks, counts, complete=source_lines.complete)
        return counts

    def _take_lines(
        self,
        lines: Sequence[bytes | str],
        callbacks: Mapping[str, Callable[[Message], None]],
        counts: Counter[str],
        *,
        complete: bool,
    ) -> None:
        """Have records taken many at a time, and every other line alone, in their order."""
        number = self.line_number + 1  # of the first
        alone = 0

        def take_alone(place: int) -> None:
            nonlocal alone
            alone += 1
            self.line_number, self.line = number + place, lines[place]
            if self._take_raw(self.line):
                counts["RECORD"] += 1
            elif self.line and not self.line.isspace():
                is_whole = complete or place < len(lines) - 1
                self._process_line(self.line, callbacks, counts, complete=is_whole)

        place = 0
        while place < len(lines):
            if isinstance(lines[place], bytes):
                before = alone
                taken = self._listener.take_lines(cast("Sequence[bytes]", lines), place, number + place, take_alone)
                counts["RECORD"] += taken - (alone - before)
                place += taken
            if place < len(lines):
                take_alone(place)
                place += 1
        self.line_number = number + len(lines) - 1

    def _take_raw(self, line: bytes | str) -> bool:
        """Hand a record over as JSON text if that goes; what goes wrong is found by the exact way."""
        if not isinstance(line, bytes) or _is_suspect(line):
            return False
        envelope = envelope_of(line)
        if envelope is None or envelope.type != "RECORD":
            return False
        return self._listener.take_raw(envelope, line, self.line_number)

    def _process_line(
        self,
        line: bytes | str,
        callbacks: Mapping[str, Callable[[Message], None]],
        counts: Counter[str],
        *,
        complete: bool,
    ) -> None:
        try:
            message = self.deserialize_json(line)
            self._dispatch(message, callbacks)
        except ProtocolError as error:
            self._broken(error, complete=complete)
        else:
            counts[message["type"]] += 1

    def _dispatch(self, message: Message, callbacks: Mapping[str, Callable[[Message], None]]) -> None:
        kind = message["type"]
        if callback := callbacks.get(kind):
            callback(message)
        elif kind not in self._unknown:
            self._unknown.add(kind)
            _logger.warning("Messages of an unknown type are ignored (first on line %d)", self.line_number)

    def _broken(self, error: ProtocolError, *, complete: bool) -> None:
        """Tell the target, unless this is the torn end of an input that was cut off."""
        if isinstance(error, BrokenMessageError) and not complete:
            self.torn = True
            _logger.warning("The input ends within line %d; that line is left out", self.line_number)
            return
        _logger.warning("%s %d: %s", self.numbered, self.line_number, error)
        self._listener.reject_line(error)

    @staticmethod
    def _decoded(line: bytes | str) -> Any:
        try:
            return _decode(line)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return _decoded_slowly(line)


def _is_suspect(line: bytes | str) -> bool:
    """Tell whether a line may have a character that Postgres cannot hold."""
    # one letter is found many times faster than two
    if isinstance(line, bytes):
        return b"\\" in line and _SUSPECT.search(line) is not None
    return "\\" in line and _SUSPECT_TEXT.search(line) is not None


def _decoded_slowly(line: bytes | str) -> Any:
    """Decode what msgspec refuses: lone surrogates are replaced later, NaN and Infinity fail validation later."""
    try:
        return json.loads(line, parse_float=Decimal, parse_constant=Decimal)
    except RecursionError as error:
        raise BrokenMessageError("The line is nested too deeply") from error
    except ValueError:
        raise BrokenMessageError("The line is not JSON") from None  # the error holds the line
