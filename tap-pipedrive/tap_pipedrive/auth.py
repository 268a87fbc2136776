"""The two ways of access: an API token in a header, and an OAuth app whose tokens `crmdb_core.tokens` renews."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests.auth import AuthBase, HTTPBasicAuth
from typing_extensions import override

from crmdb_core.exceptions import ApiError, ConfigError
from crmdb_core.tokens import RefreshTokenAuth, TokenStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from crmdb_core.http import ApiSession


class TokenAuth(AuthBase):
    """The API token of one user; it is never put into a URL, where logs would keep it."""

    def __init__(self, token: str) -> None:
        self._token = token

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["x-api-token"] = self._token
        return r


@dataclass(frozen=True)
class OAuthApp:
    """An OAuth app (vendor page "OAuth authorization"): it shows itself by HTTP Basic, the grant is a form."""

    open_session: Callable[..., ApiSession]
    oauth_url: str
    api_url: str
    client_id: str
    client_secret: str = field(repr=False)

    def auth(self, refresh_token: str, token_store: str | None) -> RefreshTokenAuth:
        """Signs requests with access tokens of one connected company."""
        basic = HTTPBasicAuth(self.client_id, self.client_secret)
        session = self.open_session(api_url=self.oauth_url, auth=basic)
        store = TokenStore(token_store) if token_store else None
        return RefreshTokenAuth(lambda token: self._grant(session, token), refresh_token=refresh_token, store=store)

    def _grant(self, session: ApiSession, refresh_token: str) -> Mapping[str, Any]:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        try:
            answer: Mapping[str, Any] = session.post_form("/oauth/token", form)
        except ApiError as error:
            raise _explained(error) from None
        self._check(str(answer.get("api_domain") or ""))
        return answer

    def _check(self, domain: str) -> None:
        """The token is for the company that it names: it must not be sent to another's address."""
        if domain and urlsplit(domain).hostname != urlsplit(self.api_url).hostname:
            raise ConfigError(f"company_domain: the app is connected to {domain}; set company_domain to it")


def _explained(error: ApiError) -> ApiError | ConfigError:
    try:
        code = error.response.json().get("error") if error.response is not None else ""
    except (ValueError, AttributeError):
        code = ""
    if code == "invalid_grant":
        return ConfigError("the refresh token was revoked or has run out; connect the app again for a new one")
    if error.status in {400, 401, 403}:
        return ConfigError("the token endpoint refused client_id, client_secret or refresh_token")
    return error
