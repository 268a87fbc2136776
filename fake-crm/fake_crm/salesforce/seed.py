"""Made-up records, the same for the same seed, each a function of its place: any number costs no memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from fake_crm.salesforce.conversion import person_name, worked_out
from fake_crm.salesforce.pools import pool
from fake_crm.salesforce.table import MadeUp
from fake_crm.salesforce.values import EMPTY_ID, LONG, SHORT, record_id, stamp_of_second

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fake_crm.salesforce.fields import Field
    from fake_crm.salesforce.objects import SObject
    from fake_crm.salesforce.org import Org
    from fake_crm.salesforce.values import Row

    Maker = Callable[[int], Any]

_POOL, _SMALL_POOL = 997, 97  # values of each field; primes, so that fields do not repeat together
_SPAN = 400 * 86_400  # seconds over which records were created
_DELAYS = (0, 0, 0, 60, 3_600, 86_400, 10 * 86_400, 90 * 86_400)  # until the last change
_FAMILY = "Extra_"
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
        family = _FAMILY if kind.name.startswith(_FAMILY) else kind.name  # hundreds that may well be alike
        makers: dict[str, Maker] = {"Id": _id_maker(kind.prefix)}
        if kind.big:
            makers = {"Id": lambda _: EMPTY_ID, "_key": makers["Id"]}
        for index, each in enumerate(fields):
            if each.unique or each.auto_number:
                makers[each.name] = _counted
                continue
            values = pool(self.seed, family, each, size, self._targets(each))
            makers[each.name] = _pool_maker(values, index * 2 + 1)
        makers |= self._stamps(kind, count)
        if "Name" in kind.fields and kind.fields["Name"].parts:
            makers["Name"] = _looking(makers, person_name)
        for each in fields:
            if each.formula is not None:
                makers[each.name] = _looking(makers, partial(worked_out, each))
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

    def _targets(self, field: Field) -> tuple[tuple[str, int], ...]:
        """The prefixes of the objects that a reference may point to, and how many records each has."""
        kinds = [self.org.schema.get(name) for name in field.reference_to]
        known = tuple((kind.prefix, self.sizes[kind.name]) for kind in kinds if kind and self.sizes.get(kind.name))
        return known or ((("005", 1),) if "User" in field.reference_to else ())


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


def _pool_maker(values: tuple[Any, ...], step: int) -> Maker:
    size = len(values)
    step += 2 * (step % size == 0)  # or every row would have the first value
    return lambda place: values[place * step % size]


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
