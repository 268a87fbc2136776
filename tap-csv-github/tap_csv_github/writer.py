"""Messages out: as all taps write them, and rows as whole lines, for an object per message takes most of the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmdb_core.messages import BufferedWriter

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LineWriter"]

_FULL = 256 * 1024


class LineWriter(BufferedWriter):
    """Takes lines that are messages already."""

    def write_lines(self, lines: Sequence[bytes]) -> None:
        """Buffer whole lines, newline included; a full buffer goes out."""
        self._lines.extend(lines)
        self._size += sum(map(len, lines))
        if self._size >= _FULL:
            self.flush()
