"""The settings of tap-pipedrive, and what a schema cannot say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from crmdb_core.settings import common_settings, oauth_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OAUTH = ("client_id", "client_secret", "refresh_token")
POLICIES = ("name", "code", "both")
_ANY_COMPANY = "https://api.pipedrive.com"

# Unverified: how soon a write shows in lists. Together the two cover two minutes.
HOLD_BACK_SECONDS = 60
LOOKBACK_SECONDS = 60


def settings() -> dict[str, Any]:
    """All settings as JSON schema."""
    return th.PropertiesList(
        *_access(),
        *_api(),
        *_budget(),
        *_reading(),
        *common_settings(lookback=LOOKBACK_SECONDS, hold_back=HOLD_BACK_SECONDS),
    ).to_dict()


def api_root(config: Mapping[str, Any]) -> str:
    """The root of the API: as given, else the company's own address, else that of all companies."""
    if config.get("api_url"):
        return str(config["api_url"])
    company = config.get("company_domain")
    return f"https://{company}.pipedrive.com" if company else _ANY_COMPANY


def _access() -> list[th.Property[Any]]:
    return [
        th.Property(
            "api_token",
            th.StringType(min_length=1),
            secret=True,
            title="API token",
            description="Your own API token (Settings > Personal preferences > API). Either this or the three OAuth "
            "settings. It is sent in a header only.",
        ),
        *oauth_settings("Pipedrive", "company", loss=", and a refresh token that Pipedrive replaces is lost"),
    ]


def _api() -> list[th.Property[Any]]:
    return [
        th.Property(
            "company_domain",
            th.StringType(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$"),
            title="Company domain",
            description="The first part of your company's address: `acme` of `acme.pipedrive.com`. Needed for OAuth.",
        ),
        th.Property(
            "api_url",
            th.StringType(min_length=1),
            title="API root",
            description="The root of the API, in place of the company's own address or https://api.pipedrive.com. "
            "Tokens are sent nowhere else.",
        ),
        th.Property(
            "oauth_url",
            th.StringType(min_length=1),
            default="https://oauth.pipedrive.com",
            title="OAuth root",
            description="Where access tokens are fetched.",
        ),
        th.Property(
            "page_size",
            th.IntegerType(minimum=1, maximum=500),
            default=500,
            title="Page size",
            description="How many rows one call asks for. A call costs the same tokens whatever its size.",
        ),
        th.Property(
            "concurrency",
            th.IntegerType(minimum=1, maximum=16),
            default=4,
            title="Concurrency",
            description="How many calls of one stream of what hangs on deals are under way at the same time.",
        ),
    ]


def _budget() -> list[th.Property[Any]]:
    return [
        th.Property(
            "max_daily_share",
            th.NumberType(exclusive_minimum=0, maximum=1),
            default=0.9,
            title="Largest share of the daily budget",
            description="Which share of the company's daily tokens may be used up, by everybody together, before the "
            "tap stops by itself with exit code 75. The rest is left to others.",
        ),
        th.Property(
            "daily_tokens",
            th.IntegerType(minimum=1),
            title="Daily tokens",
            description="The company's daily budget of tokens, for `max_daily_share` where the API does not tell it. "
            "The tap then counts what its own calls of the run cost.",
        ),
    ]


def _reading() -> list[th.Property[Any]]:
    return [
        th.Property(
            "custom_field_names",
            th.StringType(allowed_values=list(POLICIES)),
            default="name",
            title="Names of custom fields",
            description="How the fields of `custom_fields` are named: by their `name` in Pipedrive, by their `code` "
            "(40 digits), or by `both` (the name and the first digits). A name once given stays when the field is "
            "renamed.",
        ),
        th.Property(
            "archived",
            th.BooleanType,
            default=True,
            title="Archived",
            description="Read archived deals, leads and projects too, which Pipedrive keeps in lists of their own.",
        ),
        th.Property(
            "sweep_ids_every",
            th.IntegerType(minimum=0),
            default=0,
            title="Whole every (hours)",
            description="How often streams whose deletions Pipedrive does not tell are read whole, so that the target "
            "removes what is gone. 0: never by itself.",
        ),
    ]


def access_faults(config: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the ways of access: exactly one is needed, whole."""
    given = [name for name in OAUTH if config.get(name)]
    missing = [name for name in OAUTH if not config.get(name)]
    if config.get("api_token") and given:
        yield f"api_token: give either this or OAuth ({', '.join(given)}), not both"
    elif not config.get("api_token") and not given:
        yield f"api_token: missing; give your API token here, or {', '.join(OAUTH)} for OAuth"
    if given and missing:
        yield f"{', '.join(missing)}: missing for OAuth, which needs all of {', '.join(OAUTH)}"
    if given and not (config.get("company_domain") or config.get("api_url")):
        yield "company_domain: missing for OAuth, whose tokens work at the company's own address only"
    if config.get("token_store") and not given:
        yield "token_store: is for OAuth only; remove it or give " + ", ".join(OAUTH)
    token = str(config.get("api_token") or "")
    if not (token.isascii() and token.isprintable() and " " not in token):
        yield "api_token: holds a blank, a line break or a character that no token has; copy it again"
