"""The fake HubSpot as a whole: one request in, one reply out."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from fake_crm.hubspot.call import Call
from fake_crm.hubspot.errors import CORRELATION, TOO_LONG, ApiError, invalid
from fake_crm.hubspot.matching import Matcher
from fake_crm.hubspot.routing import Router, routes
from fake_crm.hubspot.search import Search
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.hubspot.access import Access
    from fake_crm.hubspot.limits import Limiter
    from fake_crm.hubspot.quirks import Quirks
    from fake_crm.hubspot.routing import Route
    from fake_crm.hubspot.world import World
    from fake_crm.wire import Request


class HubSpotApi:
    """Answers as HubSpot does. `base` is the address that next links begin with."""

    def __init__(self, world: World, access: Access, limiter: Limiter, quirks: Quirks) -> None:
        self._world = world
        self._access = access
        self._limiter = limiter
        self._quirks = quirks
        self._router = Router(routes(Search(Matcher(lambda: quirks.ids_as_text))))
        self.base = ""

    def answer(self, request: Request) -> Reply:
        """The reply to a request, refusals included."""
        if len(request.target) > self._quirks.url_limit:
            return Reply.html(TOO_LONG, 414)
        try:
            return self._answered(request)
        except ApiError as error:
            return error.reply()

    def _answered(self, request: Request) -> Reply:
        match = self._router.find(request.method, request.path)
        route = match.route
        token = self._access.caller(request) if route.needs_token else None
        call = Call(request, match.parts, self._world, self._access, self._limiter, self._quirks, self.base, token)
        with self._world.lock:
            if token is not None:
                self._access.check_scopes(token, route.scopes(call), self._quirks.scope_key)
            headers = self._admitted(call, route)
            reply = self._handled(call, route, headers)
        return replace(reply, headers={CORRELATION: str(uuid.uuid4()), **headers, **reply.headers})

    def _admitted(self, call: Call, route: Route) -> dict[str, str]:
        if call.token is None:
            return {}
        return self._limiter.admit(
            route.bucket, call.token.value, oauth=call.token.oauth, retry_after=self._quirks.retry_after
        )

    @staticmethod
    def _handled(call: Call, route: Route, headers: dict[str, str]) -> Reply:
        try:
            unknown = sorted(call.request.query.keys() - route.query)
            if unknown and not call.quirks.ignore_unknown_query:
                raise invalid(f"Unknown query parameter(s): {', '.join(unknown)}")  # wording unverified
            return route.handler(call)
        except ApiError as error:
            error.headers = {**headers, **error.headers}
            raise
        except (KeyError, TypeError, ValueError) as error:
            if not call.request.body:
                raise
            # a body whose parts lack a field or are of another type; HubSpot names the place, this the cause
            raise ApiError(400, f"Invalid input JSON: {error}", headers=headers) from error
