"""Load rejects again, without the tap: their records take the road of any other in a run of its own.

In the transaction that holds their rows, those that landed are marked; those refused again stay open and get the new
reason. So a kill at any point leaves a reject open without its row, or marked with it.
"""

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, ClassVar, NamedTuple

from singer_sdk.mapper import StreamMap
from typing_extensions import override

from target_crmdb.database import Connection
from target_crmdb.exceptions import BrokenMessageError, ConfigError, TryLaterError
from target_crmdb.reader import Envelope, Message, MessageReader
from target_crmdb.rejects import Cursor, Ledger, Reject
from target_crmdb.schemas import StreamSchema
from target_crmdb.selection import Selection
from target_crmdb.settings import Config, maps_records
from target_crmdb.stored import Schemas, StoredReject, extent, stored
from target_crmdb.target import TargetCrmdb

_LANDED = """
update rejects set status = 'replayed', resolved_run_id = %s, resolved_at = clock_timestamp()
where reject_id = any(%s) and status = 'open'
"""
_REFUSED = """
update rejects set attempts = attempts + 1, stage = %s, field = %s, error_class = %s, reason = %s
where reject_id = %s and status = 'open'
"""

_SETTINGS: Mapping[str, Any] = {
    "max_protocol_errors": 2**31,
    "max_rejects": None,  # what is refused again is no new reject
    "activate_version": False,
    "sweep_at_end": False,  # a few rows are no whole read
}


class Outcome(NamedTuple):
    """What became of the rejects selected; those that are not `replayed` are still open."""

    selected: int = 0
    replayed: int = 0
    refused: int = 0
    no_record: int = 0
    no_schema: int = 0

    @property
    def left_out(self) -> int:
        """How many the stream maps left out, so that they neither landed nor were refused."""
        return self.selected - self.replayed - self.refused - self.no_record - self.no_schema


class ReplayLedger(Ledger):
    """Settles rejects that are there already; a row's line number is its reject's number."""

    kind = "replay"

    def __init__(self) -> None:
        super().__init__()
        self.replayed = self.refused = 0
        self._settled = (0, 0)

    @override
    def note_schema(self, cursor: Cursor, run_id: int, table: tuple[str, str], schema: StreamSchema) -> None:
        """Not the tap sent it: which SCHEMA is the newest stays as it is."""

    @override
    def settle(self, cursor: Cursor, run_id: int, lines: Iterable[int], rejects: Sequence[Reject]) -> None:
        again = {reject.line: reject for reject in reversed(rejects)}
        landed = list(set(lines) - again.keys())
        marked = cursor.execute(_LANDED, (run_id, landed)).rowcount
        if again:
            cursor.executemany(
                _REFUSED, [(r.stage, r.field, r.error_class, r.reason, number) for number, r in again.items()]
            )
            marked += cursor.rowcount
        if marked != len(landed) + len(again):
            raise TryLaterError("Another session has settled some of these rejects meanwhile; run again")
        self._settled = (len(landed), len(again))

    @override
    def accept_commit(self) -> None:
        self.replayed += self._settled[0]
        self.refused += self._settled[1]


class RejectReader(MessageReader):
    """Reads stored rejects instead of lines, and says their stream's SCHEMA before them."""

    numbered: ClassVar[str] = "Reject"

    def __init__(self, target: "ReplayTarget", rejects: Iterator[StoredReject], schemas: Schemas) -> None:
        super().__init__(target, sanitize=bool(target.config.get("sanitize_null_text_characters")))
        self._rejects = rejects
        self._schemas = schemas
        self._said: dict[str, int] = {}
        self.current: StoredReject | None = None
        self.no_record = self.no_schema = 0

    @override
    def _process(self, source: IO[bytes], callbacks: Mapping[str, Callable[[Message], None]]) -> Counter[str]:
        counts: Counter[str] = Counter()
        for reject in self._rejects:
            stream = self._stream_of(reject)
            if stream is None:
                self.no_record += 1
            elif not self._say_schema(stream, reject, callbacks["SCHEMA"]):
                self.no_schema += 1
            else:
                self._take(reject, callbacks, counts)
        return counts

    def _take(
        self, reject: StoredReject, callbacks: Mapping[str, Callable[[Message], None]], counts: Counter[str]
    ) -> None:
        self.current = reject
        line = reject.payload.encode()
        self.line_number, self.line = reject.reject_id, line
        if not self._take_raw(line):
            self._process_line(line, callbacks, counts, complete=True)

    def _stream_of(self, reject: StoredReject) -> str | None:
        """Name the stream that the record belongs to before stream maps; None if the payload is no record."""
        try:
            message = self.deserialize_json(reject.payload)
        except BrokenMessageError:
            return None
        stream = message.get("stream")
        is_record = message["type"] == "RECORD" and isinstance(message.get("record"), dict)
        return stream if is_record and isinstance(stream, str) else None

    def _say_schema(self, stream: str, reject: StoredReject, process: Callable[[Message], None]) -> bool:
        found = self._schemas.find(stream, reject.schema_id)
        if found is None:
            return False
        schema_id, message = found
        if self._said.get(stream) != schema_id:
            self.line_number, self.line = 0, message
            process(self.deserialize_json(message))
            self._said[stream] = schema_id
        return True


class ReplayTarget(TargetCrmdb):
    """The target as it is, but for where its records come from and what becomes of those refused."""

    ledger: ReplayLedger

    def __init__(self, config: Config, rejects: Iterator[StoredReject], schemas: Schemas) -> None:
        super().__init__(config=replay_settings(config))
        self.ledger = ReplayLedger()
        self.rejects = RejectReader(self, rejects, schemas)
        self.message_reader = self._reader = self.rejects

    @override
    def take_raw(self, envelope: Envelope, line: bytes, number: int) -> bool:
        envelope.version = None  # the read that it belonged to is over
        return self._refused_on in {envelope.stream, None} and super().take_raw(envelope, line, number)

    @override
    def _process_record_message(self, message_dict: Message) -> None:
        super()._process_record_message({**message_dict, "version": None})

    @override
    def maps_of(self, stream: str) -> Sequence[StreamMap] | None:
        """Only the way on which the record was refused: on others of its stream it has landed.

        One that was refused before it came to any, as its stream's name tells, takes them all.
        """
        maps = super().maps_of(stream)
        same = [one for one in maps or () if one.stream_alias == self._refused_on]
        return same or (maps if self._refused_on in {stream, None} else [])

    @property
    def _refused_on(self) -> str | None:
        return self.rejects.current.stream if self.rejects.current else None


def replay_settings(config: Config) -> dict[str, Any]:
    """Give the settings of a replay: the target's, without the bounds and the deletions of a read.

    `overwrite` would let an old reject replace a newer row, so its guard is on.
    """
    known = TargetCrmdb.config_jsonschema["properties"]
    changed = {**config, **{name: value for name, value in _SETTINGS.items() if name in known}}
    if changed.get("load_method") == "overwrite":
        changed["load_method"] = "upsert"
    return {name: value for name, value in changed.items() if value is not None}


def replay(config: Config, connection: Connection, selection: Selection, *, latest: bool = True) -> Outcome:
    """Load the open rejects of a selection again; `connection` is for reading them beside the run."""
    if config.get("dry_run"):
        raise ConfigError("Rejects cannot be replayed with dry_run: true; switch it off")
    found = extent(connection, selection)
    if not found.rejects:
        return Outcome()
    if found.mapped and not maps_records(config):
        raise ConfigError(
            "The run that made these rejects had stream_maps or flattening, these settings have none; give `crmdb` the "
            "settings of the target (--config), or records would be loaded that the maps were to change"
        )
    schemas = Schemas(connection, str(selection.schema), latest=latest)
    target = ReplayTarget(config, stored(connection, selection, last=found.last), schemas)
    try:
        _ = target.run
        target.listen(io.BytesIO())  # type: ignore[arg-type]  # it reads rejects instead
    except BaseException as error:
        target.abort(error)
        raise
    ledger, reader = target.ledger, target.rejects
    return Outcome(found.rejects, ledger.replayed, ledger.refused, reader.no_record, reader.no_schema)
