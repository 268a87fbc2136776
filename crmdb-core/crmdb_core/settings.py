"""The settings that every tap has, and the check of a whole configuration at once."""

from __future__ import annotations

import json
import os
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from singer_sdk.plugin_base import JSONSchemaValidator

from crmdb_core.instants import parse_instant
from crmdb_core.spelling import did_you_mean, explain, unknown_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["common_settings", "faults_of", "from_environment", "misspelt_variables", "oauth_settings"]

_TRUE, _FALSE = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off"})


def common_settings(*, lookback: int = 0, hold_back: int = 60) -> list[th.Property[Any]]:
    """The settings of every tap; a tap gives its own defaults for `lookback` and `hold_back` (seconds)."""
    return [*_reading_settings(lookback, hold_back), *_traffic_settings()]


def oauth_settings(vendor: str, account: str, *, loss: str = "") -> list[th.Property[Any]]:
    """The settings of an OAuth app that is connected to an account of the vendor.

    `loss` says what else is lost without a token store.
    """
    return [
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
            description=f"The refresh token that {vendor} gave when the {account} was connected.",
        ),
        th.Property(
            "token_store",
            th.StringType(min_length=1),
            title="OAuth token store",
            description="A file of the tap's own (mode 0600) that keeps OAuth tokens between runs. Without it a new "
            f"access token is fetched on every run{loss}.",
        ),
    ]


def _reading_settings(lookback: int, hold_back: int) -> list[th.Property[Any]]:
    """What to read."""
    return [
        th.Property(
            "start_date",
            th.DateTimeType,
            title="Start date",
            description="Where the first sync of a stream begins, by last modification. Without it: everything.",
        ),
        th.Property(
            "since",
            th.DateTimeType,
            title="Since",
            description="Read once from this point on, whatever the bookmark says. A point later than the bookmark "
            "leaves the bookmark where it was.",
        ),
        th.Property(
            "full_refresh",
            th.BooleanType,
            default=False,
            title="Full refresh",
            description="Read everything, whatever bookmark and start_date say. `since` is stronger.",
        ),
        th.Property(
            "lookback",
            th.IntegerType(minimum=0),
            default=lookback,
            title="Lookback (seconds)",
            description="How far before the bookmark every run reads again.",
        ),
        th.Property(
            "hold_back",
            th.IntegerType(minimum=0),
            default=hold_back,
            title="Hold-back (seconds)",
            description="How far before the server's present every run stops, so that late visible changes are not "
            "missed.",
        ),
        th.Property(
            "max_records",
            th.IntegerType(minimum=1),
            title="Most records",
            description="Stop every stream after so many records, for a trial. The bookmark never passes what was "
            "emitted.",
        ),
        th.Property(
            "skip_forbidden",
            th.BooleanType,
            default=False,
            title="Skip forbidden streams",
            description="Pass over streams that the credentials may not read, with a warning. Without it the others "
            "are read and the run fails at its end.",
        ),
    ]


def _traffic_settings() -> list[th.Property[Any]]:
    """How to ask for it, and what to say."""
    return [
        th.Property(
            "timeout",
            th.NumberType(exclusive_minimum=0),
            default=60,
            title="Timeout (seconds)",
            description="The longest silence of the server within one answer.",
        ),
        th.Property(
            "retry_attempts",
            th.IntegerType(minimum=1),
            default=7,
            title="Tries per request",
            description="How often one request is tried in all before the stream fails.",
        ),
        th.Property(
            "rate_limit",
            th.NumberType(exclusive_minimum=0),
            title="Rate limit (requests per second)",
            description="A ceiling of your own over all requests, below what the API allows.",
        ),
        th.Property(
            "emit_activate_version_messages",
            th.BooleanType,
            default=True,
            title="Send ACTIVATE_VERSION",
            description="After the last record of a stream that was read whole, tell the target to remove rows that "
            "did not come again.",
        ),
        th.Property(
            "debug",
            th.BooleanType,
            default=False,
            title="Debug",
            description="Log every request and the place of a failure. Secrets and record values stay out.",
        ),
    ]


def faults_of(config: dict[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Every fault of a configuration, in plain words; fills in defaults (as the SDK's validator does)."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    _read_numbers(config, properties)
    faults = explain(JSONSchemaValidator(dict(schema)).iter_errors(config), schema)
    faults += unknown_settings(config, properties)
    for name, setting in properties.items():
        if setting.get("format") == "date-time" and isinstance(config.get(name), str):
            try:
                parse_instant(config[name])
            except ValueError as error:
                faults.append(f"{name}: {error}")
    return faults


def _read_numbers(config: dict[str, Any], properties: Mapping[str, Any]) -> None:
    """Take numbers that came as text: Meltano 4.4 cannot hand over its own kind `decimal` (it fails to write it)."""
    for name, setting in properties.items():
        if isinstance(config.get(name), str) and "number" in setting.get("type", ()):
            config[name] = _number(config[name], "number")


def from_environment(schema: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Settings from variables such as TAP_X_START_DATE; a text that does not fit its type is kept for the check."""
    found: dict[str, Any] = {}
    for name, setting in schema.get("properties", {}).items():
        text = os.environ.get(prefix + _variable(name))
        if text is not None:
            found[name] = _typed(text, setting)
    return found


def misspelt_variables(schema: Mapping[str, Any], prefix: str) -> list[str]:
    """A line for each environment variable with the plugin's prefix that is close to a setting but is none."""
    known = {_variable(name) for name in schema.get("properties", {})} | {"LOGLEVEL"}
    # a double underscore is Meltano's: TAP_X__LOAD_SCHEMA
    given = [name.removeprefix(prefix) for name in os.environ if name.startswith(prefix)]
    strange = [name for name in given if name not in known and not name.startswith("_")]
    hints = {name: did_you_mean(name, known) for name in strange}
    return [f"environment variable {prefix}{name}: no such setting{hint}" for name, hint in hints.items() if hint]


def _variable(setting: str) -> str:
    return setting.upper().replace("-", "_")


def _typed(text: str, setting: Mapping[str, Any]) -> Any:
    kinds = setting.get("type", "string")
    kind = next((item for item in ([kinds] if isinstance(kinds, str) else kinds) if item != "null"), "string")
    lowered = text.strip().lower()
    if kind == "boolean" and lowered in _TRUE | _FALSE:
        return lowered in _TRUE
    if kind in {"integer", "number"}:
        return _number(text, kind)
    if kind in {"array", "object"}:
        return _json(text, kind)
    return text


def _number(text: str, kind: str) -> Any:
    try:
        return int(text) if kind == "integer" else Decimal(text)
    except (ValueError, InvalidOperation):
        return text


def _json(text: str, kind: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.split(",") if kind == "array" else text
