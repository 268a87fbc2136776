"""Made-up values that more than one shape of row holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
_WORDS = (
    "please",
    "call",
    "about",
    "the",
    "offer",
    'a "quoted" word',
    "commas, too",
    "back\\slash",
    "naïve",
    "line\nbreak",
)


def happens(chance: Random, share: float) -> bool:
    """True in that share of cases."""
    return chance.random() < share


def sentence(chance: Random, words: int) -> str:
    """Words with all that a CSV or COPY must escape; perhaps none."""
    return " ".join(chance.choices(_WORDS, k=words))


def moment(chance: Random) -> datetime:
    """Some time of 2024 or 2025, to the millisecond."""
    return _BEGIN + timedelta(seconds=chance.randrange(60_000_000), milliseconds=chance.randrange(1000))


def stamp(when: datetime) -> str:
    """As HubSpot writes it."""
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def later(chance: Random, stamped: str) -> str:
    """Some days after that."""
    return stamp(datetime.fromisoformat(stamped) + timedelta(days=chance.randrange(1, 90)))


def day(chance: Random) -> str:
    """Some date."""
    return f"{chance.randrange(1940, 2005)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"


def hundredths(chance: Random, below: int) -> float:
    """A number with up to two decimals, below that many hundredths."""
    return chance.randrange(below) / 100
