"""`crmdb rejects`: the rows that were refused, and why; load them again, or set them aside."""

import json
from typing import LiteralString

import click

from target_crmdb.cli.access import Access
from target_crmdb.cli.output import plain, print_rows, record_lines
from target_crmdb.exceptions import CrmdbError
from target_crmdb.replay import Outcome, replay
from target_crmdb.selection import SELECTED, Selection

_LIST_COLUMNS: LiteralString = """
select r.reject_id, r.run_id, u.target_schema as schema, r.stream, r.line, r.status, nullif(r.attempts, 0) as attempts,
    r.stage, r.field, r.error_class, r.reason
"""
_NEWEST_FIRST: LiteralString = "order by r.reject_id desc limit %(limit)s"
_LIST = _LIST_COLUMNS + SELECTED + _NEWEST_FIRST
_SHOW: LiteralString = """
select r.reject_id, r.status, r.attempts, r.run_id, u.source, u.target_schema, r.stream, r.line, r.stage, r.field,
    r.error_class, r.reason, r.rejected_at, r.resolved_at, r.resolved_run_id, r.schema_id, r.key, r.payload
from rejects r join runs u using (run_id) where r.reject_id = %s
"""
_PER_STREAM_COLUMNS: LiteralString = "select u.target_schema, coalesce(r.stream, 'no stream'), count(*)"
_PER_STREAM = _PER_STREAM_COLUMNS + SELECTED + "group by 1, 2 order by 1, 2"
_DISCARD: LiteralString = """
update rejects set status = 'discarded', resolved_at = clock_timestamp()
where status = 'open' and reject_id in (select r.reject_id
"""
_DISCARD_SELECTED = _DISCARD + SELECTED + ")"
_STATUSES = ("open", "replayed", "discarded", "all")
_HIDDEN = "(a value; shown with --values)"

_ids = click.argument("ids", nargs=-1, type=click.IntRange(min=1))
_run = click.option("--run", type=int, help="Only those of this run.")
_stream = click.option("--stream", help="Only those of this stream (after stream maps).")
_schema = click.option("--schema", help="Only those of this target schema.")
_class = click.option("--class", "error_class", help="Only those of this class, as `list` shows it; or its SQLSTATE.")
_every = click.option("--all", "every", is_flag=True, help="All open ones.")
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def rejects() -> None:
    """Rows and lines that could not be loaded."""


@rejects.command("list")
@_run
@_stream
@_schema
@_class
@click.option("--status", type=click.Choice(_STATUSES), default="open", show_default=True, help="What became of them.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1), help="How many, newest first.")
@_json
@click.pass_obj
def list_rejects(
    access: Access,
    *,
    run: int | None,
    stream: str | None,
    schema: str | None,
    error_class: str | None,
    status: str,
    limit: int,
    as_json: bool,
) -> None:
    """List refused rows with the field and the rule; never a value."""
    selection = Selection(None, run, stream, error_class, schema, None if status == "all" else status)
    with access.bookkept() as connection:
        cursor = connection.execute(_LIST, {**selection.parameters(), "limit": limit})
        print_rows(cursor, as_json=as_json, compact=True)


@rejects.command("show")
@click.argument("number", metavar="ID", type=int)
@click.option("--values", is_flag=True, help="Show the key and the refused line as well; they hold record values.")
@_json
@click.pass_obj
def show(access: Access, number: int, *, values: bool, as_json: bool) -> None:
    """Show everything of one reject."""
    with access.bookkept() as connection:
        cursor = connection.execute(_SHOW, (number,))
        row = cursor.fetchone()
    if row is None:
        raise CrmdbError(f"There is no reject {number}; see `crmdb rejects list --status all`")
    names = [column.name for column in cursor.description or ()]
    fields = {name: value for name, value in zip(names, row, strict=True) if value is not None}
    if not values:
        fields |= dict.fromkeys(fields.keys() & {"key", "payload"}, _HIDDEN)
    click.echo(json.dumps(fields, default=plain, indent=2) if as_json else record_lines(fields))


@rejects.command("replay")
@_ids
@_run
@_stream
@_class
@_every
@click.option(
    "--latest-schema/--original-schema",
    "latest",
    default=True,
    help="Read them under the newest SCHEMA of their stream (the default), or under that of their own run.",
)
@click.pass_obj
def replay_rejects(
    access: Access,
    *,
    ids: tuple[int, ...],
    run: int | None,
    stream: str | None,
    error_class: str | None,
    every: bool,
    latest: bool,
) -> None:
    """Load open rejects of the target schema again, as a run of its own; exit code 1 if some are not in."""
    schema = str(access.config.get("default_target_schema") or "")
    selection = _narrowed(Selection(ids or None, run, stream, error_class, schema), every=every)
    with access.bookkept() as connection:
        outcome = replay(access.config, connection, selection, latest=latest)
    _report(outcome, selection)


@rejects.command("discard")
@_ids
@_run
@_stream
@_schema
@_class
@_every
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def discard(
    access: Access,
    *,
    ids: tuple[int, ...],
    run: int | None,
    stream: str | None,
    schema: str | None,
    error_class: str | None,
    every: bool,
    yes: bool,
) -> None:
    """Set open rejects aside; they stay in the table, and cannot be replayed."""
    selection = _narrowed(Selection(ids or None, run, stream, error_class, schema), every=every)
    with access.bookkept() as connection:
        rows = connection.execute(_PER_STREAM, selection.parameters()).fetchall()
        total = sum(row[2] for row in rows)
        what = ", ".join(f"{row[0]}.{row[1]}: {row[2]}" for row in rows)
        if total and not (yes or _agreed(f"Discard {total} rejects ({what})?")):
            raise CrmdbError("Nothing was discarded; --yes does it without asking")
        done = connection.execute(_DISCARD_SELECTED, selection.parameters()).rowcount
    click.echo(f"{done} discarded")
    _tell_missing(selection, total)


def _narrowed(selection: Selection, *, every: bool) -> Selection:
    if selection.is_open_ended and not every:
        raise click.UsageError("say which rejects: ids, --run, --stream, --class, or --all")
    return selection


def _agreed(question: str) -> bool:
    try:
        return click.confirm(question)
    except click.Abort:  # also where nobody can answer
        return False


def _report(outcome: Outcome, selection: Selection) -> None:
    """Say what became of them; raise CrmdbError if not all are in."""
    reasons = {
        "refused again": outcome.refused,
        "no records (a broken line cannot be replayed)": outcome.no_record,
        "of streams whose SCHEMA never came": outcome.no_schema,
        "left out by the stream maps": outcome.left_out,
    }
    told = ", ".join(f"{number} {reason}" for reason, number in reasons.items() if number)
    click.echo(f"{outcome.replayed} replayed" + (f", {told}" if told else ""))
    _tell_missing(selection, outcome.selected)
    if outcome.replayed < outcome.selected:
        raise CrmdbError(f"{outcome.selected - outcome.replayed} of these rejects still open; see `crmdb rejects list`")


def _tell_missing(selection: Selection, found: int) -> None:
    wanted = len(set(selection.ids or ()))
    if found < wanted:
        where = f" of target schema {selection.schema}" if selection.schema else ""
        raise CrmdbError(f"{wanted - found} of the rejects named are no open ones{where}; see `crmdb rejects list`")
