"""What a Postgres error means for the run: try again, later, mend the settings, or fail; in words without values."""

import contextlib
import re
from typing import Any

import psycopg
from psycopg import errors

from target_crmdb.exceptions import ConfigError, CrmdbError, TryLaterError

_TRANSIENT = (errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable)
# connection exceptions, and a server that shuts down, crashed, or is starting
_LOST = ("08", "57P01", "57P02", "57P03")
_DENIED = re.compile(
    r"(?:permission denied for|must be owner of|permission denied to create temporary tables in)"
    r" (?P<kind>\w+) \"?(?P<name>[^\"]+)\"?"
)
_GRANTS = {
    "schema": 'GRANT USAGE, CREATE ON SCHEMA "{name}" TO "{role}"',
    "table": 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "{schema}" TO "{role}"',
    "sequence": 'GRANT USAGE ON ALL SEQUENCES IN SCHEMA "{schema}" TO "{role}"',
    "database": 'GRANT CREATE, TEMPORARY ON DATABASE "{name}" TO "{role}"',
}
_OWNERSHIP = 'GRANT "{owner}" TO "{role}"'
# a name alone does not say in which schema it stands: those that the role may not use in full come first
_RELATION = """
select n.nspname, pg_get_userbyid(c.relowner) from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relname = %s and n.nspname !~ '^pg_'
order by has_schema_privilege(n.oid, 'usage'), pg_has_role(c.relowner, 'usage'),
    n.nspname = any(current_schemas(false)) desc
limit 1
"""


def is_lost(error: psycopg.Error) -> bool:
    """Tell whether the error means that the session is gone."""
    state = error.sqlstate or ""
    return state.startswith(_LOST) or (not state and isinstance(error, psycopg.OperationalError))


def is_transient(error: psycopg.Error) -> bool:
    """Tell whether the same transaction may well succeed if it is tried again."""
    return is_lost(error) or isinstance(error, _TRANSIENT)


def explain(error: psycopg.Error, connection: psycopg.Connection[Any] | None = None) -> CrmdbError:
    """Give the error to raise instead. The server's text is used only where it cannot quote a row."""
    text = " ".join((error.diag.message_primary or "").split())
    if isinstance(error, errors.InsufficientPrivilege):
        return ConfigError(f"Postgres says: {text}; {_grant(text, connection)}")
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return ConfigError("The database is read-only (a replica?); connect to the primary server")
    if isinstance(error, errors.LockNotAvailable):
        return TryLaterError("Another session holds a lock on a table longer than lock_timeout; try later")
    if isinstance(error, errors.QueryCanceled):
        return TryLaterError("A statement took longer than statement_timeout, or was cancelled; try later, or raise it")
    return _by_class(error, text)


def _grant(text: str, connection: psycopg.Connection[Any] | None) -> str:
    """Say the GRANT that would help, as far as the server's words and catalogues tell what is missing."""
    denied = _DENIED.search(text)
    if connection is None or denied is None:
        return "GRANT the role what is missing, or connect as the owner"
    role, name = connection.info.user, denied["name"]
    schema, owner = _place(connection, name)
    form = _OWNERSHIP if text.startswith("must be owner") else _GRANTS.get(denied["kind"])
    if form is None or ("{schema}" in form and not schema) or ("{owner}" in form and not owner):
        return f'GRANT "{role}" what is missing, or connect as the owner'
    return f"run as its owner: {form.format(name=name, schema=schema, owner=owner, role=role)}"


def _place(connection: psycopg.Connection[Any], name: str) -> tuple[str | None, str | None]:
    """Find schema and owner of a relation that the server named."""
    with contextlib.suppress(psycopg.Error):
        row = connection.execute(_RELATION, (name,)).fetchone()
        if row is not None:
            return str(row[0]), str(row[1])
    return None, None


def _by_class(error: psycopg.Error, text: str) -> CrmdbError:
    state = error.sqlstate or ""
    if isinstance(error, _TRANSIENT):
        return TryLaterError(f"Postgres ended the transaction ({type(error).__name__}) again and again; try later")
    if state.startswith("53"):
        return CrmdbError(f"The server has run out of resources: {text}; make room and run again")
    if is_lost(error):
        return TryLaterError("The connection to the database was lost; what was not committed comes with the next run")
    if isinstance(error, errors.IoError) or state.startswith("58"):
        return CrmdbError(f"The server could not read or write its files ({state}); its own log says why")
    return CrmdbError(f"Postgres refused a statement ({state} {type(error).__name__}); run again with debug: true")
