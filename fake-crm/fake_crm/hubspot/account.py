"""The account (vendor page "Account information")."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from fake_crm.wire import Reply

if TYPE_CHECKING:
    from datetime import datetime

    from fake_crm.hubspot.call import Call


@dataclass(frozen=True)
class Account:
    """A portal."""

    portal_id: int = 123456
    time_zone: str = "US/Eastern"
    currency: str = "USD"
    more_currencies: tuple[str, ...] = ("EUR",)
    name: str = "Example Inc."
    created: int = 1_577_836_800_000

    def rendered(self, now: datetime) -> dict[str, Any]:
        """The details as the API gives them."""
        offset = now.astimezone(ZoneInfo(self.time_zone)).utcoffset() or timedelta()
        minutes = int(offset.total_seconds() // 60)
        sign = "-" if minutes < 0 else "+"
        return {
            "portalId": self.portal_id,
            "accountType": "DEVELOPER_TEST",
            "timeZone": self.time_zone,
            "companyCurrency": self.currency,
            "additionalCurrencies": list(self.more_currencies),
            "utcOffset": f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}",
            "utcOffsetMilliseconds": minutes * 60_000,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        }


def details(call: Call) -> Reply:
    """GET account details; open to every token."""
    account = call.world.account
    # since 2026-09 (the vendor's OpenAPI specification): epoch milliseconds, unlike everywhere else
    new = {"createdAt": account.created, "portalName": account.name} if "/2026-09/" in call.request.path else {}
    return Reply.of({**account.rendered(call.world.clock.now()), **new})


def usage(call: Call) -> Reply:
    """GET today's API usage of private apps; whether a service key may call it is unverified."""
    now = call.world.clock.now()
    local = now.astimezone(ZoneInfo(call.world.account.time_zone))
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    row = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": call.limiter.limits.daily or 1_000_000,
        "currentUsage": call.limiter.today,
        "collectedAt": now.isoformat(timespec="milliseconds"),
        "fetchStatus": "SUCCESS",
        "resetsAt": midnight.isoformat(timespec="milliseconds"),
    }
    return Reply.of({"results": [row]})
