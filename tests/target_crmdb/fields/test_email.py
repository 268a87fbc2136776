"""E-mail addresses have email-validator's verdict, and its normal form."""

from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from target_crmdb.validation.fields import FieldError, field_type
from tests.target_crmdb.fields.verdicts import REFUSED, damaged, judge, normal

NORMAL = field_type("email").normal
LOCALS = st.from_regex(r"[a-z]{1,8}([._+'-][a-zA-Z0-9]{1,8}){0,2}|[!#$%&*/=?^`{|}~]|INFO|Postmaster|ü", fullmatch=True)
DOMAINS = st.from_regex(
    r"([a-zA-Z0-9](-{0,2}[a-z0-9]){0,6}\.){1,3}(com|co\.uk|DE|test|local|arpa|onion|x1|c)"
    r"|xn--mnchen-3ya\.de|münchen\.de|example\.com|[a-z]{62,64}\.com|\[127\.0\.0\.1\]|ex\.localhost",
    fullmatch=True,
)
EMAILS = st.tuples(LOCALS, DOMAINS).map("@".join)


def library(value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError:
        return REFUSED


@settings(max_examples=300, deadline=None)
@given(damaged(EMAILS))
@example("a@b.c")
@example("a@b.com\n")
@example("a@" + "b" * 63 + ".com")
@example("a" * 250 + "@b.com")
@example("INFO@Example.COM")
@example("a@test")
@example("a@b.TEST")
@example("K@\u212aelvin.com")
def test_the_verdict_is_the_librarys(value: str) -> None:
    if value:
        assert library(value) == judge(NORMAL, value)


@settings(max_examples=300, deadline=None)
@given(damaged(EMAILS))
def test_a_normal_form_is_its_own(value: str) -> None:
    once = judge(NORMAL, value)
    if once is not REFUSED:
        assert once == judge(NORMAL, once)


@pytest.mark.parametrize("value", [None, ""])
def test_nothing_is_null(value: str | None) -> None:
    assert normal("email", value) is None


@pytest.mark.parametrize("value", [5, True, ["a@b.com"], {}])
def test_what_is_no_text_is_refused(value: object) -> None:
    assert REFUSED == normal("email", value)


@pytest.mark.parametrize("value", ["anna.lee(at)corp.example", " anna@corp.com", "a@b@c.com", "anna@corp"])
def test_no_reason_quotes_the_value(value: str) -> None:
    with pytest.raises(FieldError) as error:
        NORMAL(value)
    assert "invalid_email" == error.value.rule
    assert "corp" not in str(error.value)
    assert error.value.__suppress_context__ or error.value.__context__ is None
