"""A catalog that was made a while ago follows the account: the fields of its own that the company has now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib import Schema

if TYPE_CHECKING:
    from singer_sdk.singerlib.catalog import CatalogEntry

    Declared = dict[str, Any]

__all__ = ["follow"]

_CUSTOM = "custom_fields"


def follow(entry: CatalogEntry, live: Declared) -> list[str]:
    """Bring a stream of a catalog up to date; what the company no longer has stays declared. Returns what is new.

    A new field is selected as `custom_fields` is. A catalog that does not declare `custom_fields` wants none.
    """
    schema = entry.schema.to_dict()
    declared = schema.get("properties", {}).get(_CUSTOM)
    if not isinstance(declared, dict):
        return []
    known = declared.setdefault("properties", {})
    now: Declared = live["properties"][_CUSTOM]["properties"]
    new = sorted(name for name, each in now.items() if known.get(name) != each)
    known.update({name: now[name] for name in new})
    entry.schema = Schema.from_dict(schema)
    return new
