"""Yes and no in the ways that CRMs and forms write them."""

from decimal import Decimal
from types import MappingProxyType
from typing import Any

from target_crmdb.validation.fields.errors import FieldError
from target_crmdb.validation.fields.type import Normal

# the words that pydantic and Postgres both read; anything else (`X`, `ja`, `2`) would be a guess
_WORDS = MappingProxyType(
    dict.fromkeys(("1", "on", "t", "true", "y", "yes"), True)
    | dict.fromkeys(("0", "off", "f", "false", "n", "no"), False)
)


def boolean_type() -> Normal:
    """Give the type of yes and no."""
    return _normal


def _normal(value: Any) -> bool | None:
    """Read true and false, 1 and 0, and their words in any case."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        if value == "":
            return None
        known = _WORDS.get(value.lower())
    elif isinstance(value, int) or (isinstance(value, Decimal) and value.is_finite()):
        known = bool(value) if value in {0, 1} else None
    else:
        known = None
    if known is None:
        raise FieldError("not_boolean", "is not a yes or a no")
    return known
