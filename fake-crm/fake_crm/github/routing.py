"""Every path of the fake GitHub, and which parameters it takes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fake_crm.github import releases, trees
from fake_crm.github.errors import RefusalError, not_found
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm.github.call import Call

__all__ = ["ROUTES", "Route"]

_PAGING = ("per_page", "page")


@dataclass(frozen=True)
class Route:
    """One path: its pattern, its handler, the parameters that it takes. `free`: it does not count in the limit."""

    method: str
    pattern: re.Pattern[str]
    handler: Callable[[Call], Reply]
    params: tuple[str, ...] = ()
    free: bool = False


def _rate_limit(call: Call) -> Reply:
    """GET /rate_limit; the old `rate` beside `resources` is gone since 2026-03-10."""
    return Reply.of({"resources": {"core": call.world.limiter.resource(call.caller)}})


def _app(call: Call) -> Reply:
    if not call.caller.is_app:
        raise RefusalError(401, "A JSON web token could not be decoded")
    return Reply.of({"id": 1, "slug": "fake", "name": f"App {call.caller.app_id}", "owner": {"login": "ada"}})


def _access_tokens(call: Call) -> Reply:
    if not call.caller.is_app:
        raise RefusalError(401, "A JSON web token could not be decoded")
    token = call.world.access.installation_token(call.caller, int(call.parts["installation"]))
    if token is None:
        raise not_found()
    return Reply.of(token, 201)


def _route(path: str, handler: Callable[[Call], Reply], *params: str, method: str = "GET", free: bool = False) -> Route:
    """A route; `{name}` is one part of the path, `{name*}` the rest of it."""
    pattern = re.sub(r"\{(\w+)\*\}", r"(?P<\1>.*)", path)
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
    return Route(method, re.compile(pattern), handler, params, free)


def _in_repositories() -> list[Route]:
    paths = (
        ("", trees.repository, ()),
        ("/branches", trees.branches, ("protected", *_PAGING)),
        ("/branches/{branch*}", trees.branch, ()),
        ("/tags", trees.tags, _PAGING),
        ("/git/ref/{ref*}", trees.ref, ()),
        ("/git/trees/{sha*}", trees.tree, ("recursive",)),
        ("/git/blobs/{sha}", trees.blob, ()),
        ("/commits", trees.commits, ("sha", "path", "author", "since", "until", *_PAGING)),
        ("/commits/{ref*}", trees.commit, _PAGING),
        ("/contents", trees.contents, ("ref",)),
        ("/contents/{path*}", trees.contents, ("ref",)),
        ("/releases", releases.releases, _PAGING),
        ("/releases/latest", releases.latest, ()),
        ("/releases/tags/{tag*}", releases.release_of_tag, ()),
        ("/releases/assets/{asset}", releases.asset, ()),
        ("/releases/{release}", releases.release, ()),
        ("/releases/{release}/assets", releases.assets, _PAGING),
    )
    roots = ("/repos/{owner}/{name}", r"/repositories/{id}")
    return [_route(root + path, handler, *params) for root in roots for path, handler, params in paths]


ROUTES = (
    _route("/rate_limit", _rate_limit, free=True),
    _route("/app", _app),
    _route("/app/installations/{installation}/access_tokens", _access_tokens, method="POST"),
    *_in_repositories(),
)
LFS = _route(r"/{owner}/{name}\.git/info/lfs/objects/batch", releases.lfs_batch, method="POST", free=True)
