"""What every fake API is: a server on loopback with a clock, faults, a log of requests and a control door."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

from fake_crm.clock import Clock
from fake_crm.control import Control
from fake_crm.faults import FaultBook, harmed
from fake_crm.request_log import LoggedRequest, RequestLog
from fake_crm.wire import Delivery, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from types import TracebackType

    from fake_crm.control import Order
    from fake_crm.faults import Fault
    from fake_crm.wire import Reply, Request


class LocalApi(ABC):
    """A fake API on 127.0.0.1, as a context manager; a subclass answers as its vendor does.

    `clock` is an instant at which the fake's clock stands until moved (`frozen=False` lets it run from there); without
    it, it is the machine's. `latency` is in seconds per request.
    """

    def __init__(
        self,
        *,
        latency: float = 0.0,
        clock: datetime | str | None = None,
        frozen: bool | None = None,
        port: int = 0,
    ) -> None:
        self.clock = Clock(clock, frozen=frozen)
        self.faults = FaultBook()
        self.requests = RequestLog()
        self.latency = latency
        self._hooks: list[Callable[[Request], object]] = []
        self._control = Control(self)
        self._server = Server(self, port)

    # -- what a fake gives ------------------------------------------------------------------------------------------

    @abstractmethod
    def answer(self, request: Request) -> Reply:
        """The reply to a request that no fault meets, refusals included."""

    @abstractmethod
    def injected(self, fault: Fault) -> Reply | None:
        """The vendor's own body for a status that was ordered as a fault; None where a proxy answers for it."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """How much there is, for the control door."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """What a person wants to know at the start: where, with which credentials, how much."""

    def orders(self) -> Mapping[tuple[str, str], Order]:
        """What its control door does beside what all do: (method, name) → the answer to a JSON object."""
        return {}

    # -- what tests use ---------------------------------------------------------------------------------------------

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
            return Delivery(self.answer(request))

        def answer() -> Reply:
            return self.answer(request).whole()  # what goes wrong goes wrong with bytes

        return harmed(fault, request, answer, self.injected)
