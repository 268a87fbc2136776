"""Who may call: sessions that end without use, and the app with its grants."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fake_crm.salesforce.errors import invalid_session

if TYPE_CHECKING:
    from fake_crm.clock import Clock
    from fake_crm.salesforce.quirks import Quirks
    from fake_crm.wire import Request

ORG = "00D000000000001"


@dataclass(frozen=True)
class Session:
    """A token; `ends` is when it is over unless used before, None never."""

    token: str
    ends: int | None = None


class Access:
    """The org's sessions and its one app, with everything that proves who somebody is."""

    def __init__(self, clock: Clock, quirks: Quirks) -> None:
        self._clock = clock
        self._quirks = quirks
        self._lock = threading.Lock()
        self.access_token = f"{ORG}!fake-access-token"
        self._sessions = {self.access_token: Session(self.access_token)}
        self.client_id = "fake-client-id"
        self.client_secret = "fake-client-secret"  # noqa: S105 - a fake's
        self.refresh_token = "fake-refresh-token"  # noqa: S105 - a fake's
        self.username = "user@example.com"
        self.password = "fake-password"  # noqa: S105 - a fake's
        self.security_token = "fake-security-token"  # noqa: S105 - a fake's
        self.audiences = ("https://login.salesforce.com", "https://test.salesforce.com")
        self.jwt_key = ""
        self.jwt_approved = True
        self.revoked = False
        self.used_up: set[str] = set()  # refresh tokens that were rotated away

    def open(self) -> str:
        """A new session's token."""
        token = f"{ORG}!{secrets.token_urlsafe(30)}"
        with self._lock:
            self._sessions[token] = Session(token, self._end())
        return token

    def expire(self, token: str | None = None) -> None:
        """Let one session be over, or all of them."""
        with self._lock:
            for each in [token] if token else list(self._sessions):
                self._sessions.pop(each, None)

    def allow(self, token: str, *, expires_in: float | None = None) -> str:
        """Accept a token; it ends without use after some seconds, or never."""
        ends = None if expires_in is None else self._clock.millis() + round(expires_in * 1000)
        with self._lock:
            self._sessions[token] = Session(token, ends)
        return token

    def check(self, request: Request) -> None:
        """401 unless the request shows a session that is not over; being used makes it last longer."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        token = token.strip() if kind.lower() in {"bearer", "oauth"} else ""
        if request.path.startswith("/services/async/"):  # Bulk API 1.0 has a header of its own
            token = request.headers.get("X-Sfdc-Session", token)
        with self._lock:
            session = self._sessions.get(token)
            if session is None or (session.ends is not None and session.ends <= self._clock.millis()):
                raise invalid_session()
            if session.ends is not None:
                self._sessions[token] = replace(session, ends=max(session.ends, self._end()))

    def rotate(self) -> str:
        """A new refresh token; the one before is used up."""
        with self._lock:
            self.used_up.add(self.refresh_token)
            self.refresh_token = f"refresh-{secrets.token_hex(12)}"
            return self.refresh_token

    def _end(self) -> int:
        return self._clock.millis() + round(self._quirks.session_seconds * 1000)
