"""Bulk API 1.0 queries, only there to measure older taps by, which know nothing newer (vendor page "Bulk API")."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from fake_crm.salesforce.bulk import CSV_ENDING, csv_parts, planned_for_bulk
from fake_crm.salesforce.bulk_jobs import DONE, FAILED, Job
from fake_crm.salesforce.errors import ApiError
from fake_crm.salesforce.values import record_id, rest_stamp, stamp
from fake_crm.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm.salesforce.call import Call

_XMLNS = "http://www.force.com/2009/06/asyncapi/dataload"
_USUAL_CHUNK = 100_000
_STATES = {DONE: "Completed", FAILED: "Failed"}


@dataclass
class OldBatch:
    """One batch: a query that runs as a job of version 2 does, or a range of its rows; None: not to be processed."""

    id: str
    job: Job | None
    start: int = 0
    stop: int | None = None


@dataclass
class OldJob:
    """One job of version 1; `chunk` is how many rows each batch gets when it was told to cut."""

    id: str
    kind: str
    operation: str
    created: int
    chunk: int | None = None
    state: str = "Open"
    batches: dict[str, OldBatch] = field(default_factory=dict)


@dataclass
class OldJobs:
    """All of them."""

    _jobs: dict[str, OldJob] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _number: int = 0

    def key(self, prefix: str) -> str:
        """A new id; 751 for batches, 752 for results."""
        with self._lock:
            self._number += 1
            return record_id(prefix, 500_000 + self._number)

    def add(self, job: OldJob) -> None:
        """Keep a job."""
        self._jobs[job.id] = job

    def find(self, key: str) -> OldJob:
        """A job; an error in the old form if there is none."""
        job = self._jobs.get(key)
        if job is None:
            raise OldError("InvalidJob", f"Unable to find object: {key}")
        return job


class OldError(Exception):
    """A refusal in the form of version 1."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.body = {"exceptionCode": code, "exceptionMessage": message}

    def reply(self) -> Reply:
        """The refusal as it is sent."""
        return Reply.of(self.body, 400)


def answering(handler: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
    """The handler with its refusals in the old form."""

    def answer(call: Call) -> Reply:
        try:
            return handler(call)
        except OldError as error:
            return error.reply()
        except ApiError as error:
            return OldError("InvalidBatch", f"{error.code} : {error.message}").reply()

    return answer


@answering
def create(call: Call) -> Reply:
    """POST job."""
    body = call.body()
    if body.get("operation") not in {"query", "queryAll"} or body.get("contentType") != "CSV":
        raise OldError("InvalidJob", "Only CSV queries are known here")
    kind = call.org.schema.get(str(body.get("object")))
    if kind is None or not kind.in_bulk:
        raise OldError("InvalidEntity", f"Entity '{body.get('object')}' is not supported by the Bulk API.")
    cut = call.request.headers.get("Sforce-Enable-Pkchunking", "")
    size = re.search(r"chunkSize=(\d+)", cut)
    chunk = None if cut.lower() in {"", "false"} else int(size[1]) if size else _USUAL_CHUNK
    job = OldJob(call.old_jobs.key("750"), kind.name, body["operation"], call.org.clock.millis(), chunk)
    call.old_jobs.add(job)
    return Reply.of(_job_info(call, job), 201)


@answering
def change(call: Call) -> Reply:
    """POST job/{id}: close or abort it."""
    job = call.old_jobs.find(call.path["id"])
    job.state = str(call.body().get("state", job.state))
    return Reply.of(_job_info(call, job))


@answering
def info(call: Call) -> Reply:
    """GET job/{id}."""
    return Reply.of(_job_info(call, call.old_jobs.find(call.path["id"])))


@answering
def add_batch(call: Call) -> Reply:
    """POST job/{id}/batch: the query as text."""
    old = call.old_jobs.find(call.path["id"])
    call.usage.spend(1, "DailyBulkApiBatches")
    plan = planned_for_bulk(call, call.request.body.decode("utf-8", "replace"))
    now = call.org.clock.millis()
    job = Job(
        call.old_jobs.key("751"),
        plan,
        old.operation,
        call.version,
        "COMMA",
        CSV_ENDING,
        now,
        changed=now,
        counted=False,
    )
    batch = OldBatch(job.id, job)
    old.batches[batch.id] = batch
    return _xml(f'<batchInfo xmlns="{_XMLNS}">{_batch_info(old, batch, "Queued")}</batchInfo>', 201)


def _cut(call: Call, old: OldJob, chunk: int) -> bool:
    """Once the rows of a job with chunks are known: a batch for each; the first one is not processed itself."""
    (first,) = old.batches.values()
    job = first.job
    if job is None or job.state != DONE or job.rows is None:
        return False
    first.job = None
    for start in range(0, max(len(job.rows), 1), chunk):
        part = OldBatch(call.old_jobs.key("751"), job, start, start + chunk)
        old.batches[part.id] = part
    return True


@answering
def every_batch(call: Call) -> Reply:
    """GET job/{id}/batch."""
    old = call.old_jobs.find(call.path["id"])
    told = [_looked_at(call, old, each) for each in list(old.batches.values())]
    if old.chunk is not None and len(old.batches) == 1 and _cut(call, old, old.chunk):
        told = [_looked_at(call, old, each) for each in old.batches.values()]
    shown = "".join(f"<batchInfo>{each}</batchInfo>" for each in told)
    return _xml(f'<batchInfoList xmlns="{_XMLNS}">{shown}</batchInfoList>')


@answering
def one_batch(call: Call) -> Reply:
    """GET job/{id}/batch/{batch}."""
    old, found = _found(call)
    return _xml(f'<batchInfo xmlns="{_XMLNS}">{_looked_at(call, old, found)}</batchInfo>')


@answering
def result_list(call: Call) -> Reply:
    """GET job/{id}/batch/{batch}/result: the ids of its results; here always one."""
    _, found = _found(call)
    result = "752" + found.id[3:]
    return _xml(f'<result-list xmlns="{_XMLNS}"><result>{result}</result></result-list>')


@answering
def result(call: Call) -> Reply:
    """GET job/{id}/batch/{batch}/result/{result}: the rows."""
    _, found = _found(call)
    if found.job is None or found.job.rows is None or found.job.state != DONE:
        raise OldError("InvalidBatch", "The batch has no results")
    stop = len(found.job.rows) if found.stop is None else min(found.stop, len(found.job.rows))
    return Reply(200, b"", {}, "text/csv", csv_parts(call, found.job, found.start, stop))


def _found(call: Call) -> tuple[OldJob, OldBatch]:
    old = call.old_jobs.find(call.path["id"])
    found = old.batches.get(call.path["batch"])
    if found is None:
        raise OldError("InvalidBatch", f"Unable to find object: {call.path['batch']}")
    return old, found


def _job_info(call: Call, job: OldJob) -> dict[str, Any]:
    return {
        "id": job.id,
        "operation": job.operation,
        "object": job.kind,
        "createdDate": rest_stamp(stamp(job.created)),
        "state": job.state,
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "numberBatchesTotal": len(job.batches),
        "apiVersion": float(call.version),
    }


def _looked_at(call: Call, old: OldJob, found: OldBatch) -> str:
    if found.job is None:
        return _batch_info(old, found, "NotProcessed")
    job = call.jobs.look(found.job)
    count = len(job.rows) if job.rows is not None and job.state == DONE else 0
    return _batch_info(old, found, _STATES.get(job.state, "InProgress"), count, job.error)


def _batch_info(old: OldJob, found: OldBatch, state: str, count: int = 0, error: str | None = None) -> str:
    told = f"<stateMessage>{escape(error)}</stateMessage>" if error else ""
    return (
        f"<id>{found.id}</id><jobId>{old.id}</jobId><state>{state}</state>{told}"
        f"<createdDate>{stamp(old.created)}</createdDate><numberRecordsProcessed>{count}</numberRecordsProcessed>"
    )


def _xml(text: str, status: int = 200) -> Reply:
    return Reply(status, f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode(), {}, "application/xml")
