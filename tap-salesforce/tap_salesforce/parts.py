"""Stretches of an object's records, by time and by Id, and how one that is too much for a query is cut into smaller."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from crmdb_core.instants import format_instant, parse_instant

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Part", "in_time", "long_id", "midway"]

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""The digits of an Id in the order in which Ids sort."""
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHORT, _SIGNS = 15, 5
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Z0-5]{3})?")
_SHORTEST = timedelta(seconds=2)
_FOUNDED = datetime(1999, 1, 1, tzinfo=UTC)
"""No record of Salesforce is older than Salesforce; imported stamps may be, and the first part has no low end."""


@dataclass(frozen=True)
class Part:
    """Records with a stamp in `[low, high)` and an Id in `(after, until]`; None is no bound."""

    low: datetime | None = None
    high: datetime | None = None
    after: str | None = None
    until: str | None = None

    def to_state(self) -> list[str | None]:
        """The JSON form."""
        stamps = [None if each is None else format_instant(each) for each in (self.low, self.high)]
        return [*stamps, self.after, self.until]

    @classmethod
    def of(cls, saved: Any) -> Part:
        """Read the JSON form; raises ValueError or TypeError for anything else."""
        low, high, after, until = saved
        return cls(_checked_stamp(low), _checked_stamp(high), _checked_id(after), _checked_id(until))

    def behind(self, record_id: str) -> Part:
        """What is left of it once all up to an Id were read in the order of Ids."""
        return replace(self, after=record_id)


def _checked_stamp(value: Any) -> datetime | None:
    return None if value is None else parse_instant(value)


def _checked_id(value: Any) -> str | None:
    if value is None or (isinstance(value, str) and _ID.fullmatch(value)):
        return value
    raise ValueError("no Id")


def in_time(part: Part, now: datetime) -> tuple[Part, Part] | None:
    """Its two halves by time; None where it is too short to be cut.

    The earlier one comes first: a record that is changed while they are read moves to the later one, never back.
    """
    low, high = part.low or _FOUNDED, part.high or now
    if high - low < _SHORTEST:
        return None
    middle = (low + (high - low) / 2).replace(microsecond=0)
    return replace(part, high=middle), replace(part, low=middle)


def at_ids(part: Part, ids: Sequence[str]) -> list[Part]:
    """Its pieces between these Ids."""
    bounds = [part.after, *ids, part.until]
    return [replace(part, after=after, until=until) for after, until in itertools.pairwise(bounds)]


def midway(first: str, last: str) -> str | None:
    """An Id half-way between two; None where there is none between."""
    low, high = _number(first), _number(last)
    middle = (low + high) // 2
    return None if middle <= low else long_id(_text(middle))


def _number(record_id: str) -> int:
    number = 0
    for digit in record_id[:_SHORT]:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return number


def _text(number: int) -> str:
    digits = []
    for _ in range(_SHORT):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def long_id(short: str) -> str:
    """The 18 characters of an Id of 15; the last three tell which of the others are capitals."""
    groups = [short[start : start + _SIGNS] for start in range(0, _SHORT, _SIGNS)]
    values = (sum(1 << place for place, sign in enumerate(group) if "A" <= sign <= "Z") for group in groups)
    return short + "".join(_SUFFIX[value] for value in values)
