"""Records that are gone for good (a GDPR deletion, an emptied recycle bin) are in no list: so the rest is listed."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_hubspot.ready import ReadyPage
from tap_hubspot.records import deleted_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crmdb_core.stream import Page
    from tap_hubspot.reading import ObjectReader

    Record = dict[str, Any]


@dataclass(frozen=True)
class IdSweep:
    """Lists every record of an object type that HubSpot still has: ⌈n/100⌉ calls for live ones, and for archived ones.

    `reader` is one of no property. The records hold the id and what the list says of its life and death. Under a
    version of their own, with an ACTIVATE_VERSION behind them, they tell a target what to keep; what it has stored of
    each stays. There is no resume point within: a target that counts rows by run needs all of them from one.

    Live records come first: one that is archived meanwhile is found in the bin. One that is restored meanwhile can be
    missed by both, and comes back with the next run, for restoring modifies it (unverified).
    """

    reader: ObjectReader

    def pages(self) -> Iterator[Page]:
        """Pages of records without values."""
        for page in itertools.chain(self.reader.whole(), self.reader.archived(None)):
            yield ReadyPage([_record(raw) for raw in page.rows])


def _record(raw: Record) -> Record:
    is_gone = bool(raw.get("archived", False))
    # as for any record: an archived one may be a merged one, whose winner an absent key keeps
    merged = {} if is_gone else {"merged_into_id": None}
    return {
        "id": str(raw["id"]),
        "archived": is_gone,
        "archivedAt": raw.get("archivedAt"),
        **merged,
        "_sdc_deleted_at": deleted_at(raw),
    }
