"""Who holds the locks that a run waits for, in words that a person can act on."""

import re
from collections.abc import Sequence
from typing import Any

import psycopg

_VALUES = re.compile(r"'(?:[^']|'')*'|\$\w*\$.*?\$\w*\$|\b\d+(?:\.\d+)?\b", re.DOTALL)
_LONGEST = 80
_QUERY = """
select a.pid, coalesce(nullif(a.application_name, ''), 'no name'), coalesce(a.usename, '?'), a.state,
    round(extract(epoch from now() - a.xact_start)), a.query
from pg_locks l
join pg_class c on c.oid = l.relation
join pg_namespace n on n.oid = c.relnamespace
join pg_stat_activity a on a.pid = l.pid
where l.granted and l.pid <> pg_backend_pid() and n.nspname = any(%s)
order by l.mode = 'AccessExclusiveLock' desc, l.mode = 'AccessShareLock', a.xact_start
limit 1
"""


def blockers(connection: psycopg.Connection[tuple[Any, ...]], schemas: Sequence[str]) -> str:
    """Name the session that holds a lock on a table of these schemas, the strongest and oldest first.

    One that only reads is named too: it blocks a change of the table.
    """
    row = connection.execute(_QUERY, (list(schemas),)).fetchone()
    if row is None:
        return "and who holds it is not to be seen any more"
    pid, application, user, state, seconds, query = row
    return (
        f"which session {pid} ({application}, role {user}, {state} since {seconds} s) holds, "
        f"its last query: {_without_values(query or '')}"
    )


def _without_values(query: str) -> str:
    """Show a query's form: what may be a value is replaced."""
    form = " ".join(_VALUES.sub("?", query).split())
    return form if len(form) <= _LONGEST else f"{form[: _LONGEST - 1]}…"
