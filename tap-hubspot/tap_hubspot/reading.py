"""Reading one object type: whole by lists side by side, changed ones by keyset search, archived ones from the bin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from crmdb_core.concurrency import in_order, side_by_side
from crmdb_core.exceptions import ApiError, RetriesExhaustedError
from crmdb_core.stream import Page
from tap_hubspot.batch import BatchRead, batches
from tap_hubspot.chains import Chains, ListPage
from tap_hubspot.keyset import KeysetSearch, Modified
from tap_hubspot.listing import listed_ids
from tap_hubspot.starts import StartPoints
from tap_hubspot.unread import read_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tap_hubspot.batch import Batch
    from tap_hubspot.keyset import DecodingApi
    from tap_hubspot.keyset import Page as SearchPage
    from tap_hubspot.objects import CrmObject
    from tap_hubspot.paths import Paths

    Json = dict[str, Any]
    Point = Mapping[str, Any] | None

ROWS_A_LIST = 100  # vendor page "Using object APIs"
# 414 was seen at 16,200 characters of path and query, and Estuary's connector stays below 5 KiB: beyond this, the names
# go in the body of a batch read
LONGEST_QUERY = 8000
_TOO_LONG = 414


@dataclass(frozen=True)
class ObjectReader:
    """Reads the records of one object type with the given properties, as pages with the point to go on from.

    `page_size` is that of a search (at most 200), `workers` the number of calls under way at the same time. With
    `parallel` a long list is read from several start points. `on_total` is told how many records are to come,
    `on_missing` how many were gone between a search and the read of their values, `on_unreadable` the ids of those for
    which HubSpot answers a server error only.
    """

    api: DecodingApi
    paths: Paths
    object: CrmObject
    properties: tuple[str, ...]
    page_size: int = 200
    workers: int = 6
    parallel: bool = True
    on_total: Callable[[int], Any] = lambda _: None
    on_missing: Callable[[int], Any] = lambda _: None
    on_unreadable: Callable[[tuple[str, ...]], Any] = lambda _: None

    def whole(self, point: Point = None) -> Iterator[Page]:
        """Every live record, by the list: strongly consistent, 100 a call."""
        starts = None
        if self.parallel and self.workers > 1 and self.object.searchable:
            search = self.paths.search(self.object.path)
            starts = StartPoints(self.api, search, workers=self.workers, on_total=self.on_total)
        chains = Chains(self._lister(archived=False), starts, point, highest=starts.highest if starts else None)
        pieces = side_by_side(chains.sources(), workers=self.workers if starts else 1, ahead=2)
        for piece in pieces:
            yield Page(piece.rows, chains.emit(piece))

    def changed(
        self, low: datetime | None, high: datetime | None, point: Point = None, *, began: datetime | None = None
    ) -> Iterator[Page]:
        """Live records modified in `[low, high)`, by ascending id; `began`: see `KeysetSearch`."""
        search = KeysetSearch(
            self.api,
            self.paths.search(self.object.path),
            Modified(self.object.modified, low, high),
            page_size=self.page_size,
            began=began,
        )
        ids = self._ids(search.pages((point or {}).get("after_id")))
        for batch in self._read(ids, archived=False):
            self.on_missing(batch.missing)
            yield Page(batch.rows, {"after_id": batch.ids[-1]})

    def archived(self, since: datetime | None, point: Point = None) -> Iterator[Page]:
        """Records archived at or after an instant; None: all that the recycle bin holds.

        The list cannot be filtered or sorted by `archivedAt`, so it is read whole: 100 a call, for records archived in
        the last 90 days (vendor page "Using object APIs"). Archiving moves no modified date, hence this on every run.
        """
        if not self.object.has_archive:
            return
        if since is None:
            chains = Chains(self._lister(archived=True), None, point)
            for piece in side_by_side(chains.sources(), workers=1):
                rest = chains.emit(piece)
                yield Page(piece.rows, {"archived": rest} if rest else None)
            return
        rows = listed_ids(self.api, self.paths.objects(self.object.path), archived="true")
        ids = (str(row["id"]) for row in rows if _archived_since(row, since))
        for batch in self._read(ids, archived=True):
            yield Page(batch.rows)

    def _read(self, ids: Iterable[str], *, archived: bool) -> Iterator[Batch]:
        return in_order(self._batch_read(archived=archived), batches(ids), workers=self.workers)

    def _batch_read(self, *, archived: bool) -> BatchRead:
        path = self.paths.batch_read(self.object.path)
        return BatchRead(self.api, path, self.properties, archived=archived, on_unreadable=self.on_unreadable)

    def _lister(self, *, archived: bool) -> Callable[[str | None], ListPage]:
        return _Lister(
            self.api,
            self.paths.objects(self.object.path),
            self.properties,
            self._batch_read(archived=archived),
            archived=archived,
        )

    def _ids(self, pages: Iterable[SearchPage]) -> Iterator[str]:
        total: int | None = None
        for page in pages:
            if total is None and page.total is not None:
                total = page.total
                self.on_total(total)
            yield from page.ids
        if total is None:
            self.on_total(0)


class _Lister:
    """Reads a page of the list with all values; by a batch read where their names make too long a URL."""

    def __init__(
        self, api: DecodingApi, path: str, properties: tuple[str, ...], batch_read: BatchRead, *, archived: bool
    ) -> None:
        self._api = api
        self._path = path
        self._names = ",".join(properties)
        self._batch_read = batch_read
        self._archived = "true" if archived else "false"
        self._fits = len(path) + len(quote(self._names)) <= LONGEST_QUERY

    def __call__(self, after: str | None) -> ListPage:
        if self._fits:
            try:
                return self._list(after, self._names)
            except RetriesExhaustedError as error:  # a value on this page may be what HubSpot stumbles over
                if not error.by_server:
                    raise
            except ApiError as error:
                if error.status != _TOO_LONG:
                    raise
                self._fits = False
        page = self._list(after, "hs_object_id")
        return ListPage(page.ids, self._batch_read(page.ids).rows if page.ids else (), page.after)

    def _list(self, after: str | None, names: str) -> ListPage:
        query: Json = {"limit": ROWS_A_LIST, "archived": self._archived, "properties": names}
        query = query if after is None else {**query, "after": after}
        page: ListPage = self._api.get_json(self._path, query, decode=read_page)
        return page


def _archived_since(row: Json, since: datetime) -> bool:
    archived_at = row.get("archivedAt")
    return archived_at is None or datetime.fromisoformat(archived_at) >= since
