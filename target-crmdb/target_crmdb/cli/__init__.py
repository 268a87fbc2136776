"""`crmdb …`: look into the database that target-crmdb loads."""

import sys
from typing import NoReturn

import click

from crmdb_core.exits import run
from target_crmdb.cli.access import Access
from target_crmdb.cli.embedded import embedded
from target_crmdb.cli.history import history
from target_crmdb.cli.mapping import mapping
from target_crmdb.cli.quality import quality
from target_crmdb.cli.query import open_psql, run_sql
from target_crmdb.cli.rejects import rejects

__all__ = ["crmdb", "main"]


@click.group()
@click.option(
    "--config",
    multiple=True,
    help="Settings of target-crmdb: a JSON file, or ENV for TARGET_CRMDB_* variables (the default). May be repeated.",
)
@click.pass_context
def crmdb(context: click.Context, config: tuple[str, ...]) -> None:
    """History, rejects and content of the database that target-crmdb loads."""
    context.obj = Access(config)


for _command in (history, quality, rejects, mapping, run_sql, open_psql, embedded):
    crmdb.add_command(_command)


def main() -> NoReturn:
    """Run `crmdb` and exit with an honest code."""
    run(_front, name="crmdb")


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": []}
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def _front(arguments: tuple[str, ...]) -> None:
    """Pass all arguments to the group: `run` takes a command without subcommands."""
    sys.exit(crmdb.main(list(arguments), prog_name="crmdb", standalone_mode=False))
