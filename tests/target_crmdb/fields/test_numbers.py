"""Numbers keep every digit; how a country writes them is asked for, never guessed."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

import pytest
from babel.numbers import NumberFormatError, format_decimal, parse_decimal
from hypothesis import example, given, settings
from hypothesis import strategies as st

from target_crmdb.validation.compiled import Number
from target_crmdb.validation.fields import field_type
from tests.target_crmdb.fields.verdicts import REFUSED, damaged, judge, normal

DECIMAL = field_type("decimal").normal
INTEGER = field_type("integer").normal
LOCALES = ("en", "en_GB", "de", "de_CH", "es", "fr", "it", "nl", "pl", "pt_BR", "ru", "sv", "en_IN", "hi")
TEXTS = st.from_regex(r"[+-]?[0-9]{0,6}([.,][0-9]{0,4}){0,2}([eE][+-]?[0-9]{1,3})?", fullmatch=True)


def library(value: str) -> object:
    """Give Decimal's reading of numbers in plain digits: it also reads `1_000`, ` 5`, `NaN` and other scripts."""
    if not value.isascii() or value.strip() != value or "_" in value or "n" in value.lower():
        return REFUSED
    exponent = re.search(r"e([+-]?\d+)\Z", value, re.ASCII | re.IGNORECASE)
    if exponent and abs(int(exponent[1])) > 1000:
        return REFUSED
    try:
        return Decimal(value)
    except InvalidOperation:
        return REFUSED


@settings(max_examples=300, deadline=None)
@given(damaged(TEXTS))
@example("1e5")
@example("5.")
@example(".5")
@example("1,234.50")
@example("\u0661\u0662")
@example("Infinity")
def test_a_decimal_has_the_verdict_and_the_value_of_pythons(value: str) -> None:
    if value:
        ours = judge(DECIMAL, value)
        assert library(value) == (ours if ours is REFUSED else Decimal(ours))


@settings(max_examples=300, deadline=None)
@given(damaged(TEXTS))
@example("5.0")
@example("1e18")
@example("1e19")
@example("9223372036854775808")
def test_an_integer_is_a_decimal_that_is_whole_and_fits(value: str) -> None:
    if value:
        number = library(value)
        fits = isinstance(number, Decimal) and -(2**63) <= number < 2**63 and number == number.to_integral_value()
        assert (number if fits else REFUSED) == judge(INTEGER, value)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.integers(), st.decimals(allow_nan=True, allow_infinity=True)))
def test_a_number_stays_what_it_is(value: int | Decimal) -> None:
    fits = isinstance(value, int) or (
        value.is_finite() and abs(value.adjusted()) + len(value.as_tuple().digits) <= 1000
    )
    assert (value if fits else REFUSED) == judge(DECIMAL, value)


@settings(max_examples=300, deadline=None)
@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2), st.sampled_from(LOCALES))
def test_a_locale_reads_what_it_writes(value: Decimal, locale: str) -> None:
    text = format_decimal(value, locale=locale, decimal_quantization=False)
    assert value == Decimal(normal("decimal", text.replace("\u2212", "-"), locale=locale))


@settings(max_examples=300, deadline=None)
@given(
    st.from_regex(r"[0-9]{1,3}([.,' \u00a0\u202f\u2019][0-9]{1,3}){0,3}([.,][0-9]{1,3})?", fullmatch=True),
    st.sampled_from(LOCALES),
)
@example("1.234", "en")
@example("1.234", "de")
@example("1,234", "de")
@example("1,23,456.5", "en_IN")
@example("1,234,567", "en_IN")
def test_what_a_locale_reads_babel_reads_the_same(value: str, locale: str) -> None:
    ours = normal("decimal", value, locale=locale)
    if ours is not REFUSED:
        spaced = value.replace("\u00a0", " ").replace("\u202f", " ").replace("'", "\u2019")
        mark = format_decimal(10**6, locale=locale)[1]
        # babel takes one kind of blank and of apostrophe, we take all
        assert parse_decimal(spaced.replace(" ", mark), locale=locale) == Decimal(ours)


def test_babel_would_read_more() -> None:
    """Unless it is strict, babel drops group marks wherever they stand; here they stand between groups, or nowhere."""
    assert Decimal(12345) == parse_decimal("123,45", locale="en")
    assert REFUSED == normal("decimal", "123,45", locale="en")
    with pytest.raises(NumberFormatError):
        parse_decimal("123,45", locale="en", strict=True)


@pytest.mark.parametrize("kind", ["decimal", "integer", "money"])
@pytest.mark.parametrize(
    "value", ["1,234.50", "1.234,50", "$5", "(5)", "5%", "\u0665", "5 000", "1'000", "0x10", "1_000"]
)
def test_d08_what_depends_on_a_locale_is_refused_without_one(kind: str, value: str) -> None:
    assert REFUSED == normal(kind, value)


@pytest.mark.parametrize(
    ("locale", "value", "expected"),
    [
        ("en", "1,234.50", "1234.50"),
        ("de", "1.234,50", "1234.50"),
        ("en", "1.234,50", REFUSED),
        ("de", "1,234.50", REFUSED),
        ("de", "1.234", "1234"),
        ("en", "1.234", "1.234"),
        ("fr", "1 234,50", "1234.50"),
        ("fr", "1\u202f234\u202f567,5", "1234567.5"),
        ("fr", "1 234\u00a0567", REFUSED),
        ("de_CH", "1'234.50", "1234.50"),
        ("en_IN", "12,34,567.5", "1234567.5"),
        ("en_IN", "1,234,567", REFUSED),
        ("de", "5%", REFUSED),
        ("de", "-5", "-5"),
        ("de", "", None),
        ("de", None, None),
        ("en", "\u0665", REFUSED),
    ],
)
def test_d08_with_a_locale_its_own_way_is_read_and_no_other(
    locale: str, value: str | None, expected: str | None
) -> None:
    assert expected == normal("decimal", value, locale=locale)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("$1,234.50", "1234.50"),
        ("USD 1,234.50", "1234.50"),
        ("1,234 €", "1234"),
        ("($5)", "-5"),
        ("(5.10)", "-5.10"),
        ("(-5)", REFUSED),
        ("(5", REFUSED),
        ("5)", REFUSED),
        ("5%", REFUSED),
        ("$", REFUSED),
    ],
)
def test_d08_with_a_locale_an_amount_may_have_its_currency(value: str, expected: str) -> None:
    assert expected == normal("money", value, locale="en")


def test_the_digits_of_a_json_number_are_no_countrys() -> None:
    assert "1.234" == normal("decimal", Number("1.234"), locale="de")
    assert Decimal("1.234") == normal("decimal", Decimal("1.234"), locale="de")
    assert 5 == normal("integer", Number("5.0"), locale="de")


@pytest.mark.parametrize("kind", ["decimal", "integer", "money"])
def test_d07_nothing_is_null_and_what_says_nothing_is_refused(kind: str) -> None:
    assert [None, None] == [normal(kind, None), normal(kind, "")]
    says_nothing: list[object] = [" ", "N/A", "-", True, [], {}]
    assert [REFUSED] * 6 == [normal(kind, value) for value in says_nothing]


def test_a_number_that_nobody_meant_is_refused() -> None:
    large: list[str | Decimal] = ["1e9999", "9" * 1001, Decimal("1e5000"), "1e-1001"]
    assert [REFUSED] * 4 == [normal("decimal", value) for value in large]
    assert ["1e999", "1" * 1000] == [normal("decimal", value) for value in ("1e999", "1" * 1000)]


def test_a_locale_that_is_unknown_is_told() -> None:
    with pytest.raises(ValueError, match=r"known: .*de_CH"):
        field_type("decimal", locale="tlh")
