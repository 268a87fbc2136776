"""Earlier values of properties: read by id, 50 records a call, one row for each value that a property had."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crmdb_core.instants import parse_instant
from tap_hubspot.batch import BatchError
from tap_hubspot.records import MERGE_PROPERTIES, merged_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from tap_hubspot.keyset import Api

    Json = dict[str, Any]

MOST_INPUTS = 50  # the vendor's own refusal of more: "property histories is 50"


class HistoryRead:
    """Reads records with the history of some properties; safe to call from several threads."""

    def __init__(self, api: Api, path: str, properties: Iterable[str]) -> None:
        self._api = api
        self._path = path
        self._properties = list(properties)

    def __call__(self, ids: Iterable[str]) -> list[Json]:
        """Up to 50 records; those that are gone are left out.

        Raises:
            BatchError: for an error in the answer (status 207) other than that a record does not exist.
        """
        answer = self._api.post_json(
            self._path,
            {
                "properties": list(MERGE_PROPERTIES),
                "propertiesWithHistory": self._properties,
                "inputs": [{"id": one} for one in ids],
            },
        )
        for error in answer.get("errors") or ():
            if error.get("category") != "OBJECT_NOT_FOUND":
                raise BatchError(f"HubSpot could not read property histories: {error.get('category')}; run again")
        return list(answer["results"])


@dataclass(frozen=True)
class Versions:
    """Makes rows of the values that properties had.

    `since` leaves out older ones, which an earlier run has sent: it must have read every record that was modified after
    its own `since`, however late (a search without an upper bound). That is not so for values that moved no modified
    date (the properties in `quiet`) and those that came with a merged record; of these all are sent.
    """

    since: datetime | None
    quiet: frozenset[str] = frozenset()

    def of(self, raw: Mapping[str, Any]) -> Iterator[Json]:
        """The rows of one record."""
        is_winner = bool(merged_ids(raw.get("properties") or {}))
        for name, versions in (raw.get("propertiesWithHistory") or {}).items():
            since = None if is_winner or name in self.quiet else self.since
            for row in _rows(str(raw["id"]), name, versions or ()):
                if since is None or parse_instant(row["timestamp"]) >= since:
                    yield row


def _rows(object_id: str, name: str, versions: Iterable[Json]) -> Iterator[Json]:
    """Oldest first. Values of one millisecond are told apart by their number, which later values do not change."""
    numbers: Counter[str] = Counter()
    for each in reversed(list(versions)):
        at = str(each["timestamp"])
        yield {
            "object_id": object_id,
            "property": name,
            "timestamp": at,
            "sequence": numbers[at],
            "value": _text(each.get("value")),
            "source_type": each.get("sourceType"),
            "source_id": _text(each.get("sourceId")),
            "source_label": each.get("sourceLabel"),
            "updated_by_user_id": _text(each.get("updatedByUserId")),
        }
        numbers[at] += 1


def _text(value: object) -> str | None:
    return None if value is None else str(value)
