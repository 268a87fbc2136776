"""Cursor-paged lists that a killed run goes on with: each page comes with the cursor of the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import ApiError
from tap_hubspot.listing import RepeatedCursorError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_hubspot.keyset import Api

    Json = dict[str, Any]

BAD_REQUEST = 400


@dataclass(frozen=True)
class CursorPage:
    """Rows, and the cursor of the page after them; empty after the last one."""

    rows: list[Json]
    after: str


def cursor_pages(api: Api, path: str, *, limit: int, after: str = "") -> Iterator[CursorPage]:
    """The pages of a list from a cursor on.

    How long HubSpot honours a cursor is not documented: where it refuses the one of an earlier run, the list is read
    from its beginning.

    Raises:
        RepeatedCursorError: if a page points to itself or back.
    """
    try:
        page = _page(api, path, limit, after)
    except ApiError as error:
        if error.status != BAD_REQUEST or not after:
            raise
        page = _page(api, path, limit, "")
    cursors = {after}
    while True:
        yield page
        if not page.after:
            return
        if page.after in cursors:
            msg = f"HubSpot repeated a cursor of {path}; run again"
            raise RepeatedCursorError(msg)
        cursors.add(page.after)
        page = _page(api, path, limit, page.after)


def _page(api: Api, path: str, limit: int, after: str) -> CursorPage:
    answer = api.get_json(path, {"limit": limit, **({"after": after} if after else {})})
    following = (answer.get("paging") or {}).get("next") or {}
    return CursorPage(answer["results"], str(following.get("after") or ""))
