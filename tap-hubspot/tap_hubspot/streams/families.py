"""Every stream of the tap, by family. A new family: a module beside this one, and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_hubspot.streams.account import account_streams
from tap_hubspot.streams.associations import association_streams
from tap_hubspot.streams.forms import form_streams
from tap_hubspot.streams.legacy import legacy_streams
from tap_hubspot.streams.lists import list_streams
from tap_hubspot.streams.marketing import marketing_streams
from tap_hubspot.streams.objects import object_streams
from tap_hubspot.streams.owners import owner_streams
from tap_hubspot.streams.pipelines import pipeline_streams
from tap_hubspot.streams.properties import property_streams
from tap_hubspot.streams.property_history import property_history_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tap_hubspot.client import HubSpotStream
    from tap_hubspot.tap import TapHubSpot

    Family = Callable[[TapHubSpot], Iterable[HubSpotStream]]

FAMILIES: tuple[Family, ...] = (
    object_streams,
    owner_streams,
    pipeline_streams,
    association_streams,
    property_history_streams,
    list_streams,
    form_streams,
    marketing_streams,
    legacy_streams,
    property_streams,
    account_streams,
)
