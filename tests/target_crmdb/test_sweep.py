"""Rows go only by an ACTIVATE_VERSION that comes after the stream's last record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.target_crmdb.conftest import Loader, Message, Singer


def read(singer: Singer, version: int, *ids: str) -> list[Message]:
    """A whole read of a stream, as our taps send it: the version last."""
    return [
        singer.schema(),
        *(singer.record({"id": one}, version=version) for one in ids),
        singer.activate(version),
    ]


def living(load: Loader) -> list[str]:
    return [row[0] for row in load.table("id, _sdc_deleted_at") if row[1] is None]


@pytest.mark.parametrize("batch_size_rows", [1, 100])
def test_rows_not_seen_are_marked_and_come_back(load: Loader, singer: Singer, batch_size_rows: int) -> None:
    load(*read(singer, 1, "a", "b", "c"), batch_size_rows=batch_size_rows)
    load(*read(singer, 2, "b", "c", "d"), batch_size_rows=batch_size_rows)
    assert ["b", "c", "d"] == living(load)
    assert {"seen": 3, "created": 1, "unchanged": 2, "deleted": 1} == load.outcomes()
    load(*read(singer, 3, "a", "b", "c", "d"))
    assert ["a", "b", "c", "d"] == living(load)


def test_hard_delete(load: Loader, singer: Singer) -> None:
    load(*read(singer, 1, "a", "b"))
    load(*read(singer, 2, "b"), hard_delete=True)
    assert [("b",)] == load.table("id")


def test_a_leading_version_removes_nothing(load: Loader, singer: Singer) -> None:
    """Taps of the SDK send it first; a run that fails behind it must not leave every row marked."""
    load(*read(singer, 1, "a", "b"))
    load(singer.schema(), singer.activate(2), singer.record({"id": "a"}, version=2))
    assert ["a", "b"] == living(load)


def test_an_empty_read_removes_nothing(load: Loader, singer: Singer) -> None:
    """T20: an empty answer of a broken source looks the same."""
    load(*read(singer, 1, "a", "b"))
    load(*read(singer, 2))
    assert ["a", "b"] == living(load)


def test_a_version_between_records_removes_nothing(load: Loader, singer: Singer) -> None:
    load(*read(singer, 1, "a", "b"))
    load(*read(singer, 2, "a"), singer.record({"id": "a"}, version=2))
    assert ["a", "b"] == living(load)


def test_a_read_with_rejects_removes_nothing(load: Loader, singer: Singer) -> None:
    """The rejected row still exists in the source."""
    load(*read(singer, 1, "a", "b"))
    messages = read(singer, 2, "a")
    messages.insert(1, singer.record({"id": "b", "at": "no date"}, version=2))
    load(*messages)
    assert ["a", "b"] == living(load)


def test_it_can_be_switched_off(load: Loader, singer: Singer) -> None:
    load(*read(singer, 1, "a", "b"))
    load(*read(singer, 2, "a"), activate_version=False)
    assert ["a", "b"] == living(load)


def test_the_version_is_matched_exactly(load: Loader, singer: Singer) -> None:
    """MeltanoLabs/target-postgres#340: `<=` removed every row."""
    load(*read(singer, 1, "a", "b"))
    load(singer.schema(), singer.record({"id": "a"}, version=1), singer.activate(5))
    assert ["a", "b"] == living(load)


def test_keys_of_every_type_are_told_apart(load: Loader, singer: Singer) -> None:
    schema = singer.schema({"n": singer.number, "d": singer.instant}, key_properties=["n", "d"])
    rows = [{"id": str(n), "n": n / 2, "d": f"2026-01-0{d}T00:00:00Z"} for n in range(3) for d in (1, 2)]
    load(schema, *(singer.record(row, version=1) for row in rows), singer.activate(1))
    load(schema, *(singer.record(row, version=2) for row in rows[1:]), singer.activate(2))
    assert {"seen": 5, "unchanged": 5, "deleted": 1} == load.outcomes()


def test_a_read_that_another_run_began_removes_nothing(load: Loader, singer: Singer) -> None:
    """The first run was killed; the second goes on where it stood and never sees what the first one loaded."""
    load(*read(singer, 1, "a", "b", "c", "gone"))
    load(singer.schema(), singer.record({"id": "a"}, version=2), singer.record({"id": "b"}, version=2))
    load(*read(singer, 2, "c"))
    assert ["a", "b", "c", "gone"] == living(load)
    load(*read(singer, 3, "a", "b", "c"))
    assert ["a", "b", "c"] == living(load)
