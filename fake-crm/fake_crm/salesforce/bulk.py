"""Bulk API 2.0 query jobs over HTTP (vendor page "Bulk API 2.0 Query")."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.bulk_csv import DELIMITERS, ENDINGS, blocks, head
from fake_crm.salesforce.bulk_jobs import DONE
from fake_crm.salesforce.errors import ApiError, not_found
from fake_crm.salesforce.soql.binding import bind
from fake_crm.salesforce.soql.parser import parse
from fake_crm.salesforce.soql.tree import Call as Function
from fake_crm.salesforce.soql.tree import Subquery, TypeOf
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fake_crm.salesforce.bulk_jobs import Job
    from fake_crm.salesforce.call import Call
    from fake_crm.salesforce.soql.binding import Plan
    from fake_crm.salesforce.soql.tree import Query

_CREATED_WITH = frozenset({"operation", "query", "contentType", "columnDelimiter", "lineEnding"})
_NO_CSV = frozenset({"base64", "json", "complexvalue"})
_COMPOUND = frozenset({"address", "location"})
CSV_ENDING = "LF"
_PAGES_SINCE = 58
_PAGES_AT_ONCE = 5
_LISTED_AT_ONCE = 1_000


def create(call: Call) -> Reply:
    """POST jobs/query."""
    body = call.body()
    unknown = sorted(body.keys() - _CREATED_WITH)
    if unknown:
        raise ApiError(400, "INVALIDJOB", f'Unrecognized field "{unknown[0]}"')  # wording unverified
    operation = body.get("operation")
    if operation not in {"query", "queryAll"}:
        raise ApiError(400, "INVALIDJOB", "The operation must be query or queryAll")  # wording unverified
    delimiter = _choice(body, "columnDelimiter", "COMMA", DELIMITERS)
    ending = _choice(body, "lineEnding", CSV_ENDING, ENDINGS)
    _choice(body, "contentType", "CSV", {"CSV": ""})
    plan = planned_for_bulk(call, str(body.get("query") or ""))
    return Reply.of(call.jobs.create(plan, operation, call.version, delimiter, ending).info(whole=False))


def _choice(body: dict[str, Any], name: str, default: str, known: dict[str, str]) -> str:
    value = body.get(name, default)
    if value not in known:
        raise ApiError(400, "INVALIDJOB", f"{name} must be one of {', '.join(known)}")  # wording unverified
    return str(value)


def planned_for_bulk(call: Call, text: str) -> Plan:
    """The plan of a query; 400 for what Bulk does not take."""
    query = parse(text)
    _check_words(query)
    kind = call.org.schema.get(query.source)
    if kind is not None and (not kind.in_bulk or kind.name in call.quirks.bulk_denied):
        raise ApiError(400, "INVALIDENTITY", f"Entity '{kind.name}' is not supported by the Bulk API.")
    plan = bind(call.org, query)
    for found in plan.columns:
        if found.field.type in _COMPOUND:
            raise ApiError(400, "INVALID_FIELD", "Selecting compound data not supported in Bulk Query")
        if found.field.type in _NO_CSV:
            message = f"FeatureNotEnabled : Cannot serialize value for '{found.field.name}' in CSV format"
            raise ApiError(400, "FEATURENOTENABLED", message)
    return plan


def _check_words(query: Query) -> None:
    """What Bulk does not take; the words are unverified."""
    refused = {"group": "GROUP BY", "offset": "OFFSET"}
    for word, shown in refused.items():
        if word in query.extras:
            raise ApiError(400, "API_ERROR", f"{shown} is not supported in Bulk Query")
    for item in query.items:
        if isinstance(item, Subquery):
            raise ApiError(400, "API_ERROR", "Aggregate Relationships not supported in Bulk Query")
        if isinstance(item, TypeOf):
            raise ApiError(400, "API_ERROR", "TYPEOF is not supported in Bulk Query")
        if isinstance(item, Function):
            raise ApiError(400, "API_ERROR", f"{item.name.upper()}() is not supported in Bulk Query")


def every_job(call: Call) -> Reply:
    """GET jobs/query: all jobs, newest first."""
    start = _number(call.one("queryLocator"), 0)
    jobs = [job for job in call.jobs if call.one("jobType") in {None, "V2Query"}]
    asked = call.one("isPkChunkingEnabled")
    if asked is not None:
        jobs = [job for job in jobs if job.chunked == (asked.lower() == "true")]
    jobs.reverse()
    end = start + _LISTED_AT_ONCE
    records = [{**call.jobs.look(job).info(whole=False), "jobType": "V2Query"} for job in jobs[start:end]]
    done = end >= len(jobs)
    following = None if done else f"{call.root}/jobs/query?queryLocator={end}"
    return Reply.of({"done": done, "nextRecordsUrl": following, "records": records})


def info(call: Call) -> Reply:
    """GET jobs/query/{id}."""
    return Reply.of(call.jobs.look(call.jobs.find(call.path["id"])).info(whole=True))


def abort(call: Call) -> Reply:
    """PATCH jobs/query/{id}: Aborted is the only state that may be set."""
    if call.body() != {"state": "Aborted"}:
        raise ApiError(400, "INVALIDJOB", "The only state that can be set is Aborted")  # wording unverified
    return Reply.of(call.jobs.abort(call.jobs.find(call.path["id"])).info(whole=False))


def delete(call: Call) -> Reply:
    """DELETE jobs/query/{id}."""
    call.jobs.delete(call.jobs.find(call.path["id"]))
    return Reply(204)


def results(call: Call) -> Reply:
    """GET jobs/query/{id}/results: one page of CSV, which begins with the names again."""
    job = _finished(call)
    assert job.rows is not None
    start, size = _place(job, call.one("locator"))
    asked = _number(call.one("maxRecords"), 0)
    most = min(each for each in (asked, size, call.quirks.bulk_page) if each > 0)
    stop = min(start + most, len(job.rows))
    following = locator(job, stop, 0) if stop < len(job.rows) else "null"
    headers = {"Sforce-NumberOfRecords": str(stop - start), "Sforce-Locator": following}
    return Reply(200, b"", headers, "text/csv", csv_parts(call, job, start, stop))


def csv_parts(call: Call, job: Job, start: int, stop: int) -> Callable[[], Iterator[bytes]]:
    """What makes the CSV of some rows, piece by piece."""

    def parts() -> Iterator[bytes]:
        yield head(job.plan.columns, DELIMITERS[job.delimiter], ENDINGS[job.ending])
        yield from blocks(call.jobs.rows(job, start, stop))

    return parts


def result_pages(call: Call) -> Reply:
    """GET jobs/query/{id}/resultPages: where to get the parts, five at a time."""
    if float(call.version) < _PAGES_SINCE:
        raise not_found()
    job = _finished(call)
    assert job.rows is not None
    start, _ = _place(job, call.one("locator"))
    chunk = call.quirks.bulk_chunk
    stops = range(start, max(len(job.rows), 1), chunk)
    shown = list(stops[:_PAGES_AT_ONCE])
    own = f"{call.root}/jobs/query/{job.id}"
    done = len(stops) <= _PAGES_AT_ONCE
    following = None if done else f"{own}/resultpages?locator={locator(job, stops[_PAGES_AT_ONCE], 0)}"
    pages = [{"resultUrl": f"{own}/results?locator={locator(job, at, chunk)}"} for at in shown]
    return Reply.of({"resultPages": pages, "nextRecordsUrl": following, "done": done})


def _finished(call: Call) -> Job:
    job = call.jobs.find(call.path["id"])
    if job.version != call.version:
        message = f"The job was created with API version {job.version}: results must be read with the same one"
        raise ApiError(409, "API_VERSION_MISMATCH", message)  # code and wording unverified
    if job.state != DONE:
        message = f"Results are not available: the job is in state {job.state}"  # wording unverified
        raise ApiError(400, "INVALIDJOBSTATE", message)
    return job


def locator(job: Job, start: int, size: int) -> str:
    """Where a page begins and how long it may be; opaque, and good for this job alone."""
    text = f"{start}.{size}"
    check = zlib.crc32(f"{job.id}{text}".encode())
    return base64.urlsafe_b64encode(f"{text}.{check:x}".encode()).decode().rstrip("=")


def _place(job: Job, given: str | None) -> tuple[int, int]:
    if given is None:
        return 0, 0
    try:
        start, size, _ = base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)).decode().split(".")
        place = int(start), int(size)
    except (binascii.Error, ValueError):
        place = -1, 0
    if locator(job, *place) != given:
        raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")  # wording unverified
    return place


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isdecimal():
        raise ApiError(400, "INVALID_QUERY_LOCATOR", f"{text} is no number")  # wording unverified
    return int(text)
