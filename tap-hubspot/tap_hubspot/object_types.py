"""The account's object types, for streams that stand beside those of the objects themselves."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tap_hubspot.pairs import PairPattern, fitting_none

if TYPE_CHECKING:
    from tap_hubspot.objects import CrmObject
    from tap_hubspot.tap import TapHubSpot


def object_types_on_the_left(tap: TapHubSpot, setting: str, suffix: str) -> list[CrmObject]:
    """Those that a setting's `object:…` patterns name on their left side; says which patterns name none.

    `suffix` ends the names of the streams that they are for: a catalog without one needs no object types.
    """
    patterns = tap.config[setting]
    catalog = tap.input_catalog
    if not patterns or (catalog is not None and not any(n.endswith(suffix) and tap.is_selected(n) for n in catalog)):
        return []
    types = tap.object_types
    if tap.input_catalog is None:  # else not all types are known
        for text in fitting_none(patterns, [each.name for each in types]):
            tap.logger.warning("%s: %s is about no object type that can be read", setting, text)
    sources = [PairPattern.of(text).source for text in patterns]
    return [each for each in types if any(fnmatchcase(each.name, source) for source in sources)]


def definitions_cost(tap: TapHubSpot, crm_object: CrmObject) -> int:
    """How many calls an object type's property definitions take: none, if discovery asked for them."""
    return 0 if tap.dictionary.live.knows(crm_object.path) else 1
