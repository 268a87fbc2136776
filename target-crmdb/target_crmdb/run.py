"""One run: its session in the database, and the transaction in which everything of a batch becomes durable."""

import itertools
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import psycopg

from target_crmdb import failpoints, history, rejects
from target_crmdb.counts import Counts
from target_crmdb.database import Connection, open_connection
from target_crmdb.exceptions import TryLaterError
from target_crmdb.history import RunNote, Status, StreamRow
from target_crmdb.locks import advisory_key, lock_soon, try_lock, unlock_all
from target_crmdb.mapping import TablePlan
from target_crmdb.migrations import migrate
from target_crmdb.rejects import Cursor, Reject
from target_crmdb.server_errors import RETRYABLE, explain
from target_crmdb.settings import Config, source_of
from target_crmdb.sink import Outcome, StreamSink
from target_crmdb.sweep import SeenKeys
from target_crmdb.tables import TableRequest, ensure_table

_ATTEMPTS = 5


@dataclass(frozen=True)
class Batch:
    """What one commit makes durable: rows of all streams, rejects of no stream, STATE, and what the tap said."""

    sinks: Sequence[StreamSink]
    rejects: Sequence[Reject] = ()
    state: str | None = None
    notes: Mapping[str, RunNote] = field(default_factory=dict)
    sweep: bool = False


class LoadRun:
    """An open run; its counters are those of committed transactions only."""

    def __init__(self, connection: Connection, stack: ExitStack, config: Config, run_id: int) -> None:
        self._connection = connection
        self._stack = stack
        self._config = config
        self._numbers = itertools.count(1)
        self._seen: dict[str, SeenKeys] = {}
        self._tables: dict[str, TablePlan] = {}
        self.run_id = run_id
        self.failpoints = failpoints.from_environment()
        self.counts: dict[str, Counts] = {}

    @classmethod
    def open(cls, config: Config, versions: Mapping[str, str]) -> "LoadRun":
        """Connect, bring the bookkeeping up to date, close runs that were killed, and begin a run."""
        with ExitStack() as stack:
            try:
                connection = open_connection(config, stack)
                schema = str(config["bookkeeping_schema"])
                migrate(connection, schema)
                history.close_dead(connection, schema)
                run_id = cls._begin(connection, config, {**versions, "postgres": _server_version(connection)})
            except psycopg.Error as error:
                raise explain(error) from error
            return cls(connection, stack.pop_all(), config, run_id)

    @staticmethod
    def _begin(connection: Connection, config: Config, versions: Mapping[str, str]) -> int:
        schema = str(config["bookkeeping_schema"])
        with connection.transaction(), connection.cursor() as cursor:
            run_id = history.start(cursor, source_of(config), str(config.get("default_target_schema") or ""), versions)
            # inside the transaction: nobody may see the row before its lock is taken
            try_lock(connection, history.run_key(schema, run_id))
        return run_id

    @property
    def total(self) -> Counts:
        """The counters of all streams together."""
        return sum(self.counts.values(), Counts())

    def next_number(self) -> int:
        """Give a number for the next temporary table."""
        return next(self._numbers)

    def seen_keys(self, stream: str) -> SeenKeys:
        """Give the keys seen of a stream, over every SCHEMA that it has in this run."""
        if stream not in self._seen:
            self._seen[stream] = SeenKeys(self.next_number(), self.run_id)
        return self._seen[stream]

    def ensure_table(self, request: TableRequest) -> TablePlan:
        """Lock the stream for this run, or raise TryLaterError, and make its table fit."""
        if not lock_soon(self._connection, advisory_key("stream", request.schema, request.stream)):
            raise TryLaterError(
                f"Another run is loading {request.stream} into schema {request.schema}; try again when it has ended"
            )
        try:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                plan = ensure_table(cursor, request)
                self._tables[request.stream] = plan
                self.counts.setdefault(request.stream, Counts())
                self._record(cursor, request.stream, self.counts[request.stream], RunNote())
        except psycopg.Error as error:
            raise explain(error) from error
        return plan

    def retire(self, sink: StreamSink) -> None:
        """Drop the staging table of a sink whose SCHEMA has changed; its rows are committed."""
        with self._connection.cursor() as cursor:
            sink.retire(cursor)

    def commit(self, batch: Batch) -> None:
        """Write a batch in one transaction; afterwards, and only then, the sinks forget their rows.

        Deadlocks and serialization failures are tried again; other errors are raised in plain words.
        """
        for attempt in itertools.count(1):
            try:
                counts = self._write(batch)
                break
            except RETRYABLE as error:
                if attempt == _ATTEMPTS:
                    raise explain(error) from error
                time.sleep(0.05 * 2**attempt)
            except psycopg.Error as error:
                raise explain(error) from error
        self.counts |= counts
        for sink in batch.sinks:
            sink.accept_commit()
        self.failpoints.hit("after_commit")

    def close(self, status: Status, error: str | None = None) -> None:
        """End the run with this status and disconnect; a lost connection leaves that to the next run."""
        with self._stack:
            if self._connection.closed or self._connection.broken:
                return
            try:
                with self._connection.transaction(), self._connection.cursor() as cursor:
                    history.close(cursor, self.run_id, status, error)
                unlock_all(self._connection)
            except psycopg.Error as failure:
                raise explain(failure) from failure

    def _write(self, batch: Batch) -> dict[str, Counts]:
        with self._connection.transaction(), self._connection.cursor() as cursor:
            outcomes = {sink.stream_name: sink.load(cursor) for sink in batch.sinks}
            if batch.sweep:
                self._sweep(cursor, batch.sinks, outcomes)
            counts = self._counted(outcomes, batch.rejects)
            found = [*batch.rejects, *(reject for outcome in outcomes.values() for reject in outcome.rejects)]
            rejects.store(cursor, self.run_id, found)
            for stream in sorted({*counts, *(batch.notes.keys() & self._tables.keys())}):
                self._record(
                    cursor, stream, counts.get(stream, self.counts.get(stream, Counts())), batch.notes.get(stream)
                )
            history.beat(cursor, self.run_id)
            if batch.state is not None and not self._too_many({**self.counts, **counts}):
                history.save_state(cursor, self.run_id, batch.state)
            self.failpoints.hit("before_commit")
        return counts

    def _sweep(self, cursor: Cursor, sinks: Sequence[StreamSink], outcomes: Mapping[str, Outcome]) -> None:
        """Remove what the source no longer has; a stream with rejects keeps all, since their rows still exist."""
        for sink in sinks:
            outcome = outcomes[sink.stream_name]
            committed = self.counts.get(sink.stream_name, Counts())
            if committed.rejected + outcome.counts.rejected == 0:
                outcome.counts += Counts(deleted=sink.sweep(cursor))
            elif sink.activation is not None:
                sink.logger.warning("Rows of %s were rejected, so none is marked deleted", sink.stream_name)

    def too_many_rejects(self) -> bool:
        """Tell whether more rows were rejected than the setting allows."""
        return self._too_many(self.counts)

    def _too_many(self, counts: Mapping[str, Counts]) -> bool:
        limit = self._config.get("max_rejects")
        return limit is not None and sum(one.rejected for one in counts.values()) > int(limit)

    def _counted(self, outcomes: Mapping[str, Outcome], strays: Sequence[Reject]) -> dict[str, Counts]:
        """Add what this transaction does to what is committed, for the streams that it touches."""
        news = {stream: outcome.counts for stream, outcome in outcomes.items() if outcome.counts != Counts()}
        for reject in strays:
            if reject.stream is not None:
                news[reject.stream] = news.get(reject.stream, Counts()) + Counts(seen=1, rejected=1)
        return {stream: self.counts.get(stream, Counts()) + new for stream, new in news.items()}

    def _record(self, cursor: Cursor, stream: str, counts: Counts, note: RunNote | None) -> None:
        plan = self._tables.get(stream)
        history.record_stream(
            cursor,
            self.run_id,
            StreamRow(stream, plan.schema if plan else None, plan.table if plan else None, counts, note or RunNote()),
        )


def _server_version(connection: psycopg.Connection[tuple[Any, ...]]) -> str:
    number = connection.info.server_version
    return f"{number // 10000}.{number % 10000}"
