"""Batch read of associations: 1,000 records a call, each with a cursor of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crmdb_core.exceptions import CrmdbError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_hubspot.keyset import Api

    Json = dict[str, Any]

MOST_INPUTS = 1000  # vendor page "Associations"
BUCKET = "associations"  # the vendor exempts these calls from the burst limit and counts them in one of their own


class LinkError(CrmdbError):
    """A batch read of associations that failed for some record, or would never end."""


@dataclass(frozen=True)
class Links:
    """One answer: a row for each record that has links, and the inputs for those that have more."""

    rows: tuple[Json, ...]
    rest: tuple[Json, ...]


class LinkRead:
    """Reads the links of records of one type to records of another; safe to call from several threads."""

    def __init__(self, api: Api, path: str) -> None:
        self._api = api
        self._path = path

    def first(self, ids: Iterable[str]) -> Links:
        """The first links of up to 1,000 records."""
        return self._read([{"id": one} for one in ids])

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


def _check(error: Json, path: str) -> None:
    """Status 207 lists every record without links (observed); that is no error."""
    if error.get("category") != "OBJECT_NOT_FOUND":
        what = error.get("subCategory") or error.get("category")
        raise LinkError(f"HubSpot could not read associations of {path}: {what}; run again")


def _continued(row: Json) -> Json | None:
    after = str((row.get("paging") or {}).get("next", {}).get("after", ""))
    return {"id": str(row["from"]["id"]), "after": after} if after else None
