"""A token that stays; OAuth is `crmdb_core.tokens`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from requests.auth import AuthBase
from typing_extensions import override

if TYPE_CHECKING:
    import requests


class TokenAuth(AuthBase):
    """A service key or the token of a private app: both are bearer tokens that do not expire by themselves."""

    def __init__(self, token: str) -> None:
        self._token = token

    @override
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = f"Bearer {self._token}"
        return r
