"""The straight line that every record of one stream takes: map, validate, stage, merge, record."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from singer_sdk.sinks import Sink
from singer_sdk.target_base import Target
from typing_extensions import override

from target_crmdb.buffer import RowBuffer
from target_crmdb.counts import Counts
from target_crmdb.exceptions import MissingKeyError
from target_crmdb.isolation import load_isolated
from target_crmdb.mapping import ColumnType, dotted
from target_crmdb.merge import Merge
from target_crmdb.rejects import Cursor, Reject, ServerVerdict, payload_text
from target_crmdb.staging import BufferedRow, StagingTable
from target_crmdb.tables.discards import Discards
from target_crmdb.validation import Finding, RecordValidator, RowEncoder, converter_for, to_json
from target_crmdb.validation.encoder import EncodingError
from target_crmdb.validation.findings import ConversionError

if TYPE_CHECKING:
    from target_crmdb.mapping import TablePlan
    from target_crmdb.target import TargetCrmdb

_to_instant = converter_for(ColumnType.TIMESTAMPTZ)
_UNSTORABLE = Finding("", "unstorable_text", "has a NUL character or a lone surrogate, which Postgres cannot hold")


@dataclass(frozen=True)
class Origin:
    """Where a record came from: its line in the input, and what its message said beside the record."""

    line: int
    payload: bytes | str
    version: int | None = None
    extracted: str | None = None


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
        self.plan = run.ensure_table(self._target.table_request(self))
        self._encoder = RowEncoder(self.plan)
        self._discards = Discards(self.plan, run.run_id, self._encoder.discards)
        self._stage = StagingTable(self.plan, number)
        self._merge = Merge(self.plan, self._stage.name)
        places = [self.plan.columns.index(column) for column in self.plan.key_columns]
        self._buffer = RowBuffer(places)
        self._seen = run.seen_keys(self.stream_name)
        self._failpoints = run.failpoints

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

    def take(self, record: dict[str, Any], origin: Origin, *, unstorable: bool = False) -> None:
        """Map and validate one record; it waits for the next commit as a row or as a reject.

        `unstorable` says that it has characters that Postgres cannot hold and that must not be replaced.
        """
        self.activation = None
        findings = [_UNSTORABLE] if unstorable else self._findings(record)
        if not findings:
            try:
                row = self._encoder.encode(record)
            except EncodingError as error:
                findings = [error.finding]
            else:
                extracted = self._instant(origin.extracted)
                self._buffer.add(BufferedRow(row, origin.version, extracted, origin.line, origin.payload))
                return
        self._refuse(record, origin, findings)

    def load(self, cursor: Cursor) -> Outcome:
        """Stage and merge what waits, in the caller's transaction; calling it again after a rollback is safe."""
        outcome = Outcome(Counts(seen=len(self._refused), rejected=len(self._refused)), list(self._refused))
        for piece in self._buffer.pieces:
            loaded = load_isolated(cursor, piece, self._load_piece, partial(self._refuse_row, outcome))
            outcome.counts += loaded
        self._discards.record(cursor)
        return outcome

    def accept_commit(self) -> None:
        """Forget what waited: it is durable now."""
        self.record_counter_metric.increment(self.waiting)
        self._buffer.clear()
        self._refused.clear()

    def retire(self, cursor: Cursor) -> None:
        """Give up the staging table."""
        self._stage.drop(cursor)
        self._discards.warn(self.logger)

    @override
    def clean_up(self) -> None:
        """Say what was left out, at the stream's end."""
        self._discards.warn(self.logger)
        super().clean_up()

    def sweep(self, cursor: Cursor) -> int:
        """Remove the rows that a whole read did not have, if its ACTIVATE_VERSION was the stream's last message."""
        if self.activation is None or not self._seen.has(self.activation) or not self.plan.keys:
            return 0
        if not self._seen.is_whole(cursor, self.plan, self.activation):
            self.logger.warning(
                "The read of %s began in an earlier run that was cut, so no row is removed; the next full refresh that "
                "is not cut removes what the source no longer has",
                self.stream_name,
            )
            return 0
        return self._seen.sweep(cursor, self.plan, self.activation, hard=bool(self.config.get("hard_delete")))

    def _load_piece(self, cursor: Cursor, rows: Sequence[BufferedRow]) -> Counts:
        self._stage.fill(cursor, rows)
        self._failpoints.hit("after_copy")
        if self.plan.keys:
            self._seen.add(cursor, self.plan, self._stage.name, {row.version for row in rows})
        return self._merge.run(cursor, rows)

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

    def _refuse_row(self, outcome: Outcome, row: BufferedRow, verdict: ServerVerdict) -> None:
        column = None if verdict.column is None else self.plan.columns[verdict.column]
        place = dotted(column.path) if column else None
        keys = [row.row.values[self.plan.columns.index(key)] for key in self.plan.key_columns]
        outcome.counts += Counts(seen=1, rejected=1)
        outcome.rejects.append(
            Reject(
                stream=self.stream_name,
                line=row.line,
                key=to_json(keys) if keys else None,
                stage="load",
                field=place,
                error_class=verdict.error_class,
                reason=f"{place or 'the row'}: Postgres refused it ({verdict.error_class})",
                payload=payload_text(row.payload),
            )
        )

    def _key_text(self, record: dict[str, Any]) -> str | None:
        try:
            return to_json([record.get(key) for key in self.plan.keys]) if self.plan.keys else None
        except ConversionError:
            return None
