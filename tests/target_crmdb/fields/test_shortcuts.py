"""The shorter ways to a verdict say yes only where the longer one does, and give its normal form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_crmdb.validation.fields import FIELD_TYPES, FieldType, field_type
from tests.target_crmdb.fields.test_email import EMAILS
from tests.target_crmdb.fields.test_moments import DATES, DATETIMES
from tests.target_crmdb.fields.test_numbers import TEXTS
from tests.target_crmdb.fields.test_phone import REGIONS, north_american, numbers
from tests.target_crmdb.fields.test_places import COUNTRIES, NAMES, ZIP_TEXTS
from tests.target_crmdb.fields.test_url import URLS
from tests.target_crmdb.fields.verdicts import damaged, judge

REAL: dict[str, st.SearchStrategy[str]] = {
    "email": EMAILS,
    "url": URLS,
    "date": DATES,
    "datetime": DATETIMES,
    "decimal": TEXTS,
    "money": TEXTS,
}
OWN: dict[str, FieldType] = {
    **{name: field_type(name) for name in REAL},
    **{f"zip_code of {country}": field_type("zip_code", country=country) for country in COUNTRIES},
    **{f"state of {country}": field_type("state", country=country) for country in COUNTRIES},
}
PHONES = {region: field_type("phone", country=region) for region in REGIONS}


def phones(region: str) -> st.SearchStrategy[str]:
    return st.one_of(numbers([region]), numbers(REGIONS), north_american())


def values(name: str) -> st.SearchStrategy[str]:
    return damaged({**REAL, "zip_code": ZIP_TEXTS, "state": st.sampled_from(NAMES)}[name.partition(" ")[0]])


@pytest.mark.parametrize("name", OWN)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_is_its_own_form_is_so_for_the_longer_way(name: str, data: st.DataObject) -> None:
    kind, value = OWN[name], data.draw(values(name))
    assert kind.is_own is not None
    if kind.is_own(value):
        assert value == judge(kind.normal, value)


@pytest.mark.parametrize("region", REGIONS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_numbers_of_a_column_are_those_of_the_longer_way(region: str, data: st.DataObject) -> None:
    kind, texts = PHONES[region], data.draw(st.lists(damaged(phones(region)), max_size=4))
    assert kind.of_texts is not None
    for text, form in zip(texts, kind.of_texts(texts), strict=True):
        if form is not None:
            assert form == judge(kind.normal, text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("email", "ada@example.com"), ("url", "https://www.example.com/"), ("date", "2026-01-28"), ("money", "12.50"),
        ("datetime", "2026-01-28T10:00:00Z"), ("zip_code", "94105"), ("state", "CA"),
    ],
)  # fmt: skip
def test_the_common_is_its_own(name: str, value: str) -> None:
    kind = FIELD_TYPES[name]
    assert kind.is_own is not None
    assert kind.is_own(value)


@pytest.mark.parametrize("value", ["(415) 555-2671", "415.555.2671", "+1 415 555 2671"])
def test_the_common_numbers_need_no_longer_way(value: str) -> None:
    of_texts: Any = FIELD_TYPES["phone"].of_texts
    assert ["+14155552671"] == of_texts([value])
