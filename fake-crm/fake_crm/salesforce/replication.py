"""getUpdated and getDeleted (vendor pages "Get Updated", "Get Deleted"): seconds are ignored, days are limited."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fake_crm.clock import millis_of
from fake_crm.salesforce.errors import ApiError
from fake_crm.salesforce.values import key_of, rest_stamp, stamp
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from fake_crm.salesforce.call import Call
    from fake_crm.salesforce.values import Row

_MINUTE, _DAY = 60_000, 86_400_000
_UPDATED_DAYS, _DELETED_DAYS = 30, 15
_MOST_IDS = 600_000


def updated(call: Call) -> Reply:
    """GET sobjects/{name}/updated: ids of what was made or changed, not deleted."""
    start, end = _window(call, _UPDATED_DAYS)
    first, last = stamp(start), stamp(end)
    kind = call.kind()
    name = next(each for each in ("SystemModstamp", "LastModifiedDate", "CreatedDate") if each in kind.fields)

    def wanted(row: Row) -> bool:
        return not row.get("IsDeleted") and first <= str(row.get(name) or "") < last

    with call.org.lock:
        covered = _covered(call, end)
        found = [key_of(row) for row in call.org.table(kind.name).pick(wanted)]
    _check_number(len(found))
    return Reply.of({"ids": found, "latestDateCovered": covered})


def deleted(call: Call) -> Reply:
    """GET sobjects/{name}/deleted: what was deleted, merged away or removed for good."""
    start, end = _window(call, _DELETED_DAYS)
    with call.org.lock:
        covered = _covered(call, end)
        noted = dict(call.org.deletions.get(call.kind().name, {}))
    found = [(key, at) for key, at in noted.items() if start <= at < end]
    _check_number(len(found))
    records: list[dict[str, Any]] = [{"id": key, "deletedDate": rest_stamp(stamp(at))} for key, at in found]
    earliest = rest_stamp(stamp(call.org.clock.millis() - _DELETED_DAYS * _DAY))
    return Reply.of({"deletedRecords": records, "earliestDateAvailable": earliest, "latestDateCovered": covered})


def _covered(call: Call, end: int) -> str:
    """Until when the answer is whole: not beyond the start of a transaction that is still open."""
    now = call.org.clock.millis()
    oldest = call.org.oldest_open
    until = min(end, now, now if oldest is None else oldest)
    return rest_stamp(stamp(until // _MINUTE * _MINUTE))


def _window(call: Call, days: int) -> tuple[int, int]:
    kind = call.kind()
    if not kind.replicateable:
        message = f"entity type {kind.name} does not support replication"  # wording unverified
        raise ApiError(400, "INVALID_TYPE_FOR_OPERATION", message)
    start, end = (_instant(call, name) // _MINUTE * _MINUTE for name in ("start", "end"))
    if end - start < _MINUTE:
        raise _bad_date("endDate must be at least one minute greater than startDate")
    if call.org.clock.millis() - start > days * _DAY + _MINUTE:
        raise _bad_date(f"startDate cannot be more than {days} days ago")
    return start, end


def _instant(call: Call, name: str) -> int:
    text = call.one(name)
    if text is None:
        raise ApiError(400, "MISSING_ARGUMENT", f"{name} is required")  # wording unverified
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(400, "MALFORMED_QUERY", f"Unable to parse date: {text}") from None  # wording unverified
    return millis_of(instant if instant.tzinfo else instant.replace(tzinfo=UTC))


def _check_number(count: int) -> None:
    if count > _MOST_IDS:
        raise ApiError(400, "EXCEEDED_ID_LIMIT", f"more than {_MOST_IDS} results; give a shorter time")


def _bad_date(message: str) -> ApiError:
    return ApiError(400, "INVALID_REPLICATION_DATE", message)
