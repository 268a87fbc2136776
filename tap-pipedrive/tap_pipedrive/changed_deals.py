"""Which deals a window has: listed once for all streams of what hangs on deals, ascending by id."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_pipedrive.reading import CursorReader, Source, chains_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmdb_core.http import ApiSession
    from crmdb_core.window import ReadWindow
    from tap_pipedrive.exceptions import UnreadableError

    Row = dict[str, Any]

__all__ = ["ChangedDeals", "Deal"]

_COUNTS = ("products_count", "participants_count", "followers_count")


@dataclass(frozen=True, slots=True)
class Deal:
    """What is needed of a deal to ask for what hangs on it. A count is None where the API does not tell it."""

    id: int
    add_time: str | None
    update_time: str | None
    stage_change_time: str | None
    stage_id: int | None
    counts: tuple[int | None, ...]

    def has(self, name: str) -> bool:
        """Whether something hangs on it, by the name of its count; True where that is not known."""
        return name not in _COUNTS or self.counts[_COUNTS.index(name)] != 0


@dataclass(frozen=True, slots=True)
class _Listed:
    """The deals of a window, and what of it could not be read."""

    deals: Sequence[Deal]
    trouble: UnreadableError | None


class ChangedDeals:
    """Lists the deals of windows; each window's only once, whichever thread asks first."""

    def __init__(self, session: ApiSession, size: int, *, archived: bool) -> None:
        self._session = session
        self._size = size
        asked = {"status": "open,won,lost", "include_fields": ",".join(_COUNTS)}
        paths = ("/api/v2/deals", "/api/v2/deals/archived") if archived else ("/api/v2/deals",)
        self.sources = tuple(Source(path, asked) for path in paths)
        self._lock = threading.Lock()
        self._known: dict[tuple[Any, Any], _Listed] = {}

    def trouble(self, window: ReadWindow) -> UnreadableError | None:
        """What of a window, already listed, could not be read."""
        listed = self._known.get((window.low, window.high))
        return None if listed is None else listed.trouble

    def of(self, window: ReadWindow) -> Sequence[Deal]:
        """The deals of a window, by id."""
        if window.is_empty:
            return ()
        key = (window.low, window.high)
        with self._lock:  # who asks meanwhile waits for the same list
            if key not in self._known:
                self._known[key] = self._listed(window)
            return self._known[key].deals

    def _listed(self, window: ReadWindow) -> _Listed:
        reader = CursorReader(self._session, chains_of(self.sources, window), self._size)
        found = {row["id"]: _deal(row) for page in reader.pages(None) for row in page.rows}
        return _Listed([found[key] for key in sorted(found)], reader.unreadable)


def _deal(row: Row) -> Deal:
    stamps = (row.get("add_time"), row.get("update_time"), row.get("stage_change_time"))
    return Deal(row["id"], *stamps, row.get("stage_id"), tuple(row.get(name) for name in _COUNTS))
