"""Who may call: tokens, their scopes and ends, and the OAuth app that gives them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fake_crm.clock import iso
from fake_crm.hubspot.errors import ApiError, expired, missing_scopes, unauthenticated

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fake_crm.clock import Clock
    from fake_crm.wire import Request

LIFETIME = 1800  # seconds of an OAuth access token; vendor page "OAuth tokens"
_DAY = 86_400


@dataclass(frozen=True)
class Token:
    """A bearer token: a service key or private app's (no end), or an OAuth access token. No scopes means all."""

    value: str
    scopes: frozenset[str] | None = None
    ends: int | None = None
    oauth: bool = False


class Access:
    """The account's tokens and its one OAuth app, whose credentials are attributes."""

    def __init__(self, clock: Clock, tokens: Iterable[str] = ()) -> None:
        self._clock = clock
        self._tokens = {value: Token(value) for value in tokens}
        self.client_id = "fake-client-id"
        self.client_secret = "fake-client-secret"  # noqa: S105 - a fake's
        self.refresh_token = "fake-refresh-token"  # noqa: S105 - a fake's
        self.authorization_code = "fake-code"
        self.granted: frozenset[str] | None = None  # what the account granted the app; None: everything
        self.revoked = False

    def add_token(
        self,
        value: str,
        *,
        scopes: Iterable[str] | None = None,
        expires_in: float | None = None,
        oauth: bool = False,
    ) -> str:
        """Accept a token from now on; `scopes` None is all of them, `expires_in` is in seconds of the fake's clock."""
        ends = None if expires_in is None else self._clock.millis() + round(expires_in * 1000)
        self._tokens[value] = Token(value, None if scopes is None else frozenset(scopes), ends, oauth)
        return value

    def expire(self, value: str) -> None:
        """Let a token be over now."""
        self._tokens[value] = replace(self._tokens[value], ends=self._clock.millis())

    def find(self, value: str) -> Token | None:
        """A token that was given out, over or not."""
        return self._tokens.get(value)

    def issue(self) -> Token:
        """A new OAuth access token."""
        value = f"oauth-{secrets.token_hex(12)}"
        self.add_token(value, scopes=self.granted, expires_in=LIFETIME, oauth=True)
        return self._tokens[value]

    def is_over(self, token: Token) -> bool:
        """Whether a token's time has passed."""
        return token.ends is not None and token.ends <= self._clock.millis()

    def caller(self, request: Request) -> Token:
        """The token that a request shows; 401 in HubSpot's two kinds."""
        scheme, _, value = (request.headers.get("Authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not value.strip():
            raise unauthenticated()
        token = self._tokens.get(value.strip())
        if token is None:
            raise self._malformed()
        if self.is_over(token):
            assert token.ends is not None
            ago = (self._clock.millis() - token.ends) // 1000
            raise expired(f"The OAuth token used to make this call expired {ago} second(s) ago.", iso(token.ends))
        return token

    def _malformed(self) -> ApiError:
        # the live API takes a token that it cannot read for one that ended in 1970
        days = self._clock.millis() // 1000 // _DAY
        return expired(f"The OAuth token used to make this call expired {days} day(s) ago.", iso(0))

    @staticmethod
    def check_scopes(token: Token, any_of: Sequence[str], key: str) -> None:
        """403 unless the token has one of the scopes."""
        if any_of and token.scopes is not None and token.scopes.isdisjoint(any_of):
            raise missing_scopes(any_of, key)
