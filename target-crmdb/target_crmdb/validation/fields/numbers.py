"""Plain numbers, exact to the last digit; how a country writes them is never guessed."""

import re
from decimal import Decimal
from typing import Any

from target_crmdb.validation.fields.errors import FieldError
from target_crmdb.validation.fields.type import Normal

_BIGINT = range(-(2**63), 2**63)
_is_plain = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,4})?", re.ASCII).fullmatch


def decimal_type() -> Normal:
    """Give the type of numbers with any digits."""
    return _decimal


def integer_type() -> Normal:
    """Give the type of whole numbers of 64 bits."""
    return _integer


def _decimal(value: Any) -> int | str | Decimal | None:
    if isinstance(value, str):
        if not value:
            return None
        if _is_plain(value):
            return value
    elif value is None or isinstance(value, int | Decimal):
        if not isinstance(value, bool) and (not isinstance(value, Decimal) or value.is_finite()):
            return value
    raise FieldError("not_number", "is not a plain number")


def _integer(value: Any) -> int | None:
    number = _decimal(value)
    if number is None:
        return None
    if isinstance(number, str):
        number = Decimal(number)
    if isinstance(number, Decimal):
        number = _whole(number)
    if number not in _BIGINT:
        raise FieldError("out_of_range", "does not fit into 64 bits")
    return number


def _whole(number: Decimal) -> int:
    if number.adjusted() > 19:  # noqa: PLR2004 - digits of a bigint; 1E+4000 must not become an integer
        return _BIGINT.stop
    if number != number.to_integral_value():
        raise FieldError("not_integer", "is not a whole number")
    return int(number)
