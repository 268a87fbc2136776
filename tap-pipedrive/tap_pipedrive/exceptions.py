"""What ends a stream, beside what crmdb-core knows."""

from __future__ import annotations

from crmdb_core.exceptions import ApiError, CrmdbError, RetriesExhaustedError

__all__ = ["StandstillError", "UnreadableError", "is_server_error"]

_SERVER_ERROR = 500


class StandstillError(ApiError):
    """A list that does not go on, however often its next page is asked for."""


class UnreadableError(CrmdbError):
    """Rows that cannot be read, while Pipedrive gives all others."""


def is_server_error(error: Exception) -> bool:
    """Whether the server answered, and badly, all the time: it may be what was asked for, and not the way to it."""
    return isinstance(error, RetriesExhaustedError) and (error.status or 0) >= _SERVER_ERROR
