"""Pages that are kept as they came are the same pages."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from crmdb_core.answers import decode_json
from crmdb_core.stream import Page
from tap_hubspot.unread import UnreadRows, read_page


def body(*rows: Any, **more: Any) -> bytes:
    return json.dumps({"results": rows, **more}).encode()


ROWS = [{"id": "1", "properties": {"a": "x", "b": None}}, {"id": "27", "archived": False}]


def test_ids_and_cursor_are_known_and_the_rows_come_when_they_are_asked_for() -> None:
    page = read_page(body(*ROWS, paging={"next": {"after": "28", "link": "…"}}))
    assert (page.ids, page.after) == (("1", "27"), "28")
    assert isinstance(page.rows, UnreadRows)
    assert list(page.rows) == ROWS
    assert (len(page.rows), page.rows[1]) == (2, ROWS[1])


def test_what_a_chain_takes_of_a_page_waits_unread_too() -> None:
    """Or a stream ahead of its turn would stand still at the end of its first chain."""
    page = read_page(body(*ROWS))
    for place in (0, 1, 2):
        rows = page.rows_before(place)
        assert list(rows) == ROWS[:place]
        assert len(rows) == place
        assert Page(rows).unread_bytes > 0
        with pytest.raises(IndexError):
            rows[place]


def test_rows_that_were_read_have_no_known_size_and_no_rows_next_to_none() -> None:
    assert (Page(ROWS).unread_bytes, Page([]).unread_bytes) == (0, 1)


@pytest.mark.parametrize("paging", [{}, {"paging": None}, {"paging": {}}, {"paging": {"next": {"after": ""}}}])
def test_the_last_page_has_no_cursor(paging: dict[str, Any]) -> None:
    assert read_page(body(**paging)).after is None


def test_ids_and_cursors_may_be_numbers() -> None:
    page = read_page(body({"id": 7}, paging={"next": {"after": 8}}))
    assert (page.ids, page.after) == (("7",), "8")


def test_numbers_stay_exact() -> None:
    (row,) = read_page(b'{"results":[{"id":"1","n":0.10}]}').rows
    assert str(row["n"]) == str(Decimal("0.10"))


def test_a_lone_surrogate_passes() -> None:
    page = read_page(rb'{"results":[{"id":"1","n":"\ud800"}]}')
    assert (page.ids, page.rows[0]["n"]) == (("1",), "\ud800")


@pytest.mark.parametrize(
    "broken",
    [body(*ROWS)[:-2], b'{"results":[{"id":"1","n":"\xff"}]}', b"<html>", b'{"results":[{"id":"1","n":NaN}]}'],
    ids=["cut", "no UTF-8", "HTML", "NaN"],
)
def test_a_broken_body_is_refused_at_once_as_when_it_is_parsed(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_json(broken)
    with pytest.raises(ValueError, match=r"."):
        read_page(broken)
