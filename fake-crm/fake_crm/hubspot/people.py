"""Users and teams of the account (vendor pages "User provisioning" and "Teams"; not the CRM object `users`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fake_crm.hubspot.errors import not_found
from fake_crm.hubspot.paging import cursor, page, page_limit
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fake_crm.hubspot.call import Call

    Json = dict[str, Any]

MOST_A_PAGE = 100  # unverified
FIRST_TEAM = 368_389
ROLES = ({"id": "7001", "name": "Sales", "requiresBillingWrite": False},)


@dataclass(frozen=True)
class Team:
    """A team; a team may be part of another one."""

    number: int
    name: str
    parent: int | None = None

    def rendered(self) -> Json:
        """The team as /settings/teams gives it."""
        parent = {} if self.parent is None else {"parentTeamId": str(self.parent)}
        return {"id": str(self.number), "name": self.name, **parent}


@dataclass(frozen=True)
class User:
    """Somebody who can log in; a team is the primary or an additional one."""

    number: int
    email: str
    first_name: str
    last_name: str
    primary: int | None = None
    others: tuple[int, ...] = ()
    is_super_admin: bool = False

    def rendered(self) -> Json:
        """The user as the API gives it; what is not set is left out."""
        roles = [] if self.is_super_admin else [ROLES[0]["id"]]
        primary = {} if self.primary is None else {"primaryTeamId": str(self.primary)}
        return {
            "id": str(self.number),
            "email": self.email,
            "firstName": self.first_name,
            "lastName": self.last_name,
            "roleIds": roles,
            **({"roleId": roles[0]} if roles else {}),
            **primary,
            "secondaryTeamIds": [str(each) for each in self.others],
            "superAdmin": self.is_super_admin,
        }


class People:
    """All users and teams."""

    def __init__(self) -> None:
        self.users: dict[int, User] = {}
        self.teams: dict[int, Team] = {}

    def team(self, name: str, parent: str | None = None) -> int:
        """The number of a team of this name, made if there is none."""
        for each in self.teams.values():
            if each.name == name:
                return each.number
        above = None if parent is None else self.team(parent)
        number = FIRST_TEAM + len(self.teams)
        self.teams[number] = Team(number, name, above)
        return number

    def add(self, user: User) -> None:
        """Let somebody log in."""
        self.users[user.number] = user

    def remove(self, number: int) -> None:
        """Take somebody's access away: the API does not list the user any more."""
        del self.users[number]

    def members(self, team: Team) -> Json:
        """A team with its members, as /settings/users/…/teams gives it."""
        return {
            "id": str(team.number),
            "name": team.name,
            "userIds": [str(each.number) for each in self.users.values() if each.primary == team.number],
            "secondaryUserIds": [str(each.number) for each in self.users.values() if team.number in each.others],
        }


def list_users(call: Call) -> Reply:
    """GET users, in pages."""
    _check_version(call)
    return _page(call, ((each.number, each.rendered()) for each in call.world.people.users.values()))


def one_user(call: Call) -> Reply:
    """GET one user by id, or by e-mail address with idProperty=EMAIL."""
    _check_version(call)
    by = "email" if call.one("idProperty") == "EMAIL" else "id"
    for each in call.world.people.users.values():
        if (shown := each.rendered())[by] == call.path["id"]:
            return Reply.of(shown)
    raise not_found()


def list_members(call: Call) -> Reply:
    """GET all teams with their members, in one page."""
    _check_version(call)
    people = call.world.people
    return Reply.of({"results": [people.members(each) for each in people.teams.values()]})


def list_roles(call: Call) -> Reply:
    """GET the roles, in one page."""
    _check_version(call)
    return Reply.of({"results": list(ROLES)})


def list_teams(call: Call) -> Reply:
    """GET teams with what they are part of, in pages."""
    _check_version(call)
    return _page(call, ((each.number, each.rendered()) for each in call.world.people.teams.values()))


def _page(call: Call, rows: Iterable[tuple[int, Json]]) -> Reply:
    limit, start = page_limit(call, MOST_A_PAGE, MOST_A_PAGE), cursor(call)
    waiting = [(number, row) for number, row in sorted(rows, key=lambda each: each[0]) if number >= start]
    after = str(waiting[limit][0]) if len(waiting) > limit else None
    return Reply.of(page(call, [row for _, row in waiting[:limit]], after))


def _check_version(call: Call) -> None:
    if call.quirks.settings_in_beta and "-beta" not in call.request.path:
        raise not_found()
