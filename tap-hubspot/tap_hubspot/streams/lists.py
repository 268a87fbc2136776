"""Lists (HubSpot's "segments") and who is on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from crmdb_core.exceptions import NotFoundError
from crmdb_core.stream import Page
from tap_hubspot.list_search import ListSearch, id_order
from tap_hubspot.listing import cursor_pages
from tap_hubspot.streams.fixed import FREE, INSTANT, INTEGER, TEXT, FixedStream, shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_hubspot.client import HubSpotStream
    from tap_hubspot.tap import TapHubSpot

    Record = dict[str, Any]

_MEMBERS_A_PAGE = 250  # vendor page "Lists"


class ListsStream(FixedStream):
    """All lists, each with its filters; deleted ones vanish with the end of the read.

    The search knows a list's folder and the times at which records came and went (`additionalProperties`), reading by
    id knows its filters and size. A record is both.
    """

    name = "lists"
    primary_keys = ("listId",)
    schema: ClassVar[dict[str, Any]] = shape(
        ["listId"],
        name=TEXT,
        objectTypeId=TEXT,
        processingType=TEXT,
        processingStatus=TEXT,
        listVersion=INTEGER,
        size=INTEGER,
        createdAt=INSTANT,
        createdById=TEXT,
        updatedAt=INSTANT,
        updatedById=TEXT,
        filtersUpdatedAt=INSTANT,
        deletedAt=INSTANT,
        filterBranch=FREE,
        membershipSettings=FREE,
        listPermissions=FREE,
        additionalProperties=FREE,
        _sdc_deleted_at=INSTANT,
    )

    @override
    def fetch(self) -> Iterator[Page]:
        search = ListSearch(self.tap.session, self.paths)
        for rows in search.with_filters(search.rows(), self.config["concurrency"]):
            yield Page(rows)
        search.check()

    @override
    def record_of(self, row: Mapping[str, Any]) -> Record:
        # unverified: whether a deleted list, which can be restored for 90 days, is ever among the found ones
        return super().record_of({**row, "_sdc_deleted_at": row.get("deletedAt")})


class ListMembershipsStream(FixedStream):
    """The members of all lists, list by list; a resume point is the list and the cursor within.

    HubSpot tells nowhere who left a list, so the members are read whole each time and those who left vanish with the
    end of the read.
    """

    name = "list_memberships"
    primary_keys = ("listId", "recordId")
    schema: ClassVar[dict[str, Any]] = shape(["listId", "recordId"], membershipTimestamp=INSTANT)

    @override
    def fetch(self) -> Iterator[Page]:
        point = self.resume_point or {}
        reached, after = str(point.get("list_id", "")), str(point.get("after", ""))
        search = ListSearch(self.tap.session, self.paths)
        for row in search.rows():
            list_id = row["listId"]
            if id_order(list_id) < id_order(reached) or (list_id == reached and not after):
                continue
            yield from self._members(list_id, after if list_id == reached else "")
        search.check()

    def _members(self, list_id: str, after: str) -> Iterator[Page]:
        path = self.paths.list_members(list_id)
        try:
            for page in cursor_pages(self.tap.session, path, limit=_MEMBERS_A_PAGE, after=after):
                rows = [{"listId": list_id, **row} for row in page.rows]
                yield Page(rows, {"list_id": list_id, "after": page.after})
        except NotFoundError:  # deleted since it was found: it has no members any more
            return


def list_streams(tap: TapHubSpot) -> Iterable[HubSpotStream]:
    """Lists and their members."""
    return [ListsStream(tap), ListMembershipsStream(tap)]
