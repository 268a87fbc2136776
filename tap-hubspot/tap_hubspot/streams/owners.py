"""Owners: the users that records can be assigned to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_hubspot.client import HubSpotStream
from tap_hubspot.listing import list_pages
from tap_hubspot.records import deleted_at
from tap_hubspot.schema import BOOLEAN, INSTANT, KEY, TEXT, Schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crmdb_core.stream import Page
    from tap_hubspot.tap import TapHubSpot

    Record = dict[str, Any]

_TEAM: Schema = {"type": "object", "properties": {"id": KEY, "name": TEXT, "primary": BOOLEAN}}

# GET /crm/owners/...: `userId` is null once the owner is archived.
_OWNER: Schema = {
    "type": "object",
    "properties": {
        "id": KEY,
        "email": TEXT,
        "type": TEXT,
        "firstName": TEXT,
        "lastName": TEXT,
        "userId": TEXT,
        "userIdIncludingInactive": TEXT,
        "createdAt": INSTANT,
        "updatedAt": INSTANT,
        "archived": BOOLEAN,
        "teams": {"type": ["array", "null"], "items": _TEAM},
        "_sdc_deleted_at": INSTANT,
    },
    "required": ["id"],
}

_OWNERS_A_PAGE = 500  # vendor page "Owners"


class OwnersStream(HubSpotStream):
    """Owners, archived ones included."""

    name = "owners"
    schema: ClassVar[dict[str, Any]] = _OWNER

    @override
    def fetch(self) -> Iterator[Page]:
        for archived in ("false", "true"):
            yield from list_pages(self.tap.session, self.paths.owners, limit=_OWNERS_A_PAGE, archived=archived)

    @override
    def records_of(self, page: Page) -> Iterator[Record]:
        return map(_owner, page.rows)


def _owner(raw: Record) -> Record:
    # owners carry no archivedAt; unverified: that archiving moves updatedAt, which is the latest instant known
    ids = {name: _text(raw.get(name)) for name in ("userId", "userIdIncludingInactive")}
    return {**raw, **ids, "_sdc_deleted_at": deleted_at(raw)}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def owner_streams(tap: TapHubSpot) -> Iterable[HubSpotStream]:
    """The one stream of owners."""
    return [OwnersStream(tap)]
