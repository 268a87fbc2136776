"""Text as it is; the empty one is null."""

from decimal import Decimal
from typing import Any

from target_crmdb.validation.fields.errors import FieldError
from target_crmdb.validation.fields.type import Normal
from target_crmdb.validation.findings import ConversionError
from target_crmdb.validation.values import to_json


def text_type() -> Normal:
    """Give the type of texts."""
    return normal_text


def normal_text(value: Any) -> str | None:
    """Give a text as it is, a number's digits, true or false, or the JSON of anything else."""
    if isinstance(value, str):
        return value or None
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    try:
        return to_json(value)
    except ConversionError as error:
        raise FieldError(error.rule, str(error)) from None


def text_of(value: Any, rule: str, reason: str) -> str | None:
    """Give the text of a value that must be one, None for null and for the empty text."""
    if isinstance(value, str):
        return value or None
    if value is None:
        return None
    raise FieldError(rule, reason)
