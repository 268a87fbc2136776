"""What the org has used, and how many records it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake_crm.salesforce.errors import ApiError
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.salesforce.call import Call
    from fake_crm.salesforce.objects import SObject

_UNCOUNTED = ("History", "Share", "Feed", "ChangeEvent")


def limits(call: Call) -> Reply:
    """GET limits."""
    return Reply.of(call.usage.all())


def record_count(call: Call) -> Reply:
    """GET limits/recordCount: how many records each object had lately; not deleted or archived ones."""
    if not call.quirks.view_setup:
        raise ApiError(403, "INSUFFICIENT_ACCESS", "insufficient access rights on cross-reference id")
    names = call.one("sObjects")
    asked = None if names is None else {name.strip().lower() for name in names.split(",")}
    counts = call.org.recent_counts(call.quirks.recount_seconds)
    found = [
        {"count": counts.get(kind.name, 0), "name": kind.name}
        for kind in call.org.schema
        if _counted(kind) and (kind.name.lower() in asked if asked is not None else counts.get(kind.name))
    ]
    return Reply.of({"sObjects": found})


def _counted(kind: SObject) -> bool:
    is_log = kind.name.endswith(_UNCOUNTED) and kind.name != "LoginHistory"
    return kind.queryable and not is_log and not kind.big and not kind.reified
