"""Who asks: a token of a person, of an installation, an app's own JWT, or nobody."""

from __future__ import annotations

import base64
import binascii
import hashlib
import itertools
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from fake_crm.clock import Clock
    from fake_crm.wire import Request

__all__ = ["Access", "App", "Caller"]

_LIFETIME = timedelta(hours=1)
_LONGEST_JWT = 600
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")  # RFC 8017 §9.2: SHA-256


@dataclass(frozen=True)
class Caller:
    """Who asks. `repositories` is what a token may read, None for all; `is_app` for an app's JWT."""

    key: str
    repositories: frozenset[str] | None = None
    is_app: bool = False
    app_id: str = ""
    is_anonymous: bool = False

    def may_read(self, full_name: str, *, private: bool) -> bool:
        """Whether a repository exists for this caller at all."""
        if not private:
            return True
        return not self.is_anonymous and (self.repositories is None or full_name in self.repositories)


@dataclass(frozen=True)
class App:
    """A GitHub App: its public key as the two numbers of RSA, and its installations with what they may read."""

    modulus: int
    exponent: int
    installations: dict[int, frozenset[str] | None]


class Access:
    """All credentials of the fake."""

    def __init__(self, clock: Clock, tokens: Iterable[str]) -> None:
        self._clock = clock
        self.tokens: dict[str, Caller] = {token: Caller(f"user:{token}") for token in tokens}
        self.apps: dict[str, App] = {}
        self._ends: dict[str, datetime] = {}
        self._numbers = itertools.count(1)

    def revoke(self, token: str) -> None:
        """Let a token not be good any more."""
        self.tokens.pop(token, None)

    def caller(self, request: Request) -> Caller | None:
        """Who asks; None for bad credentials."""
        scheme, _, secret = request.headers.get("Authorization", "").strip().partition(" ")
        if not scheme:
            return Caller("anonymous", is_anonymous=True)
        if scheme.lower() == "basic":
            try:
                secret = base64.b64decode(secret).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return None
        elif scheme.lower() not in {"bearer", "token"}:
            return None
        if secret in self._ends and self._clock.now() >= self._ends[secret]:
            return None
        return self.tokens.get(secret) or self._app(secret)

    def installation_token(self, caller: Caller, installation: int) -> dict[str, Any] | None:
        """A new token of an app's installation; stateless ones are of any length (since 2026-04-27)."""
        app = self.apps[caller.app_id]
        if installation not in app.installations:
            return None
        number = next(self._numbers)
        filler = _encoded(json.dumps({"installation": installation, "number": number}).encode() * 3)
        token = f"ghs_{caller.app_id}_{filler}"
        self._ends[token] = self._clock.now() + _LIFETIME
        readable = app.installations[installation]
        self.tokens[token] = Caller(f"installation:{installation}", readable)
        ends = self._ends[token].strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"token": token, "expires_at": ends, "permissions": {"contents": "read", "metadata": "read"}}

    def _app(self, text: str) -> Caller | None:
        """The app whose JWT this is, if it is signed by its key and neither too old nor too long."""
        parts = text.split(".")
        if len(parts) != 3:  # noqa: PLR2004 - the parts of a JWT
            return None
        try:
            head, claims = (json.loads(_decoded(part)) for part in parts[:2])
            issuer, now = str(claims["iss"]), self._clock.now().timestamp()
            in_time = claims["iat"] <= now < claims["exp"] <= now + _LONGEST_JWT
            app = self.apps[issuer]
            signed = _is_signed(app, f"{parts[0]}.{parts[1]}".encode(), _decoded(parts[2]))
        except (KeyError, TypeError, ValueError):
            return None
        return (
            Caller(f"app:{issuer}", is_app=True, app_id=issuer)
            if in_time and signed and head["alg"] == "RS256"
            else None
        )


def _is_signed(app: App, text: bytes, signature: bytes) -> bool:
    """Verify RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2.2)."""
    size = (app.modulus.bit_length() + 7) // 8
    tail = _DIGEST_INFO + hashlib.sha256(text).digest()
    wanted = b"\x00\x01" + b"\xff" * (size - len(tail) - 3) + b"\x00" + tail
    return pow(int.from_bytes(signature), app.exponent, app.modulus).to_bytes(size) == wanted


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
