"""Web addresses have the verdict of pydantic's HttpUrl, and its form."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import HttpUrl, TypeAdapter, ValidationError

from target_crmdb.validation.fields import field_type
from tests.target_crmdb.fields.verdicts import REFUSED, damaged, judge, normal

NORMAL = field_type("url").normal
LIBRARY = TypeAdapter(HttpUrl)
URLS = st.from_regex(
    r"(https?|HTTP|ftp|http:|mailto)?:?(//)?([a-z0-9]{1,5}(-[a-z]{1,3})?\.){0,3}(com|de|Info|1|0x7f|xn--p1ai|рф)?(:80|:443|:8080|:)?"
    r"(/[a-zA-Z0-9._~!$&()*+,;=:@%'|^-]{0,8}){0,4}(\?[a-z=&%/?'<]{0,8})?(#[a-z=&%/?`]{0,8})?",
    fullmatch=True,
)


def library(value: str) -> str:
    try:
        return str(LIBRARY.validate_python(value))
    except ValidationError:
        return REFUSED


@settings(max_examples=300, deadline=None)
@given(damaged(URLS))
@example("http://a.com/./b/../c")
@example("http://a.com/..a/...")
@example("http://a.com/%2e%2E/b")
@example("http://a.com/a%2e/b")
@example("http://a.com?b#c")
@example("http://a.com//b")
@example("http://a.com\n")
@example("http://localhost")
@example("http://1.2.3.4")
@example("http://0x7f.1")
@example("http://a.com/" + "b" * 2100)
@example("https://a.com" + "b" * 2069)
@example("http://a.com/'?'#'")
@example("http:\\\\a.com\\b")
@example("http://" + "a" * 300 + ".com/")
def test_the_verdict_is_the_librarys(value: str) -> None:
    if value:
        assert library(value) == judge(NORMAL, value)


@settings(max_examples=300, deadline=None)
@given(damaged(URLS))
def test_a_normal_form_is_its_own(value: str) -> None:
    once = judge(NORMAL, value)
    if once is not REFUSED:
        assert once == judge(NORMAL, once)


def test_a_scheme_is_added_only_if_asked_for() -> None:
    assert REFUSED == normal("url", "www.Example.com/a")
    assert "https://www.example.com/a" == normal("url", "www.Example.com/a", assume="https")
    assert "http://a.com/" == normal("url", "http://a.com", assume="https")
    assert REFUSED == normal("url", "mailto:a@b.com", assume="https")


def test_a_host_with_a_port_is_no_scheme() -> None:
    assert "https://example.com:8080/a" == normal("url", "example.com:8080/a", assume="https")


def test_a_scheme_that_is_none_of_the_web_is_told() -> None:
    with pytest.raises(ValueError, match="http or https"):
        field_type("url", assume="ftp")
