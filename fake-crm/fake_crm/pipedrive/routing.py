"""Every path of the fake Pipedrive: who may call it, what it takes, what it costs (`x-token-cost` of the vendor)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from fake_crm.pipedrive import lists_v1 as v1
from fake_crm.pipedrive import lists_v2 as v2
from fake_crm.pipedrive import oauth, writes
from fake_crm.pipedrive.definitions import ENTITIES
from fake_crm.pipedrive.errors import ApiError, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fake_crm.pipedrive.call import Call
    from fake_crm.wire import Reply

    Handler = Callable[[Call], Reply]

_V2, _V1 = "/api/v2", r"(?:/api)?/v1"
_CHANGED = frozenset({"updated_since", "updated_until"})
_LABELS = frozenset({"include_option_labels", "include_labels"})
_RECORD = v2.PAGE | _CHANGED | {"filter_id", "ids", "owner_id", "include_fields"}
_OWN = _RECORD | {"custom_fields"}
_DEALS = _OWN | {"person_id", "org_id", "pipeline_id", "stage_id", "status"}
_LEADS = v1.PAGE | {"owner_id", "person_id", "organization_id", "filter_id", "sort"}
_FLAGS = frozenset(f"pinned_to_{name}_flag" for name in ("lead", "deal", "organization", "person", "project", "task"))
_NOTES = v1.PAGE | _FLAGS | {
    "user_id", "lead_id", "deal_id", "person_id", "org_id", "project_id", "task_id", "sort", "start_date", "end_date",
    "updated_since",
}  # fmt: skip
_PROJECTS = frozenset({"limit", "cursor", "filter_id", "status", "phase_id"})
_GOALS = frozenset({"type.name", "title", "is_active", "assignee.id", "assignee.type", "period.start", "period.end"})


@dataclass(frozen=True)
class Route:
    """One call. No scopes: any OAuth token may."""

    method: str
    path: str
    handler: Handler
    cost: int
    scopes: tuple[str, ...] = ()
    query: frozenset[str] = frozenset()
    needs_token: bool = True

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The path as an expression; `{id}` is a part of it."""
        return re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", self.path))


def find(method: str, path: str) -> tuple[Route, Mapping[str, str]]:
    """The route of a request; 404 for an unknown path, 405 for a known one with another method."""
    others = False
    for route in ROUTES:
        if found := route.pattern.fullmatch(path):
            if route.method == method:
                return route, found.groupdict()
            others = True
    if others:
        raise ApiError(405, "Method not allowed")
    raise not_found("Resource")


def _scopes(name: str) -> tuple[str, ...]:
    return (f"{name}:read", f"{name}:full")


_EVERYTHING = (*_scopes("deals"), *_scopes("contacts"), *_scopes("activities"))


def _get(path: str, handler: Handler, cost: int, scopes: tuple[str, ...] = (), query: frozenset[str] = frozenset()
         ) -> Route:  # fmt: skip
    return Route("GET", path, handler, cost, scopes, query)


def _v2_routes() -> Iterator[Route]:
    deals, contacts, projects = _scopes("deals"), _scopes("contacts"), _scopes("projects")
    yield _get(f"{_V2}/deals", v2.DEALS, 10, deals, _DEALS | _LABELS)
    yield _get(f"{_V2}/deals/archived", v2.ARCHIVED_DEALS, 20, deals, _DEALS)
    yield _get(f"{_V2}/deals/products", v2.DEAL_PRODUCTS, 10, deals, v2.PAGE | {"deal_ids"})
    yield _get(f"{_V2}/deals/installments", v2.INSTALLMENTS, 10, deals, v2.PAGE | {"deal_ids"})
    yield _get(f"{_V2}/deals/{{id}}/followers", v2.followers, 10, deals, frozenset({"limit", "cursor"}))
    yield _get(f"{_V2}/persons", v2.PERSONS, 10, contacts, _OWN | _LABELS | {"org_id", "deal_id"})
    yield _get(f"{_V2}/organizations", v2.ORGANIZATIONS, 10, contacts, _OWN | _LABELS)
    yield _get(f"{_V2}/activities", v2.ACTIVITIES, 10, _scopes("activities"),
               _RECORD | {"deal_id", "lead_id", "person_id", "org_id", "done"})  # fmt: skip
    yield _get(f"{_V2}/products", v2.PRODUCTS, 10, _scopes("products"),
               (_OWN - {"updated_until", "include_fields"}))  # fmt: skip
    yield _get(f"{_V2}/pipelines", v2.PIPELINES, 5, (*deals, "admin"), v2.PAGE)
    yield _get(f"{_V2}/stages", v2.STAGES, 5, (*deals, "admin"), v2.PAGE | {"pipeline_id"})
    yield _get(f"{_V2}/projects", v2.PROJECTS, 10, projects,
               _PROJECTS | {"deal_id", "person_id", "org_id"})  # fmt: skip
    yield _get(f"{_V2}/projects/archived", v2.ARCHIVED_PROJECTS, 10, projects,
               _PROJECTS)  # fmt: skip
    yield _get(f"{_V2}/tasks", v2.TASKS, 10, projects,
               frozenset({"limit", "cursor", "is_done", "is_milestone", "assignee_id", "project_id"}))  # fmt: skip
    yield _get(f"{_V2}/boards", v2.boards, 10, projects)
    yield _get(f"{_V2}/phases", v2.phases, 10, projects, frozenset({"board_id"}))
    for entity in ENTITIES:
        query = frozenset({"limit", "cursor", "include_fields"}) - (
            {"include_fields"} if entity == "project" else set()
        )
        yield _get(f"{_V2}/{entity}Fields", v2.fields(entity), 10, (), query)
    for table in ("deals", "persons", "organizations", "activities", "products"):
        yield _get(f"{_V2}/{table}/{{id}}", v2.one(table), 1, (), frozenset({"include_fields", "custom_fields"}))
        yield Route("POST", f"{_V2}/{table}", writes.create(table), 5)
        yield Route("PATCH", f"{_V2}/{table}/{{id}}", writes.update(table), 5)
        yield Route("DELETE", f"{_V2}/{table}/{{id}}", writes.delete(table), 3)


def _v1_routes() -> Iterator[Route]:
    deals, leads, mail = _scopes("deals"), _scopes("leads"), _scopes("mail")
    yield _get(f"{_V1}/users/me", v1.me, 2)
    yield _get(f"{_V1}/users", v1.USERS, 20, ("users:read",))
    yield _get(f"{_V1}/roles", v1.ROLES, 20, ("admin",), v1.PAGE)
    yield _get(f"{_V1}/permissionSets", v1.PERMISSION_SETS, 20, ("admin",), frozenset({"app"}))
    yield _get(f"{_V1}/filters", v1.FILTERS, 20, _EVERYTHING, frozenset({"type"}))
    yield _get(f"{_V1}/currencies", v1.CURRENCIES, 20, (), frozenset({"term"}))
    yield _get(f"{_V1}/activityTypes", v1.ACTIVITY_TYPES, 20, (*_scopes("activities"), "admin"))
    yield _get(f"{_V1}/notes", v1.NOTES, 20, (*deals, *_scopes("contacts")), _NOTES)
    yield _get(f"{_V1}/files", v1.FILES, 20, _EVERYTHING, v1.PAGE | {"sort"})
    yield _get(f"{_V1}/callLogs", v1.CALL_LOGS, 20, ("phone-integration",), v1.PAGE)
    yield _get(f"{_V1}/deals/{{id}}/participants", v1.participants, 10, deals, v1.PAGE)
    yield _get(f"{_V1}/deals/{{id}}/changelog", v1.changelog, 20, (*deals, "recents:read"),
               frozenset({"limit", "cursor"}))  # fmt: skip
    yield _get(f"{_V1}/deals/{{id}}/products", v1.deal_products, 20, deals, v1.PAGE)
    for entity in ENTITIES[:-1]:
        yield _get(f"{_V1}/{entity}Fields", v1.fields(entity), 20, (), v1.PAGE)
    yield _get(f"{_V1}/deals/summary", v1.summary, 40, deals,
               frozenset({"status", "filter_id", "user_id", "pipeline_id", "stage_id"}))  # fmt: skip
    # api.pipedrive.com has these below /v1 only
    yield _get("/v1/leads", v1.LEADS, 20, leads, _LEADS | {"updated_since"})
    yield _get("/v1/leads/archived", v1.ARCHIVED_LEADS, 40, leads, _LEADS)
    yield _get("/v1/leadLabels", v1.LEAD_LABELS, 10, leads)
    yield _get("/v1/leadSources", v1.lead_sources, 2, leads)
    yield _get("/v1/leadFields", v1.fields("lead"), 20, (), v1.PAGE)
    yield _get("/v1/noteFields", v1.fields("note"), 20)
    yield _get("/v1/goals/find", v1.goals, 20, _scopes("goals"), _GOALS)
    yield _get("/v1/mailbox/mailThreads", v1.mail_threads, 20, mail, v1.PAGE | {"folder"})
    yield _get("/v1/mailbox/mailThreads/{id}/mailMessages", v1.mail_messages, 20, mail)
    yield Route("POST", "/v1/leads", writes.create("leads"), 10)
    yield Route("PATCH", "/v1/leads/{id}", writes.update("leads"), 10)
    yield Route("DELETE", "/v1/leads/{id}", writes.delete("leads"), 6)
    yield Route("POST", "/v1/notes", writes.create("notes"), 10)
    yield Route("DELETE", "/v1/notes/{id}", writes.delete("notes"), 6)
    for table in ("deals", "persons", "organizations"):
        yield Route("PUT", f"{_V1}/{table}/{{id}}/merge", writes.merge(table), 40)
    yield Route("POST", "/oauth/token", oauth.token, 0, needs_token=False)
    yield Route("POST", "/oauth/revoke", oauth.revoke, 0, needs_token=False)


ROUTES: tuple[Route, ...] = (*_v2_routes(), *_v1_routes())
