"""The target: settings, and the road of every message to its sink and of STATE to standard output."""

import copy
import gc
import logging
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import IO, TYPE_CHECKING, Any, ClassVar, TypeVar

from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities, TargetCapabilities
from singer_sdk.mapper import SameRecordTransform, StreamMap
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.sinks import Sink
from singer_sdk.target_base import Target
from typing_extensions import override

from crmdb_core import redaction
from crmdb_core.exits import Terminated, critical, describe, install_signals
from target_crmdb.batch_files import BatchMessage, read_records
from target_crmdb.checkpoint import Checkpoints, log_counts
from target_crmdb.dry_run import DryRun
from target_crmdb.environment import environment_settings
from target_crmdb.exceptions import (
    BrokenMessageError,
    CrmdbError,
    InvalidSchemaError,
    ProtocolError,
    RecordBeforeSchemaError,
)
from target_crmdb.history import Status
from target_crmdb.mapping import TablePlan, WantedNormal
from target_crmdb.mapping.of_source import mapping_of
from target_crmdb.modes import WriteMode
from target_crmdb.reader import Envelope, Message, MessageReader
from target_crmdb.rejects import Ledger, Reject, payload_text
from target_crmdb.run import LoadRun
from target_crmdb.schemas import StreamSchema
from target_crmdb.settings import (
    config_schema,
    contradictions,
    read_numbers,
    schema_change_of,
    source_of,
    validation_level,
)
from target_crmdb.sink import Origin, StreamSink
from target_crmdb.tables import TableRequest
from target_crmdb.together import by_stream
from target_crmdb.validation import ConversionError, to_json
from target_crmdb.worker import DatabaseThread

if TYPE_CHECKING:
    from target_crmdb.validation.rules.judging import RecordJudge

T = TypeVar("T")

_SWITCH_SECONDS = 0.0001
_GRACE = 6.0
"""Seconds that a batch may take to finish after SIGTERM; then it is rolled back (promised: 10 s in all)."""


class TargetCrmdb(Target):
    """Singer target for Postgres: typed tables, changed rows only, and data and STATE in one transaction.

    It takes the settings of MeltanoLabs' target-postgres and lets that package set up SSL files and SSH tunnels.
    """

    name = "target-crmdb"
    package_name = "crmdb-target-crmdb"
    config_jsonschema = config_schema()
    default_sink_class = StreamSink
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        *Target.capabilities,
        PluginCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.BATCH,
        TargetCapabilities.TARGET_SCHEMA,
        TargetCapabilities.HARD_DELETE,
    ]

    def __init__(
        self,
        config: dict[str, Any] | None = None,
        *,
        parse_env_config: bool = False,
        validate_config: bool = True,
    ) -> None:
        super().__init__(config=config, parse_env_config=parse_env_config, validate_config=validate_config)
        self._reader = MessageReader(self, sanitize=bool(self.config.get("sanitize_null_text_characters")))
        self.message_reader = self._reader
        self._checkpoints = Checkpoints(self.config)
        self._database = DatabaseThread()
        self._run: LoadRun | None = None
        self._mapping = mapping_of(source_of(self.config), self.config.get("mapping"))
        self._check_rules()
        self._replication_key: str | None = None
        self._schema: StreamSchema | None = None
        self._direct: dict[str, StreamSink] = {}
        self._latest: StreamSink | None = None
        self.ledger = Ledger()

    @property
    def run(self) -> LoadRun:
        """The run in the database; opened when first needed."""
        if self._run is None:
            kind = DryRun if self.config.get("dry_run") else LoadRun
            versions = {self.name: self.plugin_version, "singer-sdk": self.sdk_version}
            self._run = kind.open(self.config, versions, self.ledger)
            install_signals()  # an SSH tunnel has put its own handlers in their place
        return self._run

    @property
    def sinks(self) -> list[StreamSink]:
        """The sinks of all streams whose SCHEMA has come."""
        return [sink for sink in self._sinks_active.values() if isinstance(sink, StreamSink)]

    # Messages

    @override
    def _process_schema_message(self, message_dict: Message) -> None:
        stream, schema = message_dict.get("stream"), message_dict.get("schema")
        if not isinstance(stream, str) or not isinstance(schema, dict):
            raise BrokenMessageError("A SCHEMA message lacks its stream or its schema")
        if not isinstance(schema.get("properties"), dict):
            raise InvalidSchemaError(f"The SCHEMA of stream {stream} declares no properties; mend the tap")
        bookmarks = message_dict.get("bookmark_properties") or [None]
        self._replication_key = bookmarks if isinstance(bookmarks, str) else bookmarks[0]
        try:
            self._schema = StreamSchema(stream, to_json(message_dict))
        except ConversionError as error:
            raise InvalidSchemaError(
                f"The SCHEMA of stream {stream} has text that is not Unicode; mend the tap"
            ) from error
        super()._process_schema_message(message_dict)
        self._latest = None
        self._direct = {
            name: sink
            for name, maps in self.mapper.stream_maps.items()
            if len(maps) == 1
            and _is_plain(maps[0])
            and isinstance(sink := self._sinks_active.get(maps[0].stream_alias), StreamSink)
        }

    @override
    def get_sink(
        self,
        stream_name: str,
        *,
        record: dict[str, Any] | None = None,
        schema: dict[str, Any] | None = None,
        key_properties: Sequence[str] | None = None,
    ) -> Sink:
        """Give a stream's sink; a changed SCHEMA first commits what came under the old one."""
        old = self._sinks_active.get(stream_name)
        if schema is None:
            return self._sinks_active[stream_name]
        if old is not None:
            if old.original_schema == schema and list(old.key_properties) == list(key_properties or ()):
                return old
            self.checkpoint()
            del self._sinks_active[stream_name]
            if isinstance(old, StreamSink):
                self.run_in_database(partial(self.run.retire, old))
        return self.add_sink(stream_name, schema, key_properties)

    def table_request(self, sink: StreamSink) -> TableRequest:
        """Say what the stream's table must be, by SCHEMA and settings."""
        parts = sink.stream_name.split("-")
        qualified = len(parts) in {2, 3}  # the SDK's form schema-stream or database-schema-stream
        schema = self.config.get("default_target_schema") or (parts[-2] if qualified else "public")
        return TableRequest(
            schema=str(schema),
            name=(sink.stream_name, parts[-1]) if qualified else (sink.stream_name,),
            stream=sink.stream_name,
            json_schema=sink.schema,
            keys=() if WriteMode.of(self.config).appends else tuple(sink.key_properties),
            replication_key=self._replication_key,
            spread=self._mapping.spread,
            max_columns=int(self.config["max_columns"]),
            record_metadata=bool(self.config.get("add_record_metadata")),
            run_id=self.run.run_id,
            policy=schema_change_of(self.config, sink.stream_name),
            max_rewrite_bytes=int(self.config["max_rewrite_bytes"]),
            model_schema=str(self.config["model_schema"]),
            mapping=self._mapping,
            normals=self._normals_of(sink.stream_name),
        )

    def _normals_of(self, stream: str) -> tuple[WantedNormal, ...]:
        """Give the normal forms that the mapping asks of a stream."""
        mapping = self._mapping.stream(stream)
        if mapping is None:
            return ()
        from target_crmdb.mapping.wanted import wanted_normals  # noqa: PLC0415 - many streams are not mapped

        return tuple(wanted_normals(mapping, partial(validation_level, self.config, stream)))

    def _check_rules(self) -> None:
        if self.config.get("rules") or self.config.get("rules_file"):
            from target_crmdb.afterwards import check_rules  # noqa: PLC0415 - as the next one

            check_rules(self.config)

    def record_judge(self, plan: TablePlan) -> "RecordJudge | None":
        """Give the rules over one record that a table can answer, if there are any."""
        if self._mapping.stream(plan.stream) is None:
            return None
        from target_crmdb.validation.rules.of_table import record_judge  # noqa: PLC0415 - many streams are not mapped

        return record_judge(self.config, self._mapping, plan)

    def prepare_table(self, sink: StreamSink) -> TablePlan:
        """Make the stream's table fit its SCHEMA."""
        assert self._schema is not None  # no sink without a SCHEMA
        request = self.table_request(sink)
        return self.run_in_database(partial(self.run.ensure_table, request, self._schema))

    def take_lines(self, lines: Sequence[bytes], begin: int, number: int, otherwise: Callable[[int], None]) -> int:
        """Take lines that are RECORDs of the common form, as most lines are; give how many.

        They stand in `lines` from `begin` on, the first is line `number` of the input. Those between them that must go
        another way are handed to `otherwise`, by their place in `lines`.
        """
        waiting = max((sink.waiting for sink in self._direct.values()), default=0)
        end = begin + self._checkpoints.fitting(lines, begin, waiting)
        groups, place = by_stream(lines, begin, end, self._latest, self._direct)
        for group in groups:
            group.take(lines, number - begin, partial(self._note_records, group.sink), otherwise)
            self._latest = group.sink
        return place - begin

    def _note_records(self, sink: StreamSink, size: int) -> None:
        if self._checkpoints.note_records(size, sink.waiting):
            self.checkpoint()

    def take_raw(self, envelope: Envelope, line: bytes, number: int) -> bool:
        """Take a record as JSON text, if its stream goes unchanged to one table and it is of the common form."""
        sink = self._direct.get(envelope.stream or "")
        if sink is None or not sink.take_raw(
            envelope.record, Origin(number, line, envelope.version, envelope.time_extracted)
        ):
            return False
        self._latest = sink
        self._note_records(sink, len(line))
        return True

    @override
    def _process_record_message(self, message_dict: Message) -> None:
        stream, record = message_dict.get("stream"), message_dict.get("record")
        if not isinstance(stream, str) or not isinstance(record, dict):
            raise BrokenMessageError("A RECORD message lacks its stream or its record")
        maps = self.maps_of(stream)
        if maps is None:
            raise RecordBeforeSchemaError(
                f"A record of stream {stream} came before its SCHEMA; mend the tap", stream=stream
            )
        version = message_dict.get("version")
        origin = Origin(
            self._reader.line_number,
            self._reader.line,
            version if isinstance(version, int) else None,
            message_dict.get("time_extracted"),
        )
        waiting = max((self._take(stream_map, record, origin) for stream_map in maps), default=0)
        if self._checkpoints.note_records(len(self._reader.line), waiting):
            self.checkpoint()

    def maps_of(self, stream: str) -> Sequence[StreamMap] | None:
        """Give the ways that a record of this stream takes, each to one table; None if its SCHEMA has not come."""
        maps: Sequence[StreamMap] | None = self.mapper.stream_maps.get(stream)
        return maps

    def _take(self, stream_map: StreamMap, record: dict[str, Any], origin: Origin) -> int:
        """Hand a record to its sink; give how many rows wait there."""
        mapped = record if _is_plain(stream_map) else stream_map.transform(copy.copy(record))
        sink = self._sinks_active.get(stream_map.stream_alias)
        if mapped is None or not isinstance(sink, StreamSink):
            return 0
        sink.take(mapped, origin, unstorable=self._reader.unstorable)
        return sink.waiting

    @override
    def _process_state_message(self, message_dict: Message) -> None:
        value = message_dict.get("value")
        if not isinstance(value, dict):
            raise BrokenMessageError("A STATE message lacks its value")
        self._checkpoints.note_state(value)
        if self._checkpoints.is_due():
            self.checkpoint()

    @override
    def _process_activate_version_message(self, message_dict: Message) -> None:
        """Remember it: rows go at the end of the input, and only if no record of the stream comes after it."""
        version = message_dict.get("version")
        maps = self.mapper.stream_maps.get(str(message_dict.get("stream")), ())
        switches = ("activate_version", "process_activate_version_messages")
        if not isinstance(version, int) or not all(self.config.get(switch, True) for switch in switches):
            return
        for stream_map in maps:
            sink = self._sinks_active.get(stream_map.stream_alias)
            if isinstance(sink, StreamSink):
                sink.opened = sink.activation = version

    @override
    def _process_batch_message(self, message_dict: Message) -> None:
        batch = BatchMessage.of(message_dict)
        if batch.stream not in self.mapper.stream_maps:
            raise RecordBeforeSchemaError(
                f"A BATCH of stream {batch.stream} came before its SCHEMA; mend the tap", stream=batch.stream
            )
        for text in read_records(batch, self.config):
            self._reader.read_record(text, batch, self._process_record_message)

    # Commits

    def checkpoint(self, *, final: bool = False) -> None:
        """Commit everything of all streams that came so far, then print the STATE that this makes valid.

        The commit goes on beside the message loop; the next one waits for it, and raises what it raised. `final` is
        the clean end of the input, where rows that the source no longer has are removed.
        """
        self._database.wait()
        batch = self._checkpoints.seal(self.sinks, final=final, torn=self._reader.torn)
        if batch is not None:
            self._database.start(partial(self._checkpoints.commit, self.run, batch))

    def run_in_database(self, work: Callable[[], T]) -> T:
        """Do something on the database's thread, after what is under way there, and wait for it."""
        return self._database.call(work)

    def patience(self) -> float | None:
        """For how many seconds the message loop may wait: until the next commit is due, or a failure is to be told."""
        return max(self._checkpoints.due_in, 0.05)

    def idle(self) -> None:
        """No message came: commit what waits, so that it and its STATE are not kept back by a silent tap."""
        if self._checkpoints.is_due():
            self.checkpoint()

    @override
    def _handle_max_record_age(self) -> None:
        """Commits go by `state_interval`."""

    # What is wrong with the input

    def reject_line(self, error: ProtocolError) -> None:
        """Keep a line that is no message, or came too early, as a reject; the run fails at its end."""
        reject = Reject(
            stream=error.stream,
            line=self._reader.line_number,
            key=None,
            stage="read",
            field=None,
            error_class=error.error_class,
            reason=str(error),
            payload=payload_text(self._reader.line),
        )
        self._checkpoints.add_stray(reject, error)

    def note_protocol_error(self, error: ProtocolError) -> None:
        """Count a fault of the protocol whose record is a reject of its stream already."""
        self._checkpoints.protocol_errors.append(error)

    # Ends

    @override
    def process_endofpipe(self) -> None:
        """The input ended: commit the rest, remove what is gone, close the run."""
        try:
            self.checkpoint(final=True)
            self._database.wait()
            log_counts("Run", self.run, time.time() - self.initialized_at / 1000)
            self._raise_protocol_error()
        except BaseException as error:
            self.abort(error)
            raise
        self._close(*self._verdict())

    def _verdict(self) -> tuple[Status, str | None]:
        """How a run ended whose input came to its end; only the tap knows whether that was the end of its work."""
        if self._checkpoints.tap_status == "running":
            return (
                "interrupted",
                "the tap ended in the midst of its work; what it sent is loaded, run again for the rest",
            )
        if self._checkpoints.tap_status == "failed":
            return (
                "partial",
                "the tap failed at least in part; what it sent is loaded, its own log says what is missing",
            )
        rejected = self.run.total.rejected + len(self._checkpoints.protocol_errors)
        return ("partial" if rejected else "success"), None

    def _raise_protocol_error(self) -> None:
        if self._checkpoints.withholds_state():
            raise self._checkpoints.protocol_errors[0]

    def abort(self, error: BaseException) -> None:
        """Close the run after a failure; after a signal, what has come is committed first, within a time."""
        if self._run is None:
            return
        status: Status = "interrupted" if isinstance(error, Terminated) else "failed"
        with critical():
            try:
                self._finish() if isinstance(error, Terminated) else self._database.wait()
            except (CrmdbError, TimeoutError) as failure:
                if failure is not error:
                    self.logger.warning("What had come could not be committed: %s", str(failure) or "it took too long")
            finally:
                self._close(status, describe(error) if isinstance(error, Exception) else str(error))

    def _finish(self) -> None:
        """Commit what has come, or roll back what takes too long."""
        until = time.monotonic() + _GRACE
        try:
            self._database.wait(_GRACE)
            self.checkpoint()
            self._database.wait(max(0.1, until - time.monotonic()))
        except TimeoutError:
            self._roll_back()

    def _roll_back(self) -> None:
        self.run.cancel()
        try:
            self._database.wait(1)
        except TimeoutError:
            self.run.cut()
            self._database.wait(1)

    def _close(self, status: Status, error: str | None = None) -> None:
        run, self._run = self._run, None
        if run is None:
            return
        for sink in self.sinks:
            sink.clean_up()
        self._database.close()
        try:
            run.close(status, error)
        except CrmdbError as failure:
            self.logger.warning("The run could not be closed in the history: %s", failure)

    # The plugin

    @classproperty
    @override
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - as in the SDK
        """Settings from the environment, where one may be a path that the SDK would take for JSON."""
        schema = cls.config_jsonschema
        cls.append_builtin_config(schema)
        return environment_settings(schema, cls._env_var_prefix)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check all settings; every fault is reported at once, before anything is connected."""
        redaction.install(redaction.secrets_of(self._config, self.config_jsonschema))
        read_numbers(self._config, self.config_jsonschema)
        errors = super()._validate_config(raise_errors=False)
        unknown = sorted(set(self._config) - set(self.config_jsonschema["properties"]))
        # in the SDK's words for it, which the exit code's reader knows how to explain
        errors += [f"Additional properties are not allowed ('{name}' was unexpected)" for name in unknown]
        errors += contradictions(self._config)
        if errors and raise_errors:
            raise ConfigValidationError("The settings cannot work", errors=errors, schema=self.config_jsonschema)
        return errors

    @override
    def _setup_signal_handlers(self) -> None:
        install_signals()

    @classmethod
    @override
    def invoke(  # type: ignore[override]  # as the SDK's own Target does: the command line passes these
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        file_input: IO[str] | None = None,
    ) -> None:
        """Run the target on standard input or a file."""
        if about:
            cls.print_about(about_format)
            return
        cls.print_version(print_fn=cls.logger.info)
        given = config or _ConfigInput()
        target = cls(config=given.config, parse_env_config=given.parse_env)
        if target.config.get("debug"):
            logging.getLogger().setLevel(logging.DEBUG)
        # the database's thread needs the interpreter a moment at a time, for every piece that it sends: the usual 5 ms
        # would make it wait for the message loop longer than for Postgres
        sys.setswitchinterval(_SWITCH_SECONDS)
        # what waits for a commit is no garbage; looking through it again and again would cost some per cent
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        try:
            _ = target.run  # connect before the tap works in vain
            target.listen(file_input)
        except BaseException as error:
            target.abort(error)  # a signal may come at any place, also between two messages
            raise


def _is_plain(stream_map: StreamMap) -> bool:
    """Tell whether a map changes nothing, so that its copy of every record can be saved."""
    return type(stream_map) is SameRecordTransform and not stream_map.flattening_enabled
