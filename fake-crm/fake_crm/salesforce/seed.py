"""Made-up records, the same for the same seed, each a function of its place: any number costs no memory."""

from __future__ import annotations

import base64
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from fake_crm.salesforce.conversion import person_name
from fake_crm.salesforce.fields import COMPOUNDS, TEXTS
from fake_crm.salesforce.table import MadeUp
from fake_crm.salesforce.values import EMPTY_ID, LONG, SHORT, record_id, stamp_of_second
from fake_crm.salesforce.words import CITIES, FIRST_NAMES, LAST_NAMES, ODD_TEXTS, STREETS, WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fake_crm.salesforce.fields import Field
    from fake_crm.salesforce.objects import SObject
    from fake_crm.salesforce.org import Org
    from fake_crm.salesforce.values import Row

    Maker = Callable[[int], Any]

_POOL, _SMALL_POOL = 997, 97  # values of each field; primes, so that fields do not repeat together
_EMPTY_SHARE = 0.12
_SPAN = 400 * 86_400  # seconds over which records were created
_DELAYS = (0, 0, 0, 60, 3_600, 86_400, 10 * 86_400, 90 * 86_400)  # until the last change
_ODD_OBJECT = "Everything__c"  # holds every text that ever broke a connector
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass
class Seeder:
    """Fills an org; `until` is the second of the latest stamp, `sizes` how many records each object gets."""

    org: Org
    seed: int
    until: int
    sizes: Mapping[str, int]

    def fill(self) -> None:
        """Make all records; large tables are made up only when they are looked at."""
        for name, count in self.sizes.items():
            self.fill_one(name, count)

    def fill_one(self, name: str, count: int, *, keep: bool = True) -> None:
        """Make records of one object; without `keep` they are made up anew whenever they are looked at."""
        kind = self.org.schema.find(name)
        made = self._made(kind, count)
        table = self.org.table(name)
        if not keep:
            table.stretch(made)
            return
        for place in range(count):
            table.put(made.at(place))
        table.number = max(table.number, count)

    def _made(self, kind: SObject, count: int) -> MadeUp:
        makers = self._makers(kind, count)
        names = list(makers)

        def glance(place: int) -> Row:
            return _Glance(makers, place)

        def at(place: int) -> Row:
            seen = glance(place)
            return {name: seen[name] for name in names}

        return MadeUp(count, at, glance, _placer(kind, count))

    def _makers(self, kind: SObject, count: int) -> dict[str, Maker]:
        """How each field's value comes from a row's place; formulas come last and look at the others."""
        size = _POOL if count > _SMALL_POOL else _SMALL_POOL
        fields = [each for each in kind.fields.values() if not each.parts and each.name != "Id"]
        makers: dict[str, Maker] = {"Id": _id_maker(kind.prefix)}
        if kind.big:
            makers = {"Id": lambda _: EMPTY_ID, "_key": makers["Id"]}
        for index, each in enumerate(fields):
            counted = each.unique or each.auto_number
            makers[each.name] = _counted if counted else _pool_maker(self._pool(kind, each, size), index * 2 + 1)
        makers |= self._stamps(kind, count)
        if "Name" in kind.fields and kind.fields["Name"].parts:
            makers["Name"] = _looking(makers, person_name)
        for each in fields:
            if each.formula is not None:
                makers[each.name] = _looking(makers, partial(_formula, each))
        return makers

    def _stamps(self, kind: SObject, count: int) -> dict[str, Maker]:
        spread, until = max(1, _SPAN // max(count, 1)), self.until

        def created(place: int) -> str:
            return stamp_of_second(until - (count - place) * spread)

        def changed(place: int) -> str:
            second = until - (count - place) * spread
            return stamp_of_second(min(second + _DELAYS[place * 7 % len(_DELAYS)], until))

        makers = {"CreatedDate": created, "LoginTime": created, "LastModifiedDate": changed, "SystemModstamp": changed}
        return {name: maker for name, maker in makers.items() if name in kind.fields}

    def _pool(self, kind: SObject, field: Field, size: int) -> list[Any]:
        chance = random.Random(f"{self.seed}/{kind.name}/{field.name}")  # noqa: S311 - made-up data
        make = self._value_maker(kind, field)
        empty = 0.0 if not field.nillable or field.type == "boolean" else _EMPTY_SHARE
        return [None if chance.random() < empty else make(chance) for _ in range(size)]

    def _value_maker(self, kind: SObject, field: Field) -> Callable[[random.Random], Any]:
        if field.name in _FIXED:
            return lambda _: _FIXED[field.name]
        if field.type == "reference":
            return self._pointer(field)
        if field.type in TEXTS:
            return lambda chance: _text(kind, field, chance)[: field.length or 255]
        return lambda chance: _PLAIN[field.type](field, chance)

    def _pointer(self, field: Field) -> Callable[[random.Random], Any]:
        targets = [self.org.schema.get(name) for name in field.reference_to]
        known = [(kind.prefix, self.sizes[kind.name]) for kind in targets if kind and self.sizes.get(kind.name)]
        if not known:
            return lambda _: record_id("005", 1) if "User" in field.reference_to else None

        def point(chance: random.Random) -> str:
            prefix, count = chance.choice(known)
            return record_id(prefix, chance.randint(1, count))

        return point


_FIXED: Mapping[str, Any] = {"IsDeleted": False, "IsArchived": False, "MasterRecordId": None}


class _Glance(dict[str, object]):
    """A made-up row that works a value out when it is asked for it."""

    __slots__ = ("_makers", "_place")

    def __init__(self, makers: Mapping[str, Maker], place: int) -> None:
        self._makers = makers
        self._place = place

    @override
    def get(self, name: str, default: Any = None, /) -> Any:
        maker = self._makers.get(name)
        return maker(self._place) if maker else default

    @override
    def __getitem__(self, name: str, /) -> Any:
        return self._makers[name](self._place)


def _id_maker(prefix: str) -> Maker:
    return lambda place: record_id(prefix, place + 1)


def _counted(place: int) -> str:
    return f"{place + 1:08d}"


def _pool_maker(pool: list[Any], step: int) -> Maker:
    size = len(pool)
    step += 2 * (step % size == 0)  # or every row would have the first value
    return lambda place: pool[place * step % size]


def _looking(makers: Mapping[str, Maker], value: Callable[[Row], Any]) -> Maker:
    return lambda place: value(_Glance(makers, place))


def _placer(kind: SObject, count: int) -> Callable[[str], int | None]:
    def place(key: str) -> int | None:
        if len(key) not in {SHORT, LONG} or not key.startswith(kind.prefix):
            return None
        number = 0
        for letter in key[len(kind.prefix) : SHORT]:
            number = number * 62 + _DIGITS.index(letter)
        return number - 1 if 1 <= number <= count else None

    return place


def _formula(field: Field, row: Row) -> Any:
    assert field.formula is not None
    value = field.formula(row)
    if isinstance(value, Decimal):
        return value.quantize(Decimal(1).scaleb(-field.scale))
    return value


# -- values ---------------------------------------------------------------------------------------------------------


def _text(kind: SObject, field: Field, chance: random.Random) -> str:
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
    if kind.name == _ODD_OBJECT and chance.random() < 0.3:  # noqa: PLR2004 - often enough to be met
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
