"""Batch read of associations: 1,000 records a call, each with a cursor of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import CrmdbError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_hubspot.keyset import Api
    from tap_hubspot.stretches import Stretch

    Json = dict[str, Any]

MOST_INPUTS = 1000  # vendor page "Associations"
MOST_LINKS = 20_000  # in one answer, as far as that can be foreseen: several are kept in memory
_FORGETTING = 0.9
BUCKET = "associations"  # the vendor exempts these calls from the burst limit and counts them in one of their own


class LinkError(CrmdbError):
    """A batch read of associations that failed for some record, or would never end."""


@dataclass(frozen=True)
class Links:
    """One answer: a row for each record that has links, and the inputs for those that have more."""

    rows: tuple[Json, ...]
    rest: tuple[Json, ...]


class LinkRead:
    """Reads the links of records of one type to records of another; safe to call from several threads.

    Each record of an answer may have hundreds of links (unverified: how many at most before a cursor), so the answers
    themselves tell how many records to ask for in the next call: `most_inputs`.
    """

    def __init__(self, api: Api, path: str) -> None:
        self._api = api
        self._path = path
        self._links_a_record = 1.0

    @property
    def most_inputs(self) -> int:
        """How many records to ask for in one call."""
        return max(1, min(MOST_INPUTS, int(MOST_LINKS / self._links_a_record)))

    def first(self, ids: Sequence[str]) -> Links:
        """The first links of up to 1,000 records."""
        links = self._read([{"id": one} for one in ids])
        found = sum(len(row["to"]) for row in links.rows) / len(ids)
        self._links_a_record = max(found, self._links_a_record * _FORGETTING, 1.0)
        return links

    def further(self, links: Links) -> Iterator[Links]:
        """What comes behind an answer, until no record has more links.

        Raises:
            LinkError: if a cursor comes twice.
        """
        seen: set[tuple[str, str]] = set()
        while links.rest:
            cursors = {(each["id"], each["after"]) for each in links.rest}
            if cursors & seen:
                raise LinkError(f"HubSpot repeated a cursor of {self._path}; run again")
            seen |= cursors
            links = self._read(list(links.rest))
            yield links

    def _read(self, inputs: list[Json]) -> Links:
        answer = self._api.post_json(self._path, {"inputs": inputs}, bucket=BUCKET)
        for error in answer.get("errors") or ():
            _check(error, self._path)
        rows = tuple(answer["results"])
        return Links(rows, tuple(filter(None, map(_continued, rows))))


@dataclass(frozen=True)
class LinkTask:
    """One call to make: the records, the type that their links lead to, and where to go on behind it, if anywhere."""

    ids: tuple[str, ...]
    to: str
    point: Mapping[str, Any] | None = None


def link_tasks(stretch: Stretch, reads: Mapping[str, LinkRead]) -> Iterator[LinkTask]:
    """The calls for some records and every type; only the last one has the point."""
    for place, (to, read) in enumerate(reads.items(), 1):
        ids = stretch.ids
        while ids:
            most = read.most_inputs
            piece, ids = ids[:most], ids[most:]
            yield LinkTask(piece, to, stretch.point if place == len(reads) and not ids else None)


def _check(error: Json, path: str) -> None:
    """Status 207 lists every record without links (observed); that is no error."""
    if error.get("category") != "OBJECT_NOT_FOUND":
        what = error.get("subCategory") or error.get("category")
        raise LinkError(f"HubSpot could not read associations of {path}: {what}; run again")


def _continued(row: Json) -> Json | None:
    after = str((row.get("paging") or {}).get("next", {}).get("after", ""))
    return {"id": str(row["from"]["id"]), "after": after} if after else None
