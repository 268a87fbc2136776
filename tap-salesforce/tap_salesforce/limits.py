"""What the org allows: its calls of 24 hours, by header, and everything else by `/limits`."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from crmdb_core.exceptions import ApiError, TryLaterError
from crmdb_core.quota import Quota, Ticket, Use

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from crmdb_core.http import ApiSession
    from tap_salesforce.paths import Paths

__all__ = ["HEADER", "Limit", "Limits", "RunQuota", "bursts_in", "usage_in"]

HEADER = "Sforce-Limit-Info"
# `api-usage=10018/100000`, or with more parts: `; api-bursts=1/750`, `; per-app-api-usage=17/250(appName=x)`
# (vendor page "Limit Info Header"); every part may come or not
_PART = re.compile(r"([\w-]+)=(\d+)/(\d+)")
_PATIENCE = "calls come back as the oldest ones pass out of the last 24 hours"


def _parts(headers: Mapping[str, str]) -> dict[str, Use]:
    found = _PART.findall(headers.get(HEADER, ""))
    return {name: Use(int(limit), int(limit) - int(used)) for name, used, limit in found}


def usage_in(headers: Mapping[str, str]) -> Use | None:
    """The calls of 24 hours: the org's, or the app's own where less of that is left."""
    parts = _parts(headers)
    uses = [parts[name] for name in ("api-usage", "per-app-api-usage") if name in parts and parts[name].limit]
    return min(uses, key=lambda use: use.remaining / use.limit, default=None)


def bursts_in(headers: Mapping[str, str]) -> Use | None:
    """The calls of the burst limit, newer than most of what is written of it."""
    return _parts(headers).get("api-bursts")


def _when(until: datetime | None) -> str:
    return _PATIENCE if until is None else f"it is whole again at {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


class RunQuota(Quota):
    """The org's calls of 24 hours: a share for everybody together, and within it a share for one run."""

    def __init__(self, *, share: float, run_share: float) -> None:
        super().__init__(usage_in, share=share, name="Salesforce's limit of 24 hours", reset_text=_when)
        self.run_share = run_share
        self._run_lock = threading.Lock()
        self._run_calls = 0

    @property
    def run_limit(self) -> int | None:
        """The most calls of this run, if the org's limit is known."""
        limit = self.limit
        return None if limit is None else int(limit * self.run_share + 1e-6)

    @property
    @override
    def left_for_us(self) -> int | None:
        """Also within the run's share."""
        left, most = super().left_for_us, self.run_limit
        return left if left is None or most is None else max(min(left, most - self._run_calls), 0)

    @property
    @override
    def rule(self) -> str:
        left, most = super().left_for_us, self.run_limit
        is_run = left is not None and most is not None and most - self._run_calls < left
        return f"max_run_share {self.run_share:g}" if is_run else super().rule

    @override
    def reserve(self, cost: int = 1) -> Ticket:
        most = self.run_limit
        with self._run_lock:
            if most is not None and self._run_calls + cost > most:
                error = TryLaterError(
                    f"this run has made {self._run_calls:,} calls, and max_run_share ({self.run_share:g}) of the org's "
                    f"{self.limit:,} allows no more. Run again: the run goes on from its STATE"
                )
                self.close(error)
                raise error
            self._run_calls += cost
        return super().reserve(cost)

    @override
    def describe(self) -> str:
        left, limit = self.left, self.limit
        return "no quota is known" if left is None else f"{left:,} of {limit:,} calls of 24 hours left"


@dataclass(frozen=True)
class Limit:
    """One limit of the org."""

    most: int
    left: int


class Limits:
    """What `/limits` says; asked for once each, and only when wanted."""

    def __init__(self, session: ApiSession, paths: Paths) -> None:
        self._session = session
        self._paths = paths

    def usage(self) -> Use | None:
        """The calls of 24 hours by the last answer; None before the first."""
        limit, left = self._session.quota.limit, self._session.quota.left
        return None if limit is None or left is None else Use(limit, left)

    @cached_property
    def all(self) -> Mapping[str, Limit]:
        """Every limit by its name, such as `DailyBulkV2QueryJobs`; {} where the user may not see them."""
        try:
            answer: Mapping[str, Any] = self._session.get_json(self._paths.limits)
        except ApiError as error:
            if error.stops_run:
                raise
            return {}
        return {name: Limit(int(each["Max"]), int(each["Remaining"])) for name, each in answer.items()}

    @property
    def bulk_jobs_left(self) -> int | None:
        """Query jobs of the Bulk API 2.0 that are left of 24 hours, if known; none without megabytes for a result."""
        return 0 if self.bulk_megabytes_left == 0 else self._left("DailyBulkV2QueryJobs")

    @property
    def bulk_megabytes_left(self) -> int | None:
        """Megabytes of their results that are left of 24 hours, if known."""
        return self._left("DailyBulkV2QueryFileStorageMB")

    def _left(self, name: str) -> int | None:
        limit = self.all.get(name)
        return None if limit is None else limit.left

    @cached_property
    def _counts(self) -> Mapping[str, int]:
        """About how many records every object has: a cached number, without deleted ones (page "Record Count")."""
        try:
            answer: Mapping[str, Any] = self._session.get_json(self._paths.record_count)
        except ApiError as error:
            if error.stops_run:
                raise
            return {}  # it takes the permission View Setup and Configuration
        return {str(each["name"]): int(each["count"]) for each in answer["sObjects"]}

    def record_counts(self, names: Iterable[str] | None = None) -> dict[str, int]:
        """About how many records objects have, for those where it is known; one call for all, once."""
        counts = self._counts
        return dict(counts) if names is None else {name: counts[name] for name in names if name in counts}
