"""The one scheme, host and port that a session may talk to, so that a token never leaves it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from typing_extensions import override
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from crmdb_core.exceptions import ConfigError, SecurityError

__all__ = ["Origin"]

_PORTS = {"http": 80, "https": 443}
_ABSOLUTE = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:|//)")
_SUSPECT = re.compile(r"[\\\x00-\x20\x7f]")


@dataclass(frozen=True)
class Origin:
    """Builds URLs below `base` and refuses every URL that points elsewhere."""

    base: str

    def __post_init__(self) -> None:
        """Refuse an API root that is no plain http(s) URL."""
        try:
            known = _triple(self.base)[0] in _PORTS
        except (ValueError, LocationParseError):
            known = False
        if not known:
            raise ConfigError(
                "api_url: must be an http or https URL without user name, such as https://api.example.com"
            )

    def url(self, link: str) -> str:
        """The URL for a path below the base or an absolute link (a next page); raises SecurityError off origin."""
        if _ABSOLUTE.match(link):
            return self.check(urljoin(self.base, link))
        return self.check(f"{self.base.rstrip('/')}/{link.lstrip('/')}")

    def follow(self, url: str, location: str) -> str:
        """The target of a redirect from `url`; raises SecurityError off origin."""
        return self.check(urljoin(url, location))

    def check(self, url: str) -> str:
        """Return the URL if it has this scheme, host and port and no user name; else raise SecurityError."""
        if _SUSPECT.search(url):
            raise SecurityError("a link with a backslash, blank or control character was refused")
        try:
            # a query can be long, and is no part of them
            same = _triple(url.partition("?")[0]) == _triple(self.base)
        except (ValueError, LocationParseError):
            same = False
        if not same:
            raise SecurityError(
                f"a link or redirect away from {self} was refused, so that the credentials stay there; "
                "if the API has moved, change api_url",
            )
        return url

    @override
    def __str__(self) -> str:
        parts = urlsplit(self.base)
        return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"


def _triple(url: str) -> tuple[str, str, int]:
    """Scheme, host, port; ValueError for user info or where the two parsers in play (urllib's, urllib3's) differ."""
    parts, other = urlsplit(url), parse_url(url)
    if parts.username is not None or parts.password is not None or other.auth is not None:
        raise ValueError("user info")
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    port = parts.port or _PORTS.get(scheme, 0)
    theirs = ((other.scheme or "").lower(), (other.host or "").lower().strip("[]"), other.port or port)
    if not host or (scheme, host, port) != theirs:
        raise ValueError("unclear URL")
    return scheme, host, port
