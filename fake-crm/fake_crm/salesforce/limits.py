"""What an org may use in 24 hours, and the header that tells it (vendor pages "Limits", "Limit Info Header")."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.errors import over_limit

if TYPE_CHECKING:
    from fake_crm.clock import Clock
    from fake_crm.salesforce.quirks import Quirks

_DAY = 86_400_000
_MINUTE = 60_000
_BURSTS = 750


@dataclass(frozen=True)
class Limits:
    """The most of each in 24 hours; `enforced` is whether calls over the limit are refused."""

    api_requests: int = 15_000
    bulk_jobs: int = 10_000
    bulk_megabytes: int = 976_562
    bulk_batches: int = 15_000
    enforced: bool = True

    def named(self) -> dict[str, int]:
        """By their names in /limits."""
        return {
            "DailyApiRequests": self.api_requests,
            "DailyBulkApiBatches": self.bulk_batches,
            "DailyBulkV2QueryJobs": self.bulk_jobs,
            "DailyBulkV2QueryFileStorageMB": self.bulk_megabytes,
            **dict.fromkeys(("ConcurrentAsyncGetReportInstances", "ConcurrentSyncReportRuns"), 20),
            "DataStorageMB": 5,
            "FileStorageMB": 20,
            "HourlySyncReportRuns": 500,
            "HourlyDashboardStatuses": 999_999_999,
            "DailyAsyncApexExecutions": 250_000,
            "DailyStreamingApiEvents": 10_000,
            "SingleEmail": 15,
            "MassEmail": 10,
        }


@dataclass
class Usage:
    """What was used: by minutes, so that what is older than 24 hours falls out."""

    clock: Clock
    limits: Limits
    quirks: Quirks
    _used: dict[str, deque[tuple[int, float]]] = field(default_factory=lambda: defaultdict(deque))
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def spend(self, calls: float = 1, name: str = "DailyApiRequests") -> None:
        """Count something, such as calls of others."""
        minute = self.clock.millis() // _MINUTE * _MINUTE
        with self._lock:
            kept = self._used[name]
            if kept and kept[-1][0] == minute:
                kept[-1] = (minute, kept[-1][1] + calls)
            else:
                kept.append((minute, calls))

    def used(self, name: str = "DailyApiRequests") -> int:
        """How much was used in the last 24 hours."""
        after = self.clock.millis() - _DAY
        with self._lock:
            kept = self._used[name]
            while kept and kept[0][0] <= after:
                kept.popleft()
            return int(sum(amount for _, amount in kept))

    def left(self, name: str) -> int:
        """How much is left."""
        return self.limits.named()[name] - self.used(name)

    def admit(self, calls: int = 1) -> None:
        """Count calls, or refuse them."""
        with self._lock:
            if self.limits.enforced and self.left("DailyApiRequests") < calls:
                raise over_limit()
            self.spend(calls)

    def header(self) -> dict[str, str]:
        """The header of every reply."""
        text = f"api-usage={self.used()}/{self.limits.api_requests}"
        if self.quirks.bursts:
            text += f"; api-bursts=1/{_BURSTS}"
        if self.quirks.per_app:
            text += "; per-app-api-usage=17/250(appName=fake-app)"
        return {"Sforce-Limit-Info": text}

    def all(self) -> dict[str, Any]:
        """The answer of /limits."""
        named = self.limits.named()
        return {
            name: {"Max": most, "Remaining": max(0, most - self.used(name))} for name, most in sorted(named.items())
        }
