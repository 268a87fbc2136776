"""Owners (vendor page "Owners")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fake_crm.clock import iso
from fake_crm.hubspot.errors import invalid, not_found
from fake_crm.hubspot.paging import archived_flag, cursor, page, page_limit
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.hubspot.call import Call

MOST_A_PAGE = 500


@dataclass(frozen=True)
class Owner:
    """A user that records can be assigned to; `hubspot_owner_id` of a record is its `number`."""

    number: int
    email: str
    first_name: str
    last_name: str
    created: int
    updated: int
    archived: bool = False
    team: str | None = None
    team_number: int | None = None

    @property
    def user_number(self) -> int:
        """The id of the user that the owner is."""
        return self.number + 5_000_000

    def rendered(self) -> dict[str, Any]:
        """The owner as the API gives it; an archived one has no userId and no archivedAt."""
        user = self.user_number
        teams = {"teams": [{"id": str(self.team_number), "name": self.team, "primary": True}]} if self.team else {}
        return {
            "id": str(self.number),
            "email": self.email,
            "type": "PERSON",
            "firstName": self.first_name,
            "lastName": self.last_name,
            "userId": None if self.archived else user,
            "userIdIncludingInactive": user,
            "createdAt": iso(self.created),
            "updatedAt": iso(self.updated),
            "archived": self.archived,
            **teams,
        }


def list_page(call: Call) -> Reply:
    """GET owners: 100 a page by default, up to 500; vendor page "Owners"."""
    limit = page_limit(call, MOST_A_PAGE, default=100)
    archived = archived_flag(call)
    email = call.one("email")
    found = [each for each in call.world.owners.values() if each.archived == archived and email in {None, each.email}]
    rows = sorted(found, key=lambda each: each.number)
    start = cursor(call)
    waiting = [each for each in rows if each.number >= start]
    after = str(waiting[limit].number) if len(waiting) > limit else None
    return Reply.of(page(call, [each.rendered() for each in waiting[:limit]], after))


def one(call: Call) -> Reply:
    """GET one owner, by `id` or, with idProperty=userId, by the user's id; vendor page "Owners"."""
    by = call.one("idProperty") or "id"
    if by not in {"id", "userId"}:
        raise invalid(f"idProperty {by!r} is not one of id, userId")
    archived = archived_flag(call)
    for owner in call.world.owners.values():
        shown = owner.rendered()
        if (
            owner.archived == archived
            and str(shown["id" if by == "id" else "userIdIncludingInactive"]) == call.path["id"]
        ):
            return Reply.of(shown)
    raise not_found()
