"""The fake HubSpot as a whole: a server, the account behind it, and everything with which a test can move it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from fake_crm.clock import millis_of
from fake_crm.hubspot.access import Access
from fake_crm.hubspot.app import HubSpotApi
from fake_crm.hubspot.edits import Edits
from fake_crm.hubspot.errors import injected
from fake_crm.hubspot.limits import TIERS, Limiter, Limits
from fake_crm.hubspot.quirks import Quirks
from fake_crm.hubspot.seed import Seeder, ready
from fake_crm.hubspot.world import World
from fake_crm.local_api import LocalApi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fake_crm.control import Order
    from fake_crm.faults import Fault
    from fake_crm.wire import Reply, Request

# Without a start for the clock the made-up data still has the same stamps on every day.
_LATEST_STAMP = datetime(2026, 6, 30, tzinfo=UTC)


class FakeCrm(LocalApi):
    """A strict HubSpot on 127.0.0.1.

    Sizes are numbers of made-up records, those of other types than the four in `objects`; `properties` is the number
    of properties that each main type has at least. `tier` (free, starter, professional, enterprise) sets rate limits,
    `limits` any others; without both there are none. `search_lag` is in seconds of the fake's clock; `LocalApi` says
    what `latency`, `clock` and `frozen` are.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        contacts: int = 100,
        companies: int = 20,
        deals: int = 30,
        tickets: int = 10,
        objects: Mapping[str, int] | None = None,
        properties: int = 0,
        tier: str | None = None,
        limits: Limits | None = None,
        latency: float = 0.0,
        clock: datetime | str | None = None,
        frozen: bool | None = None,
        search_lag: float = 0.0,
        tokens: Iterable[str] = ("test-token",),
        port: int = 0,
        ticks: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(latency=latency, clock=clock, frozen=frozen, port=port)
        self.quirks = Quirks()
        given = tuple(tokens)
        self.token = given[0] if given else ""
        self.access = Access(self.clock, given)
        self.hubspot = World(self.clock, self.quirks)
        self.limiter = Limiter(
            limits or (TIERS[tier] if tier else None),
            self.clock,
            lambda: self.hubspot.account.time_zone,
            **({"ticks": ticks} if ticks else {}),
        )
        sizes = {"contacts": contacts, "companies": companies, "deals": deals, "tickets": tickets, **(objects or {})}
        ready(self.hubspot)
        if any(sizes.values()) or objects or properties:
            until = self.clock.now() if clock is not None else min(_LATEST_STAMP, self.clock.now())
            Seeder(self.hubspot, seed, millis_of(until), properties).fill(sizes)
        self._seed = seed
        self.quirks.search_lag = search_lag  # the seeded records are long indexed
        self._api = HubSpotApi(self.hubspot, self.access, self.limiter, self.quirks)
        self._api.base = self.url

    def fill(self, object_type: str, count: int) -> None:
        """Make more records of a type that is none of the main four, such as a custom object, all of them old."""
        Seeder(self.hubspot, self._seed, millis_of(self.clock.now())).fill_other(object_type, count)

    @override
    def answer(self, request: Request) -> Reply:
        return self._api.answer(request)

    @override
    def injected(self, fault: Fault) -> Reply | None:
        return injected(fault)

    @override
    def state(self) -> dict[str, Any]:
        return {"records": self.hubspot.counts(), "owners": len(self.hubspot.owners)}

    @override
    def describe(self) -> dict[str, Any]:
        return {"url": self.url, "token": self.token, "records": self.hubspot.counts()}

    @override
    def orders(self) -> Mapping[tuple[str, str], Order]:
        return {("GET", "ids"): lambda _: self.hubspot.ids(), ("POST", "edit"): Edits(self.hubspot).make}
