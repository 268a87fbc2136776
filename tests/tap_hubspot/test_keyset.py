"""Keyset search against a small portal in memory: every id exactly once, or a loud error."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from tap_hubspot.batch import batches
from tap_hubspot.keyset import KeysetSearch, Modified, OutOfOrderError

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
WHOLE = Modified("hs_lastmodifieddate")


def as_number(one: str) -> int:
    return int(one)


def as_text(one: str) -> str:
    return one


@dataclass
class Portal:
    """The search endpoint of one object type; compares ids as HubSpot might."""

    ids: list[str]
    order: Callable[[str], Any] = as_number
    page: int = 200
    empty_pages: int = 0
    seen: list[Json] = field(default_factory=list)

    def get_json(self, path: str, params: Json | None = None, *, bucket: str = "default") -> Any:
        raise NotImplementedError

    def post_json(self, path: str, body: Json, *, bucket: str = "default") -> Any:
        assert (path, bucket) == ("/search", "search")
        self.seen.append(body)
        if int(body.get("after", 0)) < self.empty_pages:
            after = str(int(body.get("after", 0)) + 1)
            return {"total": len(self.ids), "results": [], "paging": {"next": {"after": after}}}
        found = sorted(filter(self._above(body), self.ids), key=self.order)
        answer: Json = {"total": len(found), "results": [{"id": one} for one in found[: self.page]]}
        if len(found) > self.page:
            answer["paging"] = {"next": {"after": str(self.page)}}
        return answer

    def _above(self, body: Json) -> Callable[[str], bool]:
        filters = [item for group in body["filterGroups"] for item in group["filters"]]
        above = [item["value"] for item in filters if item["operator"] == "GT"]
        return lambda one: not above or self.order(one) > self.order(above[0])


def read(portal: Portal, window: Modified = WHOLE, after: str | None = None) -> list[str]:
    return [one for page in KeysetSearch(portal, "/search", window).pages(after) for one in page.ids]


ids = st.sets(st.integers(1, 10**15).map(str), max_size=60).map(list)


@given(ids, st.sampled_from([as_number, as_text]), st.integers(1, 7), st.integers(0, 2))
def test_every_id_comes_once_in_either_order_with_short_and_empty_pages(
    some: list[str], order: Callable[[str], Any], page: int, empty_pages: int
) -> None:
    assert read(Portal(some, order, page, empty_pages)) == sorted(some, key=order)


@given(ids, st.sampled_from([as_number, as_text]), st.data())
def test_reading_goes_on_after_any_id(some: list[str], order: Callable[[str], Any], data: st.DataObject) -> None:
    ordered = sorted(some, key=order)
    at = data.draw(st.integers(0, len(ordered)))
    after = ordered[at - 1] if at else None
    assert read(Portal(some, order, page=5), after=after) == ordered[at:]


def test_a_short_page_without_a_cursor_does_not_end_the_reading() -> None:
    portal = Portal(["1", "2", "3"], page=2)
    assert read(portal) == ["1", "2", "3"]
    assert [len(body["filterGroups"]) for body in portal.seen] == [0, 1, 1]


def test_a_cursor_is_followed_on_empty_pages_only() -> None:
    portal = Portal([str(one) for one in range(1, 5)], page=2, empty_pages=1)
    read(portal)
    assert [body.get("after") for body in portal.seen] == [None, "1", None, "1", None, "1"]


class Stuck(Portal):
    @override
    def post_json(self, path: str, body: Json, *, bucket: str = "default") -> Any:
        del path, body, bucket
        return {"total": 1, "results": [], "paging": {"next": {"after": "7"}}}


def test_empty_pages_in_a_circle_are_an_error() -> None:
    with pytest.raises(OutOfOrderError, match="repeated the cursor 7"):
        read(Stuck([]))


class Mixed(Portal):
    """Sorts ids as numbers and compares them as text: the mixture that would lose or repeat records."""

    @override
    def post_json(self, path: str, body: Json, *, bucket: str = "default") -> Any:
        del path, bucket
        above = [item["value"] for group in body["filterGroups"] for item in group["filters"]]
        found = sorted((one for one in self.ids if not above or one > above[0]), key=int)
        return {"total": len(found), "results": [{"id": one} for one in found[: self.page]]}


def test_ids_that_go_back_are_an_error() -> None:
    with pytest.raises(OutOfOrderError, match="id 2 after 10"):
        read(Mixed([str(one) for one in range(1, 30)], page=10))


class Repeating(Portal):
    @override
    def post_json(self, path: str, body: Json, *, bucket: str = "default") -> Any:
        del path, body, bucket
        return {"total": 1, "results": [{"id": "5"}]}


def test_a_repeated_id_is_an_error() -> None:
    with pytest.raises(OutOfOrderError, match="id 5 after 5"):
        read(Repeating([]))


def test_the_window_is_half_open_and_in_epoch_milliseconds() -> None:
    window = Modified(
        "lastmodifieddate",
        low=datetime(2026, 1, 1, 0, 0, 0, 123000, UTC),
        high=datetime(2026, 1, 2, 0, 0, 0, 123999, UTC),
    )
    portal = Portal(["4"])
    read(portal, window)
    assert portal.seen[0]["filterGroups"] == [
        {
            "filters": [
                {"propertyName": "lastmodifieddate", "operator": "GTE", "value": "1767225600123"},
                {"propertyName": "lastmodifieddate", "operator": "LT", "value": "1767312000123"},
            ]
        }
    ]
    assert portal.seen[1]["filterGroups"][0]["filters"][2] == {
        "propertyName": "hs_object_id",
        "operator": "GT",
        "value": "4",
    }


def test_batches_hold_a_hundred_ids() -> None:
    groups = list(batches(str(one) for one in range(250)))
    assert [len(group) for group in groups] == [100, 100, 50]
    assert [one for group in groups for one in group] == [str(one) for one in range(250)]


class Importing(Portal):
    """An import is under way: whenever it is asked, there is one record more."""

    @override
    def post_json(self, path: str, body: Json, *, bucket: str = "default") -> Any:
        self.ids.append(str(len(self.ids) + 1))
        answer = super().post_json(path, body, bucket=bucket)
        for row in answer["results"]:
            row["createdAt"] = f"2026-01-01T00:00:{int(row['id']):02}Z"
        return answer


def test_records_created_since_the_reading_began_do_not_keep_it_up() -> None:
    portal = Importing([str(one) for one in range(1, 21)], page=10)
    began = datetime(2026, 1, 1, 0, 0, 20, tzinfo=UTC)
    search = KeysetSearch(portal, "/search", WHOLE, began=began)
    ids = [one for page in search.pages() for one in page.ids]
    assert ids == [str(one) for one in range(1, 24)]
    assert len(portal.seen) == 3
