"""What a read that failed is answered with: smaller pieces, the other API, or a new beginning of the same piece."""

from __future__ import annotations

from crmdb_core.exceptions import CrmdbError

__all__ = ["IncompleteResultError", "JobLostError", "NotByBulkError", "TooMuchError"]


class TooMuchError(CrmdbError):
    """Salesforce gave up on a query for its size: smaller pieces of it may pass. `code` is the API's own word."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class NotByBulkError(CrmdbError):
    """The Bulk API does not serve the query, or no more of them today: REST may."""


class JobLostError(CrmdbError):
    """A job of the Bulk API is gone, was stopped by somebody, or is another API version's: it takes a new one."""


class IncompleteResultError(CrmdbError):
    """The pages of a result do not hold as many rows as the API says there are."""
