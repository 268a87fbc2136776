"""The fake Pipedrive as a whole: one request in, one reply out."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fake_crm.pipedrive.access import check_scope
from fake_crm.pipedrive.call import Call
from fake_crm.pipedrive.errors import ApiError, bad_request, blocked
from fake_crm.pipedrive.limits import BlockedError
from fake_crm.pipedrive.routing import find

if TYPE_CHECKING:
    from fake_crm.pipedrive.access import Access
    from fake_crm.pipedrive.limits import Ledger
    from fake_crm.pipedrive.paging import Cursors
    from fake_crm.pipedrive.quirks import Quirks
    from fake_crm.pipedrive.world import World
    from fake_crm.wire import Reply, Request


@dataclass
class PipedriveApi:
    """Answers as Pipedrive does; `base` is its own address."""

    world: World
    access: Access
    ledger: Ledger
    quirks: Quirks
    cursors: Cursors
    base: str = ""

    def answer(self, request: Request) -> Reply:
        """The reply to a request, refusals included."""
        try:
            return self._answered(request)
        except ApiError as error:
            return error.reply()
        except BlockedError:
            return blocked()

    def _answered(self, request: Request) -> Reply:
        route, parts = find(request.method, request.path)
        headers = {"x-correlation-id": str(uuid.uuid4())}
        if route.needs_token:
            token = self.access.caller(request)
            check_scope(token, frozenset(route.scopes))
            headers |= self.ledger.admit(token.value, route.cost, oauth=token.oauth)
        unknown = sorted(request.query.keys() - route.query - {"api_token"})
        if unknown and request.path.startswith("/api/v2/"):  # v1 passes over them
            refusal = bad_request(f"unknown parameters: {', '.join(unknown)}")
            refusal.headers |= headers
            raise refusal
        call = Call(request, parts, self.world, self.access, self.quirks, self.cursors, self.base)
        with self.world.lock:
            reply = route.handler(call)
        return replace(reply, headers={**headers, **reply.headers})
