"""What an object's stream does beside reading its window: what is gone for good, formulas, a comparison of Ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from crmdb_core.instants import format_instant
from crmdb_core.stream import CrmStream, Page
from crmdb_core.window import WindowKind
from tap_salesforce.columns import Columns
from tap_salesforce.deletes import tombstones
from tap_salesforce.parts import Part
from tap_salesforce.planner import BULK, REST, choose
from tap_salesforce.points import Standing
from tap_salesforce.reading import LONGEST_COLUMNS, Means, ObjectReader, Subject
from tap_salesforce.steps import FORMULAS, IDS, RECORDS, Upkeep, in_step, read_from, step_of, with_read_from

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from tap_salesforce.deletes import Deletions
    from tap_salesforce.objects import Field, SObject
    from tap_salesforce.tap import TapSalesforce

__all__ = ["Upkept"]


class Upkept(CrmStream):
    """The base of an object's stream; `subject` and `reader` are what reads the window."""

    tap: TapSalesforce
    sobject: SObject
    _deletions: Deletions | None = None
    _upkeep: Upkeep | None = None

    @property
    def subject(self) -> Subject:
        """The selected fields of the records."""
        raise NotImplementedError

    @property
    def reader(self) -> ObjectReader:
        """Reads the window."""
        raise NotImplementedError

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
        yield from in_step(FORMULAS, self._upkeep_reader(subject).pages(standing or subject.start(part)))

    def _ids(self) -> Iterator[Page]:
        """Every Id there is, under a version of its own; without points within, for all have to come from one run."""
        subject = self._subject({"Id", "IsDeleted"} & self.subject.columns.wanted)
        for page in self._upkeep_reader(subject).pages(subject.start(Part(self._oldest))):
            yield Page(page.rows)

    @property
    def _oldest(self) -> datetime | None:
        return read_from(self._open or {}, self.config.get("start_date"))

    def _subject(self, names: Iterable[str], *, tells_deleted: bool = True) -> Subject:
        columns = Columns.of(self.sobject, names, most=LONGEST_COLUMNS)
        return Subject(columns, self.config["where"].get(self.name), tells_deleted=tells_deleted)

    @property
    def _calculated(self) -> list[Field]:
        """The fields that change without a new stamp."""
        quiet = self.config["quiet_fields"].get(self.name, ())
        wanted = self.subject.columns.wanted
        return [each for each in self.sobject.fields if (each.calculated or each.name in quiet) and each.name in wanted]

    def _upkeep_reader(self, subject: Subject) -> ObjectReader:
        reader = self._reader(subject)
        reader.api = choose(self.config["api_type"], self.tap.outset.counts.get(self.name))
        reader.jobs_made = self.reader.jobs_made
        return reader

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

    @property
    def looks_for_deletions(self) -> bool:
        """Whether getDeleted has something to say of this window."""
        window = self.window
        goes_on = window.kind is WindowKind.BOOKMARK or (window.kind is WindowKind.SINCE and window.moves_bookmark)
        return goes_on and self.tap.max_records is None and self.sobject.replicateable and self.sobject.has_id

    def take_deletions(self, found: Deletions | None) -> None:
        """What getDeleted said; where that is not all, the Ids of what is left are compared."""
        self._deletions = found
        if found is None or found.is_all:
            return
        if IDS not in self._may:
            self.logger.warning(
                "%s: Salesforce cannot tell what was deleted since the last run; a full_refresh removes it", self.name
            )
            return
        self.logger.warning(
            "%s: Salesforce cannot tell what was deleted since the last run; all Ids are compared", self.name
        )
        self._upkeep = self.upkeep.with_ids()
        self._stream_version = self._initialized_at

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
            state.update(with_read_from(state, self.window))
        if self.reader.jobs_made:
            self.tap.write_state()  # which names none of them any more: a run that is killed now begins none anew
        for job in self.reader.jobs_made:
            self.tap.jobs.end(job)

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

    def _add_expected(self, records: int) -> None:
        self.expect((self.expected or 0) + records)
