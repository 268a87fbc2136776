"""The database that `crmdb` looks into: the one that target-crmdb loads, by the same settings."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import click
import psycopg
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction

from target_crmdb.database import Connection, open_connection
from target_crmdb.environment import environment_settings
from target_crmdb.exceptions import ConfigError
from target_crmdb.migrations import migrate
from target_crmdb.server_errors import explain
from target_crmdb.target import TargetCrmdb

_ENVIRONMENT = "ENV"


class Access:
    """The settings, read and checked when a command first needs them; connections are opened for one command each."""

    def __init__(self, sources: Sequence[str]) -> None:
        self._sources = sources

    @cached_property
    def config(self) -> dict[str, Any]:
        """The settings: from files and, by the word ENV or where nothing is given, from TARGET_CRMDB_* variables."""
        config: dict[str, Any] = {}
        for source in self._sources or (_ENVIRONMENT,):
            config |= _environment() if source == _ENVIRONMENT else _file(Path(source))
        return dict(TargetCrmdb(config=config).config)

    @property
    def bookkeeping(self) -> str:
        """The schema of history and rejects."""
        return str(self.config["bookkeeping_schema"])

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Connect for the length of a block; errors of the server are told in plain words."""
        with ExitStack() as stack:
            try:
                yield open_connection(self.config, stack)
            except psycopg.Error as error:
                raise explain(error) from error

    @contextmanager
    def bookkept(self) -> Iterator[Connection]:
        """As `connection`, for commands on the bookkeeping, brought up to date; says so if no run has been made yet."""
        with self.connection() as connection:
            query = "select 1 from pg_tables where schemaname = %s and tablename = 'runs'"
            if not connection.execute(query, (self.bookkeeping,)).fetchone():
                raise ConfigError(f"This database has no schema {self.bookkeeping} yet; run target-crmdb first")
            with suppress(InsufficientPrivilege, ReadOnlySqlTransaction):  # a reader leaves it to the next run
                migrate(connection, self.bookkeeping)
            yield connection


def _environment() -> dict[str, Any]:
    return environment_settings(TargetCrmdb.config_jsonschema, "TARGET_CRMDB_")


def _file(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise click.FileError(str(path), error.strerror or "cannot be read") from error
    except ValueError:
        raise ConfigError(f"{path} is not JSON; correct it") from None  # the error quotes the file
    if not isinstance(content, dict):
        raise ConfigError(f"{path} is not a JSON object of settings; correct it")
    return content
