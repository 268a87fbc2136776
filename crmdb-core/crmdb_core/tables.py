"""Tables and durations as plain text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["aligned", "duration"]

_MINUTE, _HOUR = 60, 3600


def aligned(rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()) -> Iterator[str]:
    """Rows of equally many cells as lines whose columns stand below each other; those of `right` end together."""
    cells = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        sides = (
            text.rjust(w) if at in right else text.ljust(w)
            for at, (text, w) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(sides).rstrip()


def duration(seconds: float) -> str:
    """A duration in the unit that fits it: `40 s`, `12 min`, `1.5 h`."""
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < 2 * _HOUR else f"{seconds / _HOUR:.1f} h"
