"""Limits and cursors of list pages."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fake_crm.hubspot.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fake_crm.hubspot.call import Call


def page_limit(call: Call, most: int, default: int = 10) -> int:
    """The asked page size; 400 outside 1 … `most`. The wording is unverified."""
    text = call.one("limit")
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= most:
        raise invalid(f"Invalid limit {text!r}: it must be a number from 1 to {most}")
    return int(text)


def cursor(call: Call) -> int:
    """The `after` of a list: the id of the next record (vendor page "Using object APIs")."""
    text = call.one("after") or "0"
    if not (text.isascii() and text.isdecimal()):
        raise invalid(f"Invalid cursor after={text!r}")
    return int(text)


def archived_flag(call: Call) -> bool:
    """The `archived` parameter; 400 unless it is true or false."""
    text = (call.one("archived") or "false").lower()
    if text not in {"true", "false"}:
        raise invalid(f"archived must be true or false, not {text!r}")
    return text == "true"


def flag(call: Call, name: str) -> bool:
    """A parameter that is true or not; clients write it in any case."""
    return (call.one(name) or "").lower() == "true"


def page(call: Call, results: Sequence[Any], after: str | None) -> dict[str, Any]:
    """A page with its absolute link to the next."""
    return {"results": results, **paging(call, after)}


def paging(call: Call, after: str | None) -> dict[str, Any]:
    """The field `paging`; nothing on the last page."""
    if after is None:
        return {}
    query = [(name, value) for name, values in call.request.query.items() if name != "after" for value in values]
    link = f"{call.base}{call.request.path}?{urlencode([*query, ('after', after)])}"
    return {"paging": {"next": {"after": call.quirks.cursor(after), "link": link}}}


def token(place: int) -> str:
    """An opaque cursor."""
    return base64.b64encode(f"at:{place}".encode()).decode()


def token_place(call: Call, name: str) -> int:
    """The place that an opaque cursor of this parameter stands for, 0 without one; 400 for one that was not given."""
    text = call.one(name)
    if not text:
        return 0
    try:
        return int(base64.b64decode(text, validate=True).decode().removeprefix("at:"))
    except (ValueError, binascii.Error):
        raise invalid(f"Invalid cursor {name}={text!r}") from None


def start_after(places: Sequence[int], passed: int) -> int:
    """Where the rows after a passed place begin; 400 if it is not among them, as with a cursor of another query."""
    if not passed:
        return 0
    if passed not in places:
        raise invalid("Invalid cursor: it is of another query")
    return places.index(passed) + 1
