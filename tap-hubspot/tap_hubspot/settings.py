"""The settings of tap-hubspot, and what a schema cannot say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from crmdb_core.settings import common_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OAUTH = ("client_id", "client_secret", "refresh_token")

# HubSpot's search index trails behind its data: seconds as a rule (the vendor's page says "a few moments"; Okta's
# connector waits 60 s after an update), minutes at times (Estuary's holds back 5). Together the two cover 5 minutes.
HOLD_BACK_SECONDS = 60
LOOKBACK_SECONDS = 240


def settings() -> dict[str, Any]:
    """All settings as JSON schema."""
    return th.PropertiesList(
        *_access(), *_api(), *_properties(), *common_settings(lookback=LOOKBACK_SECONDS, hold_back=HOLD_BACK_SECONDS)
    ).to_dict()


def _access() -> list[th.Property[Any]]:
    return [
        th.Property(
            "access_token",
            th.StringType(min_length=1),
            secret=True,
            title="Access token",
            description="A service key or the token of a private app. Either this or the three OAuth settings.",
        ),
        th.Property(
            "client_id",
            th.StringType(min_length=1),
            title="OAuth client ID",
            description="The client ID of your OAuth app.",
        ),
        th.Property(
            "client_secret",
            th.StringType(min_length=1),
            secret=True,
            title="OAuth client secret",
            description="The client secret of your OAuth app.",
        ),
        th.Property(
            "refresh_token",
            th.StringType(min_length=1),
            secret=True,
            title="OAuth refresh token",
            description="The refresh token that HubSpot gave when the account was connected.",
        ),
        th.Property(
            "token_store",
            th.StringType(min_length=1),
            title="OAuth token store",
            description="A file of the tap's own (mode 0600) that keeps OAuth tokens between runs. Without it a new "
            "access token is fetched on every run.",
        ),
    ]


def _api() -> list[th.Property[Any]]:
    return [
        th.Property(
            "api_url",
            th.StringType(min_length=1),
            default="https://api.hubapi.com",
            title="API root",
            description="The root of the API. Tokens are sent nowhere else.",
        ),
        th.Property(
            "api_version",
            th.StringType(pattern=r"^\d{4}-\d{2}(-beta)?$"),
            default="2026-09",
            title="API version",
            description="HubSpot's date-based API version.",
        ),
        th.Property(
            "page_size",
            th.IntegerType(minimum=1, maximum=200),
            default=200,
            title="Page size",
            description="How many ids one search asks for.",
        ),
        th.Property(
            "searches_per_second",
            th.NumberType(exclusive_minimum=0),
            default=5,
            title="Searches per second",
            description="HubSpot allows five for all apps of an account together; give less if others search too.",
        ),
        th.Property(
            "concurrency",
            th.IntegerType(minimum=1, maximum=32),
            default=4,
            title="Concurrency",
            description="How many batch reads are under way at the same time.",
        ),
    ]


def _properties() -> list[th.Property[Any]]:
    return [
        th.Property(
            "text_properties",
            th.ArrayType(th.StringType(min_length=1)),
            default=[],
            title="Text properties",
            description="Properties to emit as the text that HubSpot sends, whatever their type: `amount` for those of "
            "all objects, `deals.amount`, or `deals.*`.",
        ),
        th.Property(
            "sensitive_properties",
            th.BooleanType,
            default=False,
            title="Sensitive properties",
            description="Read the properties that HubSpot keeps as sensitive too, where the key has the scopes for "
            "them.",
        ),
    ]


def access_faults(config: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the ways of access: exactly one is needed, whole."""
    given = [name for name in OAUTH if config.get(name)]
    missing = [name for name in OAUTH if not config.get(name)]
    if config.get("access_token") and given:
        yield f"access_token: give either this or OAuth ({', '.join(given)}), not both"
    elif not config.get("access_token") and not given:
        yield f"access_token: missing; give a service key here, or {', '.join(OAUTH)} for OAuth"
    if given and missing:
        yield f"{', '.join(missing)}: missing for OAuth, which needs all of {', '.join(OAUTH)}"
    if config.get("token_store") and not given:
        yield "token_store: is for OAuth only; remove it or give " + ", ".join(OAUTH)
