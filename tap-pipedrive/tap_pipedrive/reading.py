"""What lies in a window, by the time of the last update: in v2 by cursors, in v1 by offsets that hold their place.

A delta reads [since, until), both cut to the second, for the API refuses fractions; `until` stays where it was when the
run began, so the set that is paged through does not grow. A whole read has neither: rows that are edited meanwhile move
to the end, and are read there. A row may come twice, and none is missed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import ApiError
from crmdb_core.instants import parse_instant
from crmdb_core.stream import Page
from tap_pipedrive.paging import OffsetList, StandstillError, cursor_pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from crmdb_core.http import ApiSession
    from crmdb_core.window import ReadWindow

    Row = dict[str, Any]

__all__ = ["Chain", "CursorReader", "OffsetChain", "OffsetReader", "Source", "chains_of", "seconds"]

_BAD_REQUEST = 400
_STAMP = "update_time"


def seconds(instant: datetime) -> str:
    """An instant as the API takes it: RFC 3339, UTC, whole seconds (rounded down)."""
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Source:
    """A list of v2, what it takes besides, and whether it knows `updated_until`."""

    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    takes_until: bool = True


@dataclass(frozen=True)
class Chain:
    """One list from one instant on, up to another."""

    source: Source
    since: datetime | None
    until: datetime | None


def chains_of(sources: Sequence[Source], window: ReadWindow) -> list[Chain]:
    """The lists of a window, one after the other.

    Of several, a whole read ends with what the first has got since it began: a row may have come back out of the
    archive between the two.
    """
    if window.low is not None:
        return [Chain(source, window.low, window.high) for source in sources]
    again = [Chain(sources[0], window.high, None)] if len(sources) > 1 else []
    return [*(Chain(source, None, None) for source in sources), *again]


@dataclass
class CursorReader:
    """Reads chains of v2, ascending by update; a point is a cursor, and the second to go on from without it."""

    session: ApiSession
    chains: Sequence[Chain]
    size: int

    def pages(self, point: Mapping[str, Any] | None) -> Iterator[Page]:
        """Pages from a point on."""
        at = _place(point, len(self.chains))
        for number, chain in enumerate(self.chains):
            if number >= at:
                start = point if point is not None and number == at else {}
                yield from self._chain(number, chain, start.get("cursor"), _instant(start.get("since")))

    def _chain(self, number: int, chain: Chain, cursor: str | None, since: datetime | None) -> Iterator[Page]:
        recent = _Recent(since)
        tried: set[datetime | None] = set()
        while True:
            low = chain.since if cursor is not None else recent.latest or chain.since
            try:
                for rows, after in self._pages_from(chain, low, cursor):
                    new = [row for row in rows if recent.is_new(row)]
                    is_last = after is None or self._is_past(chain, rows)
                    yield Page(self._cut(chain, new), _point(number, after, recent.latest, is_last=is_last))
                    if is_last:
                        break
                    cursor = after
            except ApiError as error:
                lost = isinstance(error, StandstillError) or (cursor is not None and error.status == _BAD_REQUEST)
                if not lost or recent.latest in tried:
                    raise
                tried.add(recent.latest)
                cursor = None  # it is over, or leads nowhere: go on from the last second that was read
            else:
                return

    def _pages_from(
        self, chain: Chain, low: datetime | None, cursor: str | None
    ) -> Iterator[tuple[list[Row], str | None]]:
        params: Row = {"limit": self.size, "sort_by": _STAMP, "sort_direction": "asc", **chain.source.params}
        if low is not None:
            params["updated_since"] = seconds(low)
        if chain.until is not None and chain.source.takes_until:
            params["updated_until"] = seconds(chain.until)
        return cursor_pages(self.session, chain.source.path, params, cursor)

    @staticmethod
    def _cut(chain: Chain, rows: list[Row]) -> list[Row]:
        if chain.until is None or chain.source.takes_until:
            return rows
        return list(_before(rows, chain.until))

    @staticmethod
    def _is_past(chain: Chain, rows: list[Row]) -> bool:
        """Whether the list, which knows no end, is read up to the end of the window."""
        if chain.until is None or chain.source.takes_until or not rows:
            return False
        stamp = _instant(rows[-1].get(_STAMP))
        return stamp is not None and stamp >= chain.until.replace(microsecond=0)


def _point(number: int, cursor: str | None, latest: datetime | None, *, is_last: bool) -> Row:
    if is_last:
        return {"chain": number + 1}
    return {"chain": number, "cursor": cursor, "since": None if latest is None else seconds(latest)}


class _Recent:
    """Knows the rows of this page, the last one and the latest second, so that none is given out twice."""

    def __init__(self, latest: datetime | None) -> None:
        self.latest = latest
        self._known: dict[tuple[Any, Any], datetime | None] = {}

    def is_new(self, row: Row) -> bool:
        """Whether this version of the row has not come lately."""
        version = (row.get("id"), row.get(_STAMP))
        if version in self._known:
            return False
        stamp = _instant(row.get(_STAMP))
        if stamp is not None and (self.latest is None or stamp > self.latest):
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            self.latest = stamp
        self._known[version] = stamp
        return True


_MOST_KNOWN = 2_000


@dataclass(frozen=True)
class OffsetChain:
    """A list of v1; `until` cuts newer rows off. With `stop_before` it comes newest first, and ends with older ones."""

    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    stop_before: datetime | None = None
    until: datetime | None = None


@dataclass
class OffsetReader:
    """Reads chains of v1; a point is an offset and the row before it, and none where the newest come first."""

    session: ApiSession
    chains: Sequence[OffsetChain]
    size: int

    def pages(self, point: Mapping[str, Any] | None) -> Iterator[Page]:
        """Pages from a point on."""
        at = _place(point, len(self.chains))
        for number, chain in enumerate(self.chains):
            if number >= at:
                start = point if point is not None and number == at else {}
                yield from self._chain(number, chain, start)

    def _chain(self, number: int, chain: OffsetChain, start: Mapping[str, Any]) -> Iterator[Page]:
        listed = OffsetList(self.session, chain.path, chain.params, self.size)
        begin, before = _from(start)
        for rows, place in listed.pages(begin, before):
            point = {"chain": number, **place} if chain.stop_before is None else None
            yield Page(list(_before(_since(rows, chain.stop_before), chain.until)), point)
            if chain.stop_before is not None and any(_is_older(row, chain.stop_before) for row in rows):
                break
        yield Page([], {"chain": number + 1})


def _from(start: Mapping[str, Any]) -> tuple[int, tuple[Any, Any] | None]:
    """Where a point says that a list goes on, and the row before; its beginning, where STATE holds something else."""
    try:
        key, stamp = start["anchor"]
        return int(start["start"]), (key, stamp)
    except (KeyError, TypeError, ValueError):
        return 0, None


def _place(point: Mapping[str, Any] | None, chains: int) -> int:
    """Which chain a point is in; the first, where STATE holds something else."""
    at = (point or {}).get("chain", 0)
    return at if isinstance(at, int) and 0 <= at <= chains else 0


def _before(rows: Iterable[Row], until: datetime | None) -> Iterator[Row]:
    end = None if until is None else until.replace(microsecond=0)
    for row in rows:
        stamp = _instant(row.get(_STAMP))
        if end is None or stamp is None or stamp < end:
            yield row


def _since(rows: Iterable[Row], since: datetime | None) -> Iterator[Row]:
    return (row for row in rows if since is None or not _is_older(row, since))


def _is_older(row: Row, since: datetime) -> bool:
    stamp = _instant(row.get(_STAMP))
    return stamp is not None and stamp < since.replace(microsecond=0)


def _instant(text: Any) -> datetime | None:
    try:
        return None if text is None else parse_instant(text)
    except ValueError:
        return None
