"""Identifiers: safe, short, injective, and stable once given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_crmdb.mapping import dotted, name_columns, snake_case
from target_crmdb.mapping.types import ColumnType, wider
from target_crmdb.validation import replace_unstorable

# every code point, lone surrogates too: a sanitised record has none, a raw SCHEMA may
any_text = st.text(st.characters(exclude_categories=()), max_size=80)
names = any_text | st.sampled_from(["id", "ID", "Id", "email", "_extra", "xmin", "x" * 70, "x" * 71])
paths = st.lists(names, min_size=1, max_size=2).map(tuple)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("createdAt", "created_at"),
        ("hs_object_id", "hs_object_id"),
        ("HTMLParser", "html_parser"),
        ("SystemModstamp", "system_modstamp"),
        ("e-mail (work)", "e_mail_work"),
        ("1st", "_1st"),
        ("", "_"),
        ("_sdc_deleted_at", "_sdc_deleted_at"),
        ("Straße", "straße"),
    ],
)
def test_snake_case(name: str, expected: str) -> None:
    assert expected == snake_case(name)


@given(st.lists(paths, unique=True))
def test_names_are_short_and_never_shared(fields: list[tuple[str, ...]]) -> None:
    given_names = name_columns(fields, {}, taken=["_extra"])
    assert len(fields) == len(set(given_names.values()))
    assert all(0 < len(name.encode(errors="surrogatepass")) <= 63 for name in given_names.values())
    assert {"_extra", "xmin"}.isdisjoint(given_names.values())
    assert not any("\0" in name for name in given_names.values())


@given(st.lists(paths, unique=True), st.lists(paths, unique=True))
def test_a_name_once_given_stays(first: list[tuple[str, ...]], later: list[tuple[str, ...]]) -> None:
    before = name_columns(first, {})
    after = name_columns([*later, *(path for path in first if path not in later)], before)
    assert before.items() <= after.items()
    assert len(after) == len(set(after.values()))


@given(paths, paths)
def test_dotted_paths_are_never_shared(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert (one == other) == (dotted(one) == dotted(other))


@given(st.recursive(st.text(st.characters()), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_what_is_left_after_replacing_can_be_stored(value: object) -> None:
    text = repr(replace_unstorable(value))
    text.encode()
    assert "\\x00" not in text.replace("\\\\", "")


@given(st.sampled_from(ColumnType), st.sampled_from(ColumnType))
def test_widening_is_the_same_both_ways_and_ends(one: ColumnType, other: ColumnType) -> None:
    widest = wider(one, other)
    assert widest == wider(other, one)
    assert widest == wider(widest, one) == wider(widest, other)
