"""Lists that HubSpot pages by a cursor."""

from __future__ import annotations

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
        after = next_cursor(answer)
        if after is None:
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


def listed_ids(api: Api, path: str, **params: str | int) -> Iterator[Json]:
    """Every row of a list of records, with no value but its id, 100 a call."""
    return listed(api, path, limit=100, properties="hs_object_id", **params)


def next_cursor(answer: Json) -> str | None:
    """The cursor of the page behind this one; an answer may give a number."""
    return str((answer.get("paging") or {}).get("next", {}).get("after", "")) or None
