"""OAuth access tokens: refreshed early, and rotated refresh tokens kept durably before their first use."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from typing_extensions import override

from crmdb_core import redaction
from crmdb_core.config_file import protect
from crmdb_core.exceptions import ApiError, ConfigError, CrmdbError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from crmdb_core.http import ApiSession

__all__ = ["RefreshTokenAuth", "Token", "TokenError", "TokenStore", "refresh_grant"]

logger = logging.getLogger(__name__)

_REVOKED = frozenset({"invalid_grant", "BAD_REFRESH_TOKEN"})
"""RFC 6749 §5.2 `error`, and HubSpot's older `status`."""


class TokenError(CrmdbError):
    """No access token can be had or kept: no call of any stream can be made. A spent refresh token may be lost."""

    stops_run = True


@dataclass(frozen=True)
class Token:
    """An access token, good until `refresh_at` (epoch seconds), and the refresh token for the next one."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    refresh_at: float
    origin: str = ""
    """Fingerprint of the configured refresh token that this one descends from."""
    home: str = ""
    """The root of the API that the token is for, where the token endpoint tells it."""


class TokenStore:
    """A file of mode 0600 for several processes: locked by `flock`, replaced whole, on disk before it counts."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store against other processes."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._unusable(error) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)  # releases the lock

    def load(self) -> Token | None:
        """The stored token; None where there is none or the file is not ours to understand."""
        try:
            text = self.path.read_text(encoding="utf-8")
            protect(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from None
        try:
            return Token(**json.loads(text))
        except (ValueError, TypeError):
            logger.warning("%s holds no token of this version and will be replaced", self.path)
            return None

    def save(self, token: Token) -> None:
        """Write, fsync, rename, fsync the folder: a crash leaves the old token or the new one, never half of one."""
        try:
            descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    json.dump(asdict(token), file)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(self.path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
            self._sync_folder()
        except OSError as error:
            raise self._unusable(error) from None

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _unusable(self, error: OSError) -> TokenError:
        return TokenError(f"the token store {self.path} cannot be used: {error.strerror}; a new token was not used")


class RefreshTokenAuth(requests.auth.AuthBase):
    """Signs requests with a bearer token that it refreshes `early` seconds before its end, and on `refresh()`.

    `grant(refresh_token)` asks the vendor for a new token and returns its JSON answer (see `refresh_grant`). Within a
    process one thread refreshes for all; with a store, one process for all. A rotated refresh token is saved before
    it is used. A new refresh token in the settings replaces a stored one. Time is epoch seconds of `now`.
    """

    def __init__(
        self,
        grant: Callable[[str], Mapping[str, Any]],
        *,
        refresh_token: str,
        store: TokenStore | None = None,
        early: float = 300.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._grant = grant
        self._configured = refresh_token
        self._origin = hashlib.sha256(refresh_token.encode()).hexdigest()
        self._store = store
        self._early = early
        self._now = now
        self._lock = threading.Lock()
        self._token: Token | None = None

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the current access token on a request."""
        r.headers["Authorization"] = f"Bearer {self.access_token}"
        return r

    @property
    def access_token(self) -> str:
        """The current access token, renewed first if its end is near."""
        with self._lock:
            if self._token is None or not self._is_fresh(self._token):
                self._token = self._renew(self._token)
            return self._token.access_token

    @property
    def home(self) -> str:
        """The root of the API that the current token is for; "" where the token endpoint does not tell."""
        _ = self.access_token
        with self._lock:
            return "" if self._token is None else self._token.home

    def refresh(self) -> None:
        """Replace an access token that the API refused."""
        with self._lock:
            self._token = self._renew(self._token)

    def _is_fresh(self, token: Token) -> bool:
        return self._now() < token.refresh_at

    def _renew(self, refused: Token | None) -> Token:
        """A token other than the refused one: another process's if there is one, else a new one."""
        if self._store is None:
            return self._ask(refused)
        with self._store.locked():
            stored = self._store.load()
            if stored is not None and stored.origin != self._origin:
                stored = None  # the user has connected again
            if stored is not None:
                redaction.register(stored.access_token, stored.refresh_token)
                if self._is_fresh(stored) and (refused is None or stored.access_token != refused.access_token):
                    return stored
            token = self._ask(stored or refused)
            self._store.save(token)
            return token

    def _ask(self, last: Token | None) -> Token:
        refresh_token = last.refresh_token if last else self._configured
        answer = self._grant(refresh_token)
        try:
            lifetime = float(answer["expires_in"])
            token = Token(
                access_token=str(answer["access_token"]),
                refresh_token=str(answer.get("refresh_token") or refresh_token),
                refresh_at=self._now() + lifetime - min(self._early, lifetime / 2),
                origin=self._origin,
                home=str(answer.get("instance_url") or answer.get("api_domain") or ""),  # Salesforce's, Pipedrive's
            )
        except (KeyError, TypeError, ValueError):
            raise TokenError("the token endpoint's answer holds no token; check the address in the settings") from None
        redaction.register(token.access_token, token.refresh_token)
        if self._store is None and token.refresh_token != refresh_token:
            logger.warning("the refresh token was replaced by the vendor and there is no token store to keep it in")
        return token


def refresh_grant(
    session: ApiSession,
    path: str,
    *,
    client_id: str,
    client_secret: str,
    revoked: frozenset[str] = _REVOKED,
) -> Callable[[str], Mapping[str, Any]]:
    """The refresh-token grant (RFC 6749 §6) as a form POST to `path` of the token host's session, without auth."""

    def grant(refresh_token: str) -> Mapping[str, Any]:
        form = {
            "grant_type": "refresh_token",
            "client_id": client_id,
            "client_secret": client_secret,
            "refresh_token": refresh_token,
        }
        try:
            answer: Mapping[str, Any] = session.post_form(path, form)
        except ApiError as error:
            if _codes(error) & revoked:
                raise ConfigError("the refresh token was revoked or has run out; connect again for a new one") from None
            if error.status in {400, 401, 403}:
                raise ConfigError("the token endpoint refused client_id, client_secret or refresh_token") from None
            raise
        return answer

    return grant


def _codes(error: ApiError) -> set[str]:
    """The machine-readable codes of a refused grant."""
    try:
        body = error.response.json() if error.response is not None else {}
    except ValueError:
        return set()
    return {str(body.get(name)) for name in ("error", "status")} if isinstance(body, dict) else set()
