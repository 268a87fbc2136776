"""Every path of the fake HubSpot: what it accepts, who may call it, what it counts as."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fake_crm.hubspot import (
    account,
    associations,
    definitions,
    email_log,
    forms,
    legacy_v1,
    library,
    lists,
    marketing,
    oauth,
    objects,
    owners,
    people,
    pipelines,
)
from fake_crm.hubspot.errors import ApiError, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fake_crm.hubspot.call import Call
    from fake_crm.wire import Reply

    Handler = Callable[[Call], Reply]
    Scopes = Callable[[Call], tuple[str, ...]]

DATED = ("2026-03", "2026-09")


def _open(_: Call) -> tuple[str, ...]:
    return ()


def _reads(call: Call) -> tuple[str, ...]:
    return (call.kind().scope,)


def _writes(call: Call) -> tuple[str, ...]:
    return (call.kind().write_scope,)


def _definitions(call: Call) -> tuple[str, ...]:
    kind = call.kind()
    schemas = "custom" if kind.is_custom else kind.scope_name
    return (f"crm.schemas.{schemas}.read", kind.scope)


def _named(name: str) -> Scopes:
    return lambda call: (call.world.kinds.find(name).scope,)


def _pair_reads(call: Call) -> tuple[str, ...]:
    return (call.kind("from").scope,)


def _custom(_: Call) -> tuple[str, ...]:
    return ("crm.schemas.custom.read", "crm.objects.custom.read")


def _users(_: Call) -> tuple[str, ...]:
    return ("settings.users.read", "crm.objects.users.read")


def _teams(_: Call) -> tuple[str, ...]:
    return ("settings.users.teams.read",)


def _owners(_: Call) -> tuple[str, ...]:
    return ("crm.objects.owners.read",)


def _needs(*any_of: str) -> Scopes:
    return lambda _: any_of


@dataclass(frozen=True)
class Route:
    """One call: in `paths`, `{date}` is a dated version, other braces are parts; `bucket` is the limit it counts in."""

    method: str
    paths: tuple[str, ...]
    handler: Handler
    query: frozenset[str] = frozenset()
    scopes: Scopes = _open
    bucket: str = "default"
    needs_token: bool = True


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
        self._compiled = [(_pattern(path), route) for route in self.routes for path in route.paths]

    def find(self, method: str, path: str) -> Match:
        """The route; 404 for an unknown path, 405 for a known one with another method."""
        others = False
        for pattern, route in self._compiled:
            if found := pattern.fullmatch(path):
                if route.method == method:
                    return Match(route, found.groupdict())
                others = True
        if others:
            raise ApiError(405, "method not allowed", None)
        raise not_found()


def _pattern(path: str) -> re.Pattern[str]:
    dated = path.replace("{date}", f"(?:{'|'.join(DATED)})")
    return re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", dated) + "/?")


_RECORD = frozenset({"properties", "propertiesWithHistory", "associations", "archived"})
_PAGE = frozenset({"limit", "after"})


def _objects(suffix: str) -> tuple[str, ...]:
    return (f"/crm/v3/objects/{{type}}{suffix}", f"/crm/objects/{{date}}/{{type}}{suffix}")


def _pairs(suffix: str) -> tuple[str, ...]:
    base = "{from}/{to}" + suffix
    return (f"/crm/v4/associations/{base}", f"/crm/associations/{{date}}/{base}")


def _account(suffix: str) -> tuple[str, ...]:
    return (f"/account-info/v3/{suffix}", f"/account-info/{{date}}/{suffix}")


def _versions(area: str, suffix: str = "") -> tuple[str, ...]:
    return (f"/crm/v3/{area}{suffix}", f"/crm/{area}/{{date}}{suffix}")


def _oauth(suffix: str, *more: str) -> tuple[str, ...]:
    return (f"/oauth/v3/{suffix}", f"/oauth/{{date}}/{suffix}", *more)


_SCHEMAS = ("/crm-object-schemas/v3/schemas", "/crm/v3/schemas", "/crm-object-schemas/{date}/schemas")
_LINK = "/crm/v4/objects/{type}/{id}/associations"


def routes(search: Handler) -> tuple[Route, ...]:
    """All routes; `search` answers searches."""
    return (
        *_record_routes(search),
        *_association_routes(),
        *_legacy_routes(),
        *_list_routes(),
        *_marketing_routes(),
        *_email_log_routes(),
        *_settings_routes(),
        *_pipeline_routes(),
        Route("GET", _versions("object-library", "/enablement"), library.all_states, scopes=library.scopes),
        Route("GET", _versions("object-library", "/enablement/{type}"), library.one_state, scopes=library.scopes),
        Route("GET", _versions("properties", "/{type}"), definitions.list_properties,
              frozenset({"archived", "dataSensitivity", "locale", "properties"}), _definitions),
        Route("POST", _versions("properties", "/{type}"), definitions.create_property, scopes=_definitions),
        Route("GET", _versions("properties", "/{type}/{name}"), definitions.one_property,
              frozenset({"archived", "dataSensitivity", "locale", "properties"}), _definitions),
        Route("DELETE", _versions("properties", "/{type}/{name}"), definitions.archive_property, scopes=_definitions),
        Route("GET", _versions("owners"), owners.list_page, _PAGE | {"email", "archived"}, _owners),
        Route("GET", _versions("owners", "/{id}"), owners.one, frozenset({"idProperty", "archived"}), _owners),
        Route("GET", _SCHEMAS, definitions.list_schemas,
              frozenset({"archived", "includeAssociationDefinitions", "includeAuditMetadata",
                         "includePropertyDefinitions"}), _custom),
        Route("GET", tuple(f"{path}/{{type}}" for path in _SCHEMAS), definitions.one_schema,
              frozenset({"includeAssociationDefinitions", "includeAuditMetadata", "includePropertyDefinitions"}),
              _custom),
        Route("POST", (f"{_SCHEMAS[2]}/batch/read",), definitions.batch_schemas, scopes=_custom),
        Route("GET", _account("details"), account.details),
        Route("GET", _account("api-usage/daily/private-apps"), account.usage),
        Route("POST", _oauth("token", "/oauth/v1/token"), oauth.token, needs_token=False, bucket="none"),
        Route("POST", _oauth("token/introspect"), oauth.introspect, needs_token=False, bucket="none"),
        Route("POST", _oauth("token/revoke"), oauth.revoke, needs_token=False, bucket="none"),
        Route("GET", ("/oauth/v1/access-tokens/{token}",), oauth.describe, needs_token=False, bucket="none"),
    )  # fmt: skip


def _record_routes(search: Handler) -> tuple[Route, ...]:
    return (
        Route("POST", _objects("/search"), search, scopes=_reads, bucket="search"),
        Route("POST", _objects("/batch/read"), objects.batch_read, frozenset({"archived"}), _reads),
        Route("POST", _objects("/batch/create"), objects.batch_create, scopes=_writes),
        Route("POST", _objects("/batch/update"), objects.batch_update, scopes=_writes),
        Route("POST", _objects("/batch/archive"), objects.batch_archive, scopes=_writes),
        Route("POST", _objects("/merge"), objects.merge, scopes=_writes),
        Route("POST", ("/crm/v3/objects/contacts/gdpr-delete", "/crm/objects/{date}/contacts/gdpr-delete"),
              objects.gdpr_delete),
        Route("GET", _objects(""), objects.list_page, _RECORD | _PAGE, _reads),
        Route("POST", _objects(""), objects.create, scopes=_writes),
        Route("GET", _objects("/{id}"), objects.one, _RECORD | {"idProperty"}, _reads),
        Route("PATCH", _objects("/{id}"), objects.update, frozenset({"idProperty"}), _writes),
        Route("DELETE", _objects("/{id}"), objects.archive, scopes=_writes),
    )  # fmt: skip


def _pipeline_routes() -> tuple[Route, ...]:
    checks = frozenset({"validateReferencesBeforeDelete", "validateDealStageUsagesBeforeDelete"})
    return (
        Route("GET", _versions("pipelines", "/{type}"), pipelines.list_all, scopes=_definitions),
        Route("GET", _versions("pipelines", "/{type}/{id}"), pipelines.one, scopes=_definitions),
        Route("DELETE", _versions("pipelines", "/{type}/{id}"), pipelines.archive, checks, _definitions),
        Route("GET", _versions("pipelines", "/{type}/{id}/stages"), pipelines.stages, scopes=_definitions),
        Route("DELETE", _versions("pipelines", "/{type}/{id}/stages/{stage}"), pipelines.archive_stage, checks,
              _definitions),
    )  # fmt: skip


def _settings_routes() -> tuple[Route, ...]:
    """Users and teams; /settings/teams is new in 2026-09 (the vendor's OpenAPI specification)."""
    return (
        Route("GET", _users_paths("/teams"), people.list_members, scopes=_teams),
        Route("GET", _users_paths("/roles"), people.list_roles, scopes=_users),
        Route("GET", _users_paths(), people.list_users, _PAGE, _users),
        Route("GET", _users_paths("/{id}"), people.one_user, frozenset({"idProperty"}), _users),
        Route("GET", ("/settings/teams/2026-09", "/settings/teams/2026-09-beta"), people.list_teams, _PAGE, _teams),
    )


def _users_paths(suffix: str = "") -> tuple[str, ...]:
    base = ("/settings/v3/users", "/settings/users/{date}", "/settings/users/2026-09-beta")
    return tuple(f"{path}{suffix}" for path in base)


def _association_routes() -> tuple[Route, ...]:
    return (
        Route("POST", _pairs("/batch/read"), associations.batch_read, scopes=_pair_reads, bucket="associations"),
        Route("POST", _pairs("/batch/create"), associations.batch_create, scopes=_pair_reads, bucket="associations"),
        Route("POST", _pairs("/batch/associate/default"), associations.batch_create, scopes=_pair_reads,
              bucket="associations"),
        Route("POST", _pairs("/batch/archive"), associations.batch_archive, scopes=_pair_reads, bucket="associations"),
        Route("GET", _pairs("/labels"), associations.labels, scopes=_pair_reads),
        Route("GET", (f"{_LINK}/{{to}}",), associations.of_record, _PAGE, _reads),
        Route("PUT", (f"{_LINK}/default/{{to}}/{{to_id}}", f"{_LINK}/{{to}}/{{to_id}}"), associations.put,
              scopes=_writes),
        Route("DELETE", (f"{_LINK}/{{to}}/{{to_id}}",), associations.delete, scopes=_writes),
    )  # fmt: skip


def _legacy_routes() -> tuple[Route, ...]:
    page = frozenset({"limit", "offset", "properties"})
    whole = frozenset({"includeAssociations", "includeAllProperties", "allPropertiesFetchMode"})
    return (
        Route("GET", ("/companies/v2/properties",), legacy_v1.company_properties, scopes=_named("companies")),
        Route("GET", ("/companies/v2/companies/paged",), legacy_v1.companies, page, _named("companies")),
        Route("GET", ("/companies/v2/companies/{id}",), legacy_v1.company, scopes=_named("companies")),
        Route("GET", ("/properties/v1/deals/properties",), legacy_v1.deal_properties, scopes=_named("deals")),
        Route("GET", ("/deals/v1/deal/paged",), legacy_v1.deals, page | whole, _named("deals")),
        Route("GET", ("/crm/v4/objects/{type}",), objects.list_page, _RECORD | _PAGE, _reads),
    )


def _list_routes() -> tuple[Route, ...]:
    reads, writes = _needs("crm.lists.read"), _needs("crm.lists.write")
    filters = frozenset({"includeFilters"})
    members, member_page = "/{id}/memberships", _PAGE | {"before"}
    return (
        Route("POST", _versions("lists", "/search"), lists.search, scopes=reads),
        Route("POST", ("/crm/lists/{date}-beta/all",), lists.everything, scopes=reads),
        Route("GET", _versions("lists"), lists.by_ids, filters | {"listIds"}, reads),
        Route("POST", _versions("lists"), lists.create, scopes=writes),
        Route("GET", _versions("lists", "/object-type-id/{type}/name/{name}"), lists.by_name, filters, reads),
        Route("GET", _versions("lists", "/{id}"), lists.one, filters, reads),
        Route("DELETE", _versions("lists", "/{id}"), lists.delete, scopes=writes),
        Route("PUT", _versions("lists", "/{id}/restore"), lists.restore, scopes=writes),
        Route("GET", _versions("lists", members), lists.members, member_page, reads),
        Route("GET", _versions("lists", f"{members}/join-order"), lists.members_by_time, member_page, reads),
        Route("PUT", _versions("lists", f"{members}/add"), lists.add_members, scopes=writes),
        Route("PUT", _versions("lists", f"{members}/remove"), lists.remove_members, scopes=writes),
    )


def _marketing_routes() -> tuple[Route, ...]:
    preferences = _needs("communication_preferences.read", "communication_preferences.read_write")
    campaigns, emails, read_forms = _needs("marketing.campaigns.read"), _needs("content"), _needs("forms")
    email = frozenset({"archived", "includeStats", "marketingCampaignNames", "workflowNames"})
    # forms have a dated path as a beta only
    form_paths = ("/marketing/v3/forms", "/marketing/forms/{date}-beta")
    return (
        Route("GET", form_paths, forms.list_page, _PAGE | {"archived", "formTypes"}, read_forms),
        Route("GET", tuple(f"{path}/{{id}}" for path in form_paths), forms.one, frozenset({"archived"}), read_forms),
        Route("GET", _marketing("campaigns"), marketing.campaigns, _PAGE | {"name", "properties", "sort"}, campaigns),
        Route("GET", _marketing("campaigns", "/{id}"), marketing.campaign, frozenset({"properties"}), campaigns),
        Route("GET", _marketing("emails"), marketing.emails, _PAGE | email, emails),
        Route("GET", _marketing("emails", "/{id}"), marketing.email, email, emails),
        Route("GET", tuple(f"/communication-preferences/{version}/definitions" for version in ("v3", "v4", "{date}")),
              marketing.subscription_types, frozenset({"businessUnitId", "includeTranslations"}), preferences),
    )  # fmt: skip


def _marketing(area: str, suffix: str = "") -> tuple[str, ...]:
    return (f"/marketing/v3/{area}{suffix}", f"/marketing/{area}/{{date}}{suffix}")


def _email_log_routes() -> tuple[Route, ...]:
    """Endpoints without a dated twin; v1's contact lists are not among them, which HubSpot ended on 2026-04-30."""
    reads = _needs("content")
    log = frozenset({"limit", "offset", "startTimestamp", "endTimestamp"})
    events = log | {"recipient", "eventType", "campaignId", "appId", "excludeFilteredEvents"}
    timeline = log | {"changeType", "includeSnapshots"}
    return (
        Route("GET", ("/form-integrations/v1/submissions/forms/{id}",), forms.submissions, _PAGE,
              _needs("forms", "forms-uploaded-files")),
        Route("GET", ("/email/public/v1/events",), email_log.events, events, reads),
        Route("GET", ("/email/public/v1/subscriptions/timeline",), email_log.subscriptions_timeline, timeline, reads),
        Route("GET", ("/email/public/v1/campaigns/by-id",), email_log.campaign_ids, frozenset({"limit", "offset"}),
              reads),
        Route("GET", ("/email/public/v1/campaigns/{id}",), email_log.campaign, frozenset({"appId"}), reads),
    )  # fmt: skip
