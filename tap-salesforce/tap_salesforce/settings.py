"""The settings of tap-salesforce, and what a schema cannot say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from crmdb_core.settings import common_settings
from tap_salesforce.access import access_faults
from tap_salesforce.reading_settings import reading_settings
from tap_salesforce.versions import NEWEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# A row is visible when its transaction commits, with the stamp of when it was written; the longest transaction of
# Apex is 10 minutes (vendor page "Execution Governors and Limits").
LOOKBACK_SECONDS = 600
HOLD_BACK_SECONDS = 0


def settings() -> dict[str, Any]:
    """All settings as JSON schema."""
    return th.PropertiesList(
        *_access(),
        *_legacy_access(),
        *_api(),
        *_streams(),
        *reading_settings(),
        *_quota(),
        *common_settings(lookback=LOOKBACK_SECONDS, hold_back=HOLD_BACK_SECONDS),
    ).to_dict()


def faults(config: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the settings that a schema cannot say."""
    yield from access_faults(config)


def _text(name: str, title: str, description: str, **options: Any) -> th.Property[Any]:
    return th.Property(name, th.StringType(min_length=1), title=title, description=description, **options)


def _access() -> list[th.Property[Any]]:
    return [
        _text(
            "login_url",
            "Login URL",
            "Where tokens are asked for: `https://YOUR-DOMAIN.my.salesforce.com` (client credentials work there only), "
            "`https://test.salesforce.com` for sandboxes, or any other host.",
            default="https://login.salesforce.com",
        ),
        _text("client_id", "Client ID", "The consumer key of your External Client App."),
        _text(
            "client_secret",
            "Client secret",
            "Its consumer secret. With `client_id` alone: the client credentials flow.",
            secret=True,
        ),
        _text(
            "refresh_token",
            "Refresh token",
            "For the refresh token flow, with `client_id` and, unless the app needs none, `client_secret`.",
            secret=True,
        ),
        _text(
            "jwt_key",
            "JWT key",
            "For the JWT bearer flow: the private key (PEM, RSA) of the app's certificate, as text, with `client_id` "
            "and `jwt_user`.",
            secret=True,
        ),
        _text("jwt_key_file", "JWT key file", "The same as a file."),
        _text("jwt_user", "JWT user", "For the JWT bearer flow: the user name whom the tap acts for."),
        _text(
            "audience",
            "Audience",
            "For the JWT bearer flow: whom the token is meant for. Without it `https://test.salesforce.com` where "
            "`login_url` is that of a sandbox, else `https://login.salesforce.com`; also where `login_url` is a My "
            "Domain.",
        ),
        _text(
            "access_token",
            "Access token",
            "An access token (session ID) as it is, with `instance_url`. It cannot be renewed.",
            secret=True,
        ),
        _text("instance_url", "Instance URL", "For `access_token`: where the org's API is."),
        _text(
            "token_store",
            "Token store",
            "A file of the tap's own (mode 0600) that keeps tokens between runs. Needed where refresh tokens are "
            "rotated: each is good for one use only.",
        ),
    ]


def _legacy_access() -> list[th.Property[Any]]:
    return [
        _text(
            "username",
            "User name (legacy)",
            "LEGACY: for the username-password flow, with `client_id` and `client_secret`. Salesforce blocks it in new "
            "orgs; use client credentials.",
        ),
        _text("password", "Password (legacy)", "LEGACY: the user's password.", secret=True),
        _text("security_token", "Security token (legacy)", "LEGACY: the user's security token.", secret=True),
    ]


def _api() -> list[th.Property[Any]]:
    return [
        th.Property(
            "api_version",
            th.StringType(pattern=r"^v?\d{2,3}\.0$"),
            default=NEWEST,
            title="API version",
            description="The API version to read by. An org that does not offer it is read by the newest one below it.",
        ),
        th.Property(
            "api_type",
            th.StringType(allowed_values=["auto", "rest", "bulk"]),
            default="auto",
            title="API",
            description="Which API reads records: REST, the Bulk API 2.0, or whichever costs less for each stream.",
        ),
        th.Property(
            "concurrency",
            th.IntegerType(minimum=1, maximum=32),
            default=8,
            title="Concurrency",
            description="How many calls are under way at the same time.",
        ),
        _text(
            "cache_dir",
            "Cache folder",
            "Where descriptions of objects are kept between runs (no record values; readable by you only), so that "
            "only changed ones are sent again. Without it: the user's cache folder. `none`: nowhere.",
        ),
        th.Property(
            "refresh_schema",
            th.BooleanType,
            default=True,
            title="Refresh schema",
            description="With a catalog, ask for the fields of the selected objects all the same (one call for 25 "
            "objects): those added or changed since it was made are then read as they are now.",
        ),
    ]


def _streams() -> list[th.Property[Any]]:
    return [
        th.Property(
            "streams",
            th.ArrayType(th.StringType(min_length=1)),
            title="Streams",
            description="Which objects are streams, as patterns: `Account`, `*__c`; `!*Share` leaves out; `*` is "
            "everything that can be queried. Without it: the usual standard objects and all custom objects.",
        ),
        th.Property(
            "reports",
            th.ArrayType(th.StringType(min_length=1)),
            default=[],
            title="Reports",
            description="Ids of reports to read, each as a stream of its own (at most 2,000 rows each, as Salesforce "
            "gives no more).",
        ),
        th.Property(
            "list_views",
            th.ArrayType(th.StringType(pattern=r"^\w+:\w+$")),
            default=[],
            title="List views",
            description="List views to read, as `Object:ViewId`, each as a stream of its own.",
        ),
    ]


def _quota() -> list[th.Property[Any]]:
    share = th.NumberType(exclusive_minimum=0, maximum=1)
    return [
        th.Property(
            "max_daily_share",
            share,
            default=0.8,
            title="Largest share of the daily limit",
            description="Which share of the org's calls of 24 hours may be used up, by everybody together, before the "
            "tap stops by itself with exit code 75. The rest is left to others.",
        ),
        th.Property(
            "max_run_share",
            share,
            default=0.25,
            title="Largest share for one run",
            description="Which share of the org's calls of 24 hours one run may use.",
        ),
    ]
