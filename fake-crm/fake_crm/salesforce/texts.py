"""Rows that were written out once and are given again, for as long as they are what they were."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.values import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fake_crm.salesforce.values import Row

_MOST_ROWS = 400_000


class RowTexts:
    """The text of rows by how they are written; the ways used longest ago are forgotten first."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Any, ...], dict[str, tuple[Row, str]]] = OrderedDict()

    def of(self, way: tuple[Any, ...], rows: Iterable[Row], writer: Callable[[Row], str]) -> Iterator[str]:
        """The text of rows, one by one."""
        known = self._known.setdefault(way, {})
        self._known.move_to_end(way)
        while len(self._known) > 1 and sum(map(len, list(self._known.values()))) > _MOST_ROWS:
            self._known.popitem(last=False)
        for row in rows:
            key = key_of(row)
            found = known.get(key)
            if found is None or found[0] is not row:
                found = known[key] = (row, writer(row))
            yield found[1]
