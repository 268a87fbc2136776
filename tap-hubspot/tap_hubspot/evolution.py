"""A catalog that was made a while ago follows the account: properties added since, and types that were changed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib import Schema

from crmdb_core.concurrency import in_order
from crmdb_core.exceptions import ForbiddenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from singer_sdk.singerlib import Catalog
    from singer_sdk.singerlib.catalog import CatalogEntry

    Declared = dict[str, Any]

logger = logging.getLogger(__name__)

_PROPERTIES = ("properties", "properties", "properties")
_WORKERS = 4


def follow_account(catalog: Catalog, object_types: Iterable[str], schema_of: Callable[[str], Declared]) -> None:
    """Bring the streams of these object types up to date in the catalog: one call of `schema_of` each.

    A property that is new is selected as the one above it is. A type follows the account's, whatever the catalog says.
    What the account no longer has stays declared. A stream whose properties may not be read stays as it is: its own
    reading will tell.
    """
    entries = {name: entry for name in object_types if (entry := catalog.get_stream(name))}

    def fetched(name: str) -> Declared | None:
        try:
            return schema_of(name)
        except ForbiddenError:
            return None

    for (name, entry), live in zip(entries.items(), in_order(fetched, entries, workers=_WORKERS), strict=True):
        if live is not None:
            _follow(name, entry, live)


def _follow(name: str, entry: CatalogEntry, live: Declared) -> None:
    schema = entry.schema.to_dict()
    known = _below(schema)
    if known is None:  # a catalog that declares no properties wants none
        return
    declared = _below(live) or {}
    new = sorted(declared.keys() - known.keys())
    changed = sorted(each for each in declared.keys() & known.keys() if _type(declared[each]) != _type(known[each]))
    if new or changed:
        known.update({each: declared[each] for each in (*new, *changed)})
        entry.schema = Schema.from_dict(schema)
        logger.info("%s: since the catalog was made, %d properties came and %d changed: %s", name, len(new),
                    len(changed), ", ".join([*new, *changed]))  # fmt: skip


def _below(schema: Declared) -> Declared | None:
    """The schemas of the CRM's properties within that of a record."""
    found: Declared | None = schema
    for step in _PROPERTIES:
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _type(schema: Declared) -> tuple[frozenset[str], str | None]:
    types = schema.get("type") or ()
    return frozenset([types] if isinstance(types, str) else types), schema.get("format")
