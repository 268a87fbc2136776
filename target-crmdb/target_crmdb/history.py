"""The history of runs: one row per run, one per run and stream, and which runs are alive.

Functions get a cursor and never commit. Every run holds an advisory lock while its session lives, so a run that
was killed is known by its free lock, at once and without waiting for a heartbeat to be missed.
"""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import msgspec
import psycopg

from target_crmdb.counts import Counts
from target_crmdb.locks import advisory_key, try_lock, unlock
from target_crmdb.seen import drop_tables
from target_crmdb.timings import Timings

Cursor = psycopg.Cursor[tuple[Any, ...]]
Status = Literal["running", "success", "partial", "failed", "interrupted"]


@dataclass(frozen=True)
class RunNote:
    """What a tap says of one stream in the reserved object `run` of its STATE."""

    expected: int | None = None
    calls: int | None = None
    waited_seconds: Decimal | None = None


@dataclass(frozen=True)
class StreamRow:
    """What is recorded of one stream in one run."""

    stream: str
    table_schema: str | None
    table_name: str | None
    counts: Counts
    note: RunNote = RunNote()
    timings: Timings = field(default_factory=Timings)


class RunStart(NamedTuple):
    """What is known of a run as it begins."""

    source: str
    target_schema: str
    load_method: str
    versions: Mapping[str, str]
    kind: Literal["load", "replay"] = "load"
    mapped: bool = False


def run_key(schema: str, run_id: int) -> int:
    """Give the number of the lock that a live run holds."""
    return advisory_key("run", schema, str(run_id))


def start(cursor: Cursor, begun: RunStart) -> int:
    """Open a run; give its id. The state before it is that of the last run from the same source."""
    cursor.execute(
        "insert into runs (source, target_schema, load_method, kind, mapped, pid, host, versions, state_before)"
        " values (%(source)s, %(schema)s, %(load_method)s, %(kind)s, %(mapped)s, %(pid)s, %(host)s, %(versions)s, ("
        "select state from state join runs using (run_id) where source = %(source)s and target_schema = %(schema)s"
        " order by run_id desc limit 1)) returning run_id",
        {
            "source": begun.source,
            "schema": begun.target_schema,
            "load_method": begun.load_method,
            "kind": begun.kind,
            "mapped": begun.mapped,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "versions": msgspec.json.encode(begun.versions).decode(),
        },
    )
    row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def epoch(cursor: Cursor, run_id: int, schema: str, stream: str) -> int:
    """Give the first run since the stream's last one that came to its end: what came since then may come again."""
    cursor.execute(
        "update tables set epoch = case when epoch is null or exists ("
        " select from (select status from run_streams where table_schema = %(schema)s and stream = %(stream)s"
        "  and run_id < %(run)s order by run_id desc limit 1) last where status in ('success', 'partial')"
        ") then %(run)s else epoch end where table_schema = %(schema)s and stream = %(stream)s returning epoch",
        {"schema": schema, "stream": stream, "run": run_id},
    )
    row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def reopen(cursor: Cursor, run_id: int) -> None:
    """Take back that a run was closed as interrupted while its session was lost."""
    cursor.execute(
        "update runs set status = 'running', ended_at = null, error = null"
        " where run_id = %s and status = 'interrupted'",
        (run_id,),
    )
    cursor.execute(
        "update run_streams set status = 'running', ended_at = null where run_id = %s and status = 'interrupted'",
        (run_id,),
    )


class BatchRow(NamedTuple):
    """What is recorded of one commit."""

    batch_number: int
    records: int
    bytes: int
    seconds: float


def add_batch(cursor: Cursor, run_id: int, batch: BatchRow) -> None:
    """Note a batch in its own transaction: if it is there later, the transaction was committed."""
    cursor.execute(
        "insert into batches (run_id, batch_number, records, bytes, seconds) values (%s, %s, %s, %s, %s)",
        (run_id, *batch),
    )


def has_batch(connection: psycopg.Connection[tuple[Any, ...]], run_id: int, number: int) -> bool:
    """Tell whether a batch was committed."""
    query = "select 1 from batches where run_id = %s and batch_number = %s"
    return connection.execute(query, (run_id, number)).fetchone() is not None


def close_dead(connection: psycopg.Connection[tuple[Any, ...]], schema: str) -> list[int]:
    """Close the runs that were killed: still `running`, but nobody holds their lock."""
    running = connection.execute("select run_id from runs where status = 'running'").fetchall()
    dead = []
    for (run_id,) in running:
        if try_lock(connection, run_key(schema, run_id)):
            with connection.transaction(), connection.cursor() as cursor:
                close(cursor, run_id, "interrupted", "the process ended without a word (killed?)")
                drop_tables(cursor, schema, run_id)
            unlock(connection, run_key(schema, run_id))
            dead.append(int(run_id))
    return dead


def record_stream(cursor: Cursor, run_id: int, row: StreamRow) -> None:
    """Write the counters of one stream as they stand with this commit."""
    values: dict[str, Any] = {
        **row.counts.as_dict(),
        "run_id": run_id,
        "stream": row.stream,
        "table_schema": row.table_schema,
        "table_name": row.table_name,
        "expected": row.note.expected,
        "calls": row.note.calls,
        "waited_seconds": row.note.waited_seconds,
        "batches": row.timings.batches,
        "p50": row.timings.percentile(0.5),
        "p95": row.timings.percentile(0.95),
    }
    cursor.execute(_RECORD_STREAM, values)


def beat(cursor: Cursor, run_id: int, peak_memory_mb: int) -> None:
    """Note that the run is alive, and how much memory it has had."""
    cursor.execute(
        "update runs set heartbeat_at = clock_timestamp(), peak_memory_mb = %s where run_id = %s",
        (peak_memory_mb, run_id),
    )


def save_state(cursor: Cursor, run_id: int, state: str) -> None:
    """Store the STATE that becomes valid with this commit, as JSON text."""
    cursor.execute(
        "insert into state (run_id, state) values (%s, %s)"
        " on conflict (run_id) do update set state = excluded.state, committed_at = now()",
        (run_id, state),
    )


def close(cursor: Cursor, run_id: int, status: Status, error: str | None = None) -> None:
    """End a run and its streams; a stream with rejects is `partial` even in a run that went well."""
    cursor.execute(
        "update run_streams set ended_at = clock_timestamp(),"
        " status = case when %(status)s in ('success', 'partial') and rejected > 0 then 'partial'"
        " when %(status)s = 'partial' then 'success' else %(status)s end"
        " where run_id = %(run_id)s and status = 'running'",
        {"status": status, "run_id": run_id},
    )
    cursor.execute(
        "update runs set status = %s, error = %s, ended_at = clock_timestamp(), heartbeat_at = clock_timestamp()"
        " where run_id = %s and status = 'running'",
        (status, error, run_id),
    )


_RECORD_STREAM = """
insert into run_streams (
    run_id, stream, table_schema, table_name, expected, seen, created, updated, unchanged, stale, deduplicated,
    rejected, deleted, api_calls, waited_seconds, bytes, batches, batch_seconds_p50, batch_seconds_p95
) values (
    %(run_id)s, %(stream)s, %(table_schema)s, %(table_name)s, %(expected)s, %(seen)s, %(created)s, %(updated)s,
    %(unchanged)s, %(stale)s, %(deduplicated)s, %(rejected)s, %(deleted)s, %(calls)s, %(waited_seconds)s,
    %(bytes)s, %(batches)s, %(p50)s, %(p95)s
)
on conflict (run_id, stream) do update set
    table_schema = coalesce(excluded.table_schema, run_streams.table_schema),
    table_name = coalesce(excluded.table_name, run_streams.table_name),
    expected = coalesce(excluded.expected, run_streams.expected),
    seen = excluded.seen, created = excluded.created, updated = excluded.updated,
    unchanged = excluded.unchanged, stale = excluded.stale, deduplicated = excluded.deduplicated,
    rejected = excluded.rejected, deleted = excluded.deleted, bytes = excluded.bytes,
    batches = excluded.batches, batch_seconds_p50 = excluded.batch_seconds_p50,
    batch_seconds_p95 = excluded.batch_seconds_p95,
    api_calls = coalesce(excluded.api_calls, run_streams.api_calls),
    waited_seconds = coalesce(excluded.waited_seconds, run_streams.waited_seconds)
"""
