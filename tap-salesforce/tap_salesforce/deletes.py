"""Records that no query finds any more: deleted for good, or merged into others and purged.

queryAll gives what is in the recycle bin, for about 15 days. getDeleted remembers what was deleted for 15 days, or less
where much is; where a run comes later than that, the ids of what is left have to be compared.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from crmdb_core.instants import parse_instant
from tap_salesforce.rest import RestReader
from tap_salesforce.schema import DELETED_AT
from tap_salesforce.soql import Query
from tap_salesforce.watermark import span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_salesforce.columns import Columns
    from tap_salesforce.composite import Answer, Composite
    from tap_salesforce.paths import Paths
    from tap_salesforce.reading import Means

    Record = dict[str, Any]

__all__ = ["Deletions", "deletions", "tombstones"]

logger = logging.getLogger(__name__)

REMEMBERED = timedelta(days=15)
_AT_ONCE = 1000
_TOO_FAR = frozenset({"INVALID_REPLICATION_DATE", "EXCEEDED_ID_LIMIT"})


@dataclass(frozen=True)
class Deletions:
    """What getDeleted says of an object since an instant: when which record was deleted, and whether that is all."""

    at: Mapping[str, str]
    is_all: bool


def deletions(composite: Composite, paths: Paths, since: Mapping[str, datetime], now: datetime) -> dict[str, Deletions]:
    """For each object what was deleted since an instant; 25 objects a call. One that does not answer is left out."""
    oldest = now - REMEMBERED + timedelta(minutes=2)
    starts = {name: max(instant, oldest) for name, instant in since.items()}
    urls = [f"{paths.deleted(name)}?{span(start, now)}" for name, start in starts.items()]
    answers = composite.get(urls) if urls else []
    found = {name: _read(answer, since[name], oldest) for name, answer in zip(starts, answers, strict=True)}
    for (name, each), answer in zip(found.items(), answers, strict=True):
        if each is None:
            logger.warning(
                "%s: what was deleted for good cannot be asked for (%s); compare_ids_every finds it",
                name,
                answer.error(),
            )
    return {name: each for name, each in found.items() if each is not None}


def _read(answer: Answer, since: datetime, oldest: datetime) -> Deletions | None:
    if answer.trouble is not None and answer.trouble.code in _TOO_FAR:
        return Deletions({}, is_all=False)
    if answer.passes:  # tried several times by now; the next run would not ask for this stretch again
        return Deletions({}, is_all=False)
    if not answer.ok:
        return None
    body = answer.body
    dates = {str(each["id"]): _zulu(str(each["deletedDate"])) for each in body.get("deletedRecords") or ()}
    earliest = body.get("earliestDateAvailable")
    is_all = since >= oldest and (earliest is None or parse_instant(earliest) <= since)
    return Deletions(dates, is_all=is_all)


def _zulu(stamp: str) -> str:
    return stamp[:-5] + "Z" if stamp.endswith("+0000") else stamp


def tombstones(means: Means, columns: Columns, found: Deletions) -> Iterator[list[Record]]:
    """Records that say when each was deleted, of those that are not there any more.

    What is still in the recycle bin came with its values; what was restored lives.
    """
    query = Query.of(columns.sobject, ("Id",), where=None, with_deleted=True)
    told = {"IsDeleted": True} if "IsDeleted" in columns.wanted else {}
    reader = RestReader(means.session, means.paths, means.composite, query)
    ids = list(found.at)
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        there = {row["Id"] for row in reader.by_ids(some)}
        yield [{"Id": one, **told, DELETED_AT: found.at[one]} for one in some if one not in there]
