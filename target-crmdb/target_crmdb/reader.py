"""Read Singer messages line by line: numbers exact, broken lines told to the target, never shown in a log."""

import json
import logging
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import IO, Any, Protocol

import msgspec
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from typing_extensions import override

from target_crmdb.exceptions import BrokenMessageError, ProtocolError
from target_crmdb.validation import replace_unstorable
from target_crmdb.validation.text import has_unstorable

Message = dict[str, Any]

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
# escapes of NUL and of surrogates; most surrogates come in pairs and are fine, so a hit is looked at closely
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_SUSPECT_TEXT = re.compile(_SUSPECT.pattern.decode())

_logger = logging.getLogger(__name__)


class Listener(Protocol):
    """Who hears of what is wrong with the input."""

    def reject_line(self, error: ProtocolError) -> None:
        """Take note of a line that is not a message, or comes at the wrong place."""

    def abort(self, error: BaseException) -> None:
        """Reading ends with an error."""


class MessageReader(GenericSingerReader[bytes]):
    """Reads bytes from stdin, or text from a test; `line` and `line_number` are those of the current message."""

    def __init__(self, listener: Listener, *, sanitize: bool) -> None:
        super().__init__()
        self._listener = listener
        self._sanitize = sanitize
        self._unknown: set[str] = set()
        self.line: bytes | str = b""
        self.line_number = 0
        self.unstorable = False

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
        suspect = _SUSPECT.search(line) if isinstance(line, bytes) else _SUSPECT_TEXT.search(line)
        self.unstorable = bool(suspect) and has_unstorable(message)
        if self.unstorable and self._sanitize:
            self.unstorable = False
            return dict(replace_unstorable(message))
        return message

    def _process(self, lines: IO[bytes], callbacks: Mapping[str, Callable[[Message], None]]) -> Counter[str]:
        counts: Counter[str] = Counter()
        for self.line_number, self.line in enumerate(lines, 1):
            if self.line.isspace():
                continue
            try:
                message = self.deserialize_json(self.line)
                self._dispatch(message, callbacks)
            except ProtocolError as error:
                self._broken(error)
            else:
                counts[message["type"]] += 1
        return counts

    def _dispatch(self, message: Message, callbacks: Mapping[str, Callable[[Message], None]]) -> None:
        kind = message["type"]
        if callback := callbacks.get(kind):
            callback(message)
        elif kind not in self._unknown:
            self._unknown.add(kind)
            _logger.warning("Messages of an unknown type are ignored (first on line %d)", self.line_number)

    def _broken(self, error: ProtocolError) -> None:
        """Tell the target, unless this is the torn end of an input that was cut off."""
        if isinstance(error, BrokenMessageError) and self.line[-1:] not in {b"\n", "\n"}:
            _logger.warning("The input ends within line %d; that line is left out", self.line_number)
            return
        _logger.warning("Line %d: %s", self.line_number, error)
        self._listener.reject_line(error)

    @staticmethod
    def _decoded(line: bytes | str) -> Any:
        try:
            return _decode(line)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return _decoded_slowly(line)


def _decoded_slowly(line: bytes | str) -> Any:
    """Decode what msgspec refuses: lone surrogates are replaced later, NaN and Infinity fail validation later."""
    try:
        return json.loads(line, parse_float=Decimal, parse_constant=Decimal)
    except RecursionError as error:
        raise BrokenMessageError("The line is nested too deeply") from error
    except ValueError:
        raise BrokenMessageError("The line is not JSON") from None  # the error holds the line
