"""Associations: which record is linked with which, by what type and label."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from crmdb_core.concurrency import in_order
from crmdb_core.forecast import Forecast
from crmdb_core.schedule import instant_or_none, is_due
from crmdb_core.stream import Page
from crmdb_core.window import WindowKind, format_instant
from tap_hubspot.client import HubSpotStream
from tap_hubspot.forecast import count, goes_on_after, pages_of, touch
from tap_hubspot.keyset import KeysetSearch, Modified
from tap_hubspot.links import BUCKET, MOST_INPUTS, LinkRead, link_tasks
from tap_hubspot.object_types import object_types_on_the_left
from tap_hubspot.objects import ASSOCIATIONS
from tap_hubspot.pairs import existing, wanted_targets
from tap_hubspot.schema import KEY, TEXT, Schema
from tap_hubspot.stretches import Stretch, joined, listed, lists_of, reader_of, searched, workers_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from tap_hubspot.links import Links, LinkTask
    from tap_hubspot.objects import CrmObject
    from tap_hubspot.tap import TapHubSpot

    Record = dict[str, Any]

# POST /crm/associations/.../batch/read, one row for each type of a link
_ASSOCIATION: Schema = {
    "type": "object",
    "properties": {
        "from_object_type": KEY,
        "from_id": KEY,
        "to_object_type": KEY,
        "to_id": KEY,
        "category": KEY,
        "type_id": KEY,
        "label": TEXT,
    },
    "required": ["from_object_type", "from_id", "to_object_type", "to_id", "category", "type_id"],
}
_SNAPSHOT_AT, _READ_UNTIL = "snapshot_at", "read_until"
_FEW = 200  # records whose links can be read at once without knowing how many they are
_WHOLE = "whole"  # the kind of a resume point


class AssociationsStream(HubSpotStream):
    """The associations of one object type's live records with records of every type.

    Making or ending an association moves no modified date, so all of them are read in every run, and what did not come
    again is gone. With `associations_full_every` that snapshot is made when it is due; the runs between read the links
    of records that changed. STATE holds when the last snapshot was made and until when changes were read.

    The ids of the records are found once per run. A type id is unique within its category only, so both are in the key.
    """

    schema: ClassVar[dict[str, Any]] = _ASSOCIATION
    primary_keys = ("from_object_type", "from_id", "to_object_type", "to_id", "category", "type_id")

    def __init__(self, tap: TapHubSpot, crm_object: CrmObject) -> None:
        super().__init__(tap, name=f"{crm_object.name}{ASSOCIATIONS}")
        self.object = crm_object

    @override
    def check(self) -> None:
        touch(self.tap.session, self.paths.objects(self.object.path))

    @override
    def forecast(self) -> Forecast | None:
        """By one search; how many links there are, nothing tells, and pairs that may not exist count as if they did."""
        if not self.object.searchable:
            return None
        low, point = self._changed_since, self.resume_point or {}
        filters = () if low is None else Modified(self.object.modified, low, self.window.high).filters()
        after = goes_on_after(point.get(_WHOLE) or point)
        records = count(self.tap.session, self.paths.search(self.object.path), filters, after_id=after)
        if records is None:
            return None
        wanted = wanted_targets(self.object.name, self._paths, self.config["associations"])
        calls = Counter({BUCKET: len(wanted.named + wanted.possible) * pages_of(records, MOST_INPUTS)})
        calls.update(default=len(wanted.possible))
        page_size = self.config["page_size"]
        calls.update(lists_of(self.tap, records) if low is None else {"search": pages_of(records, page_size) + 1})
        return Forecast(None, calls)

    @override
    def fetch(self) -> Iterator[Page]:
        targets = self._targets()
        reads = {to: LinkRead(self.tap.session, self.paths.associations(*self._pair(to))) for to in targets}
        stretches = self._stretches(targets)
        # the first answers tell how many links records have; until then, no large calls side by side
        for stretch in itertools.islice(stretches, 1):
            workers = self._workers if len(stretch.ids) <= _FEW else 1
            yield from self._pages_of(reads, link_tasks(stretch, reads), workers)
        tasks = (task for stretch in stretches for task in link_tasks(stretch, reads))
        yield from self._pages_of(reads, tasks, self._workers)

    @staticmethod
    def _pages_of(reads: Mapping[str, LinkRead], tasks: Iterable[LinkTask], workers: int) -> Iterator[Page]:
        def first(task: LinkTask) -> tuple[LinkTask, Links]:
            return task, reads[task.to].first(task.ids)

        for task, links in in_order(first, tasks, workers=workers):
            yield Page([(task.to, row) for row in links.rows])
            for more in reads[task.to].further(links):
                yield Page([(task.to, row) for row in more.rows])
            if task.point is not None:
                yield Page((), task.point)

    @override
    def records_of(self, page: Page) -> Iterator[Record]:
        for to_type, row in page.rows:
            yield from self._records(to_type, row)

    def _records(self, to_type: str, row: Record) -> Iterator[Record]:
        for link in row["to"]:
            for each in link["associationTypes"]:
                yield {
                    "from_object_type": self.object.name,
                    "from_id": str(row["from"]["id"]),
                    "to_object_type": to_type,
                    # a number on the wire (observed), text in the specification and everywhere else
                    "to_id": str(link["toObjectId"]),
                    "category": str(each["category"]),
                    "type_id": str(each["typeId"]),
                    "label": each.get("label"),
                }

    @property
    def _workers(self) -> int:
        return workers_of(self.tap)

    def _targets(self) -> tuple[str, ...]:
        """The object types that this one has associations with, and whose associations are wanted."""
        wanted = wanted_targets(self.object.name, self._paths, self.config["associations"])
        labels = (self.paths.association_labels(*self._pair(to)) for to in wanted.possible)
        exist = existing(self.tap.session, labels, workers=self._workers)
        return (*wanted.named, *itertools.compress(wanted.possible, exist))

    @cached_property
    def _paths(self) -> dict[str, str]:
        """What the API's paths call each of the account's object types."""
        return {each.name: each.path for each in self.tap.object_types}

    def _pair(self, to: str) -> tuple[str, str]:
        return self.object.path, self._paths.get(to, to)

    def _stretches(self, targets: tuple[str, ...]) -> Iterator[Stretch]:
        """The ids to read, as many as one call takes; a point of another kind of reading is none of this one."""
        if not targets:
            return iter(())
        point, low = self.resume_point or {}, self._changed_since
        if low is None:
            pages = reader_of(self.tap, self.object).whole(point.get(_WHOLE))
            found: Iterator[Stretch] = map(_of_whole, listed(pages))
        else:
            window = Modified(self.object.modified, low, self.window.high)
            path = self.paths.search(self.object.path)
            found = searched(KeysetSearch(self.tap.session, path, window, page_size=self.config["page_size"]), point)
        return joined(found, MOST_INPUTS)

    @property
    def _changed_since(self) -> datetime | None:
        """From when on changed records are read; None: all of them, for a snapshot."""
        window, every, state = self.window, int(self.config["associations_full_every"]), self._open or {}
        if not self.object.is_incremental:
            return None
        if window.low is not None:  # `since`
            return window.low
        read_until = instant_or_none(state.get(_READ_UNTIL))
        if read_until is None or self.config.get("full_refresh") or not every:
            return None
        if is_due(state.get(_SNAPSHOT_AT), every, window.high):
            return None
        return read_until - timedelta(seconds=int(self.config["lookback"]))

    @property
    @override
    def window_is_whole(self) -> bool:
        return super().window_is_whole and self._changed_since is None

    @override
    def _complete(self) -> None:
        """Keep in STATE what the next run goes by.

        A snapshot that two runs made is not counted as one: a target that counts rows by run cannot tell what is gone.
        """
        is_snapshot = self._changed_since is None and self.resume_point is None
        state = self._open
        super()._complete()
        if state is None or self.window.kind is WindowKind.SINCE or self.tap.max_records is not None:
            return
        high = format_instant(self.window.high)
        state.update({_READ_UNTIL: high, _SNAPSHOT_AT: high} if is_snapshot else {_READ_UNTIL: high})


def _of_whole(stretch: Stretch) -> Stretch:
    return Stretch(stretch.ids, None if stretch.point is None else {_WHOLE: stretch.point})


def association_streams(tap: TapHubSpot) -> Iterable[HubSpotStream]:
    """One stream for each object type on the left of a pattern in the setting `associations`."""
    return [AssociationsStream(tap, each) for each in object_types_on_the_left(tap, "associations", ASSOCIATIONS)]
