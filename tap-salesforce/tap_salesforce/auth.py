"""Access tokens: asked for at `login_url` by one of four grants, or given as they are."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt
from requests.auth import AuthBase
from typing_extensions import override

from crmdb_core.exceptions import ApiError, ConfigError, TryLaterError
from crmdb_core.tokens import RefreshTokenAuth, TokenError, TokenStore
from tap_salesforce.access import audience_of, signing_key, way_of
from tap_salesforce.paths import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from crmdb_core.http import ApiSession

    Config = Mapping[str, Any]
    Form = dict[str, str]
    Grant = Callable[[str], Mapping[str, Any]]

__all__ = ["FixedToken", "RenewedToken", "TokenEndpoint", "open_access"]

logger = logging.getLogger(__name__)

# Answers have no expires_in: a session lasts two hours since its last use unless the org says otherwise, and use
# extends it (vendor page "Session Settings"). One that ends sooner is met by a 401, and renewed then.
_LIFETIME = 7200
_ASSERTION_SECONDS = 180  # a JWT must expire within 5 minutes (vendor page "OAuth 2.0 JWT Bearer Flow")
_MOST_SKEW = timedelta(seconds=30)
_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"

# What the endpoint's `error_description`, or else its `error`, means here: the first that is part of it.
_MEANINGS = (
    ("hasn't approved", "the user has not approved the app; pre-authorize the user's profile or permission set in it"),
    ("not admin approved", "the user may not use the app; pre-authorize the user's profile or permission set in it"),
    (
        "audience",
        "the audience is refused; set audience to https://login.salesforce.com or https://test.salesforce.com",
    ),
    ("expired authorization code", "the JWT came too late or too early; correct this machine's clock"),
    ("assertion", "the JWT is refused; check that jwt_key belongs to the certificate in the app, and jwt_user"),
    ("no client credentials user", "the app has no user to run as; choose one in its client credentials flow"),
    ("not supported on this domain", "client credentials work on My Domain only; set login_url to it"),
    ("expired access/refresh token", "the refresh token was revoked, used before or has run out; connect again"),
    ("token request is already being processed", "another run uses the same refresh token; give both one token_store"),
    ("authentication failure", "user name, password or security token are wrong, or the org blocks this legacy way"),
    ("inactive user", "the user is not active"),
    ("invalid_client", "client_id or client_secret are wrong, or the app is younger than ten minutes"),
    ("unsupported_grant_type", "this way of access is not open here; enable its flow in the app, and check login_url"),
    ("invalid_app_access", "the user may not use the app; pre-authorize the user's profile or permission set in it"),
    ("inactive_org", "the org is not active"),
)
_TOO_MANY_LOGINS = "rate limit"


class FixedToken(AuthBase):
    """An access token as it was given; it ends when it ends."""

    def __init__(self, token: str, instance_url: str) -> None:
        self._token = token
        self.instance_url = instance_url
        self.identity = _digest(token)

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self._token}"
        return r

    def facts(self) -> dict[str, str]:
        """For `--check`."""
        return {"token": "access token, as given"}


class RenewedToken(AuthBase):
    """Access tokens that are renewed in time, and once for all threads when one was refused.

    `identity` tells credentials apart, and nothing of them.
    """

    def __init__(self, grant: Grant, *, first: str, kind: str, identity: str, store: TokenStore | None) -> None:
        self._tokens = RefreshTokenAuth(grant, refresh_token=first, store=store)
        self._kind = kind
        self._instance_url = ""
        self.identity = identity

    @property
    def instance_url(self) -> str:
        """Where the API is that the tokens are for."""
        if not self._instance_url:
            self._instance_url = self._tokens.home
            if not self._instance_url:
                raise TokenError("the token endpoint tells no instance_url; check login_url")
        return self._instance_url

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r = self._tokens(r)
        self._stay()
        return r

    def refresh(self) -> None:
        """Replace an access token that was refused."""
        self._tokens.refresh()
        self._stay()

    def _stay(self) -> None:
        """A token goes nowhere but to the host that it was made for."""
        if self._instance_url and self._tokens.home != self._instance_url:
            raise TokenError("the org has moved to another instance; run again, and the run goes on from its STATE")

    def facts(self) -> dict[str, str]:
        """For `--check`."""
        return {"token": self._kind}


@dataclass(frozen=True)
class TokenEndpoint:
    """Asks for tokens; `session` is that of the login host, without any token."""

    session: ApiSession

    def ask(self, form: Form) -> Mapping[str, Any]:
        """One grant; raises what the refusal means."""
        try:
            answer: Mapping[str, Any] = self.session.post_form(TOKEN, form)
        except ApiError as error:
            raise _meaning(error) or error from None
        return {"expires_in": _LIFETIME, **answer}

    def ask_by_jwt(self, make: Callable[[], Form]) -> Mapping[str, Any]:
        """The same for a form that holds a time; if the server's clock turns out to be another, once more by that."""
        assumed = self.session.server_now()
        try:
            return self.ask(make())
        except ConfigError:
            if abs(self.session.server_now() - assumed) < _MOST_SKEW:
                raise
            return self.ask(make())


def open_access(config: Config, session: ApiSession) -> FixedToken | RenewedToken:
    """The access that the settings choose; `session` is that of the login host, without any token."""
    way = way_of(config)
    assert way is not None  # `access_faults` has seen to it
    if not way.renews:
        return FixedToken(config["access_token"], config["instance_url"])
    endpoint = TokenEndpoint(session)
    grants: Mapping[str, Callable[[], Grant]] = {
        "refresh token": lambda: _refresh(config, endpoint),
        "JWT bearer": lambda: _jwt(config, endpoint),
        "username and password": lambda: _password(config, endpoint),
        "client credentials": lambda: _client_credentials(config, endpoint),
    }
    identity = _digest(*(str(config.get(name) or "") for name in sorted({"login_url", *way.settings})))
    return RenewedToken(
        grants[way.name](),
        first=str(config.get("refresh_token") or identity),  # with another way there is none, but another origin
        kind=way.name,
        identity=identity,
        store=TokenStore(config["token_store"]) if config.get("token_store") else None,
    )


def _refresh(config: Config, endpoint: TokenEndpoint) -> Grant:
    return lambda token: endpoint.ask({"grant_type": "refresh_token", "refresh_token": token, **_client(config)})


def _client_credentials(config: Config, endpoint: TokenEndpoint) -> Grant:
    return lambda _: endpoint.ask({"grant_type": "client_credentials", **_client(config)})


def _password(config: Config, endpoint: TokenEndpoint) -> Grant:
    logger.warning("access by username and password is legacy, and blocked in new orgs; use client credentials")
    password = f"{config['password']}{config.get('security_token') or ''}"
    form = {"grant_type": "password", "username": config["username"], "password": password, **_client(config)}
    return lambda _: endpoint.ask(form)


def _jwt(config: Config, endpoint: TokenEndpoint) -> Grant:
    key = signing_key(config)

    def form() -> Form:
        ends = endpoint.session.server_now() + timedelta(seconds=_ASSERTION_SECONDS)
        claims = {
            "iss": config["client_id"],
            "sub": config["jwt_user"],
            "aud": audience_of(config),
            "exp": int(ends.timestamp()),
        }
        return {"grant_type": _JWT_BEARER, "assertion": jwt.encode(claims, key, algorithm="RS256")}

    return lambda _: endpoint.ask_by_jwt(form)


def _client(config: Config) -> Form:
    return {name: config[name] for name in ("client_id", "client_secret") if config.get(name)}


def _meaning(error: ApiError) -> ConfigError | TryLaterError | None:
    """What a refusal of the endpoint means; None where it is no refusal of the credentials."""
    if error.status not in {400, 401, 403}:
        return None
    body = _body(error)
    told = f"{body.get('error_description', '')} {body.get('error', '')}".lower()
    if _TOO_MANY_LOGINS in told:
        return TryLaterError("Salesforce allows no more logins of this user just now; run again in an hour")
    found = next((meaning for part, meaning in _MEANINGS if part in told), None)
    return ConfigError(f"Salesforce gives no token: {found or 'the credentials are refused; check them and login_url'}")


def _body(error: ApiError) -> Mapping[str, Any]:
    try:
        body = {} if error.response is None else error.response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
