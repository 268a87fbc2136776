"""Paths under /_fake/: look at the fake and move it from outside. No token is needed: it listens on loopback only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fake_crm.edits import Edits
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm.clock import Clock
    from fake_crm.faults import FaultBook
    from fake_crm.hubspot.world import World
    from fake_crm.request_log import RequestLog
    from fake_crm.wire import Request

    Json = dict[str, Any]

_SHOWN = 1000  # requests in one answer


class Control:
    """Answers the paths under /_fake/; 400 with the reason for what it cannot do."""

    def __init__(self, world: World, clock: Clock, log: RequestLog, faults: FaultBook) -> None:
        self._world = world
        self._clock = clock
        self._log = log
        self._faults = faults
        self._answers: dict[tuple[str, str], Callable[[Json], Json]] = {
            ("GET", "state"): self._state,
            ("GET", "requests"): self._requests,
            ("GET", "ids"): self._ids,
            ("POST", "clock"): self._move_clock,
            ("POST", "edit"): self._edit,
            ("POST", "faults"): self._add_faults,
        }

    def answer(self, request: Request) -> Reply:
        """The reply to a request of the control door."""
        answer = self._answers.get((request.method, request.path.removeprefix("/_fake/").strip("/")))
        if answer is None:
            known = ", ".join(f"{method} /_fake/{name}" for method, name in self._answers)
            return Reply.of({"error": f"no such control path; known: {known}"}, 404)
        try:
            return Reply.of(answer(request.json or {}))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return Reply.of({"error": str(error.args[0] if error.args else error)}, 400)

    def _state(self, _: Json) -> Json:
        return {
            "now": self._clock.now().isoformat(),
            "records": self._world.counts(),
            "owners": len(self._world.owners),
            "requests": self._log.total,
            "calls": self._log.calls(),
        }

    def _ids(self, _: Json) -> Json:
        return self._world.ids()

    def _requests(self, _: Json) -> Json:
        return {"total": self._log.total, "requests": [entry.summary() for entry in self._log[-_SHOWN:]]}

    def _move_clock(self, order: Json) -> Json:
        if ("set" in order) == ("advance" in order):
            raise ValueError("give either advance (seconds) or set (an instant like 2026-11-01T00:00:00Z)")
        now = self._clock.set(order["set"]) if "set" in order else self._clock.advance(float(order["advance"]))
        return {"now": now.isoformat()}

    def _edit(self, order: Json) -> Json:
        return Edits(self._world).make(order)

    def _add_faults(self, order: Json) -> Json:
        for fault in order["faults"]:
            self._faults.add(**fault)
        return {"added": len(order["faults"])}
