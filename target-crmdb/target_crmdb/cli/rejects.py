"""`crmdb rejects`: the rows that were refused, and why."""

from typing import LiteralString

import click

from target_crmdb.cli.access import Access
from target_crmdb.cli.output import print_rows

_SELECT = "select reject_id, run_id, stream, line, key, stage, field, error_class, reason"
_FROM = """
from rejects
where (%(run)s::bigint is null or run_id = %(run)s) and (%(stream)s::text is null or stream = %(stream)s)
order by reject_id desc limit %(limit)s
"""
_WITHOUT_VALUES: LiteralString = _SELECT + _FROM
_WITH_VALUES: LiteralString = _SELECT + ", payload" + _FROM


@click.group()
def rejects() -> None:
    """Rows and lines that could not be loaded."""


@rejects.command("list")
@click.option("--run", type=int, help="Only this run.")
@click.option("--stream", help="Only this stream.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1), help="How many, newest first.")
@click.option("--values", is_flag=True, help="Show the refused lines as well; they hold record values.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_rejects(
    access: Access, run: int | None, stream: str | None, limit: int, *, values: bool, as_json: bool
) -> None:
    """List refused rows with the field and the rule."""
    query = _WITH_VALUES if values else _WITHOUT_VALUES
    with access.bookkept() as connection:
        cursor = connection.execute(query, {"run": run, "stream": stream, "limit": limit})
        print_rows(cursor, as_json=as_json, compact=True)
