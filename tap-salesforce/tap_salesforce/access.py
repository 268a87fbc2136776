"""Which way of access the settings give: exactly one, whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from crmdb_core.config_file import protect
from crmdb_core.exceptions import ConfigError
from crmdb_core.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    Config = Mapping[str, Any]

__all__ = ["Way", "access_faults", "audience_of", "signing_key", "way_of"]

LOGIN, SANDBOX = "https://login.salesforce.com", "https://test.salesforce.com"
_KEY_SETTINGS = ("jwt_key", "jwt_key_file")
_CLIENT = ("client_id", "client_secret")


@dataclass(frozen=True)
class Way:
    """A way of access: the settings that choose it, those that it needs beside, and those that it may have."""

    name: str
    by: tuple[str, ...]
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    renews: bool = True
    """Whether new tokens can be had without a person."""

    @property
    def settings(self) -> frozenset[str]:
        """All settings of this way."""
        return frozenset((*self.by, *self.needs, *self.may))

    def missing(self, config: Config) -> list[str]:
        """What it needs and the settings lack."""
        return [name for name in self.needs if not config.get(name)]


# the first whose own settings are given is the one
WAYS = (
    Way("access token", ("access_token", "instance_url"), ("access_token", "instance_url"), renews=False),
    Way("refresh token", ("refresh_token",), ("client_id",), ("client_secret",)),
    Way("JWT bearer", (*_KEY_SETTINGS, "jwt_user"), ("client_id", "jwt_user"), ("audience",)),
    Way("username and password", ("username", "password"), ("username", "password", *_CLIENT), ("security_token",)),
    Way("client credentials", _CLIENT, _CLIENT),
)
_ALL = frozenset().union(*(way.settings for way in WAYS)) - {"audience"}


def way_of(config: Config) -> Way | None:
    """The way that the settings choose; None where they give none."""
    return next((way for way in WAYS if any(config.get(name) for name in way.by)), None)


def access_faults(config: Config) -> Iterator[str]:
    """What is wrong with the way of access."""
    way = way_of(config)
    if way is None:
        yield (
            "client_id: missing; give client_id and client_secret (client credentials), or the settings of another way "
            "of access (see the README)"
        )
        return
    if missing := way.missing(config):
        yield f"{', '.join(missing)}: missing for access by {way.name}"
    if surplus := sorted(name for name in _ALL - way.settings if config.get(name)):
        yield f"{', '.join(surplus)}: not for access by {way.name}, which {way.by[0]} chooses; give one way only"
    if config.get("token_store") and not way.renews:
        yield f"token_store: is not for access by {way.name}, which has nothing to renew; remove it"
    yield from _url_faults(config)
    if way.name == "JWT bearer":
        yield from _key_faults(config)
    if not _may_be_token(config.get("access_token") or ""):
        yield "access_token: holds a blank, a line break or a character that no token has; copy it again"


def _url_faults(config: Config) -> Iterator[str]:
    for name in ("login_url", "instance_url"):
        if config.get(name):
            try:
                Origin(config[name])
            except ConfigError:
                yield f"{name}: must be an http or https URL without user name, such as https://x.my.salesforce.com"


def _key_faults(config: Config) -> Iterator[str]:
    given = [name for name in _KEY_SETTINGS if config.get(name)]
    if len(given) != 1:
        yield "jwt_key: give the private key either as jwt_key or as jwt_key_file"
        return
    try:
        signing_key(config)
    except ConfigError as error:
        yield str(error)


def signing_key(config: Config) -> RSAPrivateKey:
    """The private key of the settings; raises ConfigError, which quotes nothing of it."""
    name = "jwt_key_file" if config.get("jwt_key_file") else "jwt_key"
    try:
        key = load_pem_private_key(_pem(config), password=None)
    except OSError as error:
        raise ConfigError(f"jwt_key_file: cannot be read ({error.strerror})") from None
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError(f"{name}: is no RSA private key in PEM form without a passphrase")
    return key


def _pem(config: Config) -> bytes:
    if config.get("jwt_key_file"):
        path = Path(config["jwt_key_file"])
        protect(path)
        return path.read_bytes()
    # one line with \n in it is what environment variables and .env files make of it
    return str(config["jwt_key"]).replace("\\n", "\n").encode()


def audience_of(config: Config) -> str:
    """Whom a JWT is meant for: login or test, also on a My Domain (restforce PR 886, simple-salesforce PR 711)."""
    if config.get("audience"):
        return str(config["audience"])
    host = urlsplit(str(config["login_url"])).hostname or ""
    return SANDBOX if host == urlsplit(SANDBOX).hostname or ".sandbox." in host else LOGIN


def _may_be_token(text: str) -> bool:
    """Whether a text can stand in a header at all."""
    return text.isascii() and text.isprintable() and " " not in text and text[:1] not in {'"', "'"}
