"""Marketing (vendor pages "Campaigns", "Marketing emails", "Subscription preferences"): reading only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fake_crm.clock import iso
from fake_crm.hubspot.errors import invalid, not_found
from fake_crm.hubspot.paging import archived_flag, flag, page, page_limit, token, token_place
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fake_crm.hubspot.call import Call

    Json = dict[str, Any]

MOST_CAMPAIGNS = 100
MOST_EMAILS = 100  # unverified
_SORTS = ("name", "createdAt", "updatedAt", "hs_name")
# Fields of an email that come only if a parameter asks for them.
_ON_DEMAND = {"stats": "includeStats", "campaignName": "marketingCampaignNames", "workflowNames": "workflowNames"}


def campaigns(call: Call) -> Reply:
    """GET campaigns; properties only if asked for by name, unknown ones are ignored."""
    limit, sort = page_limit(call, MOST_CAMPAIGNS, default=50), call.one("sort") or "createdAt"
    if sort.removeprefix("-") not in _SORTS:
        raise invalid(f"Invalid sort {sort!r}")
    rows = [each for each in call.world.campaigns.values() if (call.one("name") or "") in each["properties"]["hs_name"]]
    rows.sort(key=lambda each: str(each.get(sort.removeprefix("-"))), reverse=sort.startswith("-"))
    return _with_total(call, [_campaign(call, each) for each in rows], limit)


def campaign(call: Call) -> Reply:
    """GET one campaign with its assets."""
    found = call.world.campaigns.get(call.path["id"])
    if found is None:
        raise not_found(f"Campaign {call.path['id']} does not exist")
    return Reply.of({**_campaign(call, found), "assets": {}})


def emails(call: Call) -> Reply:
    """GET marketing emails, live or archived ones."""
    limit, archived = page_limit(call, MOST_EMAILS), archived_flag(call)
    rows = [_email(call, each) for each in call.world.marketing_emails.values() if each["archived"] == archived]
    return _with_total(call, rows, limit)


def email(call: Call) -> Reply:
    """GET one marketing email."""
    found = call.world.marketing_emails.get(call.path["id"])
    if found is None or found["archived"] != archived_flag(call):
        raise not_found(f"Email {call.path['id']} does not exist")
    return Reply.of(_email(call, found))


def subscription_types(call: Call) -> Reply:
    """GET subscription definitions; v3 names the result otherwise."""
    shown = flag(call, "includeTranslations")
    rows = [
        {name: value for name, value in each.items() if shown or name != "subscriptionTranslations"}
        for each in call.world.subscription_types.values()
    ]
    if call.request.path.startswith("/communication-preferences/v3/"):
        return Reply.of({"subscriptionDefinitions": rows})
    now = iso(call.world.now())
    return Reply.of({"status": "COMPLETE", "results": rows, "startedAt": now, "completedAt": now})


def _with_total(call: Call, rows: Sequence[Json], limit: int) -> Reply:
    start = token_place(call, "after")
    after = token(start + limit) if len(rows) > start + limit else None
    return Reply.of({"total": len(rows), **page(call, rows[start : start + limit], after)})


def _campaign(call: Call, row: Json) -> Json:
    asked = {name: row["properties"][name] for name in call.many("properties") if name in row["properties"]}
    return {**row, "properties": asked}


def _email(call: Call, row: Json) -> Json:
    hidden = {name for name, parameter in _ON_DEMAND.items() if not flag(call, parameter)}
    return {name: value for name, value in row.items() if name not in hidden}
