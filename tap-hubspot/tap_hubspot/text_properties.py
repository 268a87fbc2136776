"""Properties that the user wants as the text that HubSpot sends, whatever type HubSpot gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_hubspot.schema import TEXT, Schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ALL = "*"


@dataclass(frozen=True)
class TextProperties:
    """Entries of the setting `text_properties`: `property`, `object.property` or `object.*`."""

    entries: tuple[str, ...] = ()

    def applied(self, stream: str, schema: Schema) -> Schema:
        """The schema of an object's records with the chosen properties as text."""
        nested = schema.get("properties", {}).get("properties", {})
        declared = nested.get("properties", {})
        chosen = {name: dict(TEXT) for name in declared if self._chosen(stream, name)}
        if not chosen:
            return schema
        properties = {**schema["properties"], "properties": {**nested, "properties": {**declared, **chosen}}}
        return {**schema, "properties": properties}

    def _chosen(self, stream: str, name: str) -> bool:
        return not {name, f"{stream}.{name}", f"{stream}.{_ALL}"}.isdisjoint(self.entries)

    def unmatched(self, declared: Mapping[str, Iterable[str]]) -> list[str]:
        """The entries that name no property; `declared` are the properties by stream."""
        known = {f"{stream}.{_ALL}" for stream in declared}
        for stream, names in declared.items():
            known.update(name for each in names for name in (each, f"{stream}.{each}"))
        return [entry for entry in self.entries if entry not in known]
