"""Connect to the database that the settings name; every failure says what to do, none shows a secret."""

import re
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from target_crmdb.exceptions import ConfigError, TryLaterError
from target_crmdb.settings import Config

Connection = psycopg.Connection[tuple[Any, ...]]

_HOPELESS = re.compile(
    r"password authentication failed|no password supplied|role \".*\" does not exist|database \".*\" does not exist"
    r"|no pg_hba\.conf entry|permission denied for database|not permitted to log in|certificate|SSL was required"
    r"|authentication failed|private key",
)
_PAUSE = 0.5
_EMBEDDED_FOLDER = Path("output") / "pgdata"


def open_connection(config: Config, stack: ExitStack, *, sleep: Callable[[float], None] = time.sleep) -> Connection:
    """Connect as the settings say; `stack` takes what must be closed afterwards, in the right order.

    Raises ConfigError where trying again cannot help (wrong password, unknown database) and TryLaterError where
    the server did not answer within `connect_timeout` seconds.
    """
    conninfo = _conninfo(config, stack)
    connection = stack.enter_context(_connect(conninfo, float(config.get("connect_timeout", 15)), sleep))
    _prepare(connection, config)
    return connection


def embedded_folder(config: Config, environment: Mapping[str, str]) -> Path:
    """Give the data folder of the embedded server: the setting, or output/pgdata of the Meltano project."""
    if config.get("embedded_data_dir"):
        return Path(str(config["embedded_data_dir"])).expanduser().absolute()
    return Path(environment.get("MELTANO_PROJECT_ROOT") or Path.cwd()) / _EMBEDDED_FOLDER


def _conninfo(config: Config, stack: ExitStack) -> str:
    if config.get("embedded"):
        return _embedded_conninfo(config, stack)
    if _needs_help(config):
        return _helped_conninfo(config, stack)
    if config.get("sqlalchemy_url"):
        return _libpq_conninfo(str(config["sqlalchemy_url"]))
    names = {"host": "host", "port": "port", "user": "user", "password": "password", "database": "dbname"}
    return make_conninfo("", **{names[name]: config[name] for name in names if config.get(name) is not None})


def _needs_help(config: Config) -> bool:
    """Tell whether there are SSL files to write or a tunnel to dig, which target-postgres knows how to do."""
    tunnel = bool((config.get("ssh_tunnel") or {}).get("enable"))
    ssl = bool(config.get("ssl_enable") or config.get("ssl_client_certificate_enable"))
    return tunnel or (ssl and not config.get("sqlalchemy_url"))


def _embedded_conninfo(config: Config, stack: ExitStack) -> str:
    import os  # noqa: PLC0415 - only here, so that no other path depends on the environment

    try:
        from target_crmdb.embedded import EmbeddedPostgres  # noqa: PLC0415 - an extra; most users do not have it
    except ImportError as error:
        raise ConfigError(
            "embedded: true needs the embedded server, which is not installed; "
            "install it: pip install 'crmdb-target-crmdb[embedded]'"
        ) from error
    server = stack.enter_context(EmbeddedPostgres(embedded_folder(config, os.environ)))
    return str(server.conninfo)


def _helped_conninfo(config: Config, stack: ExitStack) -> str:
    """Let MeltanoLabs' connector write the SSL files and open the SSH tunnel."""
    from target_postgres.connector import PostgresConnector  # noqa: PLC0415 - half a second and 30 MB, rarely needed

    try:
        connector = PostgresConnector({"password": None, **config})
    except (OSError, ValueError) as error:
        raise ConfigError(f"The SSL files or the SSH tunnel cannot be set up ({type(error).__name__})") from error
    stack.callback(connector.clean_up)
    return _libpq_conninfo(str(connector.sqlalchemy_url))


def _libpq_conninfo(url: str) -> str:
    """Give what libpq is to be told; the dialect's driver is no matter of libpq's."""
    scheme, _, rest = url.partition("://")
    if scheme.partition("+")[0] not in {"postgresql", "postgres"} or not rest:
        raise ConfigError(
            "sqlalchemy_url is not one of Postgres; write postgresql+psycopg://user:password@host/database"
        )
    try:
        return make_conninfo("", **conninfo_to_dict(f"postgresql://{rest}"))
    except psycopg.ProgrammingError:
        raise ConfigError(
            "sqlalchemy_url is no URL that libpq understands, or has a parameter that it does not know; write "
            "postgresql+psycopg://user:password@host/database, special characters percent-encoded"
        ) from None  # the text of this error quotes the URL, password included


def _connect(conninfo: str, patience: float, sleep: Callable[[float], None]) -> Connection:
    until = time.monotonic() + patience
    while True:
        try:
            return psycopg.connect(
                conninfo,
                autocommit=True,
                application_name="target-crmdb",
                connect_timeout=10,
                prepare_threshold=sys.maxsize,  # only what asks for it
            )
        except psycopg.OperationalError as error:
            reason = _first_line(error)
            if _HOPELESS.search(reason):
                raise ConfigError(f"The database refused the connection: {reason}; correct the settings") from None
            if time.monotonic() >= until:
                raise TryLaterError(f"The database does not answer: {reason}; start it, or try later") from None
            sleep(_PAUSE)


def _first_line(error: Exception) -> str:
    """Give libpq's own words: host, user and database, never a password."""
    return " ".join(str(error).split())[:300].removeprefix("connection failed: ")


def _prepare(connection: Connection, config: Config) -> None:
    """Set what our statements rely on; jit costs seconds on merges of hundreds of columns.

    A merge looks up its rows by key, whatever the planner thinks of a table without statistics: reading the whole
    table for every batch would cost more with every row that it grows by. Sweeps ask for hash joins themselves.
    """
    settings = {
        "client_encoding": "UTF8",
        "TimeZone": "UTC",
        "DateStyle": "ISO, YMD",
        "extra_float_digits": "1",
        "jit": "off",
        "work_mem": "64MB",
        "enable_hashjoin": "off",
        "enable_mergejoin": "off",
        "enable_seqscan": "off",
        # of a prepared statement only its parsing is saved: a plan that was made for an empty table would read all of a
        # full one for every batch
        "plan_cache_mode": "force_custom_plan",
        "lock_timeout": _milliseconds(config.get("lock_timeout", 30)),
        "statement_timeout": _milliseconds(config.get("statement_timeout", 600)),
        "client_min_messages": "warning",
        "search_path": '"' + str(config["bookkeeping_schema"]).replace('"', '""') + '"',
    }
    connection.execute(
        "select set_config(name, value, false) from unnest(%s::text[], %s::text[]) as s (name, value)",
        (list(settings), list(settings.values())),
    )
    # STATE says that rows are durable, so a commit must be more than a promise
    connection.execute(
        "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'"
    )


def _milliseconds(seconds: Any) -> str:
    return str(int(float(seconds) * 1000))
