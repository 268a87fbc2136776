"""What a run does for the model's views: they follow its tables, and never hold it up for long.

What makes views is imported by runs that have any to make.
"""

from collections.abc import Sequence
from typing import Any

import psycopg

from target_crmdb.model.place import ViewPlace
from target_crmdb.tables.request import TableRequest

Cursor = psycopg.Cursor[tuple[Any, ...]]

_PATIENCE = 5.0
"""Seconds for which the end of a run tries to replace views that are in use."""


class ModelViews:
    """The views as one run sees them; where no stream is mapped, nothing is looked at."""

    def __init__(self, schema: str) -> None:
        self._schema = schema
        self._place: ViewPlace | None = None
        self._is_behind = True

    def restore(self, cursor: Cursor, request: TableRequest, hollow: Sequence[str]) -> None:
        """A change of types has left these views without rows: give them their text, in the same transaction."""
        if hollow:
            from target_crmdb.model.views import restore  # noqa: PLC0415 - see above

            restore(cursor, ViewPlace(self._schema, request.mapping, request.schema), hollow)

    def follow(self, connection: psycopg.Connection[tuple[Any, ...]], request: TableRequest, *, changed: bool) -> None:
        """A stream's table is as it must be now: make the views read it, unless they are in use."""
        if request.mapping.stream(request.stream) is None:
            return
        self._place = ViewPlace(self._schema, request.mapping, request.schema)
        if changed or self._is_behind:
            from target_crmdb.model.views import refresh  # noqa: PLC0415 - see above

            self._is_behind = not refresh(connection, self._place)

    def finish(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        """The run has ended: make what is still missing."""
        if self._place is None:
            return
        from target_crmdb.model.indexes import make_indexes  # noqa: PLC0415 - see above
        from target_crmdb.model.views import refresh  # noqa: PLC0415 - see above

        if self._is_behind:
            refresh(connection, self._place, patience=_PATIENCE)
        make_indexes(connection, self._place.target_schema)
