"""Every path of the fake Salesforce."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fake_crm.salesforce import (
    bulk,
    composite,
    describing,
    legacy_bulk_v1,
    list_views,
    oauth,
    query,
    records,
    replication,
    reports,
    usage,
)
from fake_crm.salesforce.errors import ApiError, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fake_crm.salesforce.call import Call
    from fake_crm.wire import Reply

    Handler = Callable[[Call], Reply]

VERSION = "/services/data/v{version}"
_PARTS = {"version": r"\d+\.\d", "locator": r"[^/]+"}


@dataclass(frozen=True)
class Route:
    """One call; `open` ones need no session and are not counted."""

    method: str
    path: str
    handler: Handler
    open: bool = False


@dataclass(frozen=True)
class Match:
    """A route and the parts of the path."""

    route: Route
    parts: Mapping[str, str]


@dataclass
class Router:
    """Finds the route of a request."""

    routes: Iterable[Route]
    _compiled: list[tuple[re.Pattern[str], Route]] = field(init=False)

    def __post_init__(self) -> None:
        self._compiled = [(_pattern(route.path), route) for route in self.routes]

    def find(self, method: str, path: str) -> Match:
        """The route; 404 for an unknown path, 405 for a known one with another method."""
        others: list[str] = []
        for pattern, route in self._compiled:
            if found := pattern.fullmatch(path):
                if route.method == method:
                    return Match(route, found.groupdict())
                others.append(route.method)
        if others:
            allowed = ",".join(sorted(set(others)))
            message = f"HTTP Method '{method}' not allowed. Allowed are {allowed}"
            raise ApiError(405, "METHOD_NOT_ALLOWED", message, headers={"Allow": allowed})
        raise not_found()


def _pattern(path: str) -> re.Pattern[str]:
    def part(match: re.Match[str]) -> str:
        return f"(?P<{match[1]}>{_PARTS.get(match[1], '[^/]+')})"

    return re.compile(re.sub(r"{(\w+)}", part, path) + "/?")


def routes() -> tuple[Route, ...]:
    """All routes."""
    return (
        Route("POST", "/services/oauth2/token", oauth.token, open=True),
        Route("POST", "/services/oauth2/revoke", oauth.revoke, open=True),
        Route("GET", "/services/oauth2/userinfo", oauth.userinfo),
        Route("GET", "/services/data", describing.versions, open=True),
        *_below_version(),
        *_bulk_v1(),
    )


def _bulk_v1() -> tuple[Route, ...]:
    root = "/services/async/{version}/job"
    old = legacy_bulk_v1
    return (
        Route("POST", root, old.create),
        Route("GET", f"{root}/{{id}}", old.info),
        Route("POST", f"{root}/{{id}}", old.change),
        Route("POST", f"{root}/{{id}}/batch", old.add_batch),
        Route("GET", f"{root}/{{id}}/batch", old.every_batch),
        Route("GET", f"{root}/{{id}}/batch/{{batch}}", old.one_batch),
        Route("GET", f"{root}/{{id}}/batch/{{batch}}/result", old.result_list),
        Route("GET", f"{root}/{{id}}/batch/{{batch}}/result/{{result}}", old.result),
    )


def _below_version() -> tuple[Route, ...]:
    paths: tuple[tuple[str, str, Handler], ...] = (
        ("GET", "", describing.resources),
        ("GET", "/sobjects", describing.every_object),
        ("GET", "/sobjects/{name}", describing.one_object),
        ("POST", "/sobjects/{name}", records.create),
        ("GET", "/sobjects/{name}/describe", describing.describe),
        ("GET", "/sobjects/{name}/updated", replication.updated),
        ("GET", "/sobjects/{name}/deleted", replication.deleted),
        ("GET", "/sobjects/{name}/listviews", list_views.every_view),
        ("GET", "/sobjects/{name}/listviews/{id}/describe", list_views.describe),
        ("GET", "/sobjects/{name}/listviews/{id}/results", list_views.results),
        ("GET", "/sobjects/{name}/{id}", records.one),
        ("PATCH", "/sobjects/{name}/{id}", records.update),
        ("DELETE", "/sobjects/{name}/{id}", records.delete),
        ("GET", "/sobjects/{name}/{id}/{field}", records.blob),
        ("GET", "/query", query.query),
        ("GET", "/queryAll", query.query_all),
        ("GET", "/query/{locator}", query.more),
        ("GET", "/queryAll/{locator}", query.more),
        ("POST", "/composite", composite.composite),
        ("POST", "/composite/batch", composite.batch),
        ("GET", "/limits", usage.limits),
        ("GET", "/limits/recordCount", usage.record_count),
        ("GET", "/analytics/reports", reports.every_report),
        ("GET", "/analytics/reports/{id}/describe", reports.describe),
        ("GET", "/analytics/reports/{id}", reports.run),
        ("POST", "/analytics/reports/{id}", reports.run),
        ("POST", "/jobs/query", bulk.create),
        ("GET", "/jobs/query", bulk.every_job),
        ("GET", "/jobs/query/{id}", bulk.info),
        ("PATCH", "/jobs/query/{id}", bulk.abort),
        ("DELETE", "/jobs/query/{id}", bulk.delete),
        ("GET", "/jobs/query/{id}/results", bulk.results),
        ("GET", "/jobs/query/{id}/resultPages", bulk.result_pages),
        ("GET", "/jobs/query/{id}/resultpages", bulk.result_pages),
    )
    return tuple(Route(method, VERSION + path, handler) for method, path, handler in paths)
