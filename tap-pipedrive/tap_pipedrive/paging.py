"""The two ways in which Pipedrive hands out lists: cursors in v2, start and limit in v1. Neither skips a row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crmdb_core.http import ApiSession

Row = dict[str, Any]

_STANDSTILLS = 20


class StandstillError(ApiError):
    """A list that does not go on, however often its next page is asked for."""


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


@dataclass
class OffsetList:
    """A list by start and limit whose rows may move while it is read.

    Each page begins at the last row of the one before. If another row stands there, rows before it went away or moved
    on, and what slipped to the left is read again. `stamp` names what tells one version of a row from another; a page
    has two rows at least.
    """

    session: ApiSession
    path: str
    params: Mapping[str, Any]
    size: int
    stamp: str = "update_time"
    key: str = "id"
    _seen: set[tuple[Any, Any]] = field(default_factory=set)

    def pages(self, start: int = 0, anchor: tuple[Any, Any] | None = None) -> Iterator[tuple[list[Row], Row]]:
        """New rows, and the point from which another run goes on: `start` and the row that stood before it."""
        if anchor is not None:
            self._seen.add(anchor)
        still, size = 0, max(self.size, 2)
        while True:
            begin = max(start - 1, 0)
            answer = self.session.get_json(self.path, {**self.params, "start": begin, "limit": size})
            rows = rows_of(answer, self.path)
            if begin and not (rows and self._version(rows[0]) in self._seen):
                start = max(begin - size, 0)
                continue
            new = [row for row in rows if self._version(row) not in self._seen]
            self._seen.update(map(self._version, new))
            start = begin + len(rows)
            yield new, {"start": start, "anchor": list(self._version(rows[-1])) if rows else None}
            if not self._goes_on(answer, len(rows)):
                return
            still = 0 if new else still + 1
            if still >= _STANDSTILLS:
                raise StandstillError(f"GET {self.path} gives the same rows again and again; run again later")

    def _version(self, row: Row) -> tuple[Any, Any]:
        return row.get(self.key), row.get(self.stamp)

    def _goes_on(self, answer: Mapping[str, Any], rows: int) -> bool:
        """Whether there is a next page; where `pagination` is missing, a full page may have one."""
        told = (answer.get("additional_data") or {}).get("pagination")
        return rows >= max(self.size, 2) if told is None else bool(told.get("more_items_in_collection"))
