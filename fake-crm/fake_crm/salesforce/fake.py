"""The fake Salesforce as a whole: a server, the org behind it, and everything with which a test can move it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from fake_crm.clock import millis_of
from fake_crm.local_api import LocalApi
from fake_crm.salesforce.access import Access
from fake_crm.salesforce.app import SalesforceApi
from fake_crm.salesforce.bulk_jobs import Jobs
from fake_crm.salesforce.catalog import objects
from fake_crm.salesforce.catalog_custom import extra_fields, extra_objects
from fake_crm.salesforce.cursors import Cursors
from fake_crm.salesforce.errors import injected
from fake_crm.salesforce.limits import Limits, Usage
from fake_crm.salesforce.orders import orders
from fake_crm.salesforce.org import Org
from fake_crm.salesforce.quirks import Quirks
from fake_crm.salesforce.rendering import Renderer
from fake_crm.salesforce.seed import Seeder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fake_crm.control import Order
    from fake_crm.faults import Fault
    from fake_crm.wire import Reply, Request

# Without a start for the clock the made-up data still has the same stamps on every day.
_LATEST_STAMP = datetime(2026, 6, 30, tzinfo=UTC)
SIZES: Mapping[str, int] = {
    "Organization": 1,
    "User": 5,
    "Profile": 2,
    "UserRole": 2,
    "Group": 2,
    "RecordType": 2,
    "TaskStatus": 3,
    "Account": 40,
    "Contact": 100,
    "Lead": 30,
    "Campaign": 5,
    "CampaignMember": 20,
    "Product2": 12,
    "Pricebook2": 2,
    "PricebookEntry": 15,
    "Opportunity": 50,
    "OpportunityLineItem": 60,
    "OpportunityHistory": 40,
    "Case": 30,
    "Task": 60,
    "Event": 25,
    "Attachment": 8,
    "ContentDocument": 6,
    "ContentVersion": 9,
    "ContentDocumentLink": 12,
    "AccountHistory": 40,
    "AccountShare": 10,
    "AccountFeed": 10,
    "LoginHistory": 25,
    "EntityDefinition": 10,
    "FieldDefinition": 30,
    "UserFieldAccess": 10,
    "Vote": 5,
    "ListView": 3,
    "Report": 3,
    "Everything__c": 80,
    "Reading__b": 50,
}


class FakeSalesforce(LocalApi):
    """A strict Salesforce on 127.0.0.1.

    `sizes` are numbers of made-up records per object, beside or instead of the usual small ones (`{}` with `empty`
    for none); `stretch` those of objects whose records are made up anew whenever they are looked at, so that a
    million takes no memory. `extra_objects` adds so many custom objects, with `extra_records` in each; `extra_fields`
    so many custom fields to the main objects. `LocalApi` says what `latency`, `clock` and `frozen` are.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        sizes: Mapping[str, int] | None = None,
        empty: bool = False,
        stretch: Mapping[str, int] | None = None,
        extra_objects: int = 0,
        extra_records: int = 2,
        extra_fields: int = 0,
        limits: Limits | None = None,
        quirks: Quirks | None = None,
        latency: float = 0.0,
        clock: datetime | str | None = None,
        frozen: bool | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(latency=latency, clock=clock, frozen=frozen, port=port)
        self.quirks = quirks or Quirks()
        self.access = Access(self.clock, self.quirks)
        until = self.clock.now() if clock is not None else min(_LATEST_STAMP, self.clock.now())
        self.org = _org(self, until, extra_objects, extra_fields)
        self.usage = Usage(self.clock, limits or Limits(), self.quirks)
        self.cursors = Cursors(self.clock, self.quirks)
        wanted = {**({} if empty else SIZES), **(sizes or {})}
        wanted |= {f"Extra_{at + 1}__c": extra_records for at in range(extra_objects)}
        self._seeder = Seeder(self.org, seed, millis_of(until) // 1000, {**wanted, **(stretch or {})})
        for name, count in self._seeder.sizes.items():
            self._seeder.fill_one(name, count, keep=name not in (stretch or {}))
        self.jobs = Jobs(self.org, self.usage, self.quirks)
        self._orders = orders(self)
        self._api = SalesforceApi(
            self.org, self.access, self.usage, self.quirks, self.cursors, Renderer(self.org), self.jobs, self.url
        )

    # -- what a client needs ----------------------------------------------------------------------------------------

    @property
    def client_id(self) -> str:
        """The app's id."""
        return self.access.client_id

    @property
    def client_secret(self) -> str:
        """The app's secret."""
        return self.access.client_secret

    @property
    def refresh_token(self) -> str:
        """The refresh token that is good now."""
        return self.access.refresh_token

    @property
    def access_token(self) -> str:
        """A session that does not end by itself."""
        return self.access.access_token

    def fill(self, name: str, count: int) -> None:
        """Make records of an object that has none yet, such as one that was added."""
        self._seeder.fill_one(name, count)

    @override
    def answer(self, request: Request) -> Reply:
        return self._api.answer(request)

    @override
    def injected(self, fault: Fault) -> Reply | None:
        return injected(fault)

    @override
    def state(self) -> dict[str, Any]:
        return {"records": self.org.counts(), "api_requests": self.usage.used()}

    @override
    def describe(self) -> dict[str, Any]:
        return {
            "url": self.url,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "refresh_token": self.refresh_token,
            "access_token": self.access_token,
            "records": self.org.counts(),
        }

    @override
    def orders(self) -> Mapping[tuple[str, str], Order]:
        return self._orders


def _org(fake: FakeSalesforce, until: datetime, more_objects: int, more_fields: int) -> Org:
    defined = millis_of(until - timedelta(days=1))
    org = Org(fake.clock, (*objects(), *extra_objects(more_objects)), defined)
    for name in ("Account", "Contact", "Lead", "Opportunity", "Case") if more_fields else ():
        for each in extra_fields(more_fields):
            org.schema.add_field(name, each, defined)
    return org
