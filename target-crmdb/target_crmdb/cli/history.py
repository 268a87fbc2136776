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
    s.waited_seconds, r.error
from runs r left join run_streams s using (run_id)
where r.run_id in (select run_id from runs order by run_id desc limit %(runs)s)
    and (%(stream)s::text is null or s.stream = %(stream)s)
order by r.run_id desc, s.stream
"""


@click.command()
@click.option("--runs", default=10, show_default=True, type=click.IntRange(min=1), help="How many of the last runs.")
@click.option("--stream", help="Only this stream.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def history(access: Access, runs: int, stream: str | None, *, as_json: bool) -> None:
    """Show the last runs, newest first, with the counters of every stream; a killed one is `interrupted`."""
    with access.bookkept() as connection:
        with contextlib.suppress(InsufficientPrivilege, ReadOnlySqlTransaction):  # a reader leaves it to the next run
            close_dead(connection, access.bookkeeping)
        print_rows(connection.execute(_QUERY, {"runs": runs, "stream": stream}), as_json=as_json, compact=True)
