"""Who may call: API tokens, and the access tokens of one OAuth app."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fake_crm.pipedrive.errors import unauthorized, wrong_scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fake_crm.clock import Clock
    from fake_crm.wire import Request

LIFETIME = 3599  # seconds of an access token, as the vendor's token endpoint tells it


@dataclass(frozen=True)
class Token:
    """A token of either kind. No scopes means all; `ends` is in milliseconds of the fake's clock."""

    value: str
    scopes: frozenset[str] | None = None
    ends: int | None = None
    oauth: bool = False


class Access:
    """The company's tokens and its one OAuth app, whose credentials are attributes."""

    def __init__(self, clock: Clock, tokens: Iterable[str]) -> None:
        self._clock = clock
        self._tokens = {value: Token(value) for value in tokens}
        self.client_id = "fake-client-id"
        self.client_secret = "fake-client-secret"  # noqa: S105 - a fake's
        self.refresh_token = "fake-refresh-token"  # noqa: S105 - a fake's
        self.authorization_code = "fake-code"
        self.granted: frozenset[str] | None = None
        self.revoked = False
        self.rotates = False  # whether every refresh gives a new refresh token

    def add_token(self, value: str, *, scopes: Iterable[str] | None = None, oauth: bool = False) -> str:
        """Accept a token from now on; `scopes` None is all of them."""
        self._tokens[value] = Token(value, None if scopes is None else frozenset(scopes), None, oauth)
        return value

    def expire(self, value: str) -> None:
        """Let a token be over now."""
        self._tokens[value] = replace(self._tokens[value], ends=self._clock.millis())

    def issue(self) -> Token:
        """A new access token of the app."""
        ends = self._clock.millis() + LIFETIME * 1000
        token = Token(f"oauth-{secrets.token_hex(12)}", self.granted, ends, oauth=True)
        self._tokens[token.value] = token
        if self.rotates:
            self.refresh_token = f"refresh-{secrets.token_hex(12)}"
        return token

    def caller(self, request: Request) -> Token:
        """The token that a request shows: a header, a bearer token, or (deprecated) a parameter."""
        scheme, _, bearer = (request.headers.get("Authorization") or "").partition(" ")
        given = request.headers.get("X-Api-Token") or request.query.get("api_token", [""])[-1]
        token = self._tokens.get(bearer.strip() if scheme.lower() == "bearer" else given)
        wrong_kind = token is not None and token.oauth != (scheme.lower() == "bearer")
        if token is None or wrong_kind or (token.ends is not None and token.ends <= self._clock.millis()):
            raise unauthorized()
        return token

    def knows_app(self, request: Request) -> bool:
        """Whether a request shows the app's own credentials (Basic)."""
        wanted = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        return request.headers.get("Authorization") == f"Basic {wanted}"


def check_scope(token: Token, any_of: frozenset[str]) -> None:
    """403 unless the token has one of the scopes; API tokens have all."""
    if any_of and token.scopes is not None and token.scopes.isdisjoint(any_of):
        raise wrong_scope()
