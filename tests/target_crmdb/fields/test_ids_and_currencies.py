"""The CRMs' identifiers, and currencies."""

from __future__ import annotations

import string
from datetime import date

import pytest
from babel import Locale
from babel.numbers import get_territory_currencies
from hypothesis import given, settings
from hypothesis import strategies as st
from iso4217 import Currency

from tests.target_crmdb.fields.verdicts import REFUSED, damaged, normal

IDS = st.text(string.ascii_letters + string.digits, min_size=15, max_size=15)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def long_id(short: str) -> str:
    """Give the 18 letters by the rule as Salesforce writes it down: five at a time, read backwards as binary."""
    groups = (short[place : place + 5] for place in (0, 5, 10))
    bits = ("".join("1" if letter in string.ascii_uppercase else "0" for letter in reversed(group)) for group in groups)
    return short + "".join(LETTERS[int(word, 2)] for word in bits)


@settings(max_examples=200)
@given(IDS)
def test_a_salesforce_id_of_15_becomes_one_of_18_that_stays(short: str) -> None:
    assert long_id(short) == normal("object_id", short, crm="salesforce")
    assert long_id(short) == normal("object_id", long_id(short), crm="salesforce")


@settings(max_examples=200)
@given(damaged(IDS.map(long_id)))
def test_a_salesforce_id_whose_letters_do_not_fit_is_refused(value: str) -> None:
    known = value.isascii() and value.isalnum() and len(value) in {15, 18}
    fits = known and (len(value) == 15 or value == long_id(value[:15]))
    if value:
        assert (long_id(value[:15]) if fits else REFUSED) == normal("object_id", value, crm="salesforce")


@pytest.mark.parametrize(
    ("crm", "value", "expected"),
    [
        # the pair of Salesforce's own article on the conversion, and one whose case was lost
        ("salesforce", "001A0000006Vm9r", "001A0000006Vm9rIAC"),
        ("salesforce", "001A0000006Vm9rIAC", "001A0000006Vm9rIAC"),
        ("salesforce", "001a0000006vm9rIAC", REFUSED),
        ("salesforce", "", None),
        ("salesforce", 5, REFUSED),
        ("hubspot", "12345", "12345"),
        ("hubspot", 12345, "12345"),
        ("hubspot", "0", REFUSED),
        ("hubspot", "-5", REFUSED),
        ("hubspot", "012", REFUSED),
        ("hubspot", "9223372036854775807", "9223372036854775807"),
        ("hubspot", "9223372036854775808", REFUSED),
        ("hubspot", True, REFUSED),
        ("hubspot", "", None),
        ("hubspot", "1\n", REFUSED),
        ("pipedrive", 7, "7"),
        ("pipedrive", "ADF21080-0E10-11EB-879B-05D71FB426EC", "adf21080-0e10-11eb-879b-05d71fb426ec"),
        ("pipedrive", "x", REFUSED),
        ("salespro", "A-17", "A-17"),
        (None, 17, "17"),
        (None, None, None),
    ],
)
def test_ids(crm: str | None, value: object, expected: str | None) -> None:
    assert expected == normal("object_id", value, crm=crm)


@pytest.mark.parametrize("code", [one.code for one in Currency])
def test_a_currency_of_today_is_known_in_any_case(code: str) -> None:
    assert [code, code] == [normal("currency", code), normal("currency", code.lower())]


def test_every_currency_that_a_country_has_had_since_2000_is_known() -> None:
    territories = [str(code) for code in Locale("en").territories if len(str(code)) == 2]
    codes = {
        code
        for territory in territories
        for code in get_territory_currencies(territory, start_date=date(2000, 1, 1), end_date=date(2026, 1, 1))
    }
    assert {"EUR", "BGN", "HRK", "DEM"} <= codes
    codes.remove("MCF")  # a name of CLDR alone: Monaco's franc was France's
    assert [] == sorted(code for code in codes if normal("currency", code) is REFUSED)


@settings(max_examples=300)
@given(damaged(st.sampled_from(["USD", "EUR", "Gbp", "$", "Euro"])))
def test_a_text_that_is_no_currency_is_refused(value: str) -> None:
    known = {one.code for one in Currency}
    found = normal("currency", value)
    assert found is None if not value else found in {REFUSED, value.upper()}
    if value.upper() in known:
        assert found == value.upper()


@pytest.mark.parametrize("value", [None, ""])
def test_no_currency_is_null(value: str | None) -> None:
    assert normal("currency", value) is None


@pytest.mark.parametrize("value", [840, True, [], "US", "USDX", " USD"])
def test_what_is_no_code_is_refused(value: object) -> None:
    assert REFUSED == normal("currency", value)
