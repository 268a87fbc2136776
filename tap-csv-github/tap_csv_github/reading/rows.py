"""Lines to rows of cells, every row with its line; a quote that is never closed costs its own line and no other."""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_csv_github.reading.text import MOST_CHARACTERS, CutLine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_csv_github.reading.dialects import Dialect
    from tap_csv_github.reading.text import Text

__all__ = ["BadLine", "Block", "Even", "RowReader"]

_MOST_LINES = 10_000
_MOST_HEADER_LINES = 100
_MOST_HEADER_CHARACTERS = 1024 * 1024
_SHOWN = 64 * 1024


@dataclass(frozen=True)
class BadLine:
    """A line that is no row by itself and cannot be the beginning of one; `text` goes into the data, not into logs."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class Even:
    """Rows that each stand on one line of their own, from the line `first` on; an empty one is none."""

    first: int
    rows: list[list[str]]

    def items(self) -> list[tuple[int, list[str]] | BadLine]:
        """The same, one by one."""
        return [(line, cells) for line, cells in enumerate(self.rows, self.first) if cells]


Items = list[tuple[int, list[str]] | BadLine]
Block = Items | Even


class RowReader:
    """Reads rows in blocks: pairs of a line number (of the row's first line) and its cells, or a `BadLine`.

    The standard library's parser does the work, in strict mode, so that a quote in a wrong place is an error instead of
    a cell that swallows what follows. Where it fails, the line at which the row began is given as bad and reading goes
    on with the next. A row may have 10,000 lines and 4 million characters.
    """

    def __init__(self, text: Text, dialect: Dialect) -> None:
        self._text = text
        self._ahead: list[str] = []
        self._options = dialect.options()
        self._line = 1
        self.width = 0
        self.has_whole_header = True
        """Whether the header ends with its line, not with the text."""
        csv.field_size_limit(sys.maxsize)  # the parser's own limit is the process's; the row's is above

    def skip(self, count: int) -> None:
        """Pass over so many lines."""
        for _ in range(count):
            self._next_line()
        self._line += count

    def header(self) -> list[str]:
        """The first row that is not empty, [] if there is none; ValueError if it is none that could be one."""
        lines: list[str] = []
        while line := self._next_line():
            lines.append(line)
            if sum(map(len, lines)) > _MOST_HEADER_CHARACTERS:
                raise ValueError(f"its header is longer than {_MOST_HEADER_CHARACTERS:,} characters")
            try:
                row = next(csv.reader(lines, **self._options), [])
            except csv.Error:
                if len(lines) < _MOST_HEADER_LINES:
                    continue
                raise ValueError("a quote in its header is never closed") from None
            self._line += len(lines)
            lines = []
            if row:
                self.has_whole_header = line[-1] in "\r\n"
                return row
        if lines:
            raise ValueError("a quote in its header is never closed")
        return []

    def _next_line(self) -> str:
        if not self._ahead:
            self._ahead = self._text.lines()[::-1]
        return self._ahead.pop() if self._ahead else ""

    def blocks(self) -> Iterator[Block]:
        """All rows; empty lines are none."""
        more, waiting = self._ahead[::-1] or self._text.lines(), list[str]()
        self._ahead = []
        while more or waiting:
            is_cut = bool(more) and isinstance(more[0], CutLine)
            even = None if waiting or is_cut else self._even(more)
            if even is not None:
                self._line += len(more)
                yield even
            else:
                lines = waiting if is_cut else waiting + more
                block: Items = []
                used = self._take(lines, block, at_end=is_cut or not more)
                self._line += used
                waiting = lines[used:]
                if is_cut:
                    block.append(self._too_long(more[0]))
                if block:
                    yield block
            more = self._text.lines()

    def _too_long(self, line: str) -> BadLine:
        reason = f"the line is longer than {MOST_CHARACTERS:,} characters; only its beginning is kept"
        found = BadLine(self._line, reason, line[:_SHOWN])
        self._line += 1
        return found

    def _even(self, lines: list[str]) -> Even | None:
        """The rows of these lines if there are as many: then each line is one. It is so in most files, and quickest."""
        try:
            rows = list(csv.reader(lines, **self._options))
        except csv.Error:
            return None
        return Even(self._line, rows) if len(rows) == len(lines) else None

    def _take(self, lines: list[str], block: Items, *, at_end: bool) -> int:
        """Put the rows of these lines into the block; says how many lines are done with."""
        done = 0
        while done < len(lines):
            done, error = self._parse(lines, done, block)
            if error is None:
                continue
            is_open = error == "unexpected end of data"
            if is_open and not at_end and not _is_too_long(lines, done):
                break
            reason = "a quote is never closed" if is_open else "a quote stands where none may"
            block.append(BadLine(self._line + done, reason, lines[done]))
            done += 1
        return done

    def _parse(self, lines: list[str], start: int, block: Items) -> tuple[int, str | None]:
        """Parse from a line on; where it stopped, and why."""
        reader = csv.reader(lines[start:] if start else lines, **self._options)
        done, append, first = start, block.append, self._line
        try:
            for cells in reader:
                end = start + reader.line_num
                if end - done > 1 and self.width and len(cells) != self.width and self._swallowed(lines, done, end):
                    return done, "a swallowed row"
                if cells:
                    append((first + done, cells))
                done = end
        except csv.Error as error:
            return done, str(error)
        return done, None

    def _swallowed(self, lines: list[str], start: int, end: int) -> bool:
        """Whether a row over several lines that does not fit is an unclosed quote before rows that do fit."""
        try:
            rest = [next(csv.reader([line], **self._options), []) for line in lines[start + 1 : end]]
        except csv.Error:
            return False
        return all(len(cells) == self.width for cells in rest)


def _is_too_long(lines: list[str], start: int) -> bool:
    return len(lines) - start > _MOST_LINES or sum(map(len, lines[start:])) > MOST_CHARACTERS
