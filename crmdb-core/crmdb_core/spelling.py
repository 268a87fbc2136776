"""Configuration faults in plain words: every fault at once, no secret value, and what was probably meant."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from jsonschema import ValidationError

__all__ = ["did_you_mean", "explain", "explain_validation", "unknown_settings"]

_ADDITIONAL = re.compile(r"^Additional properties are not allowed \((.*) (?:was|were) unexpected\)")
_NAMED = re.compile(r" in config\['([^']+)'\]")


def did_you_mean(word: str, known: Collection[str]) -> str:
    """`; did you mean X?` where something close exists, else nothing."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else ""


def unknown_settings(names: Iterable[str], known: Collection[str]) -> list[str]:
    """A line for each setting that does not exist."""
    return [f"{name}: no such setting{did_you_mean(name, known)}" for name in names if name not in known]


def explain(errors: Iterable[ValidationError], schema: Mapping[str, Any]) -> list[str]:
    """A line for each fault that a JSON-schema validator found in a configuration."""
    properties = schema.get("properties", {})
    return [_explain_one(error, properties) for error in errors if error.validator != "additionalProperties"]


def _explain_one(error: ValidationError, properties: Mapping[str, Any]) -> str:
    path = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "required":
        required: Any = error.validator_value
        given: Any = error.instance
        missing = [name for name in required if name not in given]
        return "; ".join(f"{f'{path}.{name}' if path else name}: is missing" for name in missing)
    top = str(error.absolute_path[0]) if error.absolute_path else ""
    wanted = _wanted(error)
    if properties.get(top, {}).get("secret") or not wanted:
        return f"{path or 'settings'}: does not have the required form"
    return f"{path}: {wanted}"


def _wanted(error: ValidationError) -> str:
    """What the schema asks for, said without the value that was given."""
    limits = {
        "minimum": "must be at least {}",
        "exclusiveMinimum": "must be more than {}",
        "maximum": "must be at most {}",
        "minLength": "must have at least {} characters",
        "pattern": "must match {}",
        "const": "must be {}",
    }
    value: Any = error.validator_value
    if error.validator == "type":
        kinds = [value] if isinstance(value, str) else [kind for kind in value if kind != "null"]
        return f"must be of type {' or '.join(kinds)}"
    if error.validator == "enum":
        return f"must be one of {', '.join(str(item) for item in value)}"
    return limits.get(str(error.validator), "").format(value)


def explain_validation(errors: Iterable[str], schema: Mapping[str, Any]) -> list[str]:
    """The SDK's error texts again, with did-you-mean, and without the value where a setting is secret."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    lines: list[str] = []
    for error in errors:
        named = _NAMED.search(error)
        unknown = _ADDITIONAL.match(error)
        if unknown and not named:
            names = re.findall(r"'([^']*)'", unknown.group(1))
            lines.extend(unknown_settings(names, properties))
        elif named and properties.get(named.group(1), {}).get("secret"):
            lines.append(f"{named.group(1)}: does not have the required form")
        else:
            lines.append(error)
    return lines
