"""How countries write numbers: the marks of CLDR, groups of three, and those of India."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from target_crmdb.validation.fields.errors import FieldError


@dataclass(frozen=True)
class _Writing:
    """The mark before the fraction, those between groups, and the size of the groups above the last one."""

    point: str
    groups: str
    size: int = 3


_SPACES = " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
_POINT = _Writing(".", ",")
_COMMA = _Writing(",", ".")
_COMMA_AND_SPACE = _Writing(",", _SPACES)
_WRITINGS: Mapping[str, _Writing] = MappingProxyType(
    dict.fromkeys(("en", "ja", "ko", "zh", "he", "th"), _POINT)
    | dict.fromkeys(("da", "de", "el", "es", "id", "it", "nl", "pt", "ro", "tr", "vi"), _COMMA)
    | dict.fromkeys(("cs", "fi", "fr", "hu", "nb", "pl", "ru", "sk", "sv", "uk"), _COMMA_AND_SPACE)
    | {"en_IN": _Writing(".", ",", 2), "hi": _Writing(".", ",", 2)}
    | {"de_CH": _Writing(".", "\N{RIGHT SINGLE QUOTATION MARK}'"), "es_MX": _POINT, "pt_PT": _COMMA_AND_SPACE}
)
_SIGN = r"[$€£¥₹]|[A-Z]{3}"


def number_reader(locale: str, *, money: bool = False) -> Callable[[str], str]:
    """Give the function that reads a locale's numbers as plain ones, or raises FieldError for what it cannot be."""
    writing = _WRITINGS.get(locale) or _WRITINGS.get(locale.partition("_")[0])
    if writing is None:
        raise ValueError(f"locale {locale!r} is not known; known: {', '.join(sorted(_WRITINGS))}")
    group, point = re.escape(writing.groups), re.escape(writing.point)
    # one and the same mark between all groups, the last of which has three digits
    grouped = rf"\d{{1,{writing.size}}}(?P<group>[{group}])(?:\d{{{writing.size}}}(?P=group))*\d{{3}}"
    number = rf"(?P<sign>[+-]?)(?P<whole>{grouped}|\d+)(?:{point}(?P<fraction>\d+))?"
    if money:
        blank = f"[{_SPACES}]?"
        number = rf"(?P<owed>\()?(?:(?:{_SIGN}){blank})?{number}(?:{blank}(?:{_SIGN}))?(?(owed)\))"
    match = re.compile(number, re.ASCII).fullmatch

    def read(value: str) -> str:
        found = match(value)
        if found is None:
            raise FieldError("not_number", f"is not a number as {locale} writes it")
        parts = found.groupdict()
        if parts.get("owed") and parts["sign"]:
            raise FieldError("not_number", "has both brackets and a sign")
        whole = re.sub(r"\D", "", parts["whole"])
        sign = "-" if parts.get("owed") else parts["sign"]
        return f"{sign}{whole}.{parts['fraction']}" if parts["fraction"] else f"{sign}{whole}"

    return read
