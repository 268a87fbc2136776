"""Deals, persons, organizations, activities, products: lists of v2, by the time of the last update."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from crmdb_core.forecast import Forecast
from crmdb_core.window import WindowKind
from tap_pipedrive.client import PipedriveStream, fields
from tap_pipedrive.naming import to_state
from tap_pipedrive.paging import next_cursor, rows_of
from tap_pipedrive.prices import price
from tap_pipedrive.reading import CursorReader, Source, chains_of, seconds
from tap_pipedrive.shapes import (
    BOOLEAN,
    DATE,
    INSTANT,
    INTEGER,
    INTEGERS,
    LIST,
    NUMBER,
    OBJECT,
    TEXT,
    TEXTS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from crmdb_core.stream import Page
    from tap_pipedrive.custom_fields import CustomFields
    from tap_pipedrive.shapes import Record, Schema
    from tap_pipedrive.tap import TapPipedrive

__all__ = ["ENTITIES", "CustomStream", "EntityStream", "with_custom_fields"]

_CUSTOM = "custom_fields"
_STAMPS = fields(add_time=INSTANT, update_time=INSTANT)


def with_custom_fields(schema: Schema, properties: Mapping[str, Schema]) -> Schema:
    """A schema with the company's own fields."""
    own = {"type": ["object", "null"], "properties": dict(properties)}
    return {**schema, "properties": {**schema["properties"], _CUSTOM: own}}


class CustomStream(PipedriveStream):
    """A stream whose rows have the company's own fields, those of `entity`, and labels beside their ids."""

    entity: ClassVar[str] = ""

    def __init__(self, tap: TapPipedrive, schema: Schema | None = None) -> None:
        self.own: CustomFields | None = None
        if self.entity and schema is None:
            self.own = tap.custom_fields(self.entity, self.name)
            schema = with_custom_fields(self.declared(), self.own.properties())
        super().__init__(tap, schema)

    @override
    def remember(self, state: Record) -> None:
        if self.own is not None and (kept := to_state(self.own.names, self.config["custom_field_names"])):
            state["custom_field_names"] = kept

    @override
    def record_of(self, row: Record) -> Record:
        record = super().record_of(row)
        if self.own is not None:
            record[_CUSTOM] = self.own.record(self.custom_values(row), self.shape)
        return record

    def custom_values(self, row: Record) -> Record:
        """A row's own values by code."""
        values: Record = row.get(_CUSTOM) or {}
        return values

    @override
    def _summarize(self) -> None:
        super()._summarize()
        if self.own is not None and self.own.unknown:
            self.logger.info(
                "%s: %d custom fields came since the run began; they keep their codes until the next run",
                self.name,
                len(self.own.unknown),
            )


class EntityStream(CustomStream):
    """One entity; `sources` are its lists."""

    sources: ClassVar[Sequence[Source]]
    replication_key = "update_time"
    sweeps = True

    @override
    def pages(self) -> Iterator[Page]:
        reader = CursorReader(self.tap.session, chains_of(self.lists, self.window), self.config["page_size"])
        if not self.window.is_empty:
            yield from reader.pages(self.resume_point)
        self.unreadable = reader.unreadable

    @property
    def lists(self) -> Sequence[Source]:
        """The lists that the settings want."""
        return self.sources

    @override
    def record_of(self, row: Record) -> Record:
        record = super().record_of(row)
        if "label_ids" in row:
            known = self.tap.labels(self.entity)
            record["labels"] = [known[each] for each in row["label_ids"] or () if each in known]
        return record

    @override
    def forecast(self) -> Forecast:
        """Exact where one page has all; else a whole read by how dense ids are up to the latest, a delta at least."""
        found = [self._of_list(source) for source in self.lists]
        fixed = self.tap.cost_of_fields(self.entity)
        whole = self.window.kind is WindowKind.FULL
        again = price(self.path) if whole and len(found) > 1 else 0
        records = sum(each.records or 0 for each in found)
        calls = sum(each.calls_in_all for each in found) + bool(again) + bool(fixed)
        cost = sum(each.cost_in_all for each in found) + again + fixed
        certainty = max((each.certainty for each in found), key=("exactly", "about", "at least").index)
        return Forecast(records, {"default": calls}, certainty, cost)

    def _of_list(self, source: Source) -> Forecast:
        size = int(self.config["page_size"])
        params = {"limit": size, "sort_by": "id", "sort_direction": "asc", **source.params}
        if self.window.low is not None:
            params["updated_since"] = seconds(self.window.low)
        answer = self.tap.session.get_json(source.path, params)
        rows, cost = rows_of(answer, source.path), price(source.path)
        if next_cursor(answer) is None:
            return Forecast(len(rows), {"default": 1}, "exactly", cost)
        if self.window.low is not None or not rows:
            return Forecast(len(rows), {"default": 2}, "at least", 2 * cost)
        newest = self.tap.session.get_json(source.path, {**params, "limit": 1, "sort_direction": "desc"})
        latest = next((row["id"] for row in rows_of(newest, source.path)), rows[-1]["id"])
        records = max(len(rows), round(len(rows) / max(rows[-1]["id"], 1) * latest))
        calls = math.ceil(records / size)
        return Forecast(records, {"default": calls}, "about", calls * cost)


class DealsStream(EntityStream):
    """Deals: open, won, lost, archived, and those that were deleted within 30 days."""

    name = "deals"
    entity = "deal"
    path = "/api/v2/deals"
    keys = fields(id=INTEGER)
    properties = fields(
        title=TEXT, creator_user_id=INTEGER, owner_id=INTEGER, value=NUMBER, currency=TEXT, person_id=INTEGER,
        org_id=INTEGER, stage_id=INTEGER, pipeline_id=INTEGER, archive_time=INSTANT, stage_change_time=INSTANT,
        status=TEXT, is_archived=BOOLEAN, is_deleted=BOOLEAN, probability=NUMBER, lost_reason=TEXT, visible_to=INTEGER,
        close_time=INSTANT, won_time=INSTANT, lost_time=INSTANT, local_won_date=DATE, local_lost_date=DATE,
        local_close_date=DATE, expected_close_date=DATE, label_ids=INTEGERS, labels=TEXTS, origin=TEXT, origin_id=TEXT,
        channel=INTEGER, channel_id=TEXT, acv=NUMBER, arr=NUMBER, mrr=NUMBER, **_STAMPS,
    )  # fmt: skip
    # Without `status` deleted ones are left out. Unverified: that a deletion, and archiving, move `update_time`.
    _statuses: ClassVar[Mapping[str, str]] = {"status": "open,won,lost,deleted"}
    sources = (Source("/api/v2/deals", _statuses), Source("/api/v2/deals/archived", _statuses))

    @property
    @override
    def lists(self) -> Sequence[Source]:
        return self.sources if self.config["archived"] else self.sources[:1]

    @override
    def deleted_at(self, record: Record) -> Any:
        is_deleted = record["is_deleted"] or record["status"] == "deleted"
        return record["update_time"] or self._now if is_deleted else None


class PersonsStream(EntityStream):
    """Persons."""

    name = "persons"
    entity = "person"
    path = "/api/v2/persons"
    keys = fields(id=INTEGER)
    properties = fields(
        name=TEXT, first_name=TEXT, last_name=TEXT, owner_id=INTEGER, org_id=INTEGER, emails=LIST, phones=LIST,
        is_deleted=BOOLEAN, visible_to=INTEGER, label_ids=INTEGERS, labels=TEXTS, picture_id=INTEGER, notes=TEXT,
        im=LIST, birthday=DATE, job_title=TEXT, postal_address=OBJECT, **_STAMPS,
    )  # fmt: skip
    sources = (Source("/api/v2/persons"),)


class OrganizationsStream(EntityStream):
    """Organizations."""

    name = "organizations"
    entity = "organization"
    path = "/api/v2/organizations"
    keys = fields(id=INTEGER)
    properties = fields(
        name=TEXT, owner_id=INTEGER, address=OBJECT, is_deleted=BOOLEAN, visible_to=INTEGER, label_ids=INTEGERS,
        labels=TEXTS, website=TEXT, linkedin=TEXT, industry=INTEGER, annual_revenue=NUMBER, employee_count=INTEGER,
        **_STAMPS,
    )  # fmt: skip
    sources = (Source("/api/v2/organizations"),)


class ProductsStream(EntityStream):
    """Products; their list knows no `updated_until`."""

    name = "products"
    entity = "product"
    path = "/api/v2/products"
    keys = fields(id=INTEGER)
    properties = fields(
        name=TEXT, code=TEXT, description=TEXT, unit=TEXT, tax=NUMBER, category=TEXT, is_linkable=BOOLEAN,
        is_deleted=BOOLEAN, visible_to=INTEGER, owner_id=INTEGER, billing_frequency=TEXT,
        billing_frequency_cycles=INTEGER, prices=LIST, **_STAMPS,
    )  # fmt: skip
    sources = (Source("/api/v2/products", takes_until=False),)


class ActivitiesStream(EntityStream):
    """Activities; they have no fields of the company's own."""

    name = "activities"
    path = "/api/v2/activities"
    keys = fields(id=INTEGER)
    properties = fields(
        subject=TEXT, type=TEXT, owner_id=INTEGER, creator_user_id=INTEGER, is_deleted=BOOLEAN, deal_id=INTEGER,
        lead_id=TEXT, person_id=INTEGER, org_id=INTEGER, project_id=INTEGER, due_date=DATE, due_time=TEXT,
        duration=TEXT, busy=BOOLEAN, done=BOOLEAN, marked_as_done_time=INSTANT, location=OBJECT, participants=LIST,
        attendees=LIST, conference_meeting_client=TEXT, conference_meeting_url=TEXT, conference_meeting_id=TEXT,
        public_description=TEXT, priority=INTEGER, note=TEXT, **_STAMPS,
    )  # fmt: skip
    sources = (Source("/api/v2/activities", {"include_fields": "attendees"}),)


ENTITIES: tuple[type[EntityStream], ...] = (
    DealsStream,
    PersonsStream,
    OrganizationsStream,
    ActivitiesStream,
    ProductsStream,
)
