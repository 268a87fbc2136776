"""Yes and no, in the words that pydantic and Postgres know."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tests.target_crmdb.fields.verdicts import REFUSED, damaged, normal

if TYPE_CHECKING:
    from tests.conftest import Database

LIBRARY = TypeAdapter(bool)
WORDS = ("true", "false", "t", "f", "yes", "no", "y", "n", "on", "off", "1", "0")


def library(value: Any) -> Any:
    try:
        return LIBRARY.validate_python(value)
    except ValidationError:
        return REFUSED


@settings(max_examples=200, deadline=None)
@given(st.one_of(damaged(st.sampled_from(WORDS)), st.integers(-3, 3), st.booleans()))
def test_d18_the_verdict_is_pydantics(value: str | int | bool) -> None:
    if value != "":
        assert library(value) == normal("boolean", value)


def test_d18_postgres_reads_the_words_the_same(database: Database) -> None:
    words = [*WORDS, *map(str.upper, WORDS), *map(str.title, WORDS)]
    read = database.query("select word::boolean from unnest(%s::text[]) word", words)
    assert [(normal("boolean", word),) for word in words] == read


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(WORDS))
def test_d18_the_normal_form_is_its_own(word: str) -> None:
    once = normal("boolean", word)
    assert once is normal("boolean", once)
    assert once is normal("boolean", str(once))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal(1), True),
        (Decimal("0.0"), False),
        (Decimal("0.5"), REFUSED),
        (2, REFUSED),
        ("", None),
        (None, None),
        (" ", REFUSED),
        ("N/A", REFUSED),
        ("yes ", REFUSED),
        ("ja", REFUSED),
        ("X", REFUSED),
        ([], REFUSED),
        ({}, REFUSED),
    ],
)
def test_d18_cases(value: object, expected: object) -> None:
    assert expected is normal("boolean", value)
