"""The lines of standard input, and a word where none comes: a silent tap must not keep rows from being committed."""

import io
import os
import select
from collections.abc import Callable, Iterator
from typing import IO, Any

_CHUNK = 2**18
Line = bytes | str


class InputLines:
    """Lines without their newline; None where nothing came for `patience()` seconds (None: wait for ever).

    `complete` is False while the last line is one that the input ended in the midst of.
    """

    def __init__(self, source: IO[Any], patience: Callable[[], float | None]) -> None:
        self._source = source
        self._patience = patience
        self.complete = True

    def __iter__(self) -> Iterator[Line | None]:
        descriptor = _descriptor(self._source)
        return self._plain() if descriptor is None else self._timed(descriptor)

    def _plain(self) -> Iterator[Line | None]:
        for line in self._source:
            newline = "\n" if isinstance(line, str) else b"\n"
            self.complete = line.endswith(newline)
            yield line[:-1] if self.complete else line

    def _timed(self, descriptor: int) -> Iterator[bytes | None]:
        begun: list[bytes] = []  # the pieces of a line whose end has not come
        while True:
            if not select.select([descriptor], [], [], self._patience())[0]:
                yield None
                continue
            chunk = os.read(descriptor, _CHUNK)
            if not chunk:
                break
            first, *others = chunk.split(b"\n")
            begun.append(first)
            if others:
                yield b"".join(begun)
                yield from others[:-1]
                begun = [others[-1]]
        if rest := b"".join(begun):
            self.complete = False
            yield rest


def _descriptor(source: IO[Any]) -> int | None:
    """Give the descriptor of a binary file that nothing was read from yet; others are read as they are."""
    if not isinstance(source, io.BufferedReader):
        return None
    try:
        return source.fileno()
    except (OSError, ValueError):
        return None
