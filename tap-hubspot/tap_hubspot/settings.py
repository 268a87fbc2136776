"""The settings of tap-hubspot, and what a schema cannot say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from crmdb_core.settings import common_settings, oauth_settings
from tap_hubspot.pairs import PATTERN

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
        *_access(),
        *_api(),
        *_quota(),
        *_properties(),
        *_quiet_changes(),
        *_legacy(),
        *common_settings(lookback=LOOKBACK_SECONDS, hold_back=HOLD_BACK_SECONDS),
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
        *oauth_settings("HubSpot", "account"),
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
            default=12,
            title="Concurrency",
            description="How many calls of one stream are under way at the same time.",
        ),
        th.Property(
            "refresh_schema",
            th.BooleanType,
            default=True,
            title="Refresh schema",
            description="With a catalog, ask for the properties of the selected objects all the same (one call each): "
            "those added or changed since it was made are then read as they are now.",
        ),
        th.Property(
            "parallel_lists",
            th.BooleanType,
            default=True,
            title="Parallel lists",
            description="Read the list of an object from several start points at once when everything is read. It is "
            "faster and costs one search per start point; nothing else depends on it.",
        ),
    ]


def _quota() -> list[th.Property[Any]]:
    return [
        th.Property(
            "max_daily_share",
            th.NumberType(exclusive_minimum=0, maximum=1),
            default=0.9,
            title="Largest share of the daily limit",
            description="Which share of the account's daily calls may be used up, by everybody together, before the "
            "tap stops by itself with exit code 75. The rest is left to others.",
        ),
    ]


def _quiet_changes() -> list[th.Property[Any]]:
    """What moves no modified date at HubSpot, and how often it is read all the same."""
    return [
        th.Property(
            "associations",
            th.ArrayType(th.StringType(pattern=PATTERN)),
            default=["contacts:*", "companies:*", "deals:*", "tickets:*"],
            title="Associations",
            description="Which associations are read, as `from:to` patterns of object types, such as "
            "`contacts:companies` or `*:*`. There is a stream for every type on the left; none for `[]`.",
        ),
        th.Property(
            "associations_full_every",
            th.IntegerType(minimum=0),
            default=0,
            title="Associations whole every (hours)",
            description="How often all associations are read. In between, only those of changed records. "
            "0: in every run.",
        ),
        th.Property(
            "history_properties",
            th.ArrayType(th.StringType(pattern=PATTERN)),
            default=[],
            title="Properties with history",
            description="Whose earlier values are read, as `object:property` patterns, such as `deals:dealstage` or "
            "`contacts:*`. There is a stream for every type on the left; calculated properties must be named in full.",
        ),
        th.Property(
            "refresh_calculated_every",
            th.IntegerType(minimum=0),
            default=0,
            title="Calculated properties every (hours)",
            description="How often the calculated properties of all records are read again. 0: never.",
        ),
        th.Property(
            "sweep_ids_every",
            th.IntegerType(minimum=0),
            default=0,
            title="Ids every (hours)",
            description="How often the ids of all records are listed, so that the target removes what was deleted "
            "for good. 0: never.",
        ),
    ]


def _legacy() -> list[th.Property[Any]]:
    return [
        th.Property(
            "legacy",
            th.BooleanType(),
            default=False,
            title="Legacy endpoints",
            description="Read form_submissions, email_events, email_campaigns and subscription_changes too, which "
            "HubSpot has only at endpoints without a date, and forms from v3 where the dated beta is not open. HubSpot "
            "stops supporting those endpoints in September 2027.",
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
    if not _may_be_token(config.get("access_token") or ""):
        yield "access_token: holds a blank, a line break or a character that no token has; copy it again"
    if config.get("token_store") and not given:
        yield "token_store: is for OAuth only; remove it or give " + ", ".join(OAUTH)


def _may_be_token(text: str) -> bool:
    """Whether a text can stand in a header at all; HubSpot answers 530, or 401 as of 1970, to one that cannot."""
    return text.isascii() and text.isprintable() and " " not in text and text[:1] not in {'"', "'"}
