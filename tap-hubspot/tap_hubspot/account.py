"""The account behind the credentials: what it is, and when its day ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Account"]


@dataclass(frozen=True)
class Account:
    """Account details (vendor page "Account information"); every field may be missing."""

    portal_id: str = ""
    kind: str = ""
    zone_name: str = ""
    utc_offset: timedelta | None = None
    hosting: str = ""

    @classmethod
    def of(cls, details: Mapping[str, Any]) -> Account:
        """Read the API's answer."""
        millis = details.get("utcOffsetMilliseconds")
        return cls(
            portal_id=_text(details, "portalId"),
            kind=_text(details, "accountType"),
            zone_name=_text(details, "timeZone"),
            utc_offset=timedelta(milliseconds=millis) if isinstance(millis, int) else None,
            hosting=_text(details, "dataHostingLocation"),
        )

    @property
    def zone(self) -> tzinfo | None:
        """The time zone; where this machine does not know it, the offset that the API told; None without either."""
        try:
            return ZoneInfo(self.zone_name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return None if self.utc_offset is None else timezone(self.utc_offset)

    def next_midnight(self, now: datetime) -> datetime | None:
        """When the day of the account that `now` is in ends, in its own zone; HubSpot's daily limit resets then."""
        zone = self.zone
        if zone is None:
            return None
        tomorrow = now.astimezone(zone).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time.min, zone)

    def facts(self) -> dict[str, str]:
        """What is known, for people."""
        kind = f" ({self.kind})" if self.kind else ""
        found = {
            "account": self.portal_id + kind,
            "time_zone": self.zone_name,
            "data_hosting": self.hosting,
        }
        return {name: text for name, text in found.items() if text}


def _text(details: Mapping[str, Any], name: str) -> str:
    value = details.get(name)
    return "" if value is None else str(value)
