"""The fake Pipedrive: a server, the company behind it, and everything with which a test can move it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from fake_crm.local_api import LocalApi
from fake_crm.pipedrive.access import Access
from fake_crm.pipedrive.api import PipedriveApi
from fake_crm.pipedrive.edits import Edits
from fake_crm.pipedrive.errors import injected
from fake_crm.pipedrive.limits import PLANS, Ledger, Limits
from fake_crm.pipedrive.paging import Cursors
from fake_crm.pipedrive.quirks import Quirks
from fake_crm.pipedrive.seed import Seeder
from fake_crm.pipedrive.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from fake_crm.control import Order
    from fake_crm.faults import Fault
    from fake_crm.wire import Reply, Request


class FakePipedrive(LocalApi):
    """A strict Pipedrive on 127.0.0.1.

    Sizes are numbers of made-up rows by table (deals 30, persons 40, organizations 15, and a few of all others);
    `fields` is the number of own fields that deals, persons, organizations and products each have, of all kinds.
    `plan` (lite, growth, premium, ultimate; one seat) sets limits, `limits` any others; without both there are none.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        sizes: Mapping[str, int] | None = None,
        fields: int = 16,
        plan: str | None = None,
        limits: Limits | None = None,
        latency: float = 0.0,
        clock: datetime | str | None = None,
        frozen: bool | None = None,
        tokens: Iterable[str] = ("test-token",),
        port: int = 0,
        ticks: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(latency=latency, clock=clock, frozen=frozen, port=port)
        given = tuple(tokens)
        self.token = given[0] if given else ""
        self.quirks = Quirks()
        self.cursors = Cursors()
        self.access = Access(self.clock, given)
        self.pipedrive = World(self.clock, self.quirks)
        self.ledger = Ledger(
            limits or (PLANS[plan] if plan else None), self.clock, **({"ticks": ticks} if ticks else {})
        )
        Seeder(self.pipedrive, seed, fields).fill(sizes or {})
        self._api = PipedriveApi(self.pipedrive, self.access, self.ledger, self.quirks, self.cursors, self.url)

    @override
    def answer(self, request: Request) -> Reply:
        return self._api.answer(request)

    @override
    def injected(self, fault: Fault) -> Reply | None:
        return injected(fault)

    @override
    def state(self) -> dict[str, Any]:
        return {"records": self.pipedrive.counts(), "tokens": {"today": self.ledger.today, "total": self.ledger.total}}

    @override
    def describe(self) -> dict[str, Any]:
        return {"url": self.url, "token": self.token, "records": self.pipedrive.counts()}

    @override
    def orders(self) -> Mapping[tuple[str, str], Order]:
        def ids(_: dict[str, Any]) -> dict[str, Any]:
            return {table: [row["id"] for row in self.pipedrive.live(table)] for table in self.pipedrive.counts()}

        return {("GET", "ids"): ids, ("POST", "edit"): Edits(self.pipedrive).make}
