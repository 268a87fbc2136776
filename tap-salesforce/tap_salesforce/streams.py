"""The streams of objects."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from crmdb_core.forecast import Forecast
from crmdb_core.instants import format_instant, parse_instant
from crmdb_core.stream import CrmStream, Page
from crmdb_core.window import WindowKind
from tap_salesforce.columns import BLOB, Columns
from tap_salesforce.deletes import tombstones
from tap_salesforce.exceptions import NotByBulkError
from tap_salesforce.parts import Part
from tap_salesforce.planner import BULK, REST, Costs, choose
from tap_salesforce.points import JobPoint, Standing
from tap_salesforce.reading import LONGEST_COLUMNS, Means, ObjectReader, Subject
from tap_salesforce.schema import object_schema
from tap_salesforce.steps import FORMULAS, IDS, RECORDS, Upkeep, step_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from singer_sdk.helpers.types import Context

    from crmdb_core.window import ReadWindow
    from tap_salesforce.deletes import Deletions
    from tap_salesforce.objects import SObject
    from tap_salesforce.tap import TapSalesforce

__all__ = ["ObjectStream"]


class ObjectStream(CrmStream):
    """The records of one object in a window: all, or the changed ones; then what no stamp tells.

    Records do not come in the order of their stamps, so the bookmark moves only when the window was read whole.
    """

    tap: TapSalesforce

    def __init__(self, tap: TapSalesforce, sobject: SObject) -> None:
        super().__init__(tap, schema=object_schema(sobject), name=sobject.name)
        self.sobject = sobject
        self.primary_keys = ("Id",) if sobject.has_id else ()
        self.replication_key = sobject.replication_key
        self._deletions: Deletions | None = None
        self._upkeep: Upkeep | None = None
        self._job: JobPoint | None = None

    # what is read

    @cached_property
    def subject(self) -> Subject:
        """The selected fields of the records."""
        return self._subject(self._wanted)

    @cached_property
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
        covered = self.tap.outset.watermarks.get(self.name) if self.tap.is_syncing else None
        return window if covered is None else window.until(covered)

    @override
    def fetch(self) -> Iterator[Page]:
        if self.window.is_empty:
            return
        if self._step == RECORDS:
            standing = self._resumed(self.subject) or self.subject.start(self.part)
            if self._job is not None:
                standing = standing.at(self.part, job=self._job)
            opening = self.tap.outset.opening(self.name) if self.is_untouched and self._job is None else None
            yield from _in_step(RECORDS, self.reader.pages(standing, opening))
            yield from self._tombstones()
        if FORMULAS in self.upkeep.steps and self._step != IDS:
            yield from self._formulas()
        if IDS in self.upkeep.steps:
            yield from self._ids()

    def _tombstones(self) -> Iterator[Page]:
        if self._deletions is not None and self._deletions.at:
            for records in tombstones(self._means, self.subject.columns, self._deletions):
                yield Page(records)

    def _formulas(self) -> Iterator[Page]:
        """The formula fields of every record that was sent, and no more of each.

        What changed after the window is left to the next run, which reads it whole; what is older than `start_date` was
        never sent.
        """
        key = self.sobject.replication_key
        names = {"Id", *((key,) if key else ()), *(each.name for each in self._calculated)}
        subject = self._subject(names, tells_deleted=False)
        standing = self._resumed(subject) if self._step == FORMULAS else None
        part = Part(self._oldest, self.window.high)
        yield from _in_step(FORMULAS, self._upkeep_reader(subject).pages(standing or subject.start(part)))

    def _ids(self) -> Iterator[Page]:
        """Every Id there is, under a version of its own; without points within, for all have to come from one run."""
        subject = self._subject({"Id", "IsDeleted"} & self.subject.columns.wanted)
        for page in self._upkeep_reader(subject).pages(subject.start(Part(self._oldest))):
            yield Page(page.rows)

    @property
    def _oldest(self) -> Any:
        start = self.config.get("start_date")
        return None if start is None else parse_instant(start)

    def _subject(self, names: Iterable[str], *, tells_deleted: bool = True) -> Subject:
        columns = Columns.of(self.sobject, names, most=LONGEST_COLUMNS)
        return Subject(columns, self.config["where"].get(self.name), tells_deleted=tells_deleted)

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

    @property
    def _calculated(self) -> list[Any]:
        return [each for each in self.sobject.formulas if each.name in self.subject.columns.wanted]

    # by which means

    @property
    def _means(self) -> Means:
        tap = self.tap
        limit = tap.max_records
        return Means(
            tap.session,
            tap.paths,
            tap.composite,
            tap.jobs,
            workers=1 if limit is not None else int(self.config["concurrency"]),
            api_type=self.config["api_type"],
            limit=limit,
        )

    def _reader(self, subject: Subject) -> ObjectReader:
        api = BULK if self.config["api_type"] == BULK and self.tap.max_records is None else REST
        return ObjectReader(self._means, subject, api, self.window.high, on_total=self._add_expected)

    def _upkeep_reader(self, subject: Subject) -> ObjectReader:
        reader = self._reader(subject)
        reader.api = choose(self.config["api_type"], self.tap.outset.counts.get(self.name))
        reader.jobs_made = self.reader.jobs_made
        return reader

    def _add_expected(self, records: int) -> None:
        self.expect((self.expected or 0) + records)

    # where it stands

    @property
    def _step(self) -> str:
        """The step in which an interrupted run stood."""
        step = step_of(self.resume_point)
        return step if step == RECORDS or step in self.upkeep.steps else RECORDS

    def _resumed(self, subject: Subject) -> Standing | None:
        """Where an interrupted run stood in reading a subject; None where it stood elsewhere, or nobody can tell."""
        point = self.resume_point
        return None if point is None else Standing.of(point, subject.digest)

    @property
    def upkeep(self) -> Upkeep:
        """What this run does beside its window."""
        window = self.window  # which makes it
        if self._upkeep is None:
            is_resumed = self.resume_point is not None
            self._upkeep = Upkeep.of(self.config, window, self._open or {}, is_resumed=is_resumed, may=self._may)
        return self._upkeep

    @property
    def _may(self) -> frozenset[str]:
        """What there is to be kept up: formulas that are wanted, and Ids where the target is told what to remove."""
        formulas = {FORMULAS} if self._calculated and self.sobject.replication_key else set()
        ids = {IDS} if self.sobject.has_id and self.tap.activates_versions else set()
        return frozenset(formulas | ids)

    # what the beginning of the run does for all streams together

    @property
    def looks_for_deletions(self) -> bool:
        """Whether getDeleted has something to say of this window."""
        is_delta = self.window.kind is WindowKind.BOOKMARK and self.tap.max_records is None
        return is_delta and self.sobject.replicateable and self.sobject.has_id

    def take_deletions(self, found: Deletions | None) -> None:
        """What getDeleted said; where that is not all, the Ids of what is left are compared."""
        self._deletions = found
        if found is None or found.is_all:
            return
        if IDS not in self._may:
            self.logger.warning(
                "%s: Salesforce has forgotten what was deleted since the last run; a full_refresh removes it", self.name
            )
            return
        self.logger.warning(
            "%s: Salesforce has forgotten what was deleted since the last run; all Ids are compared", self.name
        )
        self._upkeep = self.upkeep.with_ids()
        self._stream_version = self._initialized_at

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
            super()._begin(context)

    @override
    def _version(self, saved: Mapping[str, Any]) -> int | None:
        """A comparison of Ids has a version of its own in every run, for all of them come in that run."""
        return self._initialized_at if IDS in self.upkeep.steps else super()._version(saved)

    @override
    def _complete(self) -> None:
        state, high = self._open, format_instant(self.window.high)
        super()._complete()
        if state is not None and self.tap.max_records is None:
            state.update(self.upkeep.to_state(high))
        for job in self.reader.jobs_made:
            self.tap.jobs.end(job)


def _in_step(step: str, pages: Iterable[Page]) -> Iterator[Page]:
    """Pages whose points say in which step they are."""
    for page in pages:
        yield Page(page.rows, {"step": step, **(page.point or {})})
