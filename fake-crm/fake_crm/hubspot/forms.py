"""Forms (vendor page "Forms", v3 and dated beta) and their submissions (a legacy endpoint)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fake_crm.hubspot.errors import invalid, not_found
from fake_crm.hubspot.paging import archived_flag, page, page_limit, start_after, token, token_place
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.hubspot.call import Call

    Json = dict[str, Any]

MOST_A_PAGE = 500  # unverified
MOST_SUBMISSIONS = 50
TYPES = ("hubspot", "captured", "flow", "blog_comment")


def list_page(call: Call) -> Reply:
    """GET forms: only those of HubSpot's own editor unless formTypes says more; the cursor is opaque."""
    limit, start = page_limit(call, MOST_A_PAGE, default=20), token_place(call, "after")
    types = call.many("formTypes") or ["hubspot"]
    if unknown := set(types) - {*TYPES, "all"}:
        raise invalid(f"unknown formTypes {sorted(unknown)}")
    archived = archived_flag(call)
    rows = [
        form
        for form in call.world.forms.values()
        if form["archived"] == archived and ("all" in types or form["formType"] in types)
    ]
    after = token(start + limit) if len(rows) > start + limit else None
    return Reply.of(page(call, rows[start : start + limit], after))


def one(call: Call) -> Reply:
    """GET one form."""
    form = call.world.forms.get(call.path["id"])
    if form is None or form["archived"] != archived_flag(call):
        raise not_found(f"Form {call.path['id']} does not exist")
    return Reply.of(form)


def submissions(call: Call) -> Reply:
    """GET submissions of a form, the newest first; the cursor is opaque and stays at its place when new ones come."""
    if call.path["id"] not in call.world.forms:
        raise not_found(f"Form {call.path['id']} does not exist")
    limit, passed = page_limit(call, MOST_SUBMISSIONS, default=20), token_place(call, "after")
    entries = list(enumerate(call.world.submissions[call.path["id"]], 1))
    ordered = sorted(entries, key=lambda entry: (entry[1]["submittedAt"], entry[0]), reverse=True)
    ordered = ordered[start_after([place for place, _ in ordered], passed) :]
    rows = [row for _, row in ordered[:limit]]
    after = token(ordered[limit - 1][0]) if len(ordered) > limit else None
    return Reply.of(page(call, rows, after))
