"""Made-up objects of 250 columns of which a row fills 25; the others are there and null, as HubSpot sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.shape import BOOKMARK, KEY, Row, Shape, column, key, one_of
from bench.values import day, happens, hundredths, later, moment, sentence, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from bench.shape import Column

_WIDTH, _FILLED, _CHANGED = 250, 25, 5
_ALWAYS = (KEY, "createdate", BOOKMARK)
_CHOICES = ("low", "medium", "high")
# the custom properties repeat these types
_CYCLE = (
    column("text"),
    column("text"),
    column("text"),
    one_of(_CHOICES),
    column("numeric"),
    column("bigint"),
    column("boolean"),
    column("timestamptz"),
    column("date"),
    column("text"),
)
_CUSTOM = {f"custom_property_{number:03}": _CYCLE[number % len(_CYCLE)] for number in range(_WIDTH - len(_ALWAYS))}
_VALUES: Mapping[str, Callable[[Random], object]] = {
    "text": lambda chance: sentence(chance, chance.randrange(1, 12)),
    "numeric": lambda chance: hundredths(chance, 10**9),
    "bigint": lambda chance: chance.randrange(10**6),
    "boolean": lambda chance: happens(chance, 0.5),
    "timestamptz": lambda chance: stamp(moment(chance)),
    "date": day,
}
_COLUMNS: Mapping[str, Column] = {
    KEY: key(),
    "createdate": column("timestamptz"),
    BOOKMARK: column("timestamptz"),
    **_CUSTOM,
}


def _value(chance: Random, one: Column) -> object:
    return chance.choice(_CHOICES) if "enum" in one.schema else _VALUES[one.kind](chance)


def _some(chance: Random, count: int) -> Row:
    return {name: _value(chance, _CUSTOM[name]) for name in chance.sample(list(_CUSTOM), count)}


def _wide(chance: Random, number: int) -> Row:
    made = stamp(moment(chance))
    filled = {KEY: str(10_000_000 + number), "createdate": made, BOOKMARK: later(chance, made)}
    return {**dict.fromkeys(_COLUMNS), **filled, **_some(chance, _FILLED - len(_ALWAYS))}


def _changed(chance: Random, row: Row) -> Row:
    return {**row, BOOKMARK: later(chance, row[BOOKMARK]), **_some(chance, _CHANGED)}


WIDE = Shape("wide", _COLUMNS, _wide, _changed)
