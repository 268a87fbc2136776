"""Errors, named by what the caller does next: stop with an exit code, try later, or go on with the next stream."""

from __future__ import annotations

import enum
import signal
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import requests

__all__ = [
    "ApiError",
    "ConfigError",
    "CrmdbError",
    "DamagedBodyError",
    "ExitCode",
    "ForbiddenError",
    "GoneError",
    "NotFoundError",
    "OutputClosedError",
    "ResponseTooLargeError",
    "RetriesExhaustedError",
    "SecurityError",
    "SyncFailedError",
    "Terminated",
    "TlsError",
    "TryLaterError",
    "UnauthorizedError",
    "UnreachableError",
]

_SERVER_ERROR = 500


class ExitCode(enum.IntEnum):
    """What a plugin's exit status means (75 and 78 are EX_TEMPFAIL and EX_CONFIG of sysexits.h)."""

    OK = 0
    FAILED = 1
    TRY_LATER = 75
    CONFIG = 78
    SIGINT = 130
    SIGTERM = 143


class CrmdbError(Exception):
    """A failure with a message for the user: what happened; what to do. Holds no secret and no record value."""

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED
    stops_run: ClassVar[bool] = False
    """Whether the other streams are certain to fail the same way, so that the run ends here."""


class ConfigError(CrmdbError):
    """Settings cannot work as they are; `errors` lists every fault, not only the first. Exit code 78."""

    exit_code = ExitCode.CONFIG
    stops_run = True

    def __init__(self, *errors: str) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


class TryLaterError(CrmdbError):
    """A quota is used up or the server asks for a longer wait than allowed; `until` says when. Exit code 75."""

    exit_code = ExitCode.TRY_LATER
    stops_run = True

    def __init__(self, message: str, *, until: datetime | None = None) -> None:
        super().__init__(message)
        self.until = until


class OutputClosedError(CrmdbError):
    """Whoever read the messages is gone: nothing more can be delivered."""

    stops_run = True


class SyncFailedError(CrmdbError):
    """One or more streams failed while the others were read; `failures` maps stream to error."""

    def __init__(self, message: str, failures: Mapping[str, Exception]) -> None:
        super().__init__(message)
        self.failures = dict(failures)


class Terminated(BaseException):
    """SIGTERM or SIGINT arrived (`signum`; `exit_code` is 128 + signum). Passes `except Exception` on purpose."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signum).name}; the next run goes on from the state written")
        self.signum = signum
        self.exit_code = ExitCode(128 + signum)


class ApiError(CrmdbError):
    """The API refused a request for good; carries method, path (without query), status and the response."""

    def __init__(
        self,
        message: str,
        *,
        method: str = "",
        path: str = "",
        status: int | None = None,
        response: requests.Response | None = None,
    ) -> None:
        super().__init__(message)
        self.method = method
        self.path = path
        self.status = status
        self.response = response


class UnauthorizedError(ApiError):
    """401 also after one refresh: the credentials do not work. Exit code 78."""

    exit_code = ExitCode.CONFIG
    stops_run = True


class ForbiddenError(ApiError):
    """403: the credentials are good, but not for this; other streams may go on."""


class NotFoundError(ApiError):
    """404: no such object or endpoint."""


class GoneError(ApiError):
    """410: the API has ended this endpoint or version. Exit code 78 where nothing else can be read."""

    exit_code = ExitCode.CONFIG


class SecurityError(ApiError):
    """A request would have left the API's own scheme, host and port, taking the credentials along."""


class TlsError(ApiError):
    """The server's certificate or protocol was refused; never retried."""

    stops_run = True


class ResponseTooLargeError(ApiError):
    """A response body, decompressed, passed the limit."""


class DamagedBodyError(Exception):
    """A body is not what was asked for: a passing fault, and the session asks for it again. Says what is wrong."""


class RetriesExhaustedError(ApiError):
    """A passing fault did not pass within the allowed attempts and time; `attempts` were made."""

    attempts: int = 0

    @property
    def by_server(self) -> bool:
        """Whether the server answered, and badly: it may be what was asked for, and not the way to it."""
        return self.status is not None and self.status >= _SERVER_ERROR


class UnreachableError(RetriesExhaustedError):
    """No connection to the host at all (name not found, refused, black hole)."""

    stops_run = True


def one_line(errors: Sequence[str]) -> str:
    """Join several faults to one line."""
    return "; ".join(" ".join(error.split()) for error in errors)
