"""Every list of an account, although HubSpot's search of lists ends at 10,000."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from crmdb_core.concurrency import in_order
from crmdb_core.exceptions import ApiError, CrmdbError, ForbiddenError
from tap_hubspot.objects import CRM_OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_hubspot.keyset import Api
    from tap_hubspot.paths import Paths

    Json = dict[str, Any]

MOST_A_PAGE = 500  # vendor page "Search lists"
CEILING = 10_000  # the search gives no page beyond
MOST_BY_ID = 100  # unverified: how many `listIds` one call takes; a hundred stay far below the longest URL
_READS = 3
_NOT_OPEN = frozenset({400, 403, 404})  # what a beta may answer where it is not open
_PROCESSING_TYPES = ("MANUAL", "SNAPSHOT", "DYNAMIC")
# Types that lists can be of, beside custom ones; a list of a type that is not here is missed only where one processing
# type has more than 10,000 lists, and then told.
_OBJECT_TYPES = tuple(each.type_id for each in CRM_OBJECTS)


class TooManyListsError(CrmdbError):
    """Lists that HubSpot's search does not give."""


class ListsMovedError(CrmdbError):
    """Lists that do not keep still long enough to be read."""


@dataclass(frozen=True)
class Part:
    """Which lists a search is about; without types all."""

    processing_type: str | None = None
    object_type: str | None = None

    def body(self, **more: Any) -> Json:
        """What asks for these lists."""
        kind = {} if self.object_type is None else {"objectTypeId": self.object_type}
        types = [] if self.processing_type is None else [self.processing_type]
        return {"processingTypes": types, "additionalProperties": [], **kind, **more}


@dataclass
class ListSearch:
    """Finds the lists of an account, by parts of at most 10,000; a larger one by a cursor, of which HubSpot has a beta.

    `missed` is how many lists are out of reach, after `rows`: more than 10,000 of one part, or of an unknown type.
    """

    api: Api
    paths: Paths
    missed: int = 0

    def rows(self) -> list[Json]:
        """Every list that can be had, by ascending id."""
        found = self._part(Part())
        return [found[key] for key in sorted(found, key=id_order)]

    def with_filters(self, rows: list[Json], workers: int) -> Iterator[list[Json]]:
        """The lists with size, filters and settings, a hundred at a time; those deleted meanwhile are left out."""
        batches = [rows[at : at + MOST_BY_ID] for at in range(0, len(rows), MOST_BY_ID)]
        return in_order(self._whole, batches, workers=workers)

    def check(self) -> None:
        """Raises TooManyListsError if `rows` missed any."""
        if self.missed:
            msg = (
                f"{self.missed} lists are out of reach: HubSpot's search gives {CEILING} of one object type and "
                "processing type, and its beta no more; the others were read. Delete lists that nobody needs"
            )
            raise TooManyListsError(msg)

    def _whole(self, rows: list[Json]) -> list[Json]:
        params = {"listIds": [row["listId"] for row in rows], "includeFilters": "true"}
        details = {row["listId"]: row for row in self.api.get_json(self.paths.lists, params)["lists"]}
        return [{**row, **details[row["listId"]]} for row in rows if row["listId"] in details]

    def _part(self, part: Part) -> dict[str, Json]:
        first = self._page(part, 0)
        if first["total"] <= CEILING:
            return self._settled(part, first)
        found: dict[str, Json] = {}
        narrower = self._divided(part)
        for each in narrower:
            found |= self._part(each)
        if not narrower:
            found = self._by_cursor(part)
            if len(found) < first["total"]:
                found |= self._settled(part, first)
        if part.processing_type and not part.object_type:
            self.missed += max(0, first["total"] - len(found))
        return found

    def _divided(self, part: Part) -> list[Part]:
        if part.processing_type is None:
            return [replace(part, processing_type=each) for each in _PROCESSING_TYPES]
        if part.object_type is None:
            return [replace(part, object_type=each) for each in (*_OBJECT_TYPES, *self._custom_types)]
        return []

    @cached_property
    def _custom_types(self) -> list[str]:
        try:
            return [row["objectTypeId"] for row in self.api.get_json(self.paths.schemas)["results"]]
        except ForbiddenError:
            return []

    def _settled(self, part: Part, first: Json) -> dict[str, Json]:
        """The lists of a part, read again where lists moved from page to page meanwhile.

        Raises:
            ListsMovedError: if they did so each time.
        """
        for _ in range(_READS):
            found = self._read(part, first)
            if found is not None:
                return found
            first = self._page(part, 0)
        raise ListsMovedError("lists were made or deleted all the time while they were read; run again")

    def _read(self, part: Part, page: Json) -> dict[str, Json] | None:
        """The lists of a part as its pages give them; None if they moved.

        Pages are cut by position, so a list deleted meanwhile would draw another one onto a page already read. Each
        page begins with the last list of the one before, which tells. Unverified: the order without `sort`.
        """
        found = {row["listId"]: row for row in page["lists"]}
        reached = len(page["lists"])
        while page["hasMore"] and 0 < reached < CEILING:
            last = page["lists"][-1]["listId"]
            page = self._page(part, reached - 1)
            rows = page["lists"]
            if not rows or rows[0]["listId"] != last or (page["hasMore"] and len(rows) == 1):
                return None
            found |= {row["listId"]: row for row in rows}
            reached += len(rows) - 1
        return found

    def _page(self, part: Part, offset: int) -> Json:
        body = part.body(offset=offset, count=min(MOST_A_PAGE, CEILING - offset), listIds=[])
        page: Json = self.api.post_json(self.paths.list_search, body)
        return page

    def _by_cursor(self, part: Part) -> dict[str, Json]:
        """The lists of a part from the beta, as far as that goes. Unverified: that it goes beyond 10,000."""
        found: dict[str, Json] = {}
        body = part.body(count=MOST_A_PAGE)
        cursors: set[str] = set()
        try:
            while True:
                answer = self.api.post_json(self.paths.all_lists, body)
                found |= {row["listId"]: row for row in answer["results"]}
                after = str(((answer.get("paging") or {}).get("next") or {}).get("after") or "")
                if not after or after in cursors:
                    return found
                cursors.add(after)
                body["after"] = after
        except ApiError as error:
            if error.status not in _NOT_OPEN:
                raise
            return found


def id_order(list_id: str) -> tuple[int, str]:
    """Sorts ids as numbers without taking them for numbers."""
    return len(list_id), list_id
