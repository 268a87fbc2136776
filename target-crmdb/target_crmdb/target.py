"""The target: settings, and the road of every message to its sink and of STATE to standard output."""

import copy
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any

from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.mapper import SameRecordTransform, StreamMap
from singer_sdk.plugin_base import _ConfigInput
from singer_sdk.sinks import Sink
from target_postgres.target import TargetPostgres
from typing_extensions import override

from crmdb_core import redaction
from crmdb_core.exits import Terminated, critical, describe, install_signals
from target_crmdb.exceptions import (
    BrokenMessageError,
    CrmdbError,
    InvalidSchemaError,
    ProtocolError,
    RecordBeforeSchemaError,
    TooManyRejectsError,
)
from target_crmdb.history import RunNote, Status
from target_crmdb.mapping import load_mapping
from target_crmdb.notes import split_state
from target_crmdb.reader import Message, MessageReader
from target_crmdb.rejects import Reject, payload_text
from target_crmdb.run import Batch, LoadRun
from target_crmdb.settings import config_schema, contradictions, read_numbers, schema_change_of, source_of
from target_crmdb.sink import Origin, StreamSink
from target_crmdb.tables import TableRequest


class TargetCrmdb(TargetPostgres):
    """Singer target for Postgres: typed tables, changed rows only, and data and STATE in one transaction.

    MeltanoLabs' target-postgres gives it its settings and its connection; the write path is its own.
    """

    name = "target-crmdb"
    package_name = "crmdb-target-crmdb"
    config_jsonschema = config_schema()
    default_sink_class = StreamSink  # type: ignore[assignment]  # not MeltanoLabs' sink: the write path is ours

    def __init__(
        self,
        config: dict[str, Any] | None = None,
        *,
        parse_env_config: bool = False,
        validate_config: bool = True,
    ) -> None:
        # past TargetPostgres' own: its assertions become errors of the configuration, all at once (settings.py)
        super(TargetPostgres, self).__init__(
            config=config, parse_env_config=parse_env_config, validate_config=validate_config
        )
        self.max_parallelism = 1
        self._reader = MessageReader(self, sanitize=bool(self.config.get("sanitize_null_text_characters")))
        self.message_reader = self._reader
        self._run: LoadRun | None = None
        self._mapping = load_mapping(source_of(self.config))
        self._replication_key: str | None = None
        self._strays: list[Reject] = []
        self._protocol_errors: list[ProtocolError] = []
        self._notes: Mapping[str, RunNote] = {}
        self._tap_status: str | None = None
        self._state: str | None = None
        self._printed: str | None = None
        self._bytes = 0
        self._committed_at = time.monotonic()
        self._rows_at_most = int(self.config.get("batch_size_rows") or 10_000)
        self._bytes_at_most = int(self.config.get("max_batch_bytes") or 2**24)
        self._state_interval = float(self.config.get("state_interval", 5))

    @property
    def run(self) -> LoadRun:
        """The run in the database; opened when first needed."""
        if self._run is None:
            self._run = LoadRun.open(self.config, {self.name: self.plugin_version, "singer-sdk": self.sdk_version})
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
        with critical():  # a signal within a statement would cost the connection
            super()._process_schema_message(message_dict)

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
                self.run.retire(old)
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
            keys=tuple(sink.key_properties),
            replication_key=self._replication_key,
            spread=self._mapping.spread,
            max_columns=int(self.config["max_columns"]),
            record_metadata=bool(self.config.get("add_record_metadata")),
            run_id=self.run.run_id,
            policy=schema_change_of(self.config, sink.stream_name),
            max_rewrite_bytes=int(self.config["max_rewrite_bytes"]),
            model_schema=str(self.config["model_schema"]),
        )

    @override
    def _process_record_message(self, message_dict: Message) -> None:
        stream, record = message_dict.get("stream"), message_dict.get("record")
        if not isinstance(stream, str) or not isinstance(record, dict):
            raise BrokenMessageError("A RECORD message lacks its stream or its record")
        maps = self.mapper.stream_maps.get(stream)
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
        full = False
        for stream_map in maps:
            full |= self._take(stream_map, record, origin)
        self._bytes += len(self._reader.line)
        if full or self._bytes >= self._bytes_at_most or self._is_due():
            self.checkpoint()

    def _take(self, stream_map: StreamMap, record: dict[str, Any], origin: Origin) -> bool:
        """Hand a record to its sink; tell whether that has as many rows as a batch may."""
        mapped = record if _is_plain(stream_map) else stream_map.transform(copy.copy(record))
        sink = self._sinks_active.get(stream_map.stream_alias)
        if mapped is None or not isinstance(sink, StreamSink):
            return False
        sink.take(mapped, origin, unstorable=self._reader.unstorable)
        return sink.waiting >= self._rows_at_most

    @override
    def _process_state_message(self, message_dict: Message) -> None:
        value = message_dict.get("value")
        if not isinstance(value, dict):
            raise BrokenMessageError("A STATE message lacks its value")
        self._state, self._tap_status, self._notes = split_state(value)
        if self._is_due():
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
                sink.activation = version

    @override
    def _process_batch_message(self, message_dict: Message) -> None:
        raise CrmdbError("BATCH messages are not supported; switch batch_config off in the tap")

    # Commits

    def checkpoint(self, *, final: bool = False) -> None:
        """Commit everything of all streams that came so far, then print the STATE that this makes valid.

        `final` is the clean end of the input, where rows that the source no longer has are removed.
        """
        with critical():
            self._commit(final=final)
        if self.run.too_many_rejects():
            raise TooManyRejectsError(
                f"{self.run.total.rejected} rows were rejected, max_rejects allows {self.config['max_rejects']}; "
                "see `crmdb rejects list`"
            )

    def _commit(self, *, final: bool) -> None:
        state = None if self._withholds_state() else self._state
        sinks = self.sinks if final else [sink for sink in self.sinks if sink.waiting]
        if not (final or sinks or self._strays or state != self._printed):
            return
        begun = time.monotonic()
        sweep = final and not self._protocol_errors
        self.run.commit(Batch(sinks, tuple(self._strays), state, self._notes, sweep=sweep))
        self._strays.clear()
        self._bytes = 0
        self._committed_at = time.monotonic()
        self._log_counts("Committed so far", self._committed_at - begun)
        if state is not None and state != self._printed and not self.run.too_many_rejects():
            self.run.failpoints.hit("before_state")
            self._print_state(state)

    def _is_due(self) -> bool:
        return time.monotonic() - self._committed_at >= self._state_interval

    def _withholds_state(self) -> bool:
        return len(self._protocol_errors) > int(self.config.get("max_protocol_errors", 0))

    def _print_state(self, state: str) -> None:
        try:
            sys.stdout.write(f"{state}\n")
            sys.stdout.flush()
        except OSError as error:
            raise CrmdbError("STATE could not be written, its reader is gone; the data is committed") from error
        self._printed = state

    @override
    def _handle_max_record_age(self) -> None:
        """Commits go by `state_interval`."""

    # What is wrong with the input

    def reject_line(self, error: ProtocolError) -> None:
        """Keep a line that is no message, or came too early, as a reject; the run fails at its end."""
        self._strays.append(
            Reject(
                stream=error.stream,
                line=self._reader.line_number,
                key=None,
                stage="read",
                field=None,
                error_class=error.error_class,
                reason=str(error),
                payload=payload_text(self._reader.line),
            )
        )
        self.note_protocol_error(error)

    def note_protocol_error(self, error: ProtocolError) -> None:
        """Count an error of the tap; above `max_protocol_errors`, STATE stays where it was."""
        self._protocol_errors.append(error)

    # Ends

    @override
    def process_endofpipe(self) -> None:
        """The input ended: commit the rest, remove what is gone, close the run."""
        try:
            self.checkpoint(final=True)
            self._log_counts("Run", time.time() - self.initialized_at / 1000)
            self._raise_protocol_error()
        except BaseException as error:
            self.abort(error)
            raise
        self._close(*self._verdict())

    def _verdict(self) -> tuple[Status, str | None]:
        """How a run ended whose input came to its end; only the tap knows whether that was the end of its work."""
        if self._tap_status == "running":
            return (
                "interrupted",
                "the tap ended in the midst of its work; what it sent is loaded, run again for the rest",
            )
        if self._tap_status == "failed":
            return (
                "partial",
                "the tap failed at least in part; what it sent is loaded, its own log says what is missing",
            )
        rejected = self.run.total.rejected + len(self._protocol_errors)
        return ("partial" if rejected else "success"), None

    def _raise_protocol_error(self) -> None:
        if self._withholds_state():
            raise self._protocol_errors[0]

    def abort(self, error: BaseException) -> None:
        """Close the run after a failure; after a signal, what has come is committed first."""
        if self._run is None:
            return
        status: Status = "interrupted" if isinstance(error, Terminated) else "failed"
        try:
            if isinstance(error, Terminated):
                self.checkpoint()
        except CrmdbError as failure:
            self.logger.warning("What had come could not be committed: %s", failure)
        finally:
            self._close(status, describe(error) if isinstance(error, Exception) else str(error))

    def _close(self, status: Status, error: str | None = None) -> None:
        run, self._run = self._run, None
        if run is None:
            return
        for sink in self.sinks:
            sink.clean_up()
        try:
            run.close(status, error)
        except CrmdbError as failure:
            self.logger.warning("The run could not be closed in the history: %s", failure)

    def _log_counts(self, title: str, seconds: float) -> None:
        counts = ", ".join(f"{number} {name}" for name, number in self.run.total.as_dict().items())
        self.logger.info("%s: %s (%.1f s)", title, counts, seconds)

    # The plugin

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
        try:
            _ = target.run  # connect before the tap works in vain
            target.listen(file_input)
        except BaseException as error:
            target.abort(error)  # a signal may come at any place, also between two messages
            raise


def _is_plain(stream_map: StreamMap) -> bool:
    """Tell whether a map changes nothing, so that its copy of every record can be saved."""
    return type(stream_map) is SameRecordTransform and not stream_map.flattening_enabled
