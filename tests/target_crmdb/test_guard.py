"""Which version of a row stays: changed rows only, newer ones only, and no field lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.target_crmdb.conftest import Loader, Message, Singer


@pytest.fixture
def sync(load: Loader, singer: Singer) -> Callable[..., dict[str, int]]:
    """Loads contacts with a name, a note and a deletion time; gives the outcomes."""
    properties = {"name": singer.text, "note": singer.text, "_sdc_deleted_at": singer.instant}

    def run(*records: Message, **settings: Any) -> dict[str, int]:
        load(singer.schema(properties), *map(singer.record, records), **settings)
        return load.outcomes()

    return run


def contact(at: str | None, name: str | None = "ada", **more: Any) -> Message:
    return {"id": "1", "at": at, "name": name, "note": None, "_sdc_deleted_at": None, **more}


def test_an_equal_row_is_not_written(
    load: Loader, sync: Callable[..., dict[str, int]], day: Callable[[int], str]
) -> None:
    assert {"seen": 1, "created": 1} == sync(contact(day(5)))
    before = load.table("id, xmin, ctid")
    assert {"seen": 1, "unchanged": 1} == sync(contact(day(5)))
    assert {"seen": 1, "unchanged": 1} == sync(contact("2026-01-05T02:00:00+02:00"))
    assert before == load.table("id, xmin, ctid")


def test_a_newer_row_overwrites_and_an_older_one_is_refused(
    load: Loader, sync: Callable[..., dict[str, int]], day: Callable[[int], str]
) -> None:
    sync(contact(day(5), "five"))
    assert {"seen": 1, "updated": 1} == sync(contact(day(6), "six"))
    assert {"seen": 1, "stale": 1} == sync(contact(day(5), "five again"))
    assert [("1", "six")] == load.table("id, name")


def test_an_equal_version_with_other_content_overwrites(
    load: Loader, sync: Callable[..., dict[str, int]], day: Callable[[int], str]
) -> None:
    sync(contact(day(5), "five"))
    assert {"seen": 1, "updated": 1} == sync(contact(day(5), "corrected"))
    assert [("1", "corrected")] == load.table("id, name")


def test_instants_are_compared_not_texts(sync: Callable[..., dict[str, int]]) -> None:
    sync(contact("2026-01-05T23:00:00-05:00", "newer, though its text is smaller"))
    assert {"seen": 1, "stale": 1} == sync(contact("2026-01-06T01:00:00+00:00", "older"))


def test_null_stores_null_and_an_absent_field_keeps_its_value(
    load: Loader, sync: Callable[..., dict[str, int]], day: Callable[[int], str]
) -> None:
    sync(contact(day(5), "ada", note="kept"))
    assert {"seen": 1, "updated": 1} == sync({"id": "1", "at": day(6), "name": None})
    assert [("1", None, "kept")] == load.table("id, name, note")
    assert {"seen": 1, "unchanged": 1} == sync({"id": "1"})
    assert {"seen": 1, "created": 1} == sync({"id": "2", "name": "new"})


def test_archive_then_restore(load: Loader, sync: Callable[..., dict[str, int]], day: Callable[[int], str]) -> None:
    """Archiving does not move HubSpot's modified date, and restoring does not either."""
    sync(contact(day(5)))
    assert {"seen": 1, "updated": 1} == sync(contact(day(5), _sdc_deleted_at=day(7)))
    assert {"seen": 1, "unchanged": 1} == sync(contact(day(5), _sdc_deleted_at=day(7)))
    assert {"seen": 1, "updated": 1} == sync(contact(day(5)))
    assert [("1", None)] == load.table("id, _sdc_deleted_at")


def test_a_tombstone_with_only_its_id_keeps_the_rest_of_the_row(
    load: Loader, sync: Callable[..., dict[str, int]], day: Callable[[int], str]
) -> None:
    sync(contact(day(5), "ada"))
    assert {"seen": 1, "updated": 1} == sync({"id": "1", "_sdc_deleted_at": day(7)})
    assert [("1", "ada", True)] == load.table("id, name, _sdc_deleted_at IS NOT NULL")


def test_a_tombstone_older_than_the_stored_row_is_refused(
    load: Loader, sync: Callable[..., dict[str, int]], day: Callable[[int], str]
) -> None:
    """Archived on the 3rd, restored and edited on the 5th: the archived copy comes late."""
    sync(contact(day(5), "restored"))
    assert {"seen": 1, "stale": 1} == sync(contact(day(2), "old", _sdc_deleted_at=day(3)))
    assert {"seen": 1, "stale": 1} == sync({"id": "1", "_sdc_deleted_at": day(3)})
    assert [("1", "restored", None)] == load.table("id, name, _sdc_deleted_at")


def test_a_tap_without_tombstones_brings_rows_back_to_life(load: Loader, singer: Singer) -> None:
    load(singer.schema(), singer.record({"id": "1"}))
    load.database.query("UPDATE crm_test.contacts SET _sdc_deleted_at = now()")
    load(singer.schema(), singer.record({"id": "1"}))
    assert [("1", None)] == load.table("id, _sdc_deleted_at")


def test_of_duplicates_in_a_batch_the_newest_wins_then_the_last(
    load: Loader, sync: Callable[..., dict[str, int]], day: Callable[[int], str]
) -> None:
    rows = [contact(day(5), "a"), contact(day(7), "b"), contact(day(7), "c"), contact(day(6), "d")]
    assert {"seen": 4, "created": 1, "deduplicated": 3} == sync(*rows)
    assert [("1", "c")] == load.table("id, name")


def test_records_that_lack_fields_build_on_their_duplicates_in_the_batch(
    load: Loader, sync: Callable[..., dict[str, int]], day: Callable[[int], str]
) -> None:
    sync(contact(day(5), "ada", note="kept"), {"id": "1", "name": "eve"}, {"id": "1", "at": day(4), "name": "stale"})
    assert [("1", "eve", "kept")] == load.table("id, name, note")
    assert {"seen": 3, "created": 1, "updated": 1, "stale": 1} == load.outcomes()


def test_deleted_and_restored_in_one_batch(
    load: Loader, sync: Callable[..., dict[str, int]], day: Callable[[int], str]
) -> None:
    sync(contact(day(5)), contact(day(5), _sdc_deleted_at=day(7)), contact(day(5), "back"))
    assert [("1", "back", None)] == load.table("id, name, _sdc_deleted_at")


def test_a_numeric_replication_key_orders_by_number(load: Loader, singer: Singer) -> None:
    schema = singer.schema({"at": singer.integer, "name": singer.text})
    load(schema, singer.record({"id": "1", "at": 10, "name": "ten"}))
    load(schema, singer.record({"id": "1", "at": 9, "name": "nine"}))
    assert [("1", "ten")] == load.table("id, name")


def test_a_text_replication_key_refuses_nothing(load: Loader, singer: Singer) -> None:
    """As text, "9" is later than "10": such a key does not tell older from newer."""
    schema = singer.schema({"at": singer.text})
    load(schema, singer.record({"id": "1", "at": "9"}))
    load(schema, singer.record({"id": "1", "at": "10"}))
    assert [("1", "10")] == load.table('id, "at"')


def test_composite_keys(load: Loader, singer: Singer) -> None:
    schema = singer.schema({"n": singer.integer, "v": singer.text}, key_properties=["id", "n"])
    load(schema, *(singer.record({"id": i, "n": n, "v": "a"}) for i in "xy" for n in (1, 2)))
    load(schema, singer.record({"id": "x", "n": 2, "v": "b"}))
    assert [("x", 1, "a"), ("x", 2, "b"), ("y", 1, "a"), ("y", 2, "a")] == sorted(load.table("id, n, v"))
