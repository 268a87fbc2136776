"""Ids and stamps as Salesforce writes them."""

from __future__ import annotations

from functools import lru_cache

from fake_crm.clock import instant_of

Row = dict[str, object]
"""One record: field name → value. Times are text like 2026-11-01T00:00:00.000Z, numbers are int or Decimal."""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
SHORT, LONG = 15, 18
EMPTY_ID = "000000000000000AAA"


def record_id(prefix: str, number: int) -> str:
    """The 18 characters of a record's id; ids of one prefix sort as their numbers."""
    letters = ""
    while number:
        number, digit = divmod(number, 62)
        letters = _DIGITS[digit] + letters
    return long_id(prefix + letters.rjust(SHORT - len(prefix), "0"))


def long_id(short: str) -> str:
    """The 18 characters for 15: three more tell which letters are capital."""
    return short + "".join(_check(short[at : at + 5]) for at in (0, 5, 10))


@lru_cache(maxsize=4_096)
def _check(part: str) -> str:
    return _SUFFIX[sum(1 << at for at, letter in enumerate(part) if "A" <= letter <= "Z")]


def key_of(row: Row) -> str:
    """What tells a row from others: its id, but for those of big objects, which all have the same."""
    return str(row.get("_key") or row["Id"])


def any_id(text: str) -> str:
    """An id in its long form, whichever form it came in."""
    return long_id(text) if len(text) == SHORT else text


def stamp_of_second(second: int) -> str:
    """Epoch seconds as a stamp."""
    day, rest = divmod(second, 86_400)
    return f"{_day(day)}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}.000Z"


@lru_cache(maxsize=4_096)
def _day(day: int) -> str:
    return instant_of(day * 86_400_000).date().isoformat()


def stamp(millis: int) -> str:
    """Epoch milliseconds as a stamp: system stamps have whole seconds."""
    return stamp_of_second(millis // 1000)


def rest_stamp(text: str) -> str:
    """A stamp as REST writes it."""
    return text[:-1] + "+0000"
