"""The fake as a whole: a server, the account behind it, and everything with which a test can move it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from fake_crm.clock import Clock, millis_of
from fake_crm.control import Control
from fake_crm.faults import FaultBook, harmed
from fake_crm.hubspot.access import Access
from fake_crm.hubspot.app import HubSpotApi
from fake_crm.hubspot.errors import injected
from fake_crm.hubspot.limits import TIERS, Limiter, Limits
from fake_crm.hubspot.quirks import Quirks
from fake_crm.hubspot.seed import Seeder, ready
from fake_crm.hubspot.world import World
from fake_crm.request_log import LoggedRequest, RequestLog
from fake_crm.wire import Delivery, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from fake_crm.wire import Reply, Request

# Without a start for the clock the made-up data still has the same stamps on every day.
_LATEST_STAMP = datetime(2026, 6, 30, tzinfo=UTC)


class FakeCrm:
    """A strict HubSpot on 127.0.0.1, as a context manager.

    Sizes are numbers of made-up records, those of other types than the four in `objects`; `properties` is the number
    of properties that each main type has at least. `tier` (free, starter, professional, enterprise) sets rate limits,
    `limits` any others; without both there are none.
    `clock` is an instant at which the fake's clock stands until moved (`frozen=False` lets it run from there); without
    it, it is the machine's. `latency` is in seconds per request, `search_lag` in seconds of the fake's clock.
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
        self.clock = Clock(clock, frozen=frozen)
        self.faults = FaultBook()
        self.requests = RequestLog()
        self.quirks = Quirks()
        self.latency = latency
        self._hooks: list[Callable[[Request], object]] = []
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
        self._control = Control(self.hubspot, self.clock, self.requests, self.faults)
        self._server = Server(self, port)
        self._api.base = self.url

    def fill(self, object_type: str, count: int) -> None:
        """Make more records of a type that is none of the main four, such as a custom object, all of them old."""
        Seeder(self.hubspot, self._seed, millis_of(self.clock.now())).fill_other(object_type, count)

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.port}"

    def on_request(self, hook: Callable[[Request], object]) -> Callable[[Request], object]:
        """Call this with every request before it is answered; it may edit the account. Works as a decorator."""
        self._hooks.append(hook)
        return hook

    def start(self) -> Self:
        """Begin to answer."""
        self._server.start()
        return self

    def stop(self) -> None:
        """End all connections and threads."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # -- what the server asks ---------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The time of `Date` headers."""
        return self.clock.now()

    def deliver(self, request: Request) -> Delivery:
        """The answer to a request and how it travels."""
        if request.path.startswith("/_fake/"):
            return Delivery(self._control.answer(request))
        for hook in self._hooks:
            hook(request)
        if self.latency:
            self._server.stopping.wait(self.latency)
        delivery = self._delivery(request)
        status = delivery.reply.status if delivery.reply else None
        self.requests.add(LoggedRequest(request, status, self.clock.now()))
        return delivery

    def _delivery(self, request: Request) -> Delivery:
        fault = self.faults.strike(request)
        if fault is None:
            return Delivery(self._api.answer(request))

        def answer() -> Reply:
            return self._api.answer(request)

        return harmed(fault, request, answer, injected)


def describe(crm: FakeCrm) -> dict[str, Any]:
    """What a person wants to know at the start: where, with which token, how much."""
    return {"url": crm.url, "token": crm.token, "records": crm.hubspot.counts()}
