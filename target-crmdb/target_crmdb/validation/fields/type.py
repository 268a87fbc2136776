"""A type of canonical fields."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from target_crmdb.mapping import ColumnType

Normal = Callable[[Any], str | int | Decimal | bool | None]
IsOwn = Callable[[str], object]
"""Says of a text that it is its own normal form; where it says no, `normal` is to be asked."""
OfTexts = Callable[[Sequence[str]], Sequence[str | None]]
"""Gives the normal forms of texts; where it gives None, `normal` is to be asked."""


class Forms(NamedTuple):
    """How a type's values are judged: all of them, and most of them fast."""

    normal: Normal
    is_own: IsOwn | None = None
    of_texts: OfTexts | None = None


@dataclass(frozen=True)
class FieldType:
    """What a canonical field's values are: the type of its column, and the function that gives their normal form.

    `normal` takes a JSON value as it came (a number with a point as Decimal, or as its digits in a str) and gives
    None for null and for an empty text, or raises FieldError. `is_own` and `of_texts` are shorter ways to the same
    verdict on most texts, where there is one.
    """

    name: str
    column: ColumnType
    normal: Normal
    is_own: IsOwn | None = None
    of_texts: OfTexts | None = None
