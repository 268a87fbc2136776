"""How the fake GitHub answers: who asks, may they, is there anything new, then the handler of the path."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from fake_crm.github.call import Call
from fake_crm.github.errors import RefusalError, not_found, primary_limit, secondary_limit
from fake_crm.github.routing import LFS, ROUTES, Route
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fake_crm.github.access import Caller
    from fake_crm.github.world import World
    from fake_crm.wire import Request

__all__ = ["VERSIONS", "GitHubApi"]

VERSIONS = ("2022-11-28", "2026-03-10")
_ENTERPRISE = "/api/v3"
_NOT_MODIFIED = 304
_OK = 200


class GitHubApi:
    """The API below `/` as at api.github.com and below `/api/v3` as on an Enterprise server; Git LFS beside it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.base = ""

    def answer(self, request: Request) -> Reply:
        """The reply to a request, refusals included."""
        caller = self._world.access.caller(request)
        if caller is None:
            return RefusalError(401, "Bad credentials").reply()
        try:
            reply = self._answered(request, caller)
        except RefusalError as refusal:
            reply = refusal.reply()
        headers = {**self._world.limiter.headers(caller), "X-GitHub-Media-Type": "github.v3; format=json"}
        return replace(reply, headers={**headers, **reply.headers})

    def _answered(self, request: Request, caller: Caller) -> Reply:
        self._refuse(request)
        root, path = self.base, request.path
        if path.startswith(_ENTERPRISE + "/"):
            root, path = self.base + _ENTERPRISE, path.removeprefix(_ENTERPRISE)
        route, parts = self._route(request.method, path)
        if strange := set(request.query) - set(route.params):
            raise RefusalError(422, f"the fake takes no parameter {', '.join(sorted(strange))} here")
        self._spend(route, caller)
        self._redirect(parts, root, request)
        reply = route.handler(Call(request, caller, parts, root, self._world))
        return self._tagged(request, route, caller, reply)

    def _refuse(self, request: Request) -> None:
        """What GitHub refuses whatever the path is."""
        if not request.headers.get("User-Agent"):
            raise RefusalError(
                403, "Request forbidden by administrative rules. Please make sure it has a User-Agent header"
            )
        version = request.headers.get("X-Github-Api-Version", VERSIONS[0])
        if version not in VERSIONS:
            raise RefusalError(400, f'Invalid API version "{version}". Supported: {", ".join(VERSIONS)}')

    def _route(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        for route in (*ROUTES, LFS):
            match = route.pattern.fullmatch(path)
            if match and route.method == method:
                return route, match.groupdict()
        raise not_found()

    def _spend(self, route: Route, caller: Caller) -> None:
        """Count the call; a free one passes even when the hour is used up."""
        limiter = self._world.limiter
        if limiter.is_burst(caller):
            raise secondary_limit()
        if route.free:
            return
        if limiter.is_used_up(caller):
            raise primary_limit(anonymous=caller.is_anonymous)
        limiter.count(caller)

    def _redirect(self, parts: Mapping[str, str], root: str, request: Request) -> None:
        """A repository that has another name now answers 301 with its number."""
        if "owner" not in parts or self._world.find(parts["owner"], parts["name"]):
            return
        number = self._world.moved(parts["owner"], parts["name"])
        if number is not None and request.method == "GET":
            rest = request.target.split(f"/{parts['name']}", 1)[1]
            raise RefusalError(301, "Moved Permanently", headers={"Location": f"{root}/repositories/{number}{rest}"})

    def _tagged(self, request: Request, route: Route, caller: Caller, reply: Reply) -> Reply:
        """The reply with its ETag, or 304 without a body: that is free for whoever is authorised."""
        if reply.status != _OK or request.method != "GET" or route.free:
            return reply
        # the tag is of the representation, so it differs by media type; a weak one matches a strong one
        seed = hashlib.sha256(reply.body + request.headers.get("Accept", "").encode()).hexdigest()
        tag = f'W/"{seed}"'
        asked = [each.strip() for each in request.headers.get("If-None-Match", "").split(",")]
        if tag in asked or tag.removeprefix("W/") in asked:
            if not caller.is_anonymous:
                self._world.limiter.give_back(caller)
            return Reply(_NOT_MODIFIED, b"", {"ETag": tag})
        return replace(
            reply, headers={**reply.headers, "ETag": tag, "Cache-Control": "private, max-age=60, s-maxage=60"}
        )
