"""Versions, the list of objects, and their describes, with 304 for who knows them already."""

from __future__ import annotations

import hashlib
import json
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from fake_crm.clock import instant_of
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm.salesforce.call import Call

_SEASONS = ("Spring", "Summer", "Winter")
_FIRST_VERSION, _FIRST_YEAR = 31, 14  # Summer '14


def versions(call: Call) -> Reply:
    """GET /services/data: needs no session, does not count."""
    quirks = call.quirks
    return Reply.of(
        [
            {"label": label(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
            for number in range(quirks.oldest_version, quirks.newest_version + 1)
        ]
    )


def label(version: int) -> str:
    """The release's name: three a year, version 31 being Summer '14."""
    season = (version - _FIRST_VERSION + 1) % len(_SEASONS)
    year = _FIRST_YEAR + (version - _FIRST_VERSION + 1) // len(_SEASONS)
    return f"{_SEASONS[season]} '{year + (season == len(_SEASONS) - 1)}"


def resources(call: Call) -> Reply:
    """GET of a version: its resources."""
    names = ("sobjects", "query", "queryAll", "composite", "limits", "jobs", "analytics", "search", "recent")
    return Reply.of({name: f"{call.root}/{name}" for name in names})


def every_object(call: Call) -> Reply:
    """GET sobjects."""

    def body() -> Any:
        objects = [kind.summary(call.root) for kind in call.org.schema]
        return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects}

    return _unless_known(call, call.org.schema.changed_at, "", body)


def one_object(call: Call) -> Reply:
    """GET sobjects/{name}: its entry in the list."""
    kind = call.kind()
    return Reply.of({"objectDescribe": kind.summary(call.root), "recentItems": []})


def describe(call: Call) -> Reply:
    """GET sobjects/{name}/describe."""
    kind = call.kind()
    children = call.org.schema.children
    return _unless_known(call, kind.changed_at, kind.name, lambda: kind.describe(call.root, children(kind.name)))


def _unless_known(call: Call, changed_at: int, name: str, body: Callable[[], Any]) -> Reply:
    changed = instant_of(changed_at).replace(microsecond=0)
    tag = f'"{hashlib.sha256(f"{call.root}/{name}@{changed_at}".encode()).hexdigest()[:16]}-gzip"'
    headers = {"Last-Modified": format_datetime(changed, usegmt=True), "ETag": tag}
    since = call.request.headers.get("If-Modified-Since")
    if call.request.headers.get("If-None-Match") == tag or (since and _is_known(since, changed)):
        return Reply(304, b"", headers)
    text = call.org.describes.get(name, call.root, call.org.schema.changed_at, lambda: json.dumps(body()).encode())
    return Reply(200, text, headers)


def _is_known(since: str, changed: Any) -> bool:
    try:
        return bool(parsedate_to_datetime(since) >= changed)
    except (TypeError, ValueError):
        return False


class DescribeTexts:
    """Describes as JSON, kept until something in the schema changes."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[int, bytes]] = {}

    def get(self, name: str, root: str, changed_at: int, make: Callable[[], bytes]) -> bytes:
        """The text of one describe."""
        found = self._kept.get((name, root))
        if found is None or found[0] != changed_at:
            found = self._kept[name, root] = (changed_at, make())
        return found[1]
