"""Bytes to whole lines, a piece at a time; what is longer than any row may be is never held as a whole."""

from __future__ import annotations

import codecs
import io
import re
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from tap_csv_github.reading.encodings import Encoding

__all__ = ["MOST_CHARACTERS", "CutLine", "Text"]

CHUNK = 256 * 1024
# In JSON a character takes six bytes at most: so a record stays below the 50 MiB above which Meltano ends a run.
MOST_CHARACTERS = 4 * 1024 * 1024
_LINE_END = re.compile(r"\r\n|\n|\r(?=.)", re.DOTALL)


class CutLine(str):
    """The beginning of a line that is too long to be taken; the rest of it is passed over."""

    __slots__ = ()


class Text:
    """The lines of a stream of bytes, ends included, whichever of the three kinds they are."""

    def __init__(self, stream: IO[bytes], encoding: Encoding) -> None:
        self._stream = stream
        self._errors = encoding.errors
        self._decoder = codecs.getincrementaldecoder(encoding.name)(encoding.errors)
        self._rest = ""
        self._is_cut = False
        self._is_at_end = False

    def lines(self) -> list[str]:
        """The next whole lines, or one `CutLine`; none at the end."""
        while not self._is_at_end:
            text = self._rest + self._decoded()
            if self._is_cut:
                text = self._after_cut(text)
            end = len(text) if self._is_at_end else _whole(text)
            self._rest = text[end:]
            if end:
                return io.StringIO(text[:end], newline="").readlines()
            if len(text) > MOST_CHARACTERS:
                self._rest, self._is_cut = "", True
                return [CutLine(text)]
        return []

    def _decoded(self) -> str:
        chunk = self._stream.read(CHUNK)
        self._is_at_end = not chunk
        try:
            return self._decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError:  # no single bytes that could be kept: half a character of UTF-16
            self._decoder.errors = "replace"
            try:
                return self._decoder.decode(chunk, final=not chunk)
            finally:
                self._decoder.errors = self._errors

    def _after_cut(self, text: str) -> str:
        """What stands behind the line that was cut; a carriage return at the end may be half of a line end."""
        found = _LINE_END.search(text)
        if found:
            self._is_cut = False
            return text[found.end() :]
        return "\r" if text.endswith("\r") and not self._is_at_end else ""


def _whole(text: str) -> int:
    """Where the last whole line ends; a carriage return at the end is none yet."""
    return text.rfind("\n") + 1 or text.rfind("\r", 0, -1) + 1
