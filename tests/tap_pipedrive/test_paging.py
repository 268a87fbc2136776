"""Lists by offset hold their place, whatever slips while they are read; lists by cursor end, wherever cursors lead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmdb_core.exceptions import ApiError
from tap_pipedrive.exceptions import StandstillError
from tap_pipedrive.paging import OffsetList, cursor_pages, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crmdb_core.http import ApiSession

Row = dict[str, Any]


class Listed:
    """An API with one list by update; `between` changes it after every answer."""

    def __init__(self, count: int, between: Callable[[list[Row], int], None]) -> None:
        self.rows: list[Row] = [{"id": n, "update_time": n} for n in range(count)]
        self.between = between
        self.calls = 0

    def get_json(self, _: str, params: Mapping[str, Any]) -> Any:
        begin, limit = params["start"], params["limit"]
        page = [dict(row) for row in self.rows[begin : begin + limit]]
        told = {"more_items_in_collection": begin + limit < len(self.rows)}
        self.calls += 1
        self.between(self.rows, self.calls)
        return {"success": True, "data": page or None, "additional_data": {"pagination": told}}


def read(api: Any, size: int, **start: Any) -> list[Row]:
    listed = OffsetList(api, "/list", {}, size)
    return [row for rows, _ in listed.pages(**start) for row in rows]


@pytest.mark.parametrize("gone", [1, 2, 5, 9])
def test_s02_rows_that_go_away_hide_no_other(gone: int) -> None:
    def work(rows: list[Row], calls: int) -> None:
        if calls == 3:
            del rows[:gone]

    found = read(Listed(30, work), 5)
    assert [row["id"] for row in found] == list(range(30))


@pytest.mark.parametrize("moved", [1, 2, 5, 9])
def test_s01_rows_that_move_to_the_end_hide_no_other_and_come_again(moved: int) -> None:
    def work(rows: list[Row], calls: int) -> None:
        if calls == 3:
            for row in rows[:moved]:
                row["update_time"] += 1000
            rows.sort(key=lambda row: row["update_time"])

    found = read(Listed(30, work), 5)
    assert {row["id"] for row in found} == set(range(30))
    assert [row["id"] for row in found if row["update_time"] >= 1000] == list(range(moved))


@settings(max_examples=200, deadline=None)
@given(
    count=st.integers(0, 40),
    size=st.integers(1, 7),
    changes=st.lists(st.tuples(st.integers(1, 12), st.sampled_from(["move", "drop", "add"]), st.integers(0, 60))),
)
def test_what_stays_as_it_is_always_comes_once(count: int, size: int, changes: list[tuple[int, str, int]]) -> None:
    """S01, S02: rows move, vanish and come at every moment."""
    touched: set[int] = set()
    clock = [1000]

    def work(rows: list[Row], calls: int) -> None:
        for at, verb, number in changes:
            if at == calls and rows:
                clock[0] += 1
                row = rows[number % len(rows)]
                if verb == "add":
                    rows.append({"id": clock[0], "update_time": clock[0]})
                elif verb == "drop":
                    touched.add(row["id"])
                    rows.remove(row)
                else:
                    touched.add(row["id"])
                    row["update_time"] = clock[0]
                    rows.sort(key=lambda each: each["update_time"])

    found = [row["id"] for row in read(Listed(count, work), size)]
    quiet = set(range(count)) - touched
    assert quiet <= set(found)
    assert len([one for one in found if one in quiet]) == len(quiet)


def test_a_point_that_is_no_longer_there_begins_anew() -> None:
    quiet: Callable[[list[Row], int], None] = lambda *_: None  # noqa: E731 - nothing happens
    assert [row["id"] for row in read(Listed(12, quiet), 5, start=6, anchor=(5, 5))] == list(range(6, 12))
    assert {row["id"] for row in read(Listed(12, quiet), 5, start=6, anchor=(5, 4))} == set(range(12))
    assert {row["id"] for row in read(Listed(3, quiet), 5, start=60, anchor=(59, 59))} == {0, 1, 2}


class Pages:
    """An API whose list gives these cursors, one after the other."""

    def __init__(self, *cursors: str | None) -> None:
        self.cursors = list(cursors)
        self.asked: list[Any] = []

    def get_json(self, _: str, params: Mapping[str, Any]) -> Any:
        self.asked.append(params.get("cursor"))
        return {"data": [], "additional_data": {"next_cursor": self.cursors.pop(0)}}


def pages_of(api: Any) -> list[Any]:
    session: ApiSession = api
    return list(cursor_pages(session, "/list", {}))


def test_a_list_ends_where_no_cursor_comes() -> None:
    api = Pages("a", "b", None)
    assert len(pages_of(api)) == 3
    assert api.asked == [None, "a", "b"]


@pytest.mark.parametrize("cursors", [("a", "a"), ("a", "b", "a"), ("a", "b", "c", "b")])
def test_a_cursor_that_comes_again_is_no_way_on(cursors: tuple[str, ...]) -> None:
    with pytest.raises(StandstillError):
        pages_of(Pages(*cursors))


@pytest.mark.parametrize("answer", [None, [], {"success": False}, {"data": {"id": 1}}, {"data": "x"}, 7])
def test_an_answer_that_is_no_list_is_a_fault(answer: Any) -> None:
    with pytest.raises(ApiError):
        rows_of(answer, "/list")
