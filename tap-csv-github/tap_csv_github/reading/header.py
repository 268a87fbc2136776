"""The names of columns: as the header has them, each once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["RESERVED", "column_names"]

RESERVED = "_sdc_"
"""Names that begin so are the lineage's."""


def column_names(header: Sequence[str]) -> tuple[str, ...]:
    """Distinct names: a blank one is called by its place, a second one gets a number, and so does a reserved one.

    A name that stands there for itself keeps it: `a, a, a_2` become `a, a_3, a_2`.
    """
    own = {name for name in header if name.strip() and not name.startswith(RESERVED)}
    taken: set[str] = set()
    names = []
    for place, cell in enumerate(header, 1):
        name = cell if cell.strip() else f"column_{place}"
        if name in taken or name.startswith(RESERVED) or (not cell.strip() and name in own):
            name = _free(name, taken | own)
        taken.add(name)
        names.append(name)
    return tuple(names)


def _free(name: str, taken: Iterable[str]) -> str:
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"
