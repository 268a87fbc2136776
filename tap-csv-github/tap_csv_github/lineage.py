"""Where a row comes from, beside it in every record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["COLUMNS", "DELETED", "EXTRA", "LINE", "ROW", "ROW_KEYS", "Lineage", "lineage_properties"]

REPOSITORY, REF, PATH, MEMBER = "_sdc_repository", "_sdc_ref", "_sdc_path", "_sdc_member"
COMMIT, COMMIT_TIME, BLOB = "_sdc_commit_sha", "_sdc_commit_time", "_sdc_blob_sha"
LINE, ROW, EXTRA, DELETED = "_sdc_line_number", "_sdc_row_number", "_sdc_extra", "_sdc_deleted_at"
ROW_KEYS = (REPOSITORY, REF, PATH, ROW)
"""The key of a row where no column is one: its place, counted in rows."""

COLUMNS = (REPOSITORY, REF, PATH, MEMBER, COMMIT, COMMIT_TIME, BLOB, LINE, ROW, EXTRA, DELETED)
_TEXT: Mapping[str, Any] = {"type": ["string", "null"]}
_INSTANT: Mapping[str, Any] = {"type": ["string", "null"], "format": "date-time"}


def lineage_properties(keys: Sequence[str]) -> dict[str, Any]:
    """The JSON schemas of the lineage; those of the key are never null."""
    found: dict[str, Any] = {name: dict(_TEXT) for name in (REPOSITORY, REF, PATH, MEMBER, COMMIT)}
    found |= {COMMIT_TIME: dict(_INSTANT), BLOB: dict(_TEXT)}
    found |= {name: {"type": ["integer", "null"]} for name in (LINE, ROW)}
    found |= {EXTRA: {"type": ["array", "null"], "items": {"type": ["string", "null"]}}, DELETED: dict(_INSTANT)}
    for name in keys:
        if name in found:
            found[name]["type"] = found[name]["type"][0]
    return found


@dataclass(frozen=True)
class Lineage:
    """What all rows of one version of a file share."""

    repository: str
    ref: str
    path: str
    commit: str | None
    commit_time: str | None
    blob: str

    def of_rows(self, member: str | None) -> dict[str, Any]:
        """The constant columns of the rows of one table."""
        return {
            REPOSITORY: self.repository,
            REF: self.ref,
            PATH: self.path,
            MEMBER: member,
            COMMIT: self.commit,
            COMMIT_TIME: self.commit_time,
            BLOB: self.blob,
            DELETED: None,
        }
