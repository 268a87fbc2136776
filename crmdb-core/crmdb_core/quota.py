"""A quota that others use too, such as a day's calls: reserved before a call is sent, never drawn beyond a share."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from crmdb_core.exceptions import TryLaterError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    import requests

__all__ = ["Quota", "Ticket", "Use", "reset_text"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Use:
    """What an answer says of the quota: how much it has, and how much is left after this call."""

    limit: int
    remaining: int

    @property
    def used(self) -> int:
        """How much of it everybody has used."""
        return self.limit - self.remaining


@dataclass(frozen=True)
class Ticket:
    """One reserved call.

    `answered` is how many calls of ours had been answered when it was reserved, `paid` what those cost together.
    """

    answered: int
    paid: int = 0
    cost: int = 1


def reset_text(until: datetime | None) -> str:
    """When a quota is whole again: in the zone of the instant, and in UTC."""
    if until is None:
        return "it resets at midnight in the account's time zone"
    in_utc = f"{until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if not until.utcoffset():
        return f"it resets at {in_utc}"
    # an offset without a name has one like UTC-05:00
    return f"it resets at {until:%Y-%m-%d %H:%M} {until.tzname()} ({in_utc})"


class Quota:
    """Lets calls of all threads start until `share` (0 to 1) of the quota is used up by everybody together.

    A call costs one `unit`, or what `price` says of its request. `read` finds the vendor's numbers in an answer's
    headers, or None where it gives none; own calls in between are counted. Until the first number, `limit` is taken for
    it, with nothing used yet; without any there is no limit of ours. `resets` is when the quota is whole again, in the
    account's own time zone, or None if that is unknown. Once closed, by the vendor's own refusal, no call of any thread
    starts.
    """

    def __init__(
        self,
        read: Callable[[Mapping[str, str]], Use | None] = lambda _: None,
        *,
        share: float = 1.0,
        name: str = "the daily quota of calls",
        setting: str = "max_daily_share",
        resets: Callable[[], datetime | None] = lambda: None,
        reset_text: Callable[[datetime | None], str] = reset_text,
        unit: str = "calls",
        price: Callable[[requests.PreparedRequest], int] = lambda _: 1,
        limit: int | None = None,
    ) -> None:
        self.unit = unit
        self.price = price
        self._read = read
        self.share = share
        self._name = name
        self.setting = setting
        self.resets = resets
        self.reset_text = reset_text
        self._lock = threading.Lock()
        self._reserved = 0
        self._answered = 0
        self._paid = 0
        self._limit = limit
        self._used = 0  # by the newest number the vendor gave
        # so much of what our answered calls cost is surely in that number, with the call that told it
        self._counted = 0
        self._learnt_at = 0  # how many had been answered when it came
        self._closed: TryLaterError | None = None

    def reserve(self, cost: int = 1) -> Ticket:
        """Take one call out of the quota before it is sent; raises TryLaterError if not enough is left for us."""
        with self._lock:
            if self._closed is not None:
                raise TryLaterError(str(self._closed), until=self._closed.until)
            if self._limit is not None and self._most_used() + cost > self._allowed:
                self._closed = self._refusal()
                raise TryLaterError(str(self._closed), until=self._closed.until)
            self._reserved += cost
            return Ticket(self._answered, self._paid, cost)

    def settle(self, ticket: Ticket, headers: Mapping[str, str] | None = None) -> None:
        """A reserved call came to its end, with an answer's headers or without."""
        use = None if headers is None else self._read(headers)
        with self._lock:
            self._answered += 1
            self._paid += ticket.cost
            if use is not None:
                self._learn(ticket, use)

    def close(self, error: TryLaterError) -> None:
        """Let no call start any more: the vendor has said that there is nothing left, or to come back later."""
        with self._lock:
            if self._closed is None:
                self._closed = error

    @property
    def spent(self) -> int:
        """What our own calls have cost so far."""
        with self._lock:
            return self._reserved

    @property
    def limit(self) -> int | None:
        """How much the quota has, if the vendor has told it."""
        with self._lock:
            return self._limit

    @property
    def left(self) -> int | None:
        """How much the account has left at least, if known."""
        with self._lock:
            return None if self._limit is None else max(self._limit - self._most_used(), 0)

    @property
    def left_for_us(self) -> int | None:
        """How much is left to us of the allowed share at least, if known."""
        with self._lock:
            return None if self._limit is None else max(self._allowed - self._most_used(), 0)

    @property
    def rule(self) -> str:
        """The setting that bounds what is left to us, with its value."""
        return f"{self.setting} {self.share:g}"

    def describe(self) -> str:
        """What is left, for people."""
        left, limit = self.left, self.limit
        return "no quota is known" if left is None or limit is None else f"{left:,} of {limit:,} {self.unit} left today"

    @property
    def _allowed(self) -> int:
        assert self._limit is not None
        return int(self._limit * self.share + 1e-6)  # 0.29 of 100 is 29, though its float is below

    def _most_used(self) -> int:
        """What is used, at most: every own call counts that may have come after the vendor's number."""
        return self._used + self._reserved - self._counted

    def _learn(self, ticket: Ticket, use: Use) -> None:
        # Answers of calls that were under way together come in any order, and the higher number is the later one. A
        # call that was sent after the last number came tells a later one in any case; a lower one means a new day.
        is_later = ticket.answered >= self._learnt_at
        if self._limit is None or is_later or use.used > self._used:
            self._used = use.used
        self._limit = use.limit
        self._counted = max(self._counted, ticket.paid + ticket.cost)
        self._learnt_at = self._answered

    def _refusal(self) -> TryLaterError:
        until = self.resets()
        text = (
            f"{self._most_used():,} of the {self._limit:,} {self.unit} in {self._name} are used, and {self.setting} "
            f"({self.share:g}) allows no more; {self.reset_text(until)}. "
            "Run again after that: the run goes on from its STATE"
        )
        return TryLaterError(text, until=until)
