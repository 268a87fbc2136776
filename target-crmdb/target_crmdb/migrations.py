"""The bookkeeping schema: ordered SQL files, each applied once, all that are new in one transaction, under a lock."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from psycopg import Connection, sql

from target_crmdb.exceptions import ConfigError
from target_crmdb.locks import advisory_key, waiting_lock

_TABLE = re.compile(r"^create table (\w+)", re.MULTILINE)
_FILE = re.compile(r"(\d{4})_\w+\.sql")


@dataclass(frozen=True)
class Migration:
    """One SQL file; `version` is the number that its name begins with."""

    version: int
    name: str
    text: str


def known_migrations() -> list[Migration]:
    """Read the migrations of this package, in order."""
    return sorted(_read(), key=lambda migration: migration.version)


def migrate(connection: Connection, schema: str) -> None:
    """Bring the bookkeeping schema up to date; refuse one that a newer target-crmdb has made."""
    migrations = known_migrations()
    newest = migrations[-1].version
    if _version(connection, schema) == newest:
        _check_tables(connection, schema, migrations)
        return
    with waiting_lock(connection, advisory_key("migrate", schema)):
        version = _version(connection, schema)
        if version > newest:
            raise ConfigError(
                f"The bookkeeping schema {schema} has version {version}, this target-crmdb knows {newest}; "
                "install the newer target-crmdb that made it, or set bookkeeping_schema to another name."
            )
        with connection.transaction():
            for migration in migrations:
                if migration.version > version:
                    _apply(connection, schema, migration)


def _check_tables(connection: Connection, schema: str, migrations: list[Migration]) -> None:
    """Raise ConfigError if somebody has dropped a table: what it said of names or runs cannot be made up."""
    wanted = {name for migration in migrations for name in _TABLE.findall(migration.text)}
    rows = connection.execute("select tablename from pg_tables where schemaname = %s", (schema,)).fetchall()
    missing = sorted(wanted - {row[0] for row in rows})
    if missing:
        raise ConfigError(
            f"The bookkeeping has lost {', '.join(f'{schema}.{name}' for name in missing)}; restore it from a backup, "
            f"or rename the schema {schema}: a new one is begun, and the tables of your streams are adopted"
        )


def _read() -> Iterator[Migration]:
    for file in files("target_crmdb.sql").iterdir():
        if match := _FILE.fullmatch(file.name):
            yield Migration(int(match[1]), file.name, file.read_text(encoding="utf-8"))


def _version(connection: Connection, schema: str) -> int:
    """Give the newest applied version; 0 where there is none yet."""
    query = "select 1 from pg_tables where schemaname = %s and tablename = 'migrations'"
    if not connection.execute(query, (schema,)).fetchone():
        return 0
    statement = sql.SQL("select coalesce(max(version), 0) from {}").format(sql.Identifier(schema, "migrations"))
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0


def _apply(connection: Connection, schema: str, migration: Migration) -> None:
    name = sql.Identifier(schema)
    if not connection.execute("select 1 from pg_namespace where nspname = %s", (schema,)).fetchone():
        connection.execute(sql.SQL("create schema {}").format(name))
    connection.execute(sql.SQL("set local search_path to {}").format(name))
    connection.execute(
        "create table if not exists migrations ("
        "version integer primary key, name text not null, applied_at timestamptz not null default now())"
    )
    connection.execute(migration.text.encode())
    connection.execute("insert into migrations (version, name) values (%s, %s)", (migration.version, migration.name))
