"""The account's object types, for streams that stand beside those of the objects themselves."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from tap_hubspot.objects import CRM_OBJECTS
from tap_hubspot.pairs import PairPattern, fitting_none

if TYPE_CHECKING:
    from tap_hubspot.objects import CrmObject
    from tap_hubspot.tap import TapHubSpot


def object_types(tap: TapHubSpot) -> list[CrmObject]:
    """The object types that this run may read; discovery has found those that it may not."""
    return [each for each in CRM_OBJECTS if each.name not in tap.failures]


def object_types_on_the_left(tap: TapHubSpot, setting: str) -> list[CrmObject]:
    """Those that a setting's `object:…` patterns name on their left side; says which patterns name none."""
    patterns, types = tap.config[setting], object_types(tap)
    if tap.input_catalog is None:  # else not all types are known
        for text in fitting_none(patterns, [each.name for each in types]):
            tap.logger.warning("%s: %s is about no object type that can be read", setting, text)
    sources = [PairPattern.of(text).source for text in patterns]
    return [each for each in types if any(fnmatchcase(each.name, source) for source in sources)]


def path_of(crm_object: CrmObject) -> str:
    """What the API's paths call an object type."""
    return crm_object.name


def definitions_of(tap: TapHubSpot, crm_object: CrmObject) -> list[dict[str, Any]]:
    """An object type's property definitions."""
    return tap.definitions(crm_object.name)
