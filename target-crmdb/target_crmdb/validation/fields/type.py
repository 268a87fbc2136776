"""A type of canonical fields."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from target_crmdb.mapping import ColumnType

Normal = Callable[[Any], str | int | Decimal | bool | None]


@dataclass(frozen=True)
class FieldType:
    """What a canonical field's values are: the type of its column, and the function that gives their normal form.

    `normal` takes a JSON value as it came (a number with a point as Decimal, or as its digits in a str) and gives
    None for null and for an empty text, or raises FieldError.
    """

    name: str
    column: ColumnType
    normal: Normal
