"""Numbering plans as regular expressions, from phonenumbers' own metadata; they accept only what the library accepts.

Every expression says less than the library does: where a prefix might be taken off, a country code might be meant, or
another region's rules might come first, nothing is accepted here, and the library is asked.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
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

    `is_national` accepts numbers that are dialled within the region as they are, `is_with_plus` those with a plus and
    the region's `code`.
    """

    def __init__(self, region: str) -> None:
        self._international: dict[str, _Match] = {}
        self._codes = {str(code): regions for code, regions in COUNTRY_CODE_TO_REGION_CODE.items()}
        data = _metadata(region)
        self.code = str(data.country_code)
        self.is_national = _is_national(data)
        self.is_with_plus = re.compile(rf"\+{self.code}{self._pattern(self.code)}", re.ASCII).fullmatch
        self.national = _national(data, self.is_national)

    def international(self, digits: str) -> bool:
        """Tell whether a country's code and a number, without the plus, are surely valid and in their normal form."""
        for length in (1, 2, 3):
            code = digits[:length]
            if code in self._codes:
                match = self._international.get(code) or self._plan(code)
                return match(digits, length) is not None
        return False

    def _plan(self, code: str) -> _Match:
        match = re.compile(self._pattern(code)).fullmatch
        self._international[code] = match
        return match

    def _pattern(self, code: str) -> str:
        main = self._codes[code][0]
        if main == "001":  # a service of no country, such as +800
            return _NEVER
        return _without_prefix(_metadata(main)) + _valid(self._codes[code])


def _abroad(region: Any) -> str:
    """Say that nothing is there that leads out of the region."""
    return f"(?!{region.international_prefix})" if region.international_prefix else ""


def _is_national(region: Any) -> _Match:
    valid = _valid(COUNTRY_CODE_TO_REGION_CODE[region.country_code])
    pattern = f"(?=[0-9]){_abroad(region)}(?!{region.country_code}){_without_prefix(region)}{valid}"
    return re.compile(pattern, re.ASCII).fullmatch


def _national(region: Any, as_it_is: _Match) -> Callable[[str], str | None]:
    """Give the function that writes a number dialled within its region, if it surely is one."""
    code = str(region.country_code)
    regions = COUNTRY_CODE_TO_REGION_CODE[region.country_code]
    valid, general = _valid(regions), _described(region.general_desc)
    abroad = _abroad(region)
    # the country's code without its plus: taken for one where the whole is no number and the rest is
    main = _without_prefix(_metadata(regions[0]))
    with_code = re.compile(
        f"{abroad}(?!{general}\\Z){code}(?={general}\\Z){_without_prefix(region)}{main}(?P<rest>{valid})"
    ).fullmatch
    with_prefix = re.compile(_behind_prefix(region, abroad, code, general, valid)).fullmatch

    def write(digits: str) -> str | None:
        if as_it_is(digits):
            return f"+{code}{digits}"
        match = with_prefix(digits) or with_code(digits)
        return f"+{code}{match['rest']}" if match else None

    return write


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
