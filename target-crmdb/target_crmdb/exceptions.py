"""What can go wrong, named by what the caller does next."""

from singer_sdk.exceptions import InvalidJSONSchema, MissingKeyPropertiesError, RecordsWithoutSchemaException

from crmdb_core.exits import ConfigError, CrmdbError, TryLaterError

__all__ = [
    "BrokenMessageError",
    "ConfigError",
    "CrmdbError",
    "InvalidSchemaError",
    "MissingKeyError",
    "ProtocolError",
    "RecordBeforeSchemaError",
    "TooManyRejectsError",
    "TryLaterError",
    "UnconfirmedDeletesError",
]


class ProtocolError(CrmdbError):
    """The tap broke the Singer protocol; the line is rejected as `error_class`, for `stream` if that is known."""

    error_class = "protocol_error"

    def __init__(self, message: str, *, stream: str | None = None) -> None:
        super().__init__(message)
        self.stream = stream


class BrokenMessageError(ProtocolError):
    """A line is not a Singer message."""

    error_class = "broken_message"


class RecordBeforeSchemaError(ProtocolError, RecordsWithoutSchemaException):
    """A record came before its stream's SCHEMA."""

    error_class = "record_before_schema"


class MissingKeyError(ProtocolError, MissingKeyPropertiesError):
    """A record lacks a property of its stream's key."""

    error_class = "missing_key"


class TooManyRejectsError(CrmdbError):
    """More rows were rejected than the setting `max_rejects` allows."""


class UnconfirmedDeletesError(CrmdbError):
    """A sweep would remove more rows than `max_delete_share` allows without a confirmation."""


class InvalidSchemaError(CrmdbError, InvalidJSONSchema):
    """A SCHEMA message cannot be followed, so nothing of its stream can be loaded."""
