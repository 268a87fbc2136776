"""Numbers, exact to the last digit; how a country writes them is said by an option, never guessed."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from target_crmdb.validation.fields.errors import FieldError
from target_crmdb.validation.fields.locales import number_reader
from target_crmdb.validation.fields.type import Forms, Normal

_BIGINT = range(-(2**63), 2**63)
_MOST_DIGITS = 1000  # Postgres keeps more; a number of this size is none that anybody meant
_is_plain = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII).fullmatch

# most numbers: nothing is left to look at
_is_common = re.compile(r"-?\d{1,30}(?:\.\d{1,30})?", re.ASCII).fullmatch

_Number = str | int | Decimal | None


def decimal_type(locale: str | None = None) -> Normal | Forms:
    """Give the type of numbers: plain ones (`1234.50`), or texts as a locale writes them (`1.234,50` in `de`)."""
    return Forms(_decimal, _is_common) if locale is None else _localized(number_reader(locale), _decimal)


def money_type(locale: str | None = None) -> Normal | Forms:
    """Give the type of amounts; with a locale also `$1,234.50` and, for what is owed, `(1,234.50)`."""
    return Forms(_decimal, _is_common) if locale is None else _localized(number_reader(locale, money=True), _decimal)


def integer_type(locale: str | None = None) -> Normal:
    """Give the type of whole numbers of 64 bits."""
    return _integer if locale is None else _localized(number_reader(locale), _integer)


def _localized(read: Callable[[str], str], normal: Callable[[Any], _Number]) -> Normal:
    # the digits of a JSON number come in a class of their own: no country writes those
    return lambda value: normal(read(value) if type(value) is str and value else value)


def _decimal(value: Any) -> _Number:
    if value is None or type(value) is int:
        return value
    if isinstance(value, str):
        if _is_common(value):
            return value
        if not value:
            return None
        if _is_plain(value):
            return _sized(value, len(value))
    elif isinstance(value, Decimal) and value.is_finite():
        return _sized(value, abs(value.adjusted()) + len(value.as_tuple().digits))
    raise FieldError("not_number", "is not a plain number")


def _sized(value: str | Decimal, digits: int) -> str | Decimal:
    if digits > _MOST_DIGITS or (isinstance(value, str) and "e" in value.lower() and _exponent(value) > _MOST_DIGITS):
        raise FieldError("out_of_range", f"has more than {_MOST_DIGITS} digits")
    return value


def _exponent(value: str) -> int:
    return abs(int(value.lower().rpartition("e")[2]))


def _integer(value: Any) -> int | None:
    number = _decimal(value)
    if isinstance(number, str):
        number = Decimal(number)
    if isinstance(number, Decimal):
        number = _whole(number)
    if number is not None and number not in _BIGINT:
        raise FieldError("out_of_range", "does not fit into 64 bits")
    return number


def _whole(number: Decimal) -> int:
    if number != number.to_integral_value():
        raise FieldError("not_integer", "is not a whole number")
    return int(number)
