"""From an answer of the objects API to Singer records: live rows, archived rows, tombstones of merged ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_hubspot.casting import Casts

    Record = dict[str, Any]

# Names a merge leaves on the winner. Contacts carry `id:epoch_ms;...` in the second one.
# Unverified: whether every object type has the first; one that lacks it never yields a tombstone.
MERGED_IDS = "hs_merged_object_ids"
MERGED_VIDS = "hs_calculated_merged_vids"
MERGE_PROPERTIES = (MERGED_IDS, MERGED_VIDS)


def record_of(raw: Mapping[str, Any], casts: Casts) -> Record:
    """One record with the API's own names and nesting; `_sdc_deleted_at` is the instant of archiving."""
    archived = raw.get("archived", False)
    # only a live record is surely not merged: an archived one may be, and an absent key keeps what is known
    merged = {} if archived else {"merged_into_id": None}
    return {
        "id": str(raw["id"]),
        "createdAt": raw.get("createdAt"),
        "updatedAt": raw.get("updatedAt"),
        "archived": archived,
        "archivedAt": raw.get("archivedAt"),
        "url": raw.get("url"),
        "properties": casts(raw.get("properties") or {}),
        **merged,
        "_sdc_deleted_at": deleted_at(raw),
    }


def deleted_at(raw: Mapping[str, Any]) -> str | None:
    """When a record was archived; an archived one never looks live, even if the API should leave the instant out."""
    if not raw.get("archived"):
        return None
    return raw.get("archivedAt") or raw.get("updatedAt")


def tombstones(raw: Mapping[str, Any]) -> Iterator[Record]:
    """A row for each record that was merged into this one.

    The API tells the instant of a merge nowhere but in contacts' `hs_calculated_merged_vids`; the winner's own
    `updatedAt` is never before it and stands for it. The loser's columns stay as they were: absent keys say so.
    """
    winner = str(raw["id"])
    for loser in merged_ids(raw.get("properties") or {}):
        if loser != winner:
            yield {
                "id": loser,
                "updatedAt": raw.get("updatedAt"),
                "archived": True,
                "merged_into_id": winner,
                "_sdc_deleted_at": raw.get("updatedAt"),
            }


def merged_ids(properties: Mapping[str, Any]) -> list[str]:
    """Ids of the losers, each once, in the order given."""
    if not any(properties.get(name) for name in MERGE_PROPERTIES):  # nearly every record
        return []
    listed = ";".join(properties.get(name) or "" for name in MERGE_PROPERTIES).split(";")
    ids = (item.partition(":")[0].strip() for item in listed)
    return list(dict.fromkeys(filter(None, ids)))
