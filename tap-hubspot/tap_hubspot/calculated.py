"""Which properties HubSpot works out by itself: their values change without the record being modified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def calculated_names(definitions: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Names of the calculated, rollup and score properties among an object's definitions."""
    return frozenset(each["name"] for each in definitions if is_calculated(each))


def is_calculated(definition: Mapping[str, Any]) -> bool:
    """Whether a definition says so (vendor page "Properties": `calculated`, `calculation_…` and `score` fields)."""
    field_type = str(definition.get("fieldType") or "")
    return bool(definition.get("calculated")) or field_type.startswith("calculation_") or field_type == "score"
