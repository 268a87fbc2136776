"""What a Postgres error means for the run: try later, mend the settings, or fail; in words without values."""

import psycopg
from psycopg import errors

from target_crmdb.exceptions import ConfigError, CrmdbError, TryLaterError

RETRYABLE = (errors.SerializationFailure, errors.DeadlockDetected)


def explain(error: psycopg.Error) -> CrmdbError:
    """Give the error to raise instead. The server's text is used only where it cannot quote a row."""
    text = " ".join((error.diag.message_primary or "").split())
    if isinstance(error, errors.InsufficientPrivilege):
        return ConfigError(f"Postgres says: {text}; GRANT the role what is missing, or connect as the owner")
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return ConfigError("The database is read-only (a replica?); connect to the primary server")
    if isinstance(error, errors.LockNotAvailable):
        return TryLaterError("Another session holds a lock on a table longer than lock_timeout; try later")
    return _by_class(error, text)


def _by_class(error: psycopg.Error, text: str) -> CrmdbError:
    state = error.sqlstate or ""
    if isinstance(error, (*RETRYABLE, errors.QueryCanceled)):
        return TryLaterError(f"Postgres ended the transaction ({type(error).__name__}); try later")
    if state.startswith("53"):
        return CrmdbError(f"The server has run out of resources: {text}; make room and run again")
    if state.startswith(("08", "57")) or (not state and isinstance(error, psycopg.OperationalError)):
        return TryLaterError("The connection to the database was lost; what was not committed comes with the next run")
    return CrmdbError(f"Postgres refused a statement ({state} {type(error).__name__}); run again with debug: true")
