"""`crmdb history`: what the last runs did, stream by stream."""

import contextlib

import click
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction

from target_crmdb.cli.access import Access
from target_crmdb.cli.output import print_rows
from target_crmdb.history import close_dead

_QUERY = """
select r.run_id, nullif(r.kind, 'load') as kind, r.source, s.stream, coalesce(s.status, r.status) as status,
    date_trunc('second', coalesce(s.started_at, r.started_at)) as started,
    round(extract(epoch from coalesce(s.ended_at, r.ended_at, now()) - coalesce(s.started_at, r.started_at)), 1)
        as seconds,
    s.expected, s.seen, s.created, s.updated, s.unchanged, s.stale, s.deduplicated, s.rejected, s.deleted, s.api_calls,
    round((s.created + s.updated)::numeric / nullif(s.api_calls, 0), 1) as changes_per_call, s.waited_seconds,
    s.bytes, s.batches, round(s.batch_seconds_p50::numeric, 3) as p50_seconds,
    round(s.batch_seconds_p95::numeric, 3) as p95_seconds, r.peak_memory_mb, r.load_method, r.error
from runs r left join run_streams s using (run_id)
where r.run_id in (select run_id from runs order by run_id desc limit %(runs)s)
    and (%(stream)s::text is null or s.stream = %(stream)s)
order by r.run_id desc, s.stream
"""
_TOTALS = """
select r.run_id, nullif(r.kind, 'load') as kind, r.source, r.status, date_trunc('second', r.started_at) as started,
    round(extract(epoch from coalesce(r.ended_at, now()) - r.started_at), 1) as seconds,
    count(s.stream) as streams, sum(s.seen)::bigint as seen, sum(s.created)::bigint as created,
    sum(s.updated)::bigint as updated, sum(s.unchanged)::bigint as unchanged, sum(s.stale)::bigint as stale,
    sum(s.deduplicated)::bigint as deduplicated, sum(s.rejected)::bigint as rejected, sum(s.deleted)::bigint as deleted,
    sum(s.api_calls)::bigint as api_calls, r.error
from runs r left join run_streams s using (run_id)
where r.run_id in (select run_id from runs order by run_id desc limit %(runs)s)
group by r.run_id
order by r.run_id desc
"""
_WIDE = frozenset(
    {
        *("changes_per_call", "waited_seconds", "bytes", "batches", "p50_seconds", "p95_seconds", "peak_memory_mb"),
        "load_method",
    }
)
_RUN = """
select run_id, source, target_schema, load_method, status, started_at, ended_at, heartbeat_at, pid, host, versions,
    peak_memory_mb, state_before, (select state from state where state.run_id = runs.run_id) as state_after, error
from runs where run_id = %s
"""


@click.command()
@click.option("--runs", default=10, show_default=True, type=click.IntRange(min=1), help="How many of the last runs.")
@click.option("--stream", help="Only this stream.")
@click.option("--run", "run_id", type=int, help="Everything of one run, its state before and after included (JSON).")
@click.option("--totals", is_flag=True, help="One line for each run, its streams added up.")
@click.option("--wide", is_flag=True, help="Also time, bytes and memory of batches, and changes per API call.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with all columns.")
@click.pass_obj
def history(
    access: Access, runs: int, stream: str | None, run_id: int | None, *, totals: bool, wide: bool, as_json: bool
) -> None:
    """Show the last runs, newest first, with the counters of every stream; a killed one is `interrupted`."""
    with access.bookkept() as connection:
        with contextlib.suppress(InsufficientPrivilege, ReadOnlySqlTransaction):  # a reader leaves it to the next run
            close_dead(connection, access.bookkeeping)
        if run_id is not None:
            print_rows(connection.execute(_RUN, (run_id,)), as_json=True)
            return
        if totals and stream:
            raise click.UsageError("--totals adds up all streams of a run; leave out --stream, or --totals")
        cursor = connection.execute(_TOTALS if totals else _QUERY, {"runs": runs, "stream": stream})
        print_rows(cursor, as_json=as_json, compact=True, hidden=() if wide else _WIDE)
