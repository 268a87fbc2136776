"""The two ways of access: a token that stays, and an OAuth app whose tokens `crmdb_core.tokens` renews."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from requests.auth import AuthBase
from typing_extensions import override

from crmdb_core.exceptions import ApiError
from crmdb_core.tokens import RefreshTokenAuth, TokenStore, refresh_grant

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from crmdb_core.http import ApiSession
    from tap_hubspot.paths import Paths


class TokenAuth(AuthBase):
    """A service key or the token of a private app: both are bearer tokens that do not expire by themselves."""

    def __init__(self, token: str) -> None:
        self._token = token

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self._token}"
        return r

    def facts(self) -> dict[str, str]:
        """The kind of token; neither its scopes nor its app can be asked for."""
        is_key = self._token.startswith("pat-")
        return {"token": "service key or private app" if is_key else "access token, as given"}


@dataclass(frozen=True)
class OAuthApp:
    """An OAuth app; `session` has no access token of its own."""

    session: ApiSession
    paths: Paths
    client_id: str
    client_secret: str = field(repr=False)

    def auth(self, refresh_token: str, token_store: str | None) -> OAuthAuth:
        """Signs requests with access tokens of one connected account."""
        grant = refresh_grant(
            self.session, self.paths.token, client_id=self.client_id, client_secret=self.client_secret
        )
        store = TokenStore(token_store) if token_store else None
        return OAuthAuth(self, RefreshTokenAuth(grant, refresh_token=refresh_token, store=store))

    def scopes_of(self, access_token: str) -> list[str]:
        """The scopes that an access token has, sorted; [] where HubSpot does not tell.

        Unverified: the fields of `POST /oauth/.../token/introspect`; `scopes` is what the token endpoint answers too.
        """
        form = {"client_id": self.client_id, "client_secret": self.client_secret, "token": access_token}
        try:
            answer: Mapping[str, Any] = self.session.post_form(self.paths.introspect, form)
        except ApiError:
            return []
        return sorted(map(str, answer.get("scopes") or ()))


class OAuthAuth(AuthBase):
    """The access of one OAuth app to one account."""

    def __init__(self, app: OAuthApp, tokens: RefreshTokenAuth) -> None:
        self._app = app
        self._tokens = tokens
        self.refresh = tokens.refresh

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        return self._tokens(r)

    def facts(self) -> dict[str, str]:
        """The kind of token, and the scopes that the account granted."""
        scopes = self._app.scopes_of(self._tokens.access_token)
        return {"token": "OAuth app", **({"scopes": ", ".join(scopes)} if scopes else {})}
