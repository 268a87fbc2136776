"""Lists that HubSpot pages by a cursor, and the recycle bin among them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import CrmdbError
from crmdb_core.stream import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_hubspot.keyset import Api

    Json = dict[str, Any]


class RepeatedCursorError(CrmdbError):
    """A list that answered a cursor a second time would never end."""


def list_pages(api: Api, path: str, **params: str | int) -> Iterator[Page]:
    """Every page of a cursor-paged list; `after` is the only thing taken from `paging.next`.

    Raises:
        RepeatedCursorError: if a page points to itself or back.
    """
    query: Json = dict(params)
    cursors: set[str] = set()
    while True:
        answer = api.get_json(path, query)
        yield Page(answer["results"])
        after = str((answer.get("paging") or {}).get("next", {}).get("after", ""))
        if not after:
            return
        if after in cursors:
            msg = f"HubSpot repeated the cursor {after} of {path}; run again"
            raise RepeatedCursorError(msg)
        cursors.add(after)
        query["after"] = after


def listed(api: Api, path: str, **params: str | int) -> Iterator[Json]:
    """Every row of a cursor-paged list."""
    for page in list_pages(api, path, **params):
        yield from page.rows


def archived_ids(api: Api, path: str, *, since: datetime | None) -> Iterator[str]:
    """Ids of archived records of an object type, those archived at or after `since`.

    The list cannot be filtered or sorted by `archivedAt`, so it is read whole: 100 a call, for records archived in the
    last 90 days (vendor page "Using object APIs"). Archiving moves no modified date, hence this scan on every run.
    """
    for row in listed(api, path, archived="true", limit=100, properties="hs_object_id"):
        archived_at = row.get("archivedAt")
        if since is None or archived_at is None or datetime.fromisoformat(archived_at) >= since:
            yield str(row["id"])
