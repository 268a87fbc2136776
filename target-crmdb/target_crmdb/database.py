"""Connect to the database that the settings name; every failure says what to do, none shows a secret."""

import re
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from target_postgres.connector import PostgresConnector

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
    connector = _connector(config)
    stack.callback(connector.clean_up)
    return _libpq_conninfo(connector.sqlalchemy_url)


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


def _connector(config: Config) -> PostgresConnector:
    """Make MeltanoLabs' connector, for its URL, SSL files and SSH tunnel."""
    try:
        return PostgresConnector({"password": None, **config})
    except ArgumentError as error:
        raise ConfigError("sqlalchemy_url is not a URL; write postgresql+psycopg://user:password@host/database") from (
            None if error else error  # the text of this error quotes the URL, password included
        )
    except (OSError, ValueError) as error:
        raise ConfigError(f"The SSL files or the SSH tunnel cannot be set up ({type(error).__name__})") from error


def _libpq_conninfo(url_text: str) -> str:
    url = make_url(url_text)
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        raise ConfigError("sqlalchemy_url must begin with postgresql:// or postgresql+psycopg://")
    parts: dict[str, Any] = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "dbname": url.database,
    }
    for name, value in url.query.items():
        parts[name] = value if isinstance(value, str) else ",".join(value)
    try:
        return make_conninfo("", **{name: value for name, value in parts.items() if value is not None})
    except psycopg.ProgrammingError as error:
        raise ConfigError("sqlalchemy_url has a parameter that libpq does not know; remove it") from error


def _connect(conninfo: str, patience: float, sleep: Callable[[float], None]) -> Connection:
    until = time.monotonic() + patience
    while True:
        try:
            return psycopg.connect(conninfo, autocommit=True, application_name="target-crmdb", connect_timeout=10)
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
    """Set what our statements rely on; jit costs seconds on merges of hundreds of columns."""
    milliseconds = str(int(float(config.get("lock_timeout", 30)) * 1000))
    settings = {
        "client_encoding": "UTF8",
        "TimeZone": "UTC",
        "DateStyle": "ISO, YMD",
        "jit": "off",
        "lock_timeout": milliseconds,
        "client_min_messages": "warning",
        "search_path": '"' + str(config["bookkeeping_schema"]).replace('"', '""') + '"',
    }
    for name, value in settings.items():
        connection.execute("select set_config(%s, %s, false)", (name, value))
