"""Up to where an object's records are all visible: the end of what a run reads, fixed before it reads.

A record gets its stamp when it is written and is seen when its transaction commits, minutes later at worst. getUpdated
says how far everything has been committed: `latestDateCovered` is when the oldest transaction began that is still open
(vendor page "GetUpdatedResult").
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from crmdb_core.instants import parse_instant
from tap_salesforce.soql import instant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_salesforce.composite import Answer, Composite
    from tap_salesforce.objects import SObject
    from tap_salesforce.paths import Paths

__all__ = ["span", "watermarks"]

_SPAN = timedelta(minutes=2)
"""The call wants more than a minute between both ends, and ignores their seconds; its ids are of no use here."""


def watermarks(composite: Composite, paths: Paths, objects: Iterable[SObject], now: datetime) -> dict[str, datetime]:
    """The watermark of each object that getUpdated knows; 25 objects a call."""
    names = [each.name for each in objects if each.replicateable]
    query = span(now - _SPAN, now)
    answers = composite.get([f"{paths.updated(name)}?{query}" for name in names]) if names else []
    found = {name: _covered(answer, now) for name, answer in zip(names, answers, strict=True)}
    return {name: covered for name, covered in found.items() if covered is not None}


def span(start: datetime, end: datetime) -> str:
    """The parameters of getUpdated and getDeleted: whole minutes, for seconds are ignored, and none in the future."""
    last = end.astimezone(UTC).replace(second=0, microsecond=0)
    first = min(start.astimezone(UTC).replace(second=0, microsecond=0), last - _SPAN)
    return urlencode({"start": instant(first), "end": instant(last)})


def _covered(answer: Answer, now: datetime) -> datetime | None:
    if not answer.ok:
        return None
    try:
        return min(parse_instant(answer.body["latestDateCovered"]), now)
    except (KeyError, ValueError, TypeError):
        return None
