"""What became of deals: their changelog, and the stages that they went through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from crmdb_core.instants import parse_instant
from tap_pipedrive.client import fields
from tap_pipedrive.paging import cursor_pages
from tap_pipedrive.shapes import BOOLEAN, INSTANT, INTEGER, TEXT
from tap_pipedrive.stages_of_deals import numbered, stays
from tap_pipedrive.streams.of_deals import DealByDealStream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tap_pipedrive.changed_deals import Deal
    from tap_pipedrive.shapes import Record

_PATH = "/v1/deals/1/changelog"


class _ChangelogStream(DealByDealStream):
    """Reads the changelog of a deal, whole: 20 tokens, half of what the older `flow` costs."""

    path = _PATH

    def entries(self, deal: Deal) -> list[Record]:
        """The changes of a deal, oldest first."""
        path = f"/v1/deals/{deal.id}/changelog"
        pages = cursor_pages(self.tap.session, path, {"limit": self.config["page_size"]})
        return numbered(entry for rows, _ in pages for entry in rows)


class DealChangesStream(_ChangelogStream):
    """Changes of deals' fields; they have no id, so the deal, the field, the second and a position make the key."""

    name = "deal_changes"
    keys = fields(deal_id=INTEGER, field_key=TEXT, time=INSTANT, position=INTEGER)
    properties = fields(
        old_value=TEXT, new_value=TEXT, actor_user_id=INTEGER, change_source=TEXT, change_source_user_agent=TEXT,
        is_bulk_update_flag=BOOLEAN,
    )  # fmt: skip

    @override
    def rows_of_one(self, deal: Deal) -> Iterator[Record]:
        low = None if deal.id in self.again else self.window.low
        for entry in self.entries(deal):
            if low is None or not _is_before(entry.get("time"), low):
                yield {**entry, "deal_id": deal.id}


class StageHistoryStream(_ChangelogStream):
    """The stages that a deal went through: entered, left, seconds. Read for deals that are new or have moved."""

    name = "deal_stage_history"
    keys = fields(deal_id=INTEGER, position=INTEGER)
    properties = fields(stage_id=INTEGER, entered_at=INSTANT, left_at=INSTANT, seconds=INTEGER)

    @override
    def wants(self, deal: Deal) -> bool:
        low = self.window.low
        if low is None:
            return True
        return any(time is not None and not _is_before(time, low) for time in (deal.stage_change_time, deal.add_time))

    @override
    def rows_of_one(self, deal: Deal) -> Iterator[Record]:
        # a deal that never moved has been in one stage since it was made: no call tells more
        entries = [] if deal.stage_change_time is None else self.entries(deal)
        yield from stays(deal, entries)


def _is_before(time: Any, low: datetime) -> bool:
    return time is not None and parse_instant(time) < low.replace(microsecond=0)
