"""Phone numbers have phonenumbers' verdict, in every country's numbering plan."""

from __future__ import annotations

import random

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from target_crmdb.validation.fields import field_type
from tests.target_crmdb.fields.verdicts import REFUSED, damaged, judge, normal

REGIONS = ("US", "GB", "DE", "IT", "FR", "BR", "AU", "RU", "MX", "AR", "CA", "HU", "SG")
NORMAL = {region: field_type("phone", country=region).normal for region in REGIONS}
ALL = sorted(phonenumbers.SUPPORTED_REGIONS)
FORMATS = (
    PhoneNumberFormat.E164,
    PhoneNumberFormat.INTERNATIONAL,
    PhoneNumberFormat.NATIONAL,
    PhoneNumberFormat.RFC3966,
)
TYPES = (0, 1, 3, 4, 6, 7, 9)


def library(value: str, region: str) -> str:
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return REFUSED
    valid = phonenumbers.is_valid_number(number)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) if valid else REFUSED


@st.composite
def numbers(draw: st.DrawFn, regions: tuple[str, ...] | list[str]) -> str:
    """Draw an example of a region's numbers, some of its digits changed, as people write it."""
    region, kind = draw(st.sampled_from(regions)), draw(st.sampled_from(TYPES))
    found = phonenumbers.example_number_for_type(region, kind) or phonenumbers.example_number(region)
    number = phonenumbers.PhoneNumber()
    assert found
    number.merge_from(found)
    power = 10 ** draw(st.integers(1, 7))
    number.national_number = number.national_number // power * power + draw(st.integers(0, power - 1))
    return str(phonenumbers.format_number(number, draw(st.sampled_from(FORMATS))))


@st.composite
def north_american(draw: st.DrawFn) -> str:
    area, exchange, line = (draw(st.from_regex(rf"[0-9]{{{n}}}", fullmatch=True)) for n in (3, 3, 4))
    form = draw(
        st.sampled_from(
            [
                "({}) {}-{}",
                "{}-{}-{}",
                "{}.{}.{}",
                "+1 {} {} {}",
                "1-{}-{}-{}",
                "{}{}{}",
                "+1({}){}-{}",
                "011 1 {} {} {}",
            ]
        )
    )
    return form.format(area, exchange, line)


@settings(max_examples=300, deadline=None)
@given(damaged(st.one_of(north_american(), numbers(REGIONS))), st.sampled_from(REGIONS))
@example("+390666982", "US")
@example("020 7946 0958", "GB")
@example("8 (495) 123-45-67", "RU")
@example("15 2345 6789", "AR")
@example("0 11 15-2345-6789", "AR")
@example("06 1 234 5678", "HU")
@example("212-555-0100 x12", "US")
@example("(212) 555-0100 / 212-555-0101", "US")
@example("+800 1234 5678", "US")
@example("+1 242 365 1234", "US")
@example("1212555010", "US")
@example("49 30 901820", "DE")
@example("4930901820", "DE")
@example("\u0662\u0661\u0662\u0665\u0665\u0665\u0660\u0661\u0660\u0660", "US")
def test_the_verdict_is_the_librarys(value: str, region: str) -> None:
    if value:
        assert library(value, region) == judge(NORMAL[region], value)


@pytest.mark.parametrize("seed", [1])
def test_the_verdict_is_the_librarys_in_every_country(seed: int) -> None:
    """Random digits behind every calling code, and as each country dials within."""
    dice = random.Random(seed)
    wrong = []
    for region in ALL:
        own = field_type("phone", country=region).normal
        code = phonenumbers.country_code_for_region(region)
        for _ in range(3):
            example_of = phonenumbers.example_number(region)
            assert example_of
            tail = dice.randrange(10 ** dice.randint(1, 6))
            digits = str(example_of.national_number)
            digits = digits[: max(2, len(digits) - len(str(tail)))] + str(tail)
            values = (f"+{code} {digits}", f"0{digits}", digits, f"{code}{digits}", f"1 {digits}", f"8{digits}")
            wrong += [(region, value) for value in values if library(value, region) != judge(own, value)]
    assert [] == wrong


@pytest.mark.long
@settings(max_examples=5_000, deadline=None)
@given(damaged(numbers(ALL)), st.sampled_from(REGIONS))
def test_the_verdict_is_the_librarys_worldwide(value: str, region: str) -> None:
    if value:
        assert library(value, region) == judge(NORMAL[region], value)


@settings(max_examples=300, deadline=None)
@given(numbers(REGIONS), st.sampled_from(REGIONS))
def test_a_normal_form_is_its_own(value: str, region: str) -> None:
    once = judge(NORMAL[region], value)
    if once is not REFUSED:
        assert once == judge(NORMAL["US"], once)


@pytest.mark.parametrize("country", ["XX", "us-ca", ""])
def test_an_unknown_country_is_told(country: str) -> None:
    with pytest.raises(ValueError, match="two letters"):
        field_type("phone", country=country)


def test_a_number_may_come_as_a_number() -> None:
    assert "+12125550100" == normal("phone", 2125550100)
    assert REFUSED == normal("phone", True)
    assert normal("phone", "") is None
