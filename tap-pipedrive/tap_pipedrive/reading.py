"""What lies in a window, by the time of the last update: in v2 by cursors, in v1 by offsets that hold their place.

A delta reads [since, until), both cut to the second, for the API refuses fractions; `until` stays where it was when the
run began, so the set that is paged through does not grow. A whole read has neither: rows that are edited meanwhile move
to the end, and are read there. A row may come twice, and none is missed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import ApiError, RetriesExhaustedError
from crmdb_core.instants import parse_instant
from crmdb_core.stream import Page
from tap_pipedrive.exceptions import StandstillError, UnreadableError
from tap_pipedrive.paging import OffsetList, cursor_pages, next_cursor, rows_of
from tap_pipedrive.unreadable import Side, around

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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
    """Reads chains of v2, ascending by update; a point is a cursor, and the second to go on from without it.

    A page that stays a server error is read around the row that makes it so; `unreadable` then says where it stands,
    and there are no more points, lest an interrupted run go on behind it.
    """

    session: ApiSession
    chains: Sequence[Chain]
    size: int
    unreadable: UnreadableError | None = None

    def pages(self, point: Mapping[str, Any] | None) -> Iterator[Page]:
        """Pages from a point on."""
        at = _place(point, len(self.chains))
        for number, chain in enumerate(self.chains):
            if number >= at:
                start = point if point is not None and number == at else {}
                pages = self._chain(number, chain, start.get("cursor"), _instant(start.get("since")))
                yield from (Page(page.rows) if self.unreadable else page for page in pages)

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
                if isinstance(error, RetriesExhaustedError) and error.by_server:
                    yield from self._around(number, chain, cursor, recent, error)
                    return
                lost = isinstance(error, StandstillError) or (cursor is not None and error.status == _BAD_REQUEST)
                if not lost or recent.latest in tried:
                    raise
                tried.add(recent.latest)
                cursor = None  # it is over, or leads nowhere: go on from the last second that was read
            else:
                return

    def _around(
        self, number: int, chain: Chain, cursor: str | None, recent: _Recent, error: ApiError
    ) -> Iterator[Page]:
        low = recent.latest or chain.since
        ascending = self._asking(chain, chain.since if cursor else low, "asc")
        before = Side(ascending, self.size, cursor, within=self.size, next_to=recent.last)
        behind = Side(self._asking(chain, low, "desc"), self.size)
        for side, rows in around(before, behind, error):
            new = self._cut(chain, [row for row in rows if recent.is_new(row)])
            point = _point(number, side.cursor, recent.latest, is_last=side.is_at_end) if side is before else None
            yield Page(new, point)
        # of a set that is not frozen, rows that were edited meanwhile are behind the other end by now
        if not (before.is_at_end or (behind.is_at_end and chain.until is not None)):
            self.unreadable = _unreadable(chain, before, behind)

    def _asking(
        self, chain: Chain, low: datetime | None, direction: str
    ) -> Callable[[str | None, int], tuple[list[Row], str | None]]:
        path, params = chain.source.path, self._params(chain, low)

        def ask(cursor: str | None, size: int) -> tuple[list[Row], str | None]:
            more = {"cursor": cursor} if cursor else {}
            answer = self.session.get_json(path, {**params, "sort_direction": direction, "limit": size, **more})
            return rows_of(answer, path), next_cursor(answer)

        return ask

    def _pages_from(
        self, chain: Chain, low: datetime | None, cursor: str | None
    ) -> Iterator[tuple[list[Row], str | None]]:
        return cursor_pages(self.session, chain.source.path, self._params(chain, low), cursor)

    def _params(self, chain: Chain, low: datetime | None) -> Row:
        params: Row = {"limit": self.size, "sort_by": _STAMP, "sort_direction": "asc", **chain.source.params}
        if low is not None:
            params["updated_since"] = seconds(low)
        if chain.until is not None and chain.source.takes_until:
            params["updated_until"] = seconds(chain.until)
        return params

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


def _unreadable(chain: Chain, before: Side, behind: Side) -> UnreadableError:
    ends = [("after", before.next_to), ("before", behind.next_to)]
    known = [f"{word} id {one}" for word, one in ends if one is not None]
    where = f"between id {before.next_to} and id {behind.next_to}" if len(known) > 1 else "".join(known)
    return UnreadableError(
        f"GET {chain.source.path}: Pipedrive answers a server error for what stands {where} by time of update; "
        "all others were read; the next run tries again"
    )


class _Recent:
    """Knows the rows of this page, the last one and the latest second, so that none is given out twice."""

    def __init__(self, latest: datetime | None) -> None:
        self.latest = latest
        self.last: Any = None
        """The id of the row that came last."""
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
        self.last = row.get("id")
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
    """Reads chains of v1; a point is an offset and the row before it, and none where the newest come first.

    Rows that stay a server error are passed over, as by the `CursorReader`.
    """

    session: ApiSession
    chains: Sequence[OffsetChain]
    size: int
    unreadable: UnreadableError | None = None

    def pages(self, point: Mapping[str, Any] | None) -> Iterator[Page]:
        """Pages from a point on."""
        at = _place(point, len(self.chains))
        for number, chain in enumerate(self.chains):
            if number >= at:
                start = point if point is not None and number == at else {}
                pages = self._chain(number, chain, start)
                yield from (Page(page.rows) if self.unreadable else page for page in pages)

    def _chain(self, number: int, chain: OffsetChain, start: Mapping[str, Any]) -> Iterator[Page]:
        listed = OffsetList(self.session, chain.path, chain.params, self.size, passes_over=True)
        begin, before = _from(start)
        for rows, place in listed.pages(begin, before):
            if listed.passed_over:
                self.unreadable = _passed_over(chain, listed.passed_over)
            point = {"chain": number, **place} if chain.stop_before is None else None
            yield Page(list(_before(_since(rows, chain.stop_before), chain.until)), point)
            if chain.stop_before is not None and any(_is_older(row, chain.stop_before) for row in rows):
                break
        yield Page([], {"chain": number + 1})


def _passed_over(chain: OffsetChain, places: Sequence[int]) -> UnreadableError:
    return UnreadableError(
        f"GET {chain.path}: Pipedrive answers a server error for {len(set(places))} rows, the first at "
        f"start={places[0]}; all others were read; the next run tries again"
    )


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
