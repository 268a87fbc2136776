"""Batch read: values of records whose ids are known, the property names in the body, so that no URL is too long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import CrmdbError, RetriesExhaustedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tap_hubspot.keyset import Api

    Json = dict[str, Any]

MOST_INPUTS = 100  # vendor page "Contacts": a batch read takes up to 100 records
_MOST_UNREADABLE = 5  # of one batch; with more of them it is HubSpot that is ill, and not a record


class BatchError(CrmdbError):
    """A batch read that failed for some inputs in another way than that they are gone."""


class UnreadableError(CrmdbError):
    """Records that HubSpot answers with a server error, while it gives the others of their batch."""


@dataclass(frozen=True)
class Batch:
    """The ids asked for, the rows of those that still exist in the order of the ids, and ids that cannot be read."""

    ids: tuple[str, ...]
    rows: tuple[Json, ...]
    unreadable: tuple[str, ...] = ()

    @property
    def missing(self) -> int:
        """How many ids are gone: archived or merged between the search and this read."""
        return len(self.ids) - len(self.rows) - len(self.unreadable)


class BatchRead:
    """Reads records of one object type by id; safe to call from several threads.

    `path` is the batch read endpoint. Archived records are read by `archived=True` only, live ones by False only.
    A batch that stays a server error is read in halves, until the records that make it so are found and told to
    `on_unreadable`.
    """

    def __init__(
        self,
        api: Api,
        path: str,
        properties: Iterable[str],
        *,
        archived: bool = False,
        on_unreadable: Callable[[tuple[str, ...]], Any] = lambda _: None,
    ) -> None:
        self._api = api
        self._path = f"{path}?archived=true" if archived else path
        self._properties = list(properties)
        self._on_unreadable = on_unreadable

    def __call__(self, ids: tuple[str, ...]) -> Batch:
        """Up to 100 records.

        Raises:
            BatchError: for an error in the answer (status 207) other than that a record does not exist.
        """
        try:
            return self._read(ids)
        except RetriesExhaustedError as error:
            if not error.by_server or not self._reads_any_of(ids):
                raise
        batch = self._in_halves(ids)
        if batch.unreadable:
            self._on_unreadable(batch.unreadable)
        return batch

    def _reads_any_of(self, ids: tuple[str, ...]) -> bool:
        """Whether HubSpot answers at all for records of this type."""
        return len(ids) > 1 and any(not self._halved((one,)).unreadable for one in (ids[0], ids[-1]))

    def _in_halves(self, ids: tuple[str, ...]) -> Batch:
        first, second = ids[: len(ids) // 2], ids[len(ids) // 2 :]
        one = self._halved(first)
        other = self._halved(second)
        unreadable = (*one.unreadable, *other.unreadable)
        if len(unreadable) > _MOST_UNREADABLE:
            msg = f"HubSpot answers a server error for {len(unreadable)} records of one batch; run again later"
            raise UnreadableError(msg)
        return Batch(ids, (*one.rows, *other.rows), unreadable)

    def _halved(self, ids: tuple[str, ...]) -> Batch:
        try:
            return self._read(ids)
        except RetriesExhaustedError as error:
            if not error.by_server:
                raise
        return self._in_halves(ids) if len(ids) > 1 else Batch(ids, (), ids)

    def _read(self, ids: tuple[str, ...]) -> Batch:
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
