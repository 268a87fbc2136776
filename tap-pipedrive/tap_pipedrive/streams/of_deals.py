"""What hangs on deals: read for the deals that changed, in bulk where the API can, else deal by deal."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from crmdb_core.concurrency import in_order
from crmdb_core.exceptions import NotFoundError
from crmdb_core.forecast import Forecast
from crmdb_core.stream import RESUME, Page
from tap_pipedrive.client import PipedriveStream, fields, priced
from tap_pipedrive.paging import OffsetList, cursor_pages
from tap_pipedrive.shapes import BOOLEAN, DATE, DELETED, INSTANT, INTEGER, NUMBER, TEXT, record_schema, to_reference
from tap_pipedrive.sick_deals import Found, from_state, read_around, to_state, unreadable
from tap_pipedrive.streams.entities import DealsStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_pipedrive.changed_deals import Deal
    from tap_pipedrive.shapes import Record, Schema
    from tap_pipedrive.tap import TapPipedrive

__all__ = ["BulkStream", "DealByDealStream", "InstallmentsStream", "OfDealsStream", "ProductsOfDealsStream"]

_MOST_DEALS = 100  # ids in one call (vendor's OpenAPI, deals/products and deals/installments)
_MOST_IN_A_ROW = 5
_SICK = "unreadable_deals"
_DEAL_TIME = fields(deal_update_time=INSTANT)


class OfDealsStream(PipedriveStream):
    """Rows by deal; `deal_update_time`, of the deal, is what a delta goes by. A point is the last deal that is done.

    Unverified: that every change of what hangs on a deal moves the deal's own `update_time`.
    """

    replication_key = "deal_update_time"
    sweeps = True
    _in_a_row = 0
    count: ClassVar[str] = ""
    """The deal's own count of what is read here, so that a deal without any is not asked for."""

    def __init__(self, tap: TapPipedrive, schema: Schema | None = None) -> None:
        self.again: Mapping[int, Deal] = {}
        self._sick: list[Deal] = []
        super().__init__(tap, schema)

    @classmethod
    @override
    def declared(cls) -> Schema:
        return record_schema(cls.keys, {**cls.properties, **_DEAL_TIME, DELETED: INSTANT})

    @override
    def remember(self, state: Record) -> None:
        self.again = from_state(state.get(_SICK))

    def deals(self) -> Sequence[Deal]:
        """The deals of the window that there is something to ask of, from the resume point on."""
        point = self.resume_point or {}
        after = point.get("deal")
        after = after if isinstance(after, int) else 0
        listed = self.tap.changed_deals.of(self.window)
        return [deal for deal in listed if deal.id > after and (self.wants(deal) or deal.id in self.again)]

    def wants(self, deal: Deal) -> bool:
        """Whether anything is to be asked of a deal."""
        return deal.has(self.count)

    @override
    def pages(self) -> Iterator[Page]:
        deals = self.deals()
        listed = {deal.id for deal in deals}
        again = [deal for key, deal in self.again.items() if key not in listed]
        groups = [*self._groups(again), *self._groups(deals)]
        found = in_order(partial(read_around, self.rows_of), groups, workers=self.config["concurrency"])
        for group, each in zip(groups, found, strict=True):
            self._note(group, each)
            goes_on = group[0].id in listed and not self._sick
            yield Page(each.rows, {"deal": group[-1].id} if goes_on else None)
        self.unreadable = self.tap.changed_deals.trouble(self.window) or (
            unreadable(self._sick) if self._sick else None
        )

    def _groups(self, deals: Sequence[Deal]) -> list[Sequence[Deal]]:
        return [deals[at : at + self.at_once] for at in range(0, len(deals), self.at_once)]

    def _note(self, group: Sequence[Deal], found: Found) -> None:
        """Keep the deals that could not be read; after too many of them in a row it is Pipedrive that is ill."""
        self._sick += [deal for deal, _ in found.sick]
        self._in_a_row = self._in_a_row + len(group) if len(found.sick) == len(group) else 0
        if self._in_a_row >= _MOST_IN_A_ROW:
            raise found.sick[-1][1]

    @override
    def leave_unreadable(self) -> None:
        """Where only deals are to blame, the bookmark moves on, and STATE keeps them for the next run."""
        assert self._open is not None
        self._open.pop(RESUME, None)
        if self.tap.changed_deals.trouble(self.window) is None and self.tap.max_records is None:
            self._is_partial = True
            self._complete()

    @override
    def _complete(self) -> None:
        super()._complete()
        assert self._open is not None
        self._open.pop(_SICK, None)
        if self._sick:
            self._open[_SICK] = to_state(self._sick)

    at_once: ClassVar[int] = 1

    def rows_of(self, deals: Sequence[Deal]) -> list[Record]:
        """The rows of some deals; called from several threads."""
        raise NotImplementedError

    @override
    def forecast(self) -> Forecast:
        """By the forecast of deals: a call for so many of them as go into one."""
        deals = DealsStream.forecast(self.tap.deals_for_forecast(self.window))
        asked = math.ceil((deals.records or 0) / self.at_once)
        paths = {self.path: asked, **self.tap.listing_calls(deals)}
        return priced(Forecast(None, {}, "at least" if deals.certainty == "at least" else "about"), paths)


class BulkStream(OfDealsStream):
    """A list of v2 that takes a hundred deals in one call."""

    at_once = _MOST_DEALS

    @override
    def rows_of(self, deals: Sequence[Deal]) -> list[Record]:
        params = {"deal_ids": ",".join(str(deal.id) for deal in deals), "limit": self.config["page_size"]}
        times = {deal.id: deal.update_time for deal in deals}
        return [
            {**row, "deal_update_time": times.get(row["deal_id"])}
            for rows, _ in cursor_pages(self.tap.session, self.path, params)
            for row in rows
        ]


class ProductsOfDealsStream(BulkStream):
    """Products of deals."""

    name, path, keys = "deal_products", "/api/v2/deals/products", fields(id=INTEGER)
    count = "products_count"
    properties = fields(
        deal_id=INTEGER, product_id=INTEGER, product_variation_id=INTEGER, name=TEXT, sum=NUMBER, tax=NUMBER,
        order_nr=INTEGER, comments=TEXT, currency=TEXT, discount=NUMBER, discount_type=TEXT, quantity=NUMBER,
        item_price=NUMBER, tax_method=TEXT, is_enabled=BOOLEAN, billing_frequency=TEXT,
        billing_frequency_cycles=INTEGER, billing_start_date=DATE, add_time=INSTANT, update_time=INSTANT,
    )  # fmt: skip


class InstallmentsStream(BulkStream):
    """Installments of deals, in plans that have them."""

    name, path, keys = "deal_installments", "/api/v2/deals/installments", fields(id=INTEGER)
    optional = True
    properties = fields(deal_id=INTEGER, amount=NUMBER, billing_date=DATE, description=TEXT)


class DealByDealStream(OfDealsStream):
    """One call for each deal: not selected unless asked for, nor swept, since it costs tokens by the thousand."""

    selected_by_default = False
    sweeps = False

    @override
    def rows_of(self, deals: Sequence[Deal]) -> list[Record]:
        (deal,) = deals
        try:
            return [{**row, "deal_update_time": deal.update_time} for row in self.rows_of_one(deal)]
        except NotFoundError:
            return []  # it was deleted since the list

    def rows_of_one(self, deal: Deal) -> Iterator[Record]:
        """The rows of one deal."""
        raise NotImplementedError


class ParticipantsStream(DealByDealStream):
    """Persons that take part in deals, as references."""

    name, path, keys = "deal_participants", "/v1/deals/1/participants", fields(id=INTEGER)
    count = "participants_count"
    properties = fields(
        deal_id=INTEGER, person_id=INTEGER, active_flag=BOOLEAN, added_by_user_id=INTEGER, add_time=INSTANT
    )

    @override
    def rows_of_one(self, deal: Deal) -> Iterator[Record]:
        size = int(self.config["page_size"])
        listed = OffsetList(self.tap.session, f"/v1/deals/{deal.id}/participants", {}, size, stamp="add_time")
        for rows, _ in listed.pages():
            yield from (_participant(deal.id, row) for row in rows)


def _participant(deal: int, row: Mapping[str, Any]) -> Record:
    people = {name: row.get(name) for name in ("person_id", "added_by_user_id")}
    references = {name: None if value is None else to_reference(value) for name, value in people.items()}
    plain = {name: row.get(name) for name in ("id", "active_flag", "add_time")}
    return {**plain, "deal_id": deal, **references}


class FollowersStream(DealByDealStream):
    """Users that follow deals."""

    name, path, keys = "deal_followers", "/api/v2/deals/1/followers", fields(deal_id=INTEGER, user_id=INTEGER)
    count = "followers_count"
    properties = fields(add_time=INSTANT)

    @override
    def rows_of_one(self, deal: Deal) -> Iterator[Record]:
        path = f"/api/v2/deals/{deal.id}/followers"
        for rows, _ in cursor_pages(self.tap.session, path, {"limit": self.config["page_size"]}):
            yield from ({**row, "deal_id": deal.id} for row in rows)
