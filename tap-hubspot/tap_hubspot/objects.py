"""The CRM objects that one engine reads: values only, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CrmObject:
    """One HubSpot object type and the two facts in which object types differ.

    `modified` is the property that a search may filter by. Contacts also own a property `hs_lastmodifieddate`,
    but a search on it finds nothing, so theirs is `lastmodifieddate` (vendor page "Search the CRM").
    """

    name: str
    modified: str = "hs_lastmodifieddate"


CRM_OBJECTS = (
    CrmObject("contacts", modified="lastmodifieddate"),
    CrmObject("companies"),
    CrmObject("deals"),
    CrmObject("tickets"),
)
