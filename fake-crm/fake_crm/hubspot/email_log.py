"""The legacy email APIs (vendor pages "Email events", "Email campaigns", "Subscriptions timeline")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fake_crm.hubspot.errors import invalid, not_found
from fake_crm.hubspot.paging import flag, page_limit, start_after, token, token_place
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fake_crm.hubspot.call import Call

    Json = dict[str, Any]

MOST_A_PAGE = 1000
# Parameters of the events and the fields that they filter by.
_FILTERS = {"recipient": "recipient", "eventType": "type", "campaignId": "emailCampaignId", "appId": "appId"}


def events(call: Call) -> Reply:
    """GET email events, the newest first."""
    wanted = [(name, call.one(parameter)) for parameter, name in _FILTERS.items() if call.one(parameter)]
    hide = flag(call, "excludeFilteredEvents")
    rows = (
        row
        for row in call.world.email_events
        if all(str(row.get(name)) == value for name, value in wanted) and not (hide and row.get("filteredEvent"))
    )
    return _log_page(call, rows, "events", "created")


def subscriptions_timeline(call: Call) -> Reply:
    """GET changes of subscriptions, the newest first."""
    kind = call.one("changeType")
    rows = (
        row
        for row in call.world.subscription_changes
        if kind is None or any(each["changeType"] == kind for each in row["changes"])
    )
    return _log_page(call, rows, "timeline", "timestamp")


def campaign_ids(call: Call) -> Reply:
    """GET campaigns/by-id: an overview of all; unverified: its order and the most a page."""
    limit, start = page_limit(call, MOST_A_PAGE), token_place(call, "offset")
    names = ("id", "appId", "appName", "lastUpdatedTime")
    rows = [{name: each[name] for name in names} for each in call.world.email_campaigns.values()]
    shown = rows[start : start + limit]
    reached = start + len(shown)
    return Reply.of({"campaigns": shown, "hasMore": reached < len(rows), "offset": token(reached)})


def campaign(call: Call) -> Reply:
    """GET one campaign, which needs the id of its application too."""
    found = call.world.email_campaigns.get(call.path["id"])
    if found is None or call.one("appId") not in {None, str(found["appId"])}:
        raise not_found()
    return Reply.of({name: value for name, value in found.items() if name != "lastUpdatedTime"})


def _log_page(call: Call, rows: Iterable[Json], name: str, time: str) -> Reply:
    """A page between two times, both included; `offset` goes on after the row at which the last page ended."""
    limit, passed = page_limit(call, MOST_A_PAGE), token_place(call, "offset")
    low, high = _time(call, "startTimestamp", 0), _time(call, "endTimestamp", call.world.now())
    if low > high:
        raise invalid("startTimestamp must not be after endTimestamp")
    entries = [(row[time], at, row) for at, row in enumerate(rows, 1) if low <= row[time] <= high]
    entries.sort(key=lambda entry: entry[:2], reverse=True)
    entries = entries[start_after([at for _, at, _ in entries], passed) :]
    shown = entries[:limit]
    last = shown[-1][1] if shown else passed
    return Reply.of({name: [row for *_, row in shown], "hasMore": len(entries) > limit, "offset": token(last)})


def _time(call: Call, name: str, default: int) -> int:
    text = call.one(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal()):
        raise invalid(f"{name} must be epoch milliseconds, not {text!r}")
    return int(text)
