"""Query jobs of Bulk API 2.0: their states, their rows, and for how long they are kept."""

from __future__ import annotations

import random
import threading
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.bulk_csv import DELIMITERS, ENDINGS, row_writer
from fake_crm.salesforce.errors import ApiError, not_found
from fake_crm.salesforce.soql.running import picked
from fake_crm.salesforce.texts import RowTexts
from fake_crm.salesforce.values import record_id, rest_stamp, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fake_crm.salesforce.limits import Usage
    from fake_crm.salesforce.org import Org
    from fake_crm.salesforce.quirks import Quirks
    from fake_crm.salesforce.soql.binding import Plan
    from fake_crm.salesforce.table import Picked
    from fake_crm.salesforce.values import Row

WAITING, RUNNING, DONE, FAILED, ABORTED = "UploadComplete", "InProgress", "JobComplete", "Failed", "Aborted"
_LONGEST_WAIT = 60  # seconds before a job runs
_KEPT = 7 * 86_400_000  # milliseconds
_SHUFFLED_WHOLLY = 20_000  # rows; more are shuffled in blocks
_BLOCK = 500
_SAMPLE = 200
_MEGABYTE = 1_000_000
_JOBS, _STORAGE = "DailyBulkV2QueryJobs", "DailyBulkV2QueryFileStorageMB"


@dataclass
class Job:
    """One job; `looks` counts how often somebody asked for it, `rows` are there once it runs.

    `counted` is whether its results count in the limits of version 2.
    """

    id: str
    plan: Plan
    operation: str
    version: str
    delimiter: str
    ending: str
    created: int
    state: str = WAITING
    counted: bool = True
    looks: int = 0
    changed: int = 0
    rows: Picked | None = None
    error: str | None = None
    pages: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def chunked(self) -> bool:
        """Whether the server cuts it in chunks by id: ORDER BY and LIMIT prevent that."""
        return not self.plan.query.extras & {"order", "limit"} and not self.plan.kind.big

    def info(self, *, whole: bool) -> dict[str, Any]:
        """What the API tells of it."""
        found: dict[str, Any] = {
            "id": self.id,
            "operation": self.operation,
            "object": self.plan.kind.name,
            "createdById": record_id("005", 1),
            "createdDate": rest_stamp(stamp(self.created)),
            "systemModstamp": rest_stamp(stamp(self.changed)),
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "lineEnding": self.ending,
            "columnDelimiter": self.delimiter,
        }
        if whole:
            count = len(self.rows) if self.rows is not None and self.state == DONE else 0
            found |= {
                "jobType": "V2Query",
                "numberRecordsProcessed": count,
                "retries": 0,
                "totalProcessingTime": max(0, self.changed - self.created),
                "isPkChunkingSupported": self.chunked,
            }
        return {**found, "errorMessage": self.error} if self.error else found


class Jobs:
    """All jobs of the org, and what it lets fail."""

    def __init__(self, org: Org, usage: Usage, quirks: Quirks) -> None:
        self._org = org
        self._usage = usage
        self._quirks = quirks
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._number = 0
        self._failing: list[tuple[str, str]] = []
        self._texts = RowTexts()

    # -- what tests use ---------------------------------------------------------------------------------------------

    def fail_next(self, name: str, message: str = "InternalServerError : Retried more than fifteen times") -> None:
        """Let the next job of an object fail while it runs."""
        self._failing.append((name, message))

    def __iter__(self) -> Iterator[Job]:
        with self._lock:
            return iter(list(self._jobs.values()))

    # -- what the API does ------------------------------------------------------------------------------------------

    def create(self, plan: Plan, operation: str, version: str, delimiter: str, ending: str) -> Job:
        """A new job; 400 where the day's jobs or storage are used up."""
        self._check_limits()
        self._usage.spend(1, _JOBS)
        now = self._org.clock.millis()
        with self._lock:
            self._number += 1
            job = Job(record_id("750", self._number), plan, operation, version, delimiter, ending, now, changed=now)
            self._jobs[job.id] = job
        return job

    def _check_limits(self) -> None:
        limits = self._usage.limits
        if self._usage.left(_JOBS) < 1:
            used = self._usage.used(_JOBS) + 1
            message = f"Max bulk v2 query jobs ({limits.bulk_jobs}) per 24 hrs has been reached ({used})."
            raise ApiError(400, "LIMIT_EXCEEDED", message)
        if self._usage.left(_STORAGE) < 1:
            kilobytes = limits.bulk_megabytes * 1024
            message = f"Max bulk v2 query result size stored ({kilobytes}) kb per 24 hrs has been exceeded"
            raise ApiError(400, "LIMIT_EXCEEDED", message)

    def find(self, key: str) -> Job:
        """A job; 404 when it was deleted, or after its seven days."""
        with self._lock:
            job = self._jobs.get(key)
            if job is not None and self._org.clock.millis() - job.created >= _KEPT:
                job = self._jobs.pop(key) and None
        if job is None:
            raise not_found()
        return job

    def look(self, job: Job) -> Job:
        """The job with its state of now: it goes on with time and with looks."""
        with self._lock:
            if job.state in {WAITING, RUNNING}:
                job.looks += 1
                self._go_on(job)
        return job

    def _go_on(self, job: Job) -> None:
        quirks, now = self._quirks, self._org.clock.millis()
        waited = now - job.created
        waiting = min(quirks.bulk_seconds, _LONGEST_WAIT) * 1000
        if waited < waiting:
            return
        if job.rows is None:
            self._run(job)
        if waited < waiting + quirks.bulk_seconds * 1000 or job.looks <= quirks.bulk_polls:
            self._move(job, RUNNING)
            return
        self._finish(job)

    def _run(self, job: Job) -> None:
        everything = job.operation == "queryAll"
        rows = picked(self._org, job.plan, everything=everything)
        job.rows = self._shuffled(job, rows) if self._quirks.bulk_shuffle and not job.plan.order else rows

    @staticmethod
    def _shuffled(job: Job, rows: Picked) -> Picked:
        chance = random.Random(job.id)  # noqa: S311 - an order, no secret
        count = len(rows)
        order = array("I", range(count))
        if count <= _SHUFFLED_WHOLLY:
            chance.shuffle(order)
            return rows.arranged(order)
        starts = list(range(0, count, _BLOCK))
        chance.shuffle(starts)
        mixed = array("I")
        for start in starts:
            mixed.extend(order[start : start + _BLOCK])
        return rows.arranged(mixed)

    def _finish(self, job: Job) -> None:
        assert job.rows is not None
        failing = next((each for each in self._failing if each[0] == job.plan.kind.name), None)
        most = dict(self._quirks.slow_objects).get(job.plan.kind.name)
        if failing:
            self._failing.remove(failing)
            job.error = failing[1]
        elif most is not None and len(job.rows) > most:
            job.error = "QUERY_TIMEOUT : Your query request was running for too long."
        self._move(job, FAILED if job.error else DONE)
        if not job.error and job.counted:
            self._usage.spend(self._megabytes(job), _STORAGE)

    def _move(self, job: Job, state: str) -> None:
        if job.state != state:
            job.state, job.changed = state, self._org.clock.millis()

    def _megabytes(self, job: Job) -> float:
        assert job.rows is not None
        sample = [len(text) for text in self.rows(job, 0, _SAMPLE)]
        return sum(sample) / max(1, len(sample)) * len(job.rows) / _MEGABYTE

    def abort(self, job: Job) -> Job:
        """End a job that is not over; 400 for one that is."""
        with self._lock:
            if job.state in {DONE, FAILED}:
                raise ApiError(400, "INVALIDJOBSTATE", "Aborting already Completed Job not allowed")
            job.rows = None
            self._move(job, ABORTED)
        return job

    def delete(self, job: Job) -> None:
        """Forget a job; 400 while it runs."""
        with self._lock:
            if job.state == RUNNING:
                message = f"Cannot delete job {job.id} while it is in state {job.state}"  # wording unverified
                raise ApiError(400, "INVALIDJOBSTATE", message)
            self._jobs.pop(job.id, None)

    def rows(self, job: Job, start: int, stop: int) -> Iterator[str]:
        """Rows of a job as CSV."""
        assert job.rows is not None
        rows = job.rows.part(start, stop)
        writer = self._writer(job)
        if any(found.steps for found in job.plan.columns) or self._org.table(job.plan.kind.name).streams:
            return map(writer, rows)
        fields = ((found.field.name, found.field.type) for found in job.plan.columns)
        way = ("csv", job.plan.kind.name, job.delimiter, job.ending, self._quirks.whole_as_double, *fields)
        return self._texts.of(way, rows, writer)

    def _writer(self, job: Job) -> Callable[[Row], str]:
        delimiter, ending = DELIMITERS[job.delimiter], ENDINGS[job.ending]
        return row_writer(self._org, job.plan.columns, delimiter, ending, self._quirks.whole_as_double)
