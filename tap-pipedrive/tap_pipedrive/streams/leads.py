"""Leads, which v1 alone serves, in the form in which v2 serves deals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from crmdb_core.window import WindowKind
from tap_pipedrive.client import fields, priced, without_names
from tap_pipedrive.reading import OffsetChain, OffsetReader, seconds
from tap_pipedrive.shapes import BOOLEAN, DATE, INSTANT, INTEGER, NUMBER, TEXT, TEXTS
from tap_pipedrive.streams.entities import CustomStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crmdb_core.forecast import Forecast
    from crmdb_core.stream import Page
    from tap_pipedrive.shapes import Record

_LIVE, _ARCHIVED = "/v1/leads", "/v1/leads/archived"
_OLDEST_FIRST, _NEWEST_FIRST = "update_time ASC", "update_time DESC"
_RENAMED: Mapping[str, str] = {"organization_id": "org_id", "creator_id": "creator_user_id"}


class LeadsStream(CustomStream):
    """Leads, archived ones too. The list of archived ones knows no `updated_since`: a delta reads its newest."""

    name = "leads"
    entity = "lead"
    path = _LIVE
    replication_key = "update_time"
    sweeps = True
    keys = fields(id=TEXT)
    properties = fields(
        title=TEXT, owner_id=INTEGER, creator_user_id=INTEGER, label_ids=TEXTS, labels=TEXTS, person_id=INTEGER,
        org_id=INTEGER, source_name=TEXT, origin=TEXT, origin_id=TEXT, channel=INTEGER, channel_id=TEXT,
        is_archived=BOOLEAN, was_seen=BOOLEAN, value=NUMBER, currency=TEXT, expected_close_date=DATE,
        next_activity_id=INTEGER, visible_to=INTEGER, cc_email=TEXT, add_time=INSTANT, update_time=INSTANT,
    )  # fmt: skip

    @override
    def pages(self) -> Iterator[Page]:
        if not self.window.is_empty:
            reader = OffsetReader(self.tap.session, list(self._chains()), self.config["page_size"])
            yield from reader.pages(self.resume_point)
            self.unreadable = reader.unreadable

    def _chains(self) -> Iterator[OffsetChain]:
        low, high = self.window.low, self.window.high
        if low is not None:
            yield OffsetChain(_LIVE, {"sort": _OLDEST_FIRST, "updated_since": seconds(low)}, until=high)
            if self.config["archived"]:
                yield OffsetChain(_ARCHIVED, {"sort": _NEWEST_FIRST}, stop_before=low, until=high)
            return
        yield OffsetChain(_LIVE, {"sort": _OLDEST_FIRST})
        if self.config["archived"]:
            yield OffsetChain(_ARCHIVED, {"sort": _OLDEST_FIRST})
            # what came back out of the archive between the two
            yield OffsetChain(_LIVE, {"sort": _OLDEST_FIRST, "updated_since": seconds(high)})

    @override
    def record_of(self, row: Record) -> Record:
        value: Any = row.get("value")
        money = value if isinstance(value, dict) else {}
        known = self.tap.lead_labels
        standard = row if self.own is None else self._standard(row)
        shown = {_RENAMED.get(name, name): each for name, each in standard.items()}
        shown |= {"value": money.get("amount"), "currency": money.get("currency")}
        shown["labels"] = [known[each] for each in row.get("label_ids") or () if each in known]
        self._row = row
        return super().record_of(shown)

    def _standard(self, row: Record) -> Record:
        assert self.own is not None
        return without_names(row, [name for name in row if self.own.takes(name)])

    @override
    def custom_values(self, row: Record) -> Record:
        return {} if self.own is None else self.own.gathered(self._row)

    @override
    def forecast(self) -> Forecast | None:
        found = super().forecast()
        if found is None:
            return None
        calls = {_LIVE: found.calls_in_all}
        if self.config["archived"]:
            again = 1 if self.window.kind is WindowKind.FULL else 0
            calls = {_LIVE: max(found.calls_in_all - 1, 1) + again, _ARCHIVED: 1}
        return priced(found, {**calls, "/v1/leadLabels": 1, "/api/v2/dealFields": 1})
