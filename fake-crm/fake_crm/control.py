"""Paths under /_fake/: look at a fake and move it from outside. No token is needed: it listens on loopback only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.local_api import LocalApi
    from fake_crm.wire import Request

Json = dict[str, Any]
Order = Callable[[Json], Json]
"""Does what a JSON object says and answers with one; ValueError says what is wrong with it."""

_SHOWN = 1000  # requests in one answer


class Control:
    """Answers the paths under /_fake/; 400 with the reason for what it cannot do."""

    def __init__(self, api: LocalApi) -> None:
        self._api = api
        self._answers: dict[tuple[str, str], Order] = {
            ("GET", "state"): self._state,
            ("GET", "requests"): self._requests,
            ("POST", "clock"): self._move_clock,
            ("POST", "faults"): self._add_faults,
        }

    def answer(self, request: Request) -> Reply:
        """The reply to a request of the control door."""
        answers = {**self._answers, **self._api.orders()}
        answer = answers.get((request.method, request.path.removeprefix("/_fake/").strip("/")))
        if answer is None:
            known = ", ".join(f"{method} /_fake/{name}" for method, name in answers)
            return Reply.of({"error": f"no such control path; known: {known}"}, 404)
        try:
            return Reply.of(answer(request.json or {}))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return Reply.of({"error": str(error.args[0] if error.args else error)}, 400)

    def _state(self, _: Json) -> Json:
        log = self._api.requests
        now = self._api.clock.now().isoformat()
        return {"now": now, **self._api.state(), "requests": log.total, "calls": log.calls()}

    def _requests(self, _: Json) -> Json:
        log = self._api.requests
        return {"total": log.total, "requests": [entry.summary() for entry in log[-_SHOWN:]]}

    def _move_clock(self, order: Json) -> Json:
        clock = self._api.clock
        if ("set" in order) == ("advance" in order):
            raise ValueError("give either advance (seconds) or set (an instant like 2026-11-01T00:00:00Z)")
        now = clock.set(order["set"]) if "set" in order else clock.advance(float(order["advance"]))
        return {"now": now.isoformat()}

    def _add_faults(self, order: Json) -> Json:
        for fault in order["faults"]:
            self._api.faults.add(**fault)
        return {"added": len(order["faults"])}
