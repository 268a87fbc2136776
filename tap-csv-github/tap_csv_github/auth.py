"""The ways of access: a token that stays, the installation of a GitHub App, or none."""

from __future__ import annotations

import base64
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from requests.auth import AuthBase
from typing_extensions import override

from crmdb_core import redaction
from crmdb_core.exceptions import ApiError, ConfigError
from crmdb_core.instants import parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from crmdb_core.http import ApiSession

__all__ = ["AppAuth", "GitAuth", "InstallationAuth", "TokenAuth", "private_key"]

# Docs, "Generating a JSON web token (JWT) for a GitHub App": issued 60 s ago against drift, at most 10 minutes long.
_ISSUED_AGO, _LIFETIME = 60, 540
_EARLY = timedelta(minutes=5)


class TokenAuth(AuthBase):
    """A personal access token, classic or fine-grained, or a ready installation token, of whatever length."""

    def __init__(self, token: str) -> None:
        self.token = token

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self.token}"
        return r


def private_key(text: str) -> RSAPrivateKey:
    r"""The key in a PEM text, in which line breaks may be written `\n` as environment variables have them."""
    # here and below, for a run without an app is to start without it
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - see above

    try:
        key = serialization.load_pem_private_key(text.replace("\\n", "\n").encode(), password=None)
    except (ValueError, TypeError):
        raise ConfigError("app_private_key: is no PEM private key; give the text of the file from GitHub") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ConfigError("app_private_key: is no RSA key; give the text of the file from GitHub")
    return key


class AppAuth(AuthBase):
    """Signs requests as the app itself, by `now`, the server's clock; a refused one is signed anew."""

    def __init__(self, app_id: str, key: RSAPrivateKey) -> None:
        self._app_id = app_id
        self._key = key
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self._jwt()}"
        return r

    def refresh(self) -> None:
        """After a 401: its Date header has told the server's time, by which the next one is signed."""

    def _jwt(self) -> str:
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - as in `private_key`
        from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415 - as in `private_key`

        now = int(self.now().timestamp())
        claims = {"iat": now - _ISSUED_AGO, "exp": now + _LIFETIME, "iss": self._app_id}
        text = ".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{_encoded(signature)}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class InstallationAuth(AuthBase):
    """Signs requests with tokens of one installation, each good for an hour, renewed five minutes before its end."""

    def __init__(self, session: ApiSession, installation_id: str, now: Callable[[], datetime]) -> None:
        self._session = session
        self._path = f"app/installations/{installation_id}/access_tokens"
        self._now = now
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = datetime.min.replace(tzinfo=UTC)

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self.token}"
        return r

    @property
    def token(self) -> str:
        """The current token."""
        with self._lock:
            if self._now() >= self._renew_at:
                self._ask()
            return self._token

    def refresh(self) -> None:
        """Replace a token that was refused."""
        with self._lock:
            self._ask()

    def _ask(self) -> None:
        try:
            answer = self._session.post_json(self._path, {})
        except ApiError as error:
            if error.status in {401, 403, 404}:
                raise ConfigError(
                    f"GitHub refused the app ({error.status}); check app_id, app_private_key and app_installation_id"
                ) from None
            raise
        self._token = str(answer["token"])
        redaction.register(self._token)
        self._renew_at = parse_instant(answer["expires_at"]) - _EARLY


class GitAuth(AuthBase):
    """Git over HTTPS, Git LFS too, takes a token as the password of any user."""

    def __init__(self, auth: TokenAuth | InstallationAuth) -> None:
        self._auth = auth

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        both = base64.b64encode(f"x-access-token:{self._auth.token}".encode()).decode()
        r.headers["Authorization"] = f"Basic {both}"
        return r
