"""Reading one long list from several start points at once, and losing nothing whatever order it has.

HubSpot's list of records goes by a cursor, one page after the other. Here several chains of pages read it side by side,
each from a start point of its own **on to the first id that the chain behind it returned**. So whatever order the list
has, what lies before that id is read by the one chain, and what follows it by the other; a start point that is badly
chosen, or gone, costs time and never a record. Unverified: that `after` takes any id, as the vendor page "Using object
APIs" suggests (it is "the id of the next record"); where one is refused, the chain before it reads on.

Start points are chosen by number. Where ids do not ascend as numbers they make no sense: then the first chain that is
not at its end reads on alone.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import ApiError
from tap_hubspot.listing import RepeatedCursorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Json = dict[str, Any]

_WORTH_HALVING = 6  # pages; it takes one more call, for each chain reads into the next
_HEADS_KEPT = 5  # in STATE: the first of them may be gone when a killed run goes on
_REFUSED = 400


@dataclass(frozen=True)
class ListPage:
    """One page of a list: all ids on it, the rows of those that are still there, the cursor of the next."""

    ids: tuple[str, ...]
    rows: Sequence[Json]
    after: str | None

    def rows_before(self, place: int) -> Sequence[Json]:
        """The rows whose ids stand before a place."""
        mine = set(self.ids[:place])
        return tuple(row for row in self.rows if str(row["id"]) in mine)


@dataclass(eq=False)
class Chain:
    """From a start point on: how far it was read, and how far that was handed on.

    `heads` are the ids of its first page, at which the chain before it ends; `known` tells whether they are known.
    """

    start: str | None = None
    heads: tuple[str, ...] = ()
    known: bool = False
    restored: bool = False  # its start is a cursor of an earlier run
    begun: bool = False
    done: bool = False
    dropped: bool = False  # another one reads in its place
    emitted: str | None = None
    emitted_all: bool = False
    last_id: str | None = None
    stride: int = 1  # from the first id of a page to its last
    first_ids: tuple[str, ...] = ()
    first_page: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Nothing is handed on yet."""
        self.emitted = self.start


@dataclass(frozen=True)
class Piece:
    """Rows of a chain, and the cursor of what follows them in it; None at its end."""

    chain: Chain
    rows: Sequence[Json]
    after: str | None


class Chains:
    """The chains of one list.

    `read` gets the page at a cursor. `starts` gives further start points behind an id, ascending, one at a time; it is
    told how many records came up to there, and asked only if there is a second page. `saved` is what an earlier run's
    `emit` returned. `highest` tells the highest id, once known. When all start points are taken and a thread
    becomes free, the longest rest of a chain is halved: chains are seldom equally long, and nobody should have to wait
    for the last one.
    """

    def __init__(
        self,
        read: Callable[[str | None], ListPage],
        starts: Callable[[str | None, int], Iterator[str]] | None = None,
        saved: Mapping[str, Any] | None = None,
        *,
        highest: Callable[[], str | None] | None = None,
    ) -> None:
        self._read = read
        self._starts = starts
        self._highest = highest or (lambda: None)
        self._lock = threading.Lock()
        self._alone: Chain | None = None
        self._halves = True
        self._chains = list(_restored(saved)) if saved else [Chain(known=True)]

    def sources(self) -> Iterator[Iterator[Piece]]:
        """The pieces of each chain, for threads of their own."""
        yield from [self._pieces(chain) for chain in self._chains if not chain.done]
        if self._starts is None:
            return
        for start in self._more_starts(self._starts):
            with self._lock:
                if self._alone or self._chains[-1].done:
                    break
                if _reaches((self._chains[-1].last_id or "0",), start):
                    continue  # it was read past already
                chain = Chain(start)
                self._chains.append(chain)
            yield self._pieces(chain)
        while half := self._half():
            yield self._pieces(half)

    def _more_starts(self, starts: Callable[[str | None, int], Iterator[str]]) -> Iterator[str]:
        last = self._chains[-1]
        if _goes_on(last):
            yield from starts(last.first_ids[-1] if last.first_ids else last.start, len(last.first_ids))

    def _half(self) -> Chain | None:
        """A new chain from the middle of the longest rest on; None if it is not worth it."""
        for chain in tuple(self._chains):
            if not (chain.done or chain.dropped):
                chain.first_page.wait()
        with self._lock:
            live = [chain for chain in self._chains if not chain.dropped]
            ends = [*(chain.start for chain in live[1:]), self._highest()]
            left = [_pages_left(chain, end) for chain, end in zip(live, ends, strict=True)]
            place = max(range(len(live)), key=left.__getitem__, default=0)
            if self._alone or not self._halves or not left or left[place] < _WORTH_HALVING:
                return None
            half = Chain(str((int(live[place].last_id or 0) + int(ends[place] or 0)) // 2))
            self._chains.insert(self._chains.index(live[place]) + 1, half)
            return half

    def emit(self, piece: Piece) -> Json | None:
        """Note that a piece is handed on; returns what STATE has to keep to go on after a kill, if anything."""
        with self._lock:
            piece.chain.emitted, piece.chain.emitted_all = piece.after, piece.after is None
            # a chain that gave no page yet has handed on nothing: until then the one before it has to go there
            known = [chain for chain in self._chains if chain.known and not chain.dropped]
            behind = [*known[1:], None]
            rest = [
                [chain.emitted, list(after.heads[:_HEADS_KEPT]) if after and chain is not self._alone else []]
                for chain, after in zip(known, behind, strict=True)
                if not chain.emitted_all
            ]
        return {"chains": rest} if rest else None

    def _pieces(self, chain: Chain) -> Iterator[Piece]:
        """The chain's pages up to where the next one begins."""
        try:
            with self._lock:
                if chain.dropped:
                    return
                chain.begun = True
            cursor, cursors = chain.start, set[str | None]()
            while True:
                page = self._page(chain, cursor)
                if page is None:
                    return
                cursors.add(chain.start)  # settled by the first page
                piece = self._cut(chain, page)
                yield piece
                if piece.after is None:
                    return
                if piece.after in cursors:
                    msg = f"HubSpot repeated the cursor {piece.after} of a list of records; run again"
                    raise RepeatedCursorError(msg)
                cursors.add(piece.after)
                cursor = piece.after
        finally:
            chain.first_page.set()  # whoever waits for it must not do so for ever

    def _page(self, chain: Chain, cursor: str | None) -> ListPage | None:
        """A page; None where the list takes no such start point and the chain before reads on instead."""
        page = self._read_from(chain, cursor)
        if page is None or (not chain.known and _is_before(page.ids, chain.start)):
            with self._lock:
                chain.dropped = True
                self._halves = False
            return None
        chain.restored = False  # from here on the cursors are this run's
        with self._lock:
            if not chain.known and (page.ids or page.after is None):  # an empty page that goes on is no first one
                chain.heads, chain.known = page.ids, True
        if chain.known and not chain.first_page.is_set():
            chain.first_ids = page.ids
            chain.first_page.set()
        return page

    def _read_from(self, chain: Chain, cursor: str | None) -> ListPage | None:
        """The page at a cursor; None for a start point that is refused."""
        try:
            return self._read(cursor)
        except ApiError as error:
            if error.status != _REFUSED or (chain.known and not chain.restored):
                raise
        if not chain.restored:
            return None
        chain.start = None  # a cursor that is over: from the beginning, which costs time and no record
        return self._read(None)

    def _cut(self, chain: Chain, page: ListPage) -> Piece:
        """What of the page is this chain's to hand on."""
        behind = self._behind(chain, page.ids)
        with self._lock:
            if not _ascends(chain, page.ids) and self._alone is None:
                self._alone = next(each for each in self._chains if not (each.done or each.dropped))
            if self._alone not in {None, chain}:
                chain.dropped = chain.done = True
                return Piece(chain, (), None)
            if len(page.ids) > 1 and self._alone is None:
                chain.stride = int(page.ids[-1]) - int(page.ids[0])
            heads = frozenset() if behind is None or self._alone else frozenset(behind.heads)
            place = next((place for place, one in enumerate(page.ids) if one in heads), None)
            if place is None:
                chain.done = page.after is None
                return Piece(chain, page.rows, page.after)
            chain.done = True
            if place == 0 and page.ids == chain.heads:  # it has nothing of its own, for ids lie in heaps
                self._halves = False
            return Piece(chain, page.rows_before(place), None)

    def _behind(self, chain: Chain, ids: tuple[str, ...]) -> Chain | None:
        """The next chain; one that this page has come up to is waited for, or dropped if it has not begun."""
        while True:
            with self._lock:
                place = self._chains.index(chain) + 1
                behind = next((each for each in self._chains[place:] if not each.dropped), None)
                if behind is None or behind.known or not _reaches(ids, behind.start):
                    return behind
                if not behind.begun:
                    behind.dropped = True
                    continue
            behind.first_page.wait()
            if not (behind.known or behind.dropped):  # it failed, and the stream with it
                return None


def _restored(saved: Mapping[str, Any]) -> Iterator[Chain]:
    """Chains as they stood; behind each its stopping place, as a chain that is at its end."""
    for cursor, heads in saved["chains"]:
        yield Chain(cursor, known=True, restored=cursor is not None)
        if heads:
            yield Chain(heads=tuple(heads), known=True, done=True, emitted_all=True)


def _goes_on(chain: Chain) -> bool:
    """Whether a chain has more than one page."""
    if not chain.done:
        chain.first_page.wait()
    return not chain.done


def _ascends(chain: Chain, ids: tuple[str, ...]) -> bool:
    """Whether ids follow each other, and those before them, as numbers."""
    for one in ids:
        if not one.isdecimal() or (chain.last_id is not None and int(chain.last_id) >= int(one)):
            return False
        chain.last_id = one
    return True


def _pages_left(chain: Chain, end: str | None) -> int:
    """About how many pages a chain has up to where the next one starts; 0 where that cannot be told."""
    if chain.done or not (chain.last_id and chain.last_id.isdecimal() and end and end.isdecimal()):
        return 0
    return (int(end) - int(chain.last_id)) // chain.stride


def _is_before(ids: tuple[str, ...], start: str | None) -> bool:
    return bool(ids) and start is not None and ids[0].isdecimal() and int(ids[0]) < int(start)


def _reaches(ids: tuple[str, ...], start: str | None) -> bool:
    return any(not one.isdecimal() or int(one) >= int(start or 0) for one in ids)
