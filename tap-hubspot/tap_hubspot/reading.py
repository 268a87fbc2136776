"""Reading one object type: ids by keyset search, values by batch reads side by side, archived ones from the bin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crmdb_core.concurrency import in_order
from tap_hubspot.batch import BatchRead, batches
from tap_hubspot.keyset import KeysetSearch, Modified
from tap_hubspot.listing import archived_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from tap_hubspot.batch import Batch
    from tap_hubspot.keyset import Api, Page
    from tap_hubspot.objects import CrmObject
    from tap_hubspot.paths import Paths


@dataclass(frozen=True)
class ObjectReader:
    """Reads the records of one object type with the given properties.

    `page_size` is that of a search (at most 200), `workers` the number of batch reads at the same time.
    """

    api: Api
    paths: Paths
    object: CrmObject
    properties: tuple[str, ...]
    page_size: int = 200
    workers: int = 4

    def live(
        self,
        low: datetime | None,
        high: datetime | None,
        *,
        after_id: str | None = None,
        began: datetime | None = None,
        on_total: Callable[[int | None], Any] = lambda _: None,
    ) -> Iterator[Batch]:
        """Live records modified in `[low, high)`, by ascending id from after `after_id`; None leaves a side open.

        `began` is when the reading began (see `KeysetSearch`). `on_total` is told how many records the first search
        matched.
        """
        search = KeysetSearch(
            self.api,
            self.paths.search(self.object.path),
            Modified(self.object.modified, low, high),
            page_size=self.page_size,
            began=began,
        )
        return self._read(_ids(search.pages(after_id), on_total), archived=False)

    def archived(self, since: datetime | None) -> Iterator[Batch]:
        """Records archived at or after an instant; None: all that the recycle bin holds."""
        ids = archived_ids(self.api, self.paths.objects(self.object.path), since=since)
        return self._read(ids, archived=True)

    def _read(self, ids: Iterable[str], *, archived: bool) -> Iterator[Batch]:
        path = self.paths.batch_read(self.object.path)
        read = BatchRead(self.api, path, self.properties, archived=archived)
        return in_order(read, batches(ids), workers=self.workers)


def _ids(pages: Iterable[Page], on_total: Callable[[int | None], Any]) -> Iterator[str]:
    first = True
    for page in pages:
        if first:
            on_total(page.total)
            first = False
        yield from page.ids
    if first:
        on_total(0)
