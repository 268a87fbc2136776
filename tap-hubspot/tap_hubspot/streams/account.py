"""The account itself, the people who can log in, and their teams."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from crmdb_core.exceptions import ForbiddenError, NotFoundError
from crmdb_core.stream import Page
from tap_hubspot.casting import MisfitError, to_instant
from tap_hubspot.client import HubSpotStream
from tap_hubspot.listing import list_pages
from tap_hubspot.schema import BOOLEAN, INSTANT, KEY, TEXT, Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_hubspot.keyset import Api
    from tap_hubspot.paths import Paths
    from tap_hubspot.tap import TapHubSpot

    Record = dict[str, Any]

TEXTS: Schema = {"type": ["array", "null"], "items": TEXT}

_USER: Schema = {
    "type": "object",
    "properties": {
        "id": KEY,
        "email": TEXT,
        "firstName": TEXT,
        "lastName": TEXT,
        "roleId": TEXT,
        "roleIds": TEXTS,
        "primaryTeamId": TEXT,
        "secondaryTeamIds": TEXTS,
        "seatNames": TEXTS,
        "superAdmin": BOOLEAN,
    },
    "required": ["id"],
}
_TEAM: Schema = {
    "type": "object",
    "properties": {
        "id": KEY,
        "name": TEXT,
        "parentTeamId": TEXT,
        "userIds": TEXTS,
        "secondaryUserIds": TEXTS,
    },
    "required": ["id"],
}
# `createdAt` and `portalName` are there since 2026-09.
_ACCOUNT: Schema = {
    "type": "object",
    "properties": {
        "portalId": KEY,
        "portalName": TEXT,
        "accountType": TEXT,
        "timeZone": TEXT,
        "companyCurrency": TEXT,
        "additionalCurrencies": TEXTS,
        "utcOffset": TEXT,
        "utcOffsetMilliseconds": {"type": ["integer", "null"]},
        "uiDomain": TEXT,
        "dataHostingLocation": TEXT,
        "createdAt": INSTANT,
    },
    "required": ["portalId"],
}
_A_PAGE = 100  # unverified: the most that a page may hold
_BETA = "-beta"


def settings_pages(api: Api, paths: Paths, path_of: Callable[[Paths], str], **params: str | int) -> Iterator[Page]:
    """Pages of users or teams, from the beta path where the released one is not there yet.

    The vendor's OpenAPI specifications have both paths for 2026-09; unverified from which day the released one answers.
    """
    try:
        yield from list_pages(api, path_of(paths), **params)
    except NotFoundError:
        if paths.version.endswith(_BETA):
            raise
        yield from list_pages(api, path_of(replace(paths, version=f"{paths.version}{_BETA}")), **params)


class UsersStream(HubSpotStream):
    """Who can log in (vendor page "User provisioning"). One who cannot any more is not listed, and so is removed."""

    name = "settings_users"
    schema: ClassVar[dict[str, Any]] = _USER

    @override
    def fetch(self) -> Iterator[Page]:
        return settings_pages(self.tap.session, self.paths, lambda paths: paths.users, limit=_A_PAGE)

    @override
    def records_of(self, page: Page) -> Iterator[Record]:
        return (_declared(_USER, raw) for raw in page.rows)


class TeamsStream(HubSpotStream):
    """Teams, their members, and the team that each is part of: one call of the users' API, one of the teams'."""

    name = "teams"
    schema: ClassVar[dict[str, Any]] = _TEAM

    @override
    def fetch(self) -> Iterator[Page]:
        parents = self._parents()
        for page in settings_pages(self.tap.session, self.paths, lambda paths: paths.members):
            yield Page([{**each, **parents(str(each["id"]))} for each in page.rows])

    def _parents(self) -> Callable[[str], Record]:
        """What is known of a team's parent; versions before 2026-09 do not tell, and then what is stored stays."""
        pages = settings_pages(self.tap.session, self.paths, lambda paths: paths.teams, limit=_A_PAGE)
        try:
            above = {str(each["id"]): each.get("parentTeamId") for page in pages for each in page.rows}
        except (ForbiddenError, NotFoundError):
            self.logger.info("%s: which team is part of which other one is not told to this key", self.name)
            return lambda _: {}
        return lambda team: {"parentTeamId": above.get(team)}


class AccountStream(HubSpotStream):
    """The account: one row (vendor page "Account information"); open to every key."""

    name = "account_info"
    primary_keys = ("portalId",)
    schema: ClassVar[dict[str, Any]] = _ACCOUNT

    @override
    def fetch(self) -> Iterator[Page]:
        yield Page([self.tap.session.get_json(self.paths.account)])

    @override
    def records_of(self, page: Page) -> Iterator[Record]:
        for raw in page.rows:
            created = raw.get("createdAt")
            record = _declared(_ACCOUNT, raw)
            yield {**record, "portalId": str(raw["portalId"]), "createdAt": _instant(created)}


def _instant(millis: object) -> str | None:
    """Epoch milliseconds, as this API gives them, as an instant."""
    try:
        return None if millis is None else to_instant(str(millis))
    except MisfitError:
        return None


def _declared(schema: Schema, raw: Record) -> Record:
    """The declared fields, absent ones as null, so that what was taken away is taken away in the target too."""
    return {name: raw.get(name) for name in schema["properties"]}


def trials(api: Api, paths: Paths) -> dict[str, Callable[[], object]]:
    """A call for each stream here that takes a scope of its own; it fails where the key may not read the stream."""

    def first(path_of: Callable[[Paths], str], **params: int) -> Callable[[], object]:
        return lambda: next(settings_pages(api, paths, path_of, **params), None)

    return {
        UsersStream.name: first(lambda paths: paths.users, limit=1),
        TeamsStream.name: first(lambda paths: paths.members),
    }


def account_streams(tap: TapHubSpot) -> Iterable[HubSpotStream]:
    """Users and teams if the key may read them, and the account."""
    streams = (UsersStream, TeamsStream, AccountStream)
    closed = {*tap.found.forbidden, *tap.found.switched_off}
    return [stream(tap) for stream in streams if tap.is_known(stream.name) and stream.name not in closed]
