"""The base of every HubSpot stream, and the one HTTP session that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmdb_core.pacing import Budget, Pacer
from crmdb_core.quota import Use, reset_text
from crmdb_core.retry import Verdict
from crmdb_core.stream import CrmStream
from tap_hubspot.judge import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import requests

    from tap_hubspot.paths import Paths
    from tap_hubspot.tap import TapHubSpot

# Seconds by which each window is taken longer than stated: requests do not all travel equally fast.
_MARGIN = 0.1
_INTERVAL = "X-HubSpot-RateLimit-Interval-Milliseconds"
_MAX = "X-HubSpot-RateLimit-Max"
_REMAINING = "X-HubSpot-RateLimit-Remaining"
_DAILY = "X-HubSpot-RateLimit-Daily"
_DAILY_REMAINING = "X-HubSpot-RateLimit-Daily-Remaining"


def budgets(searches_per_second: float) -> dict[str, Budget]:
    """The budgets to begin with: what no response tells; the burst limit is told by the first one that it counts."""
    whole = max(int(searches_per_second), 1)
    return {
        "search": Budget(whole, whole / searches_per_second + _MARGIN),
        # the least of what accounts have (vendor page "Associations": 100 to 200 in ten seconds); a call reads 1,000
        "associations": Budget(100, 10 + _MARGIN, until_answered=True),
    }


def daily_use(headers: Mapping[str, str]) -> Use | None:
    """The account's calls of the day; answers to searches and to OAuth apps do not tell them (vendor page as above)."""
    limit, remaining = _whole(headers.get(_DAILY)), _whole(headers.get(_DAILY_REMAINING))
    return None if not limit or remaining is None else Use(limit, remaining)


class Reader:
    """Reads every response for the session: learns the burst limit from its headers, then judges a refusal.

    Searches carry no such headers and do not count in the burst limit (vendor page "API usage guidelines"). `resets` is
    when the account's day ends, if that is known.
    """

    def __init__(self, resets: Callable[[], datetime | None] = lambda: None) -> None:
        self.pacer: Pacer | None = None
        self._resets = resets

    def __call__(self, response: requests.Response) -> Verdict | None:
        """The verdict on one response."""
        headers = response.headers
        limit, interval = _whole(headers.get(_MAX)), _whole(headers.get(_INTERVAL))
        if self.pacer is not None and limit and interval:
            self.pacer.learn(
                limit=limit, remaining=_whole(headers.get(_REMAINING)), per_seconds=interval / 1000 + _MARGIN
            )
        verdict = judge(response)
        if verdict is None or verdict.action != "later":
            return verdict
        until = self._resets()
        return Verdict.later(
            f"{verdict.reason}; {reset_text(until)}. Run again after that: the run goes on from its STATE", until
        )


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


class HubSpotStream(CrmStream):
    """A stream of HubSpot: keyed by `id`, which is unique within its object type."""

    primary_keys: Sequence[str] = ("id",)
    tap: TapHubSpot

    @property
    def paths(self) -> Paths:
        """The paths of the configured API version."""
        return self.tap.paths
