"""A little of everything that is no CRM record, for a made-up account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake_crm.clock import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fake_crm.hubspot.world import World

_DAY = 86_400_000
_FILTERS = {
    "filterBranchType": "OR",
    "filterBranchOperator": "OR",
    "filterBranches": [
        {
            "filterBranchType": "AND",
            "filterBranchOperator": "AND",
            "filterBranches": [],
            "filters": [
                {
                    "filterType": "PROPERTY",
                    "property": "city",
                    "operation": {"operationType": "MULTISTRING", "operator": "IS_EQUAL_TO", "values": ["Berlin"]},
                }
            ],
        }
    ],
    "filters": [],
}
_LIFE_OF_AN_EMAIL = ("PROCESSED", "SENT", "DELIVERED", "OPEN", "CLICK")
_MOST_EMAILED = 50  # contacts


def add_marketing(world: World, contacts: Sequence[str], until: int) -> None:
    """Lists of these contacts, two forms, a campaign with its email and what happened to it, all before `until`."""
    at = iso(until - 30 * _DAY)
    world.add_list("Everybody", processing="SNAPSHOT", members=contacts, at=at)
    world.add_list("Berlin", processing="DYNAMIC", members=contacts[::3], filters=_FILTERS, at=at)
    world.add_list("Partners", "companies", at=at)
    world.add_subscription_type("News", at=at)
    world.add_campaign("Spring", at=at, hs_start_date="2026-04-01", hs_budget_items_sum_amount="1500.50")
    world.add_marketing_email("Welcome", at=at)
    world.add_email_campaign("Welcome", at=at)
    _submit(world, contacts, until)
    _send(world, contacts[:_MOST_EMAILED], until)


def _submit(world: World, contacts: Sequence[str], until: int) -> None:
    newsletter = world.add_form("Newsletter", at=iso(until - 30 * _DAY))
    world.add_form("Found on the website", form_type="captured", at=iso(until - 30 * _DAY))
    for at, contact in enumerate(contacts[::4]):
        values = {"email": _email_of(world, contact), "firstname": "A"}
        world.submit_form(newsletter, values, page_url="https://example.com/news", at=iso(until - at * 3_600_000))


def _send(world: World, contacts: Sequence[str], until: int) -> None:
    for at, contact in enumerate(contacts):
        sent = until - 20 * _DAY + at * 1000
        recipient = _email_of(world, contact)
        for step, kind in enumerate(_LIFE_OF_AN_EMAIL[: 3 + at % 3]):
            world.add_email_event(kind, recipient, at=iso(sent + step * 60_000))
        if at % 10 == 0:
            world.add_subscription_change(recipient, at=iso(sent + _DAY))


def _email_of(world: World, contact: str) -> str:
    return str(world.record("contacts", contact)["properties"]["email"])
