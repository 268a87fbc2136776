"""Lists that HubSpot pages by a cursor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import ApiError, CrmdbError
from crmdb_core.stream import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_hubspot.keyset import Api

    Json = dict[str, Any]


BAD_REQUEST = 400


class RepeatedCursorError(CrmdbError):
    """A list that answered a cursor a second time would never end."""


@dataclass(frozen=True)
class CursorPage:
    """Rows, and the cursor of the page after them; empty after the last one."""

    rows: list[Json]
    after: str


def cursor_pages(api: Api, path: str, *, after: str = "", **params: str | int) -> Iterator[CursorPage]:
    """The pages of a list from a cursor on, each with the cursor of the next; nothing else is taken from `paging.next`.

    How long HubSpot honours a cursor is not documented: where it refuses the one of an earlier run, the list is read
    from its beginning.

    Raises:
        RepeatedCursorError: if a page points to itself or back.
    """
    try:
        page = _page(api, path, params, after)
    except ApiError as error:
        if error.status != BAD_REQUEST or not after:
            raise
        page = _page(api, path, params, "")
    cursors = {after}
    while True:
        yield page
        if not page.after:
            return
        if page.after in cursors:
            msg = f"HubSpot repeated the cursor {page.after} of {path}; run again"
            raise RepeatedCursorError(msg)
        cursors.add(page.after)
        page = _page(api, path, params, page.after)


def _page(api: Api, path: str, params: Json, after: str) -> CursorPage:
    answer = api.get_json(path, {**params, "after": after} if after else dict(params))
    return CursorPage(answer["results"], next_cursor(answer) or "")


def list_pages(api: Api, path: str, **params: str | int) -> Iterator[Page]:
    """Every page of a cursor-paged list, with no point to go on from."""
    for page in cursor_pages(api, path, **params):  # type: ignore[arg-type]  # no list has a parameter `after` of its own
        yield Page(page.rows)


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
