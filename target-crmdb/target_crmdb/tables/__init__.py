"""A stream's table: made, grown and widened to what its SCHEMA asks for; never dropped, never narrowed."""

from typing import Any

import psycopg

from target_crmdb.locks import advisory_key
from target_crmdb.tables.changes import Change, TableChange, apply
from target_crmdb.tables.planning import plan_table
from target_crmdb.tables.request import TableRequest

__all__ = ["Change", "TableChange", "TableRequest", "apply", "ensure_table", "plan_table"]


def ensure_table(cursor: psycopg.Cursor[tuple[Any, ...]], request: TableRequest) -> TableChange:
    """Make the table hold what the SCHEMA declares; give its plan, and what was changed for it.

    Raises ConfigError for a table that someone else made and that cannot be adopted, and CrmdbError for a change
    that cannot be followed or is not allowed.
    """
    cursor.execute("select pg_advisory_xact_lock(%s)", (advisory_key("tables", request.schema),))
    change = plan_table(cursor, request)
    apply(cursor, change)
    return change
