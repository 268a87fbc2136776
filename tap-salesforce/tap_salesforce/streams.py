"""The streams of objects."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from crmdb_core.forecast import Forecast
from crmdb_core.stream import RESUME
from tap_salesforce.columns import BLOB
from tap_salesforce.exceptions import NotByBulkError
from tap_salesforce.parts import Part
from tap_salesforce.planner import Costs, choose
from tap_salesforce.points import job_in
from tap_salesforce.schema import object_schema
from tap_salesforce.steps import FORMULAS, IDS, RECORDS, in_step
from tap_salesforce.upkeep import Upkept

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk.helpers.types import Context

    from crmdb_core.stream import Page
    from crmdb_core.window import ReadWindow
    from tap_salesforce.objects import SObject
    from tap_salesforce.points import JobPoint
    from tap_salesforce.reading import ObjectReader, Subject
    from tap_salesforce.tap import TapSalesforce

__all__ = ["ObjectStream"]


class ObjectStream(Upkept):
    """The records of one object in a window: all, or the changed ones; then what no stamp tells.

    Records do not come in the order of their stamps, so the bookmark moves only when the window was read whole.
    """

    def __init__(self, tap: TapSalesforce, sobject: SObject) -> None:
        super().__init__(tap, schema=object_schema(sobject), name=sobject.name)
        self.sobject = sobject
        self.primary_keys = ("Id",) if sobject.has_id else ()
        self.replication_key = sobject.replication_key
        self._job: JobPoint | None = None
        self._told_job: str | None = None
        self._saved_job: JobPoint | None = None

    # what is read

    @cached_property
    @override
    def subject(self) -> Subject:
        """The selected fields of the records."""
        return self._subject(self._wanted)

    @cached_property
    @override
    def reader(self) -> ObjectReader:
        """Reads them; by which API, the beginning of the run decides."""
        return self._reader(self.subject)

    @property
    def part(self) -> Part:
        """The records of the window; a whole read asks for no stamp, for what changes meanwhile has a new one."""
        return Part() if self.reads_all else Part(self.window.low, self.window.high)

    @property
    def reads_all(self) -> bool:
        """Whether all records are read: there is no low end, or no stamp to find changes by."""
        return self.window.low is None or self.sobject.replication_key is None

    @property
    def is_untouched(self) -> bool:
        """Whether no run has begun to read the window."""
        return self._step == RECORDS and self._resumed(self.subject) is None

    @override
    def resolve_window(self, bookmark: Any, *, full_table: bool) -> ReadWindow:
        window = super().resolve_window(bookmark, full_table=full_table)
        if self.tap.max_records is not None:  # such a run looks for no deletions: the next one has to look as far back
            window = replace(window, moves_bookmark=False)
        covered = self.tap.outset.watermarks.get(self.name) if self.tap.is_syncing else None
        return window if covered is None else window.until(min(covered, window.high))

    @override
    def fetch(self) -> Iterator[Page]:
        if self.window.is_empty:
            return
        self._end_useless_job()
        if self._step == RECORDS:
            standing = self._resumed(self.subject) or self.subject.start(self.part)
            if self._job is not None:
                standing = standing.at(self.part, job=self._job)
            opening = self.tap.outset.opening(self.name) if self.is_untouched and self._job is None else None
            yield from in_step(RECORDS, self.reader.pages(standing, opening))
            yield from self._tombstones()
        if FORMULAS in self.upkeep.steps and self._step != IDS:
            yield from self._formulas()
        if IDS in self.upkeep.steps:
            yield from self._ids()

    def _end_useless_job(self) -> None:
        """Delete the job that STATE names where the window, or what is selected, is another one now."""
        taken_up = self._step != RECORDS or self._resumed(self.subject) is not None
        if self._saved_job is not None and not taken_up and self.tap.max_records is None:
            self.tap.jobs.end(self._saved_job)

    @property
    def _wanted(self) -> list[str]:
        declared = self.effective_schema["properties"]
        return [
            each.name
            for each in self.sobject.fields
            if each.name in declared
            and self.mask["properties", each.name]
            and (each.type != BLOB or self.config["blobs"])
        ]

    # what the beginning of the run does for all streams together

    def begin_job(self) -> None:
        """Begin the job that reads the window, if there can be one; called in a thread of its own."""
        try:
            self._job = self.reader.create_job(self.part)
        except NotByBulkError as error:
            self.reader.leave_bulk(error)

    def keep_job(self) -> None:
        """Let STATE know of the job; called in the main thread."""
        if self._job is not None:
            standing = self.subject.start(self.part).at(self.part, job=self._job)
            self.save_progress({"step": RECORDS, **standing.to_state()})

    @override
    def save_progress(self, point: Mapping[str, Any]) -> None:
        super().save_progress(point)
        job = point["job"]["id"] if "job" in point else None
        if job is not None and job != self._told_job:  # a job that no STATE names is lost with the run
            self.tap.write_state()
        self._told_job = job

    # before a run

    @override
    def check(self) -> None:
        column = "Id" if "Id" in self.sobject else self.subject.columns.names[0]
        where = self.config["where"].get(self.name)
        condition = f" WHERE {where}" if where else ""
        self.tap.session.get_json(self.tap.paths.query, {"q": f"SELECT {column} FROM {self.name}{condition} LIMIT 1"})  # noqa: S608 - SOQL, by names that the org gives

    @override
    def forecast(self) -> Forecast | None:
        rows = self._count()
        limit = self.tap.max_records
        if limit is not None:
            rows = min(rows, limit)
        api = choose(self.config["api_type"], rows, is_cut=limit is not None)
        return Forecast(rows, {"default": Costs(rows).of(api)})

    def _count(self) -> int:
        """About how many records the window has: by the number that Salesforce keeps, or by a query."""
        if self.reads_all and not self.config["where"].get(self.name):
            kept = self.tap.limits.record_counts([self.name]).get(self.name)
            if kept is not None:
                return kept
        path = self.tap.paths.query_all if self.subject.query.with_deleted else self.tap.paths.query
        return int(self.tap.session.get_json(path, {"q": self.subject.query.count(self.part)})["totalSize"])

    # the run

    @override
    def _write_starting_replication_value(self, context: Context | None) -> None:
        if self.tap.is_syncing:
            self.tap.outset.begin()
        super()._write_starting_replication_value(context)

    @cached_property
    @override
    def _deselected(self) -> dict[str, Any]:
        """Parts of fields; whole fields that are deselected are not asked for, so they need not be taken out."""
        tree = super()._deselected
        return {name: below for name, below in tree.items() if below or name not in self.sobject}

    @override
    def _begin(self, context: Context | None) -> None:
        if self._window is None:  # once: what was begun ahead of the stream's turn was begun for this window
            self._saved_job = job_in(self.get_context_state(context).get(RESUME))
            super()._begin(context)
