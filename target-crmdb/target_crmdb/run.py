"""One run: the transaction in which everything of a batch becomes durable, and what the history says of it."""

import itertools
import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from target_crmdb import failpoints, history
from target_crmdb.bags import Copies
from target_crmdb.counts import Counts
from target_crmdb.history import RunNote, Status, StreamRow
from target_crmdb.issues import Origin as IssueOrigin
from target_crmdb.locks import unlock_all
from target_crmdb.mapping import TablePlan
from target_crmdb.model.follow import ModelViews
from target_crmdb.modes import WriteMode
from target_crmdb.rejects import Cursor, Ledger, Reject
from target_crmdb.schemas import StreamSchema
from target_crmdb.seen import drop_tables
from target_crmdb.server_errors import explain
from target_crmdb.session import Session
from target_crmdb.settings import Config, maps_records, source_of
from target_crmdb.sweep import SeenKeys
from target_crmdb.sync_log import SyncLog
from target_crmdb.tables import TableRequest, ensure_table
from target_crmdb.timings import Timings

if TYPE_CHECKING:
    from target_crmdb.afterwards import Afterwards
    from target_crmdb.database import Connection
    from target_crmdb.sink import Outcome, StreamBatch, StreamSink


@dataclass(frozen=True)
class Batch:
    """What one commit makes durable: rows of all streams, rejects of no stream, STATE, and what the tap said."""

    loads: Sequence[tuple["StreamSink", "StreamBatch"]]
    rejects: Sequence[Reject] = ()
    state: str | None = None
    notes: Mapping[str, RunNote] = field(default_factory=dict)
    sweep: bool = False
    whole: bool = True
    """Whether the tap did all its work, as far as it says so."""
    bytes: int = 0

    def lines(self) -> Iterator[int]:
        """Give the numbers of the lines whose rows go to Postgres."""
        return (line for _, load in self.loads for piece in load.pieces for line, _ in piece.origins)


class LoadRun:
    """An open run; its counters are those of committed transactions only."""

    is_real = True
    """Whether the run writes: STATE, and tables that stay; all that a dry run makes is temporary."""

    def __init__(self, session: Session, config: Config, run_id: int, ledger: Ledger) -> None:
        self._session = session
        self._ledger = ledger
        self._config = config
        self._numbers = itertools.count(1)
        self._batch_number = 0
        self._seen: dict[str, SeenKeys] = {}
        self._copies: dict[str, Copies] = {}
        self._epochs: dict[str, int] = {}
        self._mode = WriteMode.of(config)
        self._tables: dict[str, TablePlan] = {}
        self._views = ModelViews(str(config["model_schema"]))
        self._afterwards: Afterwards | None = None
        self._log = SyncLog(source_of(config) or "singer", shows_values=bool(config.get("log_values")))
        self._timings: dict[str, Timings] = {}
        self.run_id = run_id
        self.failpoints = failpoints.from_environment()
        self.counts: dict[str, Counts] = {}
        self.refused_sweeps: list[str] = []
        self._rejected: list[Reject] = []
        session.on_reconnect = self._verify

    @classmethod
    def open(cls, config: Config, versions: Mapping[str, str], ledger: Ledger) -> "LoadRun":
        """Connect, bring the bookkeeping up to date, close runs that were killed, and begin a run."""
        session = Session(config)
        known = {**versions, "postgres": _server_version(session.connection)}
        start = history.RunStart(
            source_of(config),
            str(config.get("default_target_schema") or ""),
            str(config.get("load_method") or ""),
            known,
            ledger.kind,
            maps_records(config),
        )
        try:
            session.attempt(session.prepare)
            run_id = session.attempt(lambda: session.begin(lambda cursor: history.start(cursor, start)))
        except BaseException:
            with session.ending():
                raise
        return cls(session, config, run_id, ledger)

    @property
    def connection(self) -> "Connection":
        """The present connection; for formatting rows, not for statements."""
        return self._session.connection

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
            self._seen[stream] = SeenKeys(self.run_id, self.next_number(), temporary=not self.is_real)
        return self._seen[stream]

    def copies(self, stream: str) -> Copies:
        """Give the counts of a keyless stream's equal rows, over every SCHEMA that it has in this run."""
        if stream not in self._copies:
            self._copies[stream] = Copies(self.run_id, self.next_number(), temporary=not self.is_real)
        return self._copies[stream]

    def epoch(self, plan: TablePlan) -> int | None:
        """Give the run with which an append-only stream's present epoch began; None for others."""
        return self._epochs.get(plan.stream)

    def ensure_table(self, request: TableRequest, schema: StreamSchema) -> TablePlan:
        """Lock the stream for this run, or raise TryLaterError, and make its table fit."""

        def ensure() -> TablePlan:
            self._session.own(request.schema, request.stream)
            self._expect_rules(request)
            with self._session.connection.transaction(), self._session.connection.cursor() as cursor:
                change = ensure_table(cursor, request)
                plan = change.plan
                self._views.restore(cursor, request, change.hollow)
                self._session.fence(cursor, request.schema, request.stream)
                if self._mode.appends:
                    self._epochs[request.stream] = history.epoch(cursor, self.run_id, request.schema, request.stream)
                self._adopt(request.stream, plan)
                self._log.know(request.stream, request.mapping.stream(request.stream), request.mapping.base_url)
                self._ledger.note_schema(cursor, self.run_id, (request.schema, request.stream), schema)
                self._record(cursor, request.stream, self.counts[request.stream], RunNote())
                self.failpoints.hit("after_ddl")
            self._views.follow(self._session.connection, request, changed=bool(change.changes))
            return plan

        return self._session.attempt(ensure)

    def _expect_rules(self, request: TableRequest) -> None:
        """Before the first row of a mapped stream: remember where the run begins, for the rules at its end."""
        if self._afterwards is None and request.mapping.stream(request.stream) is not None:
            from target_crmdb.afterwards import Afterwards  # noqa: PLC0415 - many runs map nothing

            self._afterwards = Afterwards(self._config, self.run_id, self._session.connection)

    def _adopt(self, stream: str, plan: TablePlan) -> None:
        self._tables[stream] = plan
        self.counts.setdefault(stream, Counts())

    def issue_origin(self, plan: TablePlan) -> IssueOrigin:
        """Say whose a table's issues are."""
        return IssueOrigin(self.run_id, source_of(self._config), plan.schema, plan.table)

    def before_merge(self, cursor: Cursor, stream: str, stage: sql.Identifier) -> None:
        """A piece of a stream is staged and is about to be merged."""

    def before_sweep(self, cursor: Cursor, stream: str) -> None:
        """A stream's vanished rows are about to be looked for."""

    def retire(self, sink: "StreamSink") -> None:
        """Drop the staging table of a sink whose SCHEMA has changed; its rows are committed."""

        def drop() -> None:
            with self._session.connection.cursor() as cursor:
                sink.retire(cursor)

        self._session.attempt(drop)

    def commit(self, batch: Batch) -> None:
        """Write a batch in one transaction; a failure that passes is tried again with the whole batch.

        A commit whose answer was lost is found by its number, and not repeated.
        """
        self._batch_number += 1
        written: list[dict[str, Counts]] = []
        self._say_started(batch)

        def write() -> dict[str, Counts]:
            written.clear()
            begun = time.monotonic()
            with self._session.connection.transaction(), self._session.connection.cursor() as cursor:
                written.append(self._write(cursor, batch, begun))
                self.failpoints.hit("before_commit")
            return written[0]

        def found() -> dict[str, Counts] | None:
            if written and history.has_batch(self._session.connection, self.run_id, self._batch_number):
                return written[0]
            return None

        counts = self._session.attempt(write, found=found)
        self.counts |= counts
        for sink, load in batch.loads:
            sink.accept_commit()
            self._log.issues(sink.stream_name, load.issues)
        self._log.rejects(self._rejected)
        self._ledger.accept_commit()
        self.failpoints.hit("after_commit")

    def cancel(self) -> None:
        """End what is under way in the database, from another thread; it is rolled back."""
        self._session.cancel()

    def cut(self) -> None:
        """Cut the connection, from another thread, where even that is not answered."""
        self._session.cut()

    def close(self, status: Status, error: str | None = None) -> None:
        """End the run with this status and disconnect; a lost connection leaves that to the next run."""
        self._log.ended(self.counts, is_complete=status in {"success", "partial"})
        with self._session.ending() as connection:
            if connection is None:
                return
            try:
                with connection.transaction(), connection.cursor() as cursor:
                    history.close(cursor, self.run_id, status, error)
                    drop_tables(cursor, str(self._config["bookkeeping_schema"]), self.run_id)
                self._views.finish(connection)
                if self._afterwards is not None and status in {"success", "partial"}:
                    shrunk = [self._tables[stream] for stream, counts in self.counts.items() if counts.deleted]
                    self._afterwards.run(connection, self._tables.values(), shrunk)
                unlock_all(connection)
            except psycopg.Error as failure:
                raise explain(failure, connection) from failure

    def _say_started(self, batch: Batch) -> None:
        for sink, load in batch.loads:
            if load.pieces or load.refused:
                note = batch.notes.get(sink.stream_name)
                self._log.started(sink.stream_name, note.expected if note else None)

    def too_many_rejects(self) -> bool:
        """Tell whether more rows were rejected than the setting allows."""
        return self._too_many(self.counts)

    def _verify(self, cursor: Cursor) -> None:
        """After a lost connection: see whether the server has crashed and forgotten which keys came in this run."""
        for keys in self._seen.values():
            keys.lost |= keys.table.is_lost(cursor)

    def _write(self, cursor: Cursor, batch: Batch, begun: float) -> dict[str, Counts]:
        self._session.check_fences(cursor)
        outcomes = {sink.stream_name: self._load(cursor, sink, load) for sink, load in batch.loads}
        self.refused_sweeps = self._sweep(cursor, batch, outcomes) if batch.sweep else []
        counts = self._counted(outcomes, batch.rejects)
        found = [*batch.rejects, *(reject for outcome in outcomes.values() for reject in outcome.rejects)]
        self._rejected = found
        if self._afterwards is not None:
            changed = [stream for stream, outcome in outcomes.items() if outcome.counts.changes]
            self._afterwards.expect(cursor, [self._tables[stream] for stream in changed])
        self._keep_rejects(cursor, batch, found)
        for stream in sorted({*counts, *(batch.notes.keys() & self._tables.keys())}):
            self._record(cursor, stream, counts.get(stream, self.counts.get(stream, Counts())), batch.notes.get(stream))
        failed = self._too_many({**self.counts, **counts}) or self.refused_sweeps
        if batch.state is not None and not failed:
            history.save_state(cursor, self.run_id, batch.state)
        records = sum(outcome.counts.seen for outcome in outcomes.values()) + len(batch.rejects)
        took = history.BatchRow(self._batch_number, records, batch.bytes, time.monotonic() - begun)
        history.add_batch(cursor, self.run_id, took)
        history.beat(cursor, self.run_id, _peak_memory_mb())
        return counts

    def _keep_rejects(self, cursor: Cursor, batch: Batch, found: list[Reject]) -> None:
        self._ledger.settle(cursor, self.run_id, batch.lines(), found)

    def _load(self, cursor: Cursor, sink: "StreamSink", load: "StreamBatch") -> "Outcome":
        begun = time.monotonic()
        outcome = sink.load(cursor, load)
        self._timings.setdefault(sink.stream_name, Timings()).add(self._batch_number, time.monotonic() - begun)
        return outcome

    def _sweep(self, cursor: Cursor, batch: Batch, outcomes: Mapping[str, "Outcome"]) -> list[str]:
        """Remove what the source no longer has, and say which sweeps were refused.

        A stream with rejects keeps all, since their rows still exist.
        """
        refused = []
        for sink, _ in batch.loads:
            version = sink.version_to_sweep(whole=batch.whole)
            outcome = outcomes[sink.stream_name]
            counts = self.counts.get(sink.stream_name, Counts()) + outcome.counts
            if version is None:
                continue
            if counts.rejected:
                sink.logger.warning("Rows of %s were rejected, so none is marked deleted", sink.stream_name)
                continue
            self.before_sweep(cursor, sink.stream_name)
            swept = sink.sweep(cursor, version, counts.seen)
            outcome.counts += Counts(deleted=swept.rows)
            refused += [swept.refused] if swept.refused else []
        return refused

    def _too_many(self, counts: Mapping[str, Counts]) -> bool:
        limit = self._config.get("max_rejects")
        return limit is not None and sum(one.rejected for one in counts.values()) > int(limit)

    def _counted(self, outcomes: Mapping[str, "Outcome"], strays: Sequence[Reject]) -> dict[str, Counts]:
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
            StreamRow(
                stream,
                plan.schema if plan else None,
                plan.table if plan else None,
                counts,
                note or RunNote(),
                self._timings.get(stream, Timings()),
            ),
        )


def _server_version(connection: psycopg.Connection[tuple[Any, ...]]) -> str:
    number = connection.info.server_version
    return f"{number // 10000}.{number % 10000}"


def _peak_memory_mb() -> int:
    """How much memory this process has had at the most; Linux counts in KiB, macOS in bytes (getrusage(2))."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 2**20 if sys.platform == "darwin" else peak / 2**10)
