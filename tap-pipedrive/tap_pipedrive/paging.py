"""The two ways in which Pipedrive hands out lists: cursors in v2, start and limit in v1. Neither skips a row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import ApiError, RetriesExhaustedError
from tap_pipedrive.exceptions import StandstillError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crmdb_core.http import ApiSession

Row = dict[str, Any]

_STANDSTILLS = 20
_MOST_PASSED_OVER = 5  # of one page; with more of them it is the list that is ill, and not a row


def rows_of(answer: Any, path: str) -> list[Row]:
    """The rows of an answer; v1 has null for none."""
    if not isinstance(answer, dict) or answer.get("success") is False:
        raise ApiError(f"GET {path} was answered without success; run again later", path=path)
    data = answer.get("data")
    if data is not None and not isinstance(data, list):
        raise ApiError(f"GET {path} was answered with something else than a list; run again later", path=path)
    return data or []


def next_cursor(answer: Mapping[str, Any]) -> str | None:
    """The cursor of the next page; some lists have no `additional_data`."""
    after = (answer.get("additional_data") or {}).get("next_cursor")
    return str(after) if after else None


def cursor_pages(
    session: ApiSession, path: str, params: Mapping[str, Any], cursor: str | None = None
) -> Iterator[tuple[list[Row], str | None]]:
    """Pages with the cursor behind each; a cursor that came before raises StandstillError."""
    seen = {cursor}
    while True:
        answer = session.get_json(path, {**params, **({"cursor": cursor} if cursor else {})})
        rows, cursor = rows_of(answer, path), next_cursor(answer)
        if cursor is not None and cursor in seen:
            yield rows, cursor
            raise StandstillError(f"GET {path} gave a cursor that it had given before; run again later", path=path)
        yield rows, cursor
        if cursor is None:
            return
        seen.add(cursor)


@dataclass(frozen=True)
class _Part:
    """Rows of a list, how many places they take in it, and whether more come behind them."""

    rows: list[Row]
    covered: int
    goes_on: bool


@dataclass
class OffsetList:
    """A list by start and limit whose rows may move while it is read.

    Each page begins at the last row of the one before. If another row stands there, rows before it went away or moved
    on, and what slipped to the left is read again. `stamp` names what tells one version of a row from another; a page
    has two rows at least. With `passes_over`, a page that stays a server error is read in halves, and the rows that
    make it so are passed over.
    """

    session: ApiSession
    path: str
    params: Mapping[str, Any]
    size: int
    stamp: str = "update_time"
    key: str = "id"
    passes_over: bool = False
    passed_over: list[int] = field(default_factory=list)
    """Where rows stand that could not be read."""
    _seen: set[tuple[Any, Any]] = field(default_factory=set)

    def pages(self, start: int = 0, anchor: tuple[Any, Any] | None = None) -> Iterator[tuple[list[Row], Row]]:
        """New rows, and the point from which another run goes on: `start` and the row that stood before it."""
        if anchor is not None:
            self._seen.add(anchor)
        still, size = 0, max(self.size, 2)
        while True:
            begin = start if start - 1 in self.passed_over else max(start - 1, 0)
            part = self._page(begin, size)
            rows = part.rows
            if self._slipped(begin, start, rows):
                start = max(begin - size, 0)
                continue
            new = [row for row in rows if self._version(row) not in self._seen]
            self._seen.update(map(self._version, new))
            start = begin + part.covered
            yield new, {"start": start, "anchor": list(self._version(rows[-1])) if rows else None}
            if not part.goes_on:
                return
            still = 0 if new else still + 1
            if still >= _STANDSTILLS:
                raise StandstillError(f"GET {self.path} gives the same rows again and again; run again later")

    def _slipped(self, begin: int, start: int, rows: list[Row]) -> bool:
        """Whether the page does not begin with the last row of the one before."""
        if begin == start or begin in self.passed_over:
            return False  # nothing is known of the row before
        return not (rows and self._version(rows[0]) in self._seen)

    def _page(self, begin: int, size: int) -> _Part:
        try:
            return self._asked(begin, size)
        except RetriesExhaustedError as error:
            if not (self.passes_over and error.by_server):
                raise
            sick: list[int] = []
            for place in (begin, begin + size):
                self._part(place, 1, sick)
            if len(sick) > 1:
                raise  # nothing can be read of the list
            sick.clear()
            part = self._part(begin, size, sick)
            if len(sick) > _MOST_PASSED_OVER:
                raise
            self.passed_over += sick
            return part

    def _part(self, begin: int, size: int, sick: list[int]) -> _Part:
        """Some rows, by halves where they are a server error; the places of those that are go to `sick`."""
        try:
            return self._asked(begin, size)
        except RetriesExhaustedError as error:
            if not error.by_server:
                raise
        if size == 1:
            sick.append(begin)
            return _Part([], 1, goes_on=True)
        first = self._part(begin, size // 2, sick)
        if not first.goes_on:
            return first
        second = self._part(begin + first.covered, size - size // 2, sick)
        return _Part([*first.rows, *second.rows], first.covered + second.covered, goes_on=second.goes_on)

    def _asked(self, begin: int, size: int) -> _Part:
        answer = self.session.get_json(self.path, {**self.params, "start": begin, "limit": size})
        rows = rows_of(answer, self.path)
        told = (answer.get("additional_data") or {}).get("pagination")
        # where `pagination` is missing, a full page may have a next one
        goes_on = len(rows) >= size if told is None else bool(told.get("more_items_in_collection"))
        return _Part(rows, len(rows), goes_on=goes_on)

    def _version(self, row: Row) -> tuple[Any, Any]:
        return row.get(self.key), row.get(self.stamp)
