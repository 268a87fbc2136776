"""`crmdb embedded`: the embedded server's own data."""

from pathlib import Path

import click

from target_crmdb.exceptions import ConfigError


@click.group()
def embedded() -> None:
    """The embedded Postgres server of demo and development."""


@embedded.command("remove")
@click.argument("data_dir", type=click.Path(path_type=Path))
def remove_data(data_dir: Path) -> None:
    """Stop the embedded server of a folder and delete its data; refuses while a run uses it."""
    try:
        from target_crmdb.embedded import remove  # noqa: PLC0415 - an extra; most users do not have it
    except ImportError as error:
        raise ConfigError(
            "The embedded server is not installed; install it: pip install 'crmdb-target-crmdb[embedded]'"
        ) from error
    for folder in remove(data_dir):
        click.echo(f"removed {folder}")
