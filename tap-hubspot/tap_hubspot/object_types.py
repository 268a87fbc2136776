"""The account's object types, for streams that stand beside those of the objects themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_hubspot.objects import CRM_OBJECTS

if TYPE_CHECKING:
    from tap_hubspot.objects import CrmObject
    from tap_hubspot.tap import TapHubSpot


def object_types(tap: TapHubSpot) -> list[CrmObject]:
    """The object types that this run may read; discovery has found those that it may not."""
    return [each for each in CRM_OBJECTS if each.name not in tap.failures]


def path_of(crm_object: CrmObject) -> str:
    """What the API's paths call an object type."""
    return crm_object.name


def definitions_of(tap: TapHubSpot, crm_object: CrmObject) -> list[dict[str, Any]]:
    """An object type's property definitions."""
    return tap.definitions(crm_object.name)
