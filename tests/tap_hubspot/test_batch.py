"""Batch reads and lists, against answers in memory."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tap_hubspot.batch import Batch, BatchError, BatchRead
from tap_hubspot.listing import RepeatedCursorError, listed
from tap_hubspot.objects import CrmObject
from tap_hubspot.paths import Paths
from tap_hubspot.reading import ObjectReader

if TYPE_CHECKING:
    from collections.abc import Callable


class Answers:
    """Answers in turn, and what was asked."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def get_json(
        self,
        path: str,
        params: dict[str, Any] | None = None,
        *,
        bucket: str = "default",
        decode: Callable[[bytes], Any] = json.loads,
    ) -> Any:
        del bucket
        self.asked.append((path, dict(params or {})))
        return decode(json.dumps(self.answers.pop(0)).encode())

    def post_json(self, path: str, body: dict[str, Any], *, bucket: str = "default") -> Any:
        return self.get_json(path, body, bucket=bucket)


def test_rows_come_in_the_order_of_the_ids_and_gone_ones_are_counted() -> None:
    gone = {"status": "error", "category": "OBJECT_NOT_FOUND"}
    api = Answers({"results": [{"id": "2"}, {"id": "1"}], "errors": [gone]})
    batch = BatchRead(api, "/batch/read", ["email"])(("1", "2", "3"))
    assert batch == Batch(("1", "2", "3"), ({"id": "1"}, {"id": "2"}))
    assert batch.missing == 1
    inputs = [{"id": "1"}, {"id": "2"}, {"id": "3"}]
    assert api.asked == [("/batch/read", {"properties": ["email"], "inputs": inputs})]


def test_another_error_in_a_batch_is_not_taken_for_a_deletion() -> None:
    api = Answers({"results": [], "errors": [{"category": "VALIDATION_ERROR"}]})
    with pytest.raises(BatchError, match="VALIDATION_ERROR"):
        BatchRead(api, "/batch/read", [])(("1",))


def test_archived_records_are_asked_for_as_such() -> None:
    api = Answers({"results": []})
    BatchRead(api, "/batch/read", [], archived=True)(("1",))
    assert api.asked[0][0] == "/batch/read?archived=true"


def test_a_list_follows_its_cursor_to_the_end() -> None:
    api = Answers({"results": [{"id": "1"}], "paging": {"next": {"after": 5}}}, {"results": []}, {})
    assert list(listed(api, "/owners", limit=500)) == [{"id": "1"}]
    assert [params for _, params in api.asked] == [{"limit": 500}, {"limit": 500, "after": "5"}]


def test_a_cursor_that_comes_back_is_an_error() -> None:
    page = {"results": [], "paging": {"next": {"after": "5"}}}
    with pytest.raises(RepeatedCursorError, match="cursor 5 of /owners"):
        list(listed(Answers(page, page), "/owners"))


def test_the_recycle_bin_is_cut_at_the_instant_of_archiving() -> None:
    rows = [
        {"id": "1", "archivedAt": "2026-01-01T00:00:00Z"},
        {"id": "2", "archivedAt": "2025-12-31T23:59:59.999Z"},
        {"id": "3", "archivedAt": None},
    ]
    read = {"results": [rows[0], rows[2]]}

    def archived(since: datetime | None, *answers: dict[str, Any]) -> list[str]:
        reader = ObjectReader(Answers(*answers), Paths("2026-09"), CrmObject("contacts"), ("email",), workers=1)
        return [row["id"] for page in reader.archived(since) for row in page.rows]

    assert archived(datetime(2026, 1, 1, tzinfo=UTC), {"results": rows}, read) == ["1", "3"]
    assert archived(None, {"results": rows}) == ["1", "2", "3"]
