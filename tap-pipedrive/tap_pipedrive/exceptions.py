"""What ends a stream, beside what crmdb-core knows."""

from __future__ import annotations

from crmdb_core.exceptions import ApiError, CrmdbError

__all__ = ["StandstillError", "UnreadableError"]


class StandstillError(ApiError):
    """A list that does not go on, however often its next page is asked for."""


class UnreadableError(CrmdbError):
    """Rows that cannot be read, while Pipedrive gives all others."""
