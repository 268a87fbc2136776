"""Batch read: values of records whose ids are known, the property names in the body, so that no URL is too long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import CrmdbError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_hubspot.keyset import Api

    Json = dict[str, Any]

MOST_INPUTS = 100  # vendor page "Contacts": a batch read takes up to 100 records


class BatchError(CrmdbError):
    """A batch read that failed for some inputs in another way than that they are gone."""


@dataclass(frozen=True)
class Batch:
    """The ids asked for, and the rows of those that still exist, in the order of the ids."""

    ids: tuple[str, ...]
    rows: tuple[Json, ...]

    @property
    def missing(self) -> int:
        """How many ids are gone: archived or merged between the search and this read."""
        return len(self.ids) - len(self.rows)


class BatchRead:
    """Reads records of one object type by id; safe to call from several threads.

    `path` is the batch read endpoint. Archived records are read by `archived=True` only, live ones by False only.
    """

    def __init__(self, api: Api, path: str, properties: Iterable[str], *, archived: bool = False) -> None:
        self._api = api
        self._path = f"{path}?archived=true" if archived else path
        self._properties = list(properties)

    def __call__(self, ids: tuple[str, ...]) -> Batch:
        """Up to 100 records.

        Raises:
            BatchError: for an error in the answer (status 207) other than that a record does not exist.
        """
        inputs = [{"id": one} for one in ids]
        answer = self._api.post_json(self._path, {"properties": self._properties, "inputs": inputs})
        for error in answer.get("errors") or ():
            if error.get("category") != "OBJECT_NOT_FOUND":
                msg = f"HubSpot could not read a batch of records: {error.get('category')}; run again"
                raise BatchError(msg)
        rows = {str(row["id"]): row for row in answer["results"]}
        return Batch(ids, tuple(rows[one] for one in ids if one in rows))


def batches(ids: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Ids in groups as large as one batch read takes."""
    group: list[str] = []
    for one in ids:
        group.append(one)
        if len(group) == MOST_INPUTS:
            yield tuple(group)
            group = []
    if group:
        yield tuple(group)
