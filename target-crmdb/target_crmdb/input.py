"""The lines of standard input, and a word where none comes: a silent tap must not keep rows from being committed."""

import io
import os
import select
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import IO, Any

AT_ONCE = 2**18
"""Bytes of lines that come together, at most; a line that is longer comes with others for all that."""
_LINES = 256
Line = bytes | str


class InputLines:
    """Lines without their newline, as many as come at once; None where none came for `patience()` seconds.

    No patience means to wait for ever. `complete` is False while the last line is one that the input ended within.
    """

    def __init__(self, source: IO[Any], patience: Callable[[], float | None]) -> None:
        self._source = source
        self._patience = patience
        self.complete = True

    def __iter__(self) -> Iterator[Sequence[Line] | None]:
        descriptor = _descriptor(self._source)
        return self._plain() if descriptor is None else self._timed(descriptor)

    def _plain(self) -> Iterator[Sequence[Line]]:
        # nobody types bytes, and so nobody waits for those that are read ahead
        at_once = 1 if hasattr(self._source, "encoding") else _LINES
        while lines := list(islice(self._source, at_once)):
            newline = "\n" if isinstance(lines[0], str) else b"\n"
            self.complete = lines[-1].endswith(newline)
            yield [line.removesuffix(newline) for line in lines]

    def _timed(self, descriptor: int) -> Iterator[Sequence[bytes] | None]:
        begun: list[bytes] = []  # the pieces of a line whose end has not come
        while True:
            if not select.select([descriptor], [], [], self._patience())[0]:
                yield None
                continue
            chunk = os.read(descriptor, AT_ONCE)
            if not chunk:
                break
            lines = chunk.split(b"\n")
            if len(lines) == 1:
                begun.append(chunk)
                continue
            lines[0] = b"".join([*begun, lines[0]])
            begun = [lines.pop()]
            yield lines
        if rest := b"".join(begun):
            self.complete = False
            yield [rest]


def _descriptor(source: IO[Any]) -> int | None:
    """Give the descriptor of a binary file that nothing was read from yet; others are read as they are."""
    if not isinstance(source, io.BufferedReader):
        return None
    try:
        return source.fileno()
    except (OSError, ValueError):
        return None
