"""The straight line that every record of one stream takes: map, validate, stage, merge, record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec
from singer_sdk.sinks import Sink
from singer_sdk.target_base import Target
from typing_extensions import override

from crmdb_core.exits import critical
from target_crmdb.bags import ContentHash
from target_crmdb.buffer import Piece, RowBuffer
from target_crmdb.counts import Counts
from target_crmdb.exceptions import MissingKeyError
from target_crmdb.isolation import load_isolated
from target_crmdb.issues import IssueBook, RowIssue
from target_crmdb.mapping import DELETED_AT, ColumnType, dotted
from target_crmdb.merge import Merge
from target_crmdb.modes import WriteMode
from target_crmdb.rejects import Cursor, Reject, ServerVerdict, payload_text
from target_crmdb.staging import StagingTable
from target_crmdb.sweep import SweepRule, Swept
from target_crmdb.tables.discards import Discards
from target_crmdb.validation import (
    Finding,
    RecordValidator,
    RowEncoder,
    converter_for,
    to_json,
)
from target_crmdb.validation.common import CommonForm, CommonRows
from target_crmdb.validation.compiled import Message
from target_crmdb.validation.encoder import EncodingError
from target_crmdb.validation.findings import ConversionError, FieldIssue, NotNormalError
from target_crmdb.validation.values import CopyValue

if TYPE_CHECKING:
    from target_crmdb.mapping import TablePlan
    from target_crmdb.target import TargetCrmdb

_to_instant = converter_for(ColumnType.TIMESTAMPTZ)
# what differs here differs in Postgres; numbers have several spellings there, and instants several offsets
_SAME_IN_PYTHON = frozenset({ColumnType.TEXT, ColumnType.INTEGER, ColumnType.BIGINT})
_UNSTORABLE = Finding("", "unstorable_text", "has a NUL character or a lone surrogate, which Postgres cannot hold")


class Origin(NamedTuple):
    """Where a record came from: its line in the input, and what its message said beside the record."""

    line: int
    payload: bytes | str
    version: int | None = None
    extracted: str | None = None


@dataclass(frozen=True)
class Waiting:
    """Rows of the common form that are not taken yet: of one version, with times and places where they came from."""

    found: CommonRows
    version: int | None
    extracted: Sequence[str | None]
    places: Sequence[tuple[int, bytes | str]]


@dataclass(frozen=True)
class StreamBatch:
    """What a stream adds to one commit: rows in pieces, and records that were refused before they came to Postgres."""

    pieces: Sequence[Piece]
    refused: Sequence[Reject]
    bytes: int = 0
    discards: Mapping[str, int] = field(default_factory=dict)
    issues: Sequence[RowIssue] = ()


@dataclass
class Outcome:
    """What one commit did with a stream's records."""

    counts: Counts = field(default_factory=Counts)
    rejects: list[Reject] = field(default_factory=list)


class StreamSink(Sink):
    """One stream on its way into its table; it holds rows, and writes them only when the run commits."""

    plan: "TablePlan"

    def __init__(
        self, target: Target, stream_name: str, schema: dict[str, Any], key_properties: Sequence[str] | None
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        self._target = cast("TargetCrmdb", target)
        self._refused: list[Reject] = []
        self._issues: list[RowIssue] = []
        self._bytes = 0
        self.opened: int | None = None
        self.activation: int | None = None

    @property
    @override
    def include_sdc_metadata_properties(self) -> bool:
        """No: the merge writes the few columns of `add_record_metadata` itself."""
        return False

    @override
    def _remove_sdc_metadata_from_schema(self) -> None:
        """Keep `_sdc_deleted_at`: a tap that declares it tells of deletions."""

    @override
    def get_validator(self) -> RecordValidator | None:
        return RecordValidator(self.schema) if self.validate_schema else None

    @override
    def setup(self) -> None:
        """Make the table fit the SCHEMA and prepare the stages."""
        run = self._target.run
        number = run.next_number()
        self.plan = self._target.prepare_table(self)
        self._mode = WriteMode.of(self.config)
        self._encoder = RowEncoder(self.plan)
        self._judge = self._target.record_judge(self.plan)
        self._common = CommonForm(self.schema, self.plan, self._encoder.normals, self._judge)
        self._discards = Discards(self.plan, run.run_id)
        self._stage = StagingTable(self.plan, number)
        self._merge = Merge(self.plan, self._stage.name, self._mode)
        self._book = IssueBook(self.plan, self._stage.name, run.issue_origin(self.plan))
        places = {column.path: place for place, column in enumerate(self.plan.columns) if not column.retired}
        self._key_places = [places[column.path] for column in self.plan.key_columns]
        self._deleted_place = places.get((DELETED_AT,))
        self._buffer = RowBuffer(
            run.connection,
            self._key_places,
            full=self.plan.record_metadata,
            keys_are_plain={column.type for column in self.plan.key_columns} <= _SAME_IN_PYTHON,
        )
        self._seen = run.seen_keys(self.stream_name)
        self._copies = run.copies(self.stream_name) if self.plan.is_bag else None
        self._content = ContentHash(self.plan, run.epoch(self.plan)) if self.plan.is_bag else None
        self._failpoints = run.failpoints
        # without any version, a stream without a bookmark is taken to be read whole where the user says so
        sweeps_all = bool(self.config.get("sweep_at_end")) and self.plan.replication_key is None
        self._own_version = run.run_id if sweeps_all else None

    @property
    def waiting(self) -> int:
        """The number of records that the next commit will write or reject."""
        return self._buffer.rows + len(self._refused)

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Take a record whose origin is not known (the SDK's own road)."""
        self.take(record, Origin(0, to_json(record)))

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Commit: streams are never written one by one, since STATE speaks of all of them."""
        self._target.checkpoint()

    def messages(self, lines: Sequence[bytes]) -> Sequence[Message]:
        """Read lines as RECORDs of this stream that are of the common form, up to the first that is none."""
        return self._common.messages(lines)

    def common(self, messages: Sequence[Message], places: Sequence[tuple[int, bytes]]) -> Waiting:
        """Give the rows of messages of one version that were read here, with their lines and the lines' numbers."""
        found = self._common.rows([one.record for one in messages])
        extracted = [self._instant(one.time_extracted) for one in messages] if self.plan.record_metadata else ()
        return Waiting(found, messages[0].version, extracted, places)

    def take_common(self, waiting: Waiting, part: slice) -> int:
        """Let some of the rows wait for the next commit; give how many: the first behind them cannot be stored."""
        found = waiting.found
        rows, places = found.rows[part], waiting.places[part]
        if self._content is not None:
            width, hashed = len(self.plan.columns), self._content.of
            rows = [(*row, hashed(row[:width])) for row in rows]
        with critical():  # a row is either there with all that is known of it, or it has not come
            taken = self._buffer.add_plain(rows, self._version(waiting.version), waiting.extracted[part], places)
            for one in found.issues:
                if part.start <= one.number < part.start + taken:
                    self._note_issue(one.kind, one.issue, found.rows[one.number], places[one.number - part.start][0])
            if taken:
                self.activation = None
                self._bytes += sum(len(payload) for _, payload in places[:taken])
        return taken

    def take_raw(self, raw: msgspec.Raw, origin: Origin) -> bool:
        """Take a record as JSON text if it is of the common form; else leave it, to be taken by `take`."""
        found = self._common.record(raw)
        if found is None:
            return False
        extracted = [self._instant(origin.extracted)]
        waiting = Waiting(found, origin.version, extracted, [(origin.line, origin.payload)])
        return self.take_common(waiting, slice(0, 1)) == 1

    def take(self, record: dict[str, Any], origin: Origin, *, unstorable: bool = False) -> None:
        """Map and validate one record; it waits for the next commit as a row or as a reject.

        `unstorable` says that it has characters that Postgres cannot hold and that must not be replaced.
        """
        self.activation = None
        self._bytes += len(origin.payload)
        findings = [_UNSTORABLE] if unstorable else self._findings(record)
        if not findings:
            try:
                row = self._encoder.encode(record)
                whole = (*row.values, *row.normals)
                broken = self._broken(whole, row.absent)
            except (EncodingError, NotNormalError) as error:
                findings = [error.finding]
            else:
                if self._content is not None:
                    whole = (*whole, self._content.of(row.values, row.extra))
                row = replace(row, values=whole)
                extracted = self._instant(origin.extracted)
                with critical():
                    if self._buffer.add(row, self._version(origin.version), extracted, (origin.line, origin.payload)):
                        for issue in row.issues:
                            self._note_issue("field", issue, whole, origin.line)
                        for issue in broken:
                            self._note_issue("record", issue, whole, origin.line)
                        return
                findings = [_UNSTORABLE]  # a stream map may make such characters
        self._refuse(record, origin, findings)

    def _broken(self, row: Sequence[CopyValue], absent: Sequence[int]) -> Sequence[FieldIssue]:
        """Give the rules that a record breaks; one that is deleted may look as it likes."""
        is_gone = self._deleted_place is not None and row[self._deleted_place] is not None
        return () if self._judge is None or is_gone else self._judge.of_row(row, absent)

    def _note_issue(self, kind: str, issue: FieldIssue, row: Sequence[CopyValue], line: int) -> None:
        self._issues.append(RowIssue(line, [row[place] for place in self._key_places], kind, issue))

    def _version(self, version: int | None) -> int | None:
        return self._own_version if version is None else version

    def seal(self) -> StreamBatch:
        """Hand over what waits; the sink begins anew."""
        self.record_counter_metric.increment(self.waiting)
        batch = StreamBatch(self._buffer.take(), self._refused, self._bytes, dict(self._encoder.discards), self._issues)
        self._refused = []
        self._issues = []
        self._bytes = 0
        return batch

    def load(self, cursor: Cursor, batch: StreamBatch) -> Outcome:
        """Stage and merge a batch, in the caller's transaction; calling it again after a rollback is safe."""
        refused = Counts(seen=len(batch.refused), rejected=len(batch.refused), bytes=batch.bytes)
        outcome = Outcome(refused, list(batch.refused))
        if batch.pieces:
            self._stage.begin(cursor)
        load = partial(self._load_piece, _IssuesOf(batch))
        for piece in batch.pieces:
            loaded = load_isolated(cursor, piece, load, partial(self._refuse_row, outcome))
            outcome.counts += loaded  # not in one line: refusing a row counts too
        self._discards.record(cursor, batch.discards)
        return outcome

    def accept_commit(self) -> None:
        """What was loaded is durable now."""
        self._seen.accept_commit()
        self._stage.accept_commit()
        if self._copies is not None:
            self._copies.table.accept_commit()

    def retire(self, cursor: Cursor) -> None:
        """Give up the staging table."""
        self._stage.drop(cursor)
        self._discards.warn(self.logger)

    @override
    def clean_up(self) -> None:
        """Say what was left out, at the stream's end."""
        self._discards.warn(self.logger)
        super().clean_up()

    def version_to_sweep(self, *, whole: bool) -> int | None:
        """Give the version of the whole read that is at its end, if there is one: what did not come with it is gone.

        An ACTIVATE_VERSION behind the last record says so itself; without one, the input must be `whole`. What is
        appended is never gone.
        """
        if self._mode.appends:
            return None
        if self.activation is not None:
            return self.activation
        if not (whole and self.config.get("sweep_at_end")):
            return None
        return self.opened if self.opened is not None else self._own_version

    def sweep(self, cursor: Cursor, version: int, seen: int) -> Swept:
        """Remove the rows that a whole read did not have; `seen` is the number of records that came in this run."""
        if seen and not self._seen.has(version):
            return Swept()  # what came belongs to another version: of this one nothing is known
        if not self._seen.is_whole(cursor, self.plan, version):
            self.logger.warning(
                "The read of %s began in an earlier run that was cut, or the server crashed, so no row is removed; the "
                "next full refresh that is not cut removes what the source no longer has",
                self.stream_name,
            )
            return Swept()
        return self._seen.sweep(cursor, self.plan, version, SweepRule.of(self.config))

    def _load_piece(self, issues: "_IssuesOf", cursor: Cursor, piece: Piece) -> Counts:
        self._stage.fill(cursor, piece)
        self._failpoints.hit("after_copy")
        if self._copies is not None:
            self._copies.number(cursor, self._stage.name)
        self._seen.add(cursor, self.plan, self._stage.name, piece.version)
        self._target.run.before_merge(cursor, self.stream_name, self._stage.name)
        counts = self._merge.run(cursor, piece)
        self._book.settle(cursor, issues.of(piece), counts)
        self._failpoints.hit("after_merge")
        return counts

    def _instant(self, text: object) -> str | None:
        """Give the time of extraction if it is wanted and one: it is no reason to refuse a row."""
        if not self.plan.record_metadata:
            return None
        try:
            return cast("str | None", _to_instant(text))
        except ConversionError:
            return None

    def _findings(self, record: dict[str, Any]) -> list[Finding]:
        validator = self._validator
        if isinstance(validator, RecordValidator) and not validator.accepts(record):
            return validator.findings(record)
        nulls = [key for key in self.plan.keys if record.get(key) is None]
        return [Finding(dotted((key,)), "null_key", "is the key and is null") for key in nulls]

    def _refuse(self, record: dict[str, Any], origin: Origin, findings: Sequence[Finding]) -> None:
        missing = [key for key in self.plan.keys if key not in record]
        if missing:
            findings = [
                Finding(dotted((key,)), MissingKeyError.error_class, "is the key and is missing") for key in missing
            ]
        self._refused.append(
            Reject(
                stream=self.stream_name,
                line=origin.line,
                key=self._key_text(record),
                stage="validate",
                field=findings[0].field or None,
                error_class=findings[0].rule,
                reason="; ".join(map(str, findings)),
                payload=payload_text(origin.payload),
            )
        )
        if missing:
            self._target.note_protocol_error(MissingKeyError(f"Stream {self.stream_name}: a record lacks its key"))

    def _refuse_row(self, outcome: Outcome, piece: Piece, number: int, verdict: ServerVerdict) -> None:
        place = None if verdict.column is None else self._field_of(verdict.column)
        values = piece.values(number)
        keys = [values[place] for place in self._key_places]
        line, payload = piece.origins[number]
        outcome.counts += Counts(seen=1, rejected=1)
        outcome.rejects.append(
            Reject(
                stream=self.stream_name,
                line=line,
                key=to_json(keys) if keys else None,
                stage="load",
                field=place,
                error_class=verdict.error_class,
                reason=f"{place or 'the row'}: Postgres refused it ({verdict.error_class})",
                payload=payload_text(payload),
            )
        )

    def _field_of(self, place: int) -> str:
        columns = self.plan.columns
        if place < len(columns):
            return dotted(columns[place].path)
        return self.plan.normals[place - len(columns)].wanted.path.text

    def _key_text(self, record: dict[str, Any]) -> str | None:
        try:
            return to_json([record.get(key) for key in self.plan.keys]) if self.plan.keys else None
        except ConversionError:
            return None


class _IssuesOf:
    """The issues of a batch, by piece."""

    def __init__(self, batch: StreamBatch) -> None:
        self._issues = batch.issues
        self._rows = sum(map(len, batch.pieces))

    def of(self, piece: Piece) -> Sequence[RowIssue]:
        """Give those of one piece, or of a part of one."""
        if not self._issues or len(piece) == self._rows:
            return self._issues
        return [issue for line, _ in piece.origins for issue in self._by_line.get(line, ())]

    @cached_property
    def _by_line(self) -> Mapping[int, Sequence[RowIssue]]:
        found: dict[int, list[RowIssue]] = {}
        for one in self._issues:
            found.setdefault(one.line, []).append(one)
        return found
