"""Rows of the objects API as Singer records."""

from __future__ import annotations

from tap_hubspot.casting import Casts
from tap_hubspot.records import record_of, tombstones
from tap_hubspot.schema import NUMBER

RAW = {
    "id": 12,
    "createdAt": "2024-01-01T00:00:00Z",
    "updatedAt": "2024-01-02T00:00:00Z",
    "archived": False,
    "properties": {"size": "3", "unasked": "x"},
}


def test_a_live_record_has_no_instant_of_deletion() -> None:
    assert record_of(RAW, Casts({"size": NUMBER})) == {
        "id": "12",
        "createdAt": "2024-01-01T00:00:00Z",
        "updatedAt": "2024-01-02T00:00:00Z",
        "archived": False,
        "archivedAt": None,
        "url": None,
        "properties": {"size": 3},
        "merged_into_id": None,
        "_sdc_deleted_at": None,
    }


def test_an_archived_record_is_deleted_when_it_was_archived() -> None:
    record = record_of({**RAW, "archived": True, "archivedAt": "2024-02-01T00:00:00Z"}, Casts({}))
    assert (record["archived"], record["_sdc_deleted_at"]) == (True, "2024-02-01T00:00:00Z")


def test_merged_records_become_tombstones_that_name_the_winner_and_no_columns() -> None:
    merged = {"hs_merged_object_ids": "7;8", "hs_calculated_merged_vids": "8:1704067200000; 9:1704067200000;12:1"}
    assert list(tombstones({**RAW, "properties": merged})) == [
        {
            "id": loser,
            "updatedAt": "2024-01-02T00:00:00Z",
            "archived": True,
            "merged_into_id": "12",
            "_sdc_deleted_at": "2024-01-02T00:00:00Z",
        }
        for loser in ("7", "8", "9")
    ]


def test_a_record_without_merges_has_no_tombstone() -> None:
    assert list(tombstones({**RAW, "properties": {"hs_merged_object_ids": None}})) == []
