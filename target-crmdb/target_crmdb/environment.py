"""Settings from the environment."""

from collections.abc import Mapping
from typing import Any

from singer_sdk.configuration._dict_config import parse_environment_config

from target_crmdb.exceptions import ConfigError


def environment_settings(schema: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Read the settings of a schema from variables; raises ConfigError for one that is not of its type.

    What may be a text or an object is taken as text, which the SDK would take for JSON: it may be a path.
    """
    properties = {name: _textual(setting) for name, setting in schema["properties"].items()}
    try:
        return dict(parse_environment_config({**schema, "properties": properties}, prefix))
    except ValueError:  # its words quote the value
        raise ConfigError(
            f"A variable {prefix}… cannot be read; write objects and lists as JSON, and whole numbers in digits"
        ) from None


def _textual(setting: Mapping[str, Any]) -> Mapping[str, Any]:
    is_either = {"string", "object"} <= {*(setting.get("type") or ())}
    return {**setting, "type": ["string", "null"]} if is_either else setting
