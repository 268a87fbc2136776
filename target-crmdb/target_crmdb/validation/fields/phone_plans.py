"""Numbering plans as regular expressions, from phonenumbers' own metadata; they accept only what the library accepts.

Every expression says less than the library does: where a prefix might be taken off, a country code might be meant, or
another region's rules might come first, nothing is accepted here, and the library is asked.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, Protocol

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

_NEVER = r"(?!)"
_KINDS = (
    *("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager", "uan"),
    "voicemail",
)


class _Match(Protocol):
    def __call__(self, text: str, begin: int = ..., /) -> object: ...


class Plans:
    """The plans of all countries, each made when a number first needs it, and how one region dials within its own.

    `is_common` accepts numbers that are dialled within the region as they are, and those with a plus and its `code`.
    """

    def __init__(self, region: str) -> None:
        self._international: dict[str, _Match] = {}
        self._codes = {str(code): regions for code, regions in COUNTRY_CODE_TO_REGION_CODE.items()}
        self._region = _metadata(region)
        self.code = str(self._region.country_code)
        self.is_common = self._common()

    def _common(self) -> _Match:
        region = self._region
        valid = _valid(self._codes[self.code])
        within = f"(?=[0-9]){_abroad(region)}(?!{self.code}){_without_prefix(region)}"
        with_plus = rf"\+{self.code}{_without_prefix(_metadata(self._codes[self.code][0]))}"
        return re.compile(f"(?:{within}|{with_plus}){valid}", re.ASCII).fullmatch

    def national(self, digits: str) -> str | None:
        """Write a number dialled within the region, if it surely is one."""
        if self.is_common(digits):
            return f"+{self.code}{digits}"
        match = self._with_prefix(digits) or self._with_code(digits)
        return f"+{self.code}{match['rest']}" if match else None

    @cached_property
    def _with_code(self) -> Callable[[str], re.Match[str] | None]:
        """The country's code without its plus: taken for one where the whole is no number and the rest is."""
        region, regions = self._region, self._codes[self.code]
        general = _described(region.general_desc)
        main = _without_prefix(_metadata(regions[0]))
        return re.compile(
            f"{_abroad(region)}(?!{general}\\Z){self.code}(?={general}\\Z){_without_prefix(region)}{main}"
            f"(?P<rest>{_valid(regions)})"
        ).fullmatch

    @cached_property
    def _with_prefix(self) -> Callable[[str], re.Match[str] | None]:
        region = self._region
        general, valid = _described(region.general_desc), _valid(self._codes[self.code])
        return re.compile(_behind_prefix(region, _abroad(region), self.code, general, valid)).fullmatch

    def international(self, digits: str) -> bool:
        """Tell whether a country's code and a number, without the plus, are surely valid and in their normal form."""
        for length in (1, 2, 3):
            code = digits[:length]
            if code in self._codes:
                match = self._international.get(code) or self._plan(code)
                return match(digits, length) is not None
        return False

    def _plan(self, code: str) -> _Match:
        main = self._codes[code][0]
        # what has no country, such as +800, is a service
        pattern = _NEVER if main == "001" else _without_prefix(_metadata(main)) + _valid(self._codes[code])
        match = re.compile(pattern).fullmatch
        self._international[code] = match
        return match


def _abroad(region: Any) -> str:
    """Say that nothing is there that leads out of the region."""
    return f"(?!{region.international_prefix})" if region.international_prefix else ""


def _behind_prefix(region: Any, abroad: str, code: str, general: str, valid: str) -> str:
    """Describe a number behind the national prefix, if that is a plain one such as 0, or the first of several."""
    prefixes = (region.national_prefix_for_parsing or "").split("|")
    prefix = prefixes[0]
    if not all(map(str.isdigit, prefixes)) or region.national_prefix_transform_rule or prefix.startswith(code):
        return _NEVER
    lengths = set(region.general_desc.possible_length) - set(region.general_desc.possible_length_local_only)
    return f"{abroad}(?!{code}){prefix}(?={general}\\Z){_of_lengths(sorted(lengths))}(?P<rest>{valid})"


def _without_prefix(region: Any) -> str:
    """Say that nothing is there that might be taken for a national prefix."""
    prefix = region.national_prefix_for_parsing
    return f"(?!{prefix})" if prefix else ""


def _valid(regions: Sequence[str]) -> str:
    """Describe the valid numbers of one country's code: each by the rules of the first region that claims it."""
    return f"(?:{'|'.join(_by_region(regions))})"


def _by_region(regions: Iterable[str]) -> Iterator[str]:
    others = ""
    for region in map(_metadata, regions):
        general = region.general_desc
        kinds = dict.fromkeys(_described(kind, known=general.possible_length) for kind in _kinds(region))
        # where there is one region, its leading digits are not asked for
        mine = f"(?={region.leading_digits})" if region.leading_digits else ""
        yield f"{others}{mine}(?={_described(general)}\\Z)(?:{'|'.join(kinds)})\\Z"
        if region.leading_digits:
            others += f"(?!{region.leading_digits})"


def _kinds(region: Any) -> list[Any]:
    found = [getattr(region, kind) for kind in _KINDS]
    return [kind for kind in found if kind is not None and kind.national_number_pattern]


def _described(kind: Any, *, known: Iterable[int] = ()) -> str:
    """Describe a kind of number; its lengths go without saying where it is already `known` to have one of them."""
    said = {*known} and {*known} <= {*kind.possible_length}
    lengths = "" if said else _of_lengths(kind.possible_length)
    return f"(?:{lengths}(?:{kind.national_number_pattern}))"


def _of_lengths(lengths: Iterable[int]) -> str:
    counts = "|".join(f".{{{length}}}" for length in lengths)
    return f"(?=(?:{counts})\\Z)" if counts else ""


def _metadata(region: str) -> Any:
    return PhoneMetadata.metadata_for_region(region, None)
