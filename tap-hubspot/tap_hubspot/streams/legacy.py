"""What HubSpot has only at endpoints without a date; open with the setting `legacy`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_hubspot.streams.email_log import EmailCampaignsStream, EmailEventsStream, SubscriptionChangesStream
from tap_hubspot.streams.forms import FormSubmissionsStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_hubspot.client import HubSpotStream
    from tap_hubspot.tap import TapHubSpot

LEGACY = (FormSubmissionsStream, EmailEventsStream, EmailCampaignsStream, SubscriptionChangesStream)


def legacy_streams(tap: TapHubSpot) -> Iterable[HubSpotStream]:
    """None of them unless they are asked for: HubSpot stops supporting their endpoints in September 2027."""
    if tap.config["legacy"]:
        return [each(tap) for each in LEGACY]
    if tap.input_catalog is None:
        tap.logger.info("%s are left out; legacy = true opens them", ", ".join(each.name for each in LEGACY))
    return []
