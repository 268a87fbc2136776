"""Values of made-up records: some of each field, from which its rows take theirs."""

from __future__ import annotations

import base64
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.fields import COMPOUNDS, TEXTS
from fake_crm.salesforce.values import record_id, stamp_of_second
from fake_crm.salesforce.words import CITIES, FIRST_NAMES, LAST_NAMES, ODD_TEXTS, STREETS, WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fake_crm.salesforce.fields import Field

_EMPTY_SHARE = 0.12
_ODD_OBJECT = "Everything__c"  # holds every text that ever broke a connector
_FIXED = {"IsDeleted": False, "IsArchived": False, "MasterRecordId": None, "IsSandbox": False}


@lru_cache(maxsize=4_096)  # many fakes are made in one test run, and most of them are alike
def pool(seed: int, kind: str, field: Field, size: int, targets: tuple[tuple[str, int], ...]) -> tuple[Any, ...]:
    """So many values of a field; `targets` are the (prefix, records) that a reference may point to."""
    chance = random.Random(f"{seed}/{kind}/{field.name}")  # noqa: S311 - made-up data
    make = _maker(kind, field, targets)
    empty = 0.0 if not field.nillable or field.type == "boolean" else _EMPTY_SHARE
    return tuple(None if chance.random() < empty else make(chance) for _ in range(size))


def _maker(kind: str, field: Field, targets: tuple[tuple[str, int], ...]) -> Callable[[random.Random], Any]:
    if field.name in _FIXED:
        return lambda _: _FIXED[field.name]
    if field.type == "reference":
        return lambda chance: _pointer(chance, targets)
    if field.type in TEXTS:
        return lambda chance: _text(kind, field, chance)[: field.length or 255]
    return lambda chance: _PLAIN[field.type](field, chance)


def _pointer(chance: random.Random, targets: tuple[tuple[str, int], ...]) -> str | None:
    if not targets:
        return None
    prefix, count = chance.choice(targets)
    return record_id(prefix, chance.randint(1, count))


def _text(kind: str, field: Field, chance: random.Random) -> str:
    if field.picklist and field.type != "multipicklist":
        return chance.choice(field.picklist)
    if field.type == "multipicklist":
        return ";".join(sorted(chance.sample(field.picklist, chance.randint(1, len(field.picklist)))))
    makers: Mapping[str, Callable[[], str]] = {
        "email": lambda: f"{chance.choice(FIRST_NAMES).lower()}.{chance.randrange(10_000)}@example.com",
        "phone": lambda: f"+1 {chance.randrange(200, 999)} 555 {chance.randrange(10_000):04d}",
        "url": lambda: f"https://{chance.choice(WORDS)}{chance.randrange(1000)}.example.com/a?b=c",
        "encryptedstring": lambda: "*" * 12,
    }
    if field.type in makers:
        return makers[field.type]()
    if kind == _ODD_OBJECT and chance.random() < 0.3:  # noqa: PLR2004 - often enough to be met
        return chance.choice(ODD_TEXTS)
    return _named_text(field, chance)


def _named_text(field: Field, chance: random.Random) -> str:
    """Texts that fit the name of a field."""
    low = field.name.lower()
    for ending, make in _BY_ENDING.items():
        if low.endswith(ending):
            return make(chance)
    words = " ".join(chance.choice(WORDS) for _ in range(chance.randint(2, 6)))
    return f'{words.capitalize()}.\nSecond line, with "quotes".' if field.type == "textarea" else words.title()


_BY_ENDING: Mapping[str, Callable[[random.Random], str]] = {
    "firstname": lambda chance: chance.choice(FIRST_NAMES),
    "lastname": lambda chance: chance.choice(LAST_NAMES),
    "street": lambda chance: f"{chance.randint(1, 900)} {chance.choice(STREETS)}\nFloor {chance.randint(1, 30)}",
    "city": lambda chance: chance.choice(CITIES),
    "postalcode": lambda chance: f"{chance.randrange(100_000):05d}",  # with leading zeros
    "state": lambda chance: chance.choice(("CA", "NY", "BE", "NA")),
    "country": lambda chance: chance.choice(("USA", "Germany", "Namibia")),
    "sourceip": lambda chance: f"192.0.2.{chance.randint(1, 254)}",
    "durableid": lambda chance: f"Account.{chance.randrange(10_000)}",
}


def _number(field: Field, chance: random.Random) -> Decimal:
    digits = max(1, min(field.precision, 18) - field.scale)
    size = 10 ** chance.randint(0, min(digits, 9))
    scale = field.scale
    if field.scale > 10:  # noqa: PLR2004 - coordinates
        return Decimal(chance.randint(-89_000_000, 89_000_000)).scaleb(-6)
    value = chance.randint(0, size * 10**scale - 1)
    return Decimal(value).scaleb(-scale)


def _whole(field: Field, chance: random.Random) -> int:
    return chance.choice((0, 1, chance.randrange(10 ** min(field.digits or 8, 8))))


def _day(_: Field, chance: random.Random) -> str:
    return (date(2020, 1, 1) + timedelta(days=chance.randrange(2_500))).isoformat()


def _moment(_: Field, chance: random.Random) -> str:
    start = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp())
    return stamp_of_second(start + chance.randrange(90_000_000))


def _hour(_: Field, chance: random.Random) -> str:
    return f"{chance.randrange(24):02d}:{chance.randrange(60):02d}:00.000Z"


def _anything(_: Field, chance: random.Random) -> Any:
    return chance.choice(("007", "NA", 7, Decimal("2.5"), True, "2026-01-31", "plain text"))


_PLAIN: Mapping[str, Callable[[Field, random.Random], Any]] = {
    "boolean": lambda _, chance: chance.random() < 0.5,  # noqa: PLR2004 - half of them
    "int": _whole,
    "long": lambda _, chance: chance.randrange(10**17),
    "double": _number,
    "currency": _number,
    "percent": _number,
    "date": _day,
    "datetime": _moment,
    "time": _hour,
    "base64": lambda _, chance: base64.b64encode(chance.randbytes(30)) + chance.randbytes(10),
    "json": lambda _, chance: {"kind": chance.choice(WORDS), "size": chance.randrange(9)},
    "complexvalue": lambda _, chance: {"changeType": chance.choice(("CREATE", "UPDATE"))},
    "anyType": _anything,
    "id": lambda _, __: None,
    **dict.fromkeys(COMPOUNDS, lambda _, __: None),
}
