"""Marketing: campaigns, emails, and what contacts can subscribe to. Few rows, read whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_hubspot.casting import Casts
from tap_hubspot.listing import list_pages
from tap_hubspot.records import deleted_at
from tap_hubspot.schema import DATE
from tap_hubspot.streams.fixed import BOOLEAN, FREE, FREE_LIST, INSTANT, NUMBER, TEXT, FixedStream, shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from crmdb_core.stream import Page
    from tap_hubspot.client import HubSpotStream
    from tap_hubspot.schema import Schema
    from tap_hubspot.tap import TapHubSpot

    Record = dict[str, Any]

_CAMPAIGNS_A_PAGE = 100  # vendor page "Campaigns"
_EMAILS_A_PAGE = 100  # unverified: the most that HubSpot allows

# Come only if asked for by name (vendor page "Campaigns"). Unverified: whether custom ones can be listed anywhere.
_CAMPAIGN_PROPERTIES: dict[str, Schema] = {
    **dict.fromkeys(("hs_start_date", "hs_end_date"), DATE),
    **dict.fromkeys(("hs_budget_items_sum_amount", "hs_spend_items_sum_amount"), NUMBER),
    **dict.fromkeys(
        ("hs_name", "hs_campaign_status", "hs_goal", "hs_audience", "hs_notes", "hs_owner", "hs_currency_code",
         "hs_utm", "hs_color_hex", "hs_created_by_user_id", "hs_object_id"),
        TEXT,
    ),
}  # fmt: skip


class CampaignsStream(FixedStream):
    """Marketing campaigns; deleted ones vanish with the end of the read."""

    name = "campaigns"
    primary_keys = ("id",)
    schema: ClassVar[dict[str, Any]] = shape(
        ["id"],
        createdAt=INSTANT,
        updatedAt=INSTANT,
        businessUnits=FREE_LIST,
        properties={"type": ["object", "null"], "properties": _CAMPAIGN_PROPERTIES},
    )

    def __init__(self, tap: TapHubSpot) -> None:
        super().__init__(tap)
        self._casts = Casts(_CAMPAIGN_PROPERTIES)
        self._casts.misfits = self._typed.misfits

    @override
    def fetch(self) -> Iterator[Page]:
        names = ",".join(_CAMPAIGN_PROPERTIES)
        return list_pages(self.tap.session, self.paths.campaigns, limit=_CAMPAIGNS_A_PAGE, properties=names)

    @override
    def record_of(self, row: Mapping[str, Any]) -> Record:
        return super().record_of({**row, "properties": self._casts(row.get("properties") or {})})


class MarketingEmailsStream(FixedStream):
    """Marketing emails with their statistics, archived ones included.

    Statistics grow without moving `updatedAt`, so all emails are read each time.
    """

    name = "marketing_emails"
    primary_keys = ("id",)
    schema: ClassVar[dict[str, Any]] = shape(
        ["id"],
        **dict.fromkeys(
            ("name", "subject", "type", "state", "subcategory", "language", "activeDomain", "campaign", "campaignName",
             "campaignUtm", "clonedFrom", "createdById", "updatedById", "publishedById", "publishedByEmail",
             "publishedByName", "primaryEmailCampaignId", "emailCampaignGroupId", "emailTemplateMode",
             "feedbackSurveyId", "folderId", "folderIdV2", "businessUnitId", "previewKey"),
            TEXT,
        ),
        **dict.fromkeys(
            ("createdAt", "updatedAt", "publishDate", "publishedAt", "unpublishedAt", "deletedAt"), INSTANT
        ),
        **dict.fromkeys(
            ("archived", "isAb", "isPublished", "isTransactional", "jitterSendTime", "sendOnPublish"), BOOLEAN
        ),
        **dict.fromkeys(
            ("from", "to", "content", "stats", "subscriptionDetails", "testing", "webversion", "rssData"), FREE
        ),
        **dict.fromkeys(("allEmailCampaignIds", "teamsWithAccess", "usersWithAccess", "workflowNames"), FREE_LIST),
        _sdc_deleted_at=INSTANT,
    )  # fmt: skip

    @override
    def fetch(self) -> Iterator[Page]:
        extras = {"includeStats": "true", "marketingCampaignNames": "true", "workflowNames": "true"}
        for archived in ("false", "true"):
            yield from list_pages(
                self.tap.session, self.paths.marketing_emails, limit=_EMAILS_A_PAGE, archived=archived, **extras
            )

    @override
    def record_of(self, row: Mapping[str, Any]) -> Record:
        return super().record_of({**row, "_sdc_deleted_at": row.get("deletedAt") or deleted_at(row)})


class SubscriptionTypesStream(FixedStream):
    """What a contact can subscribe to, with translations."""

    name = "subscription_types"
    primary_keys = ("id",)
    schema: ClassVar[dict[str, Any]] = shape(
        ["id"],
        **dict.fromkeys(("name", "description", "purpose", "communicationMethod", "businessUnitId"), TEXT),
        **dict.fromkeys(("isActive", "isDefault", "isInternal"), BOOLEAN),
        **dict.fromkeys(("createdAt", "updatedAt"), INSTANT),
        subscriptionTranslations={
            "type": ["array", "null"],
            "items": {
                "type": "object",
                "properties": {
                    **dict.fromkeys(("subscriptionId", "languageCode", "name", "description"), TEXT),
                    **dict.fromkeys(("createdAt", "updatedAt"), INSTANT),
                },
            },
        },
    )

    @override
    def fetch(self) -> Iterator[Page]:
        return list_pages(self.tap.session, self.paths.subscription_types, includeTranslations="true")


def marketing_streams(tap: TapHubSpot) -> Iterable[HubSpotStream]:
    """All streams of marketing that have dated endpoints."""
    return [CampaignsStream(tap), MarketingEmailsStream(tap), SubscriptionTypesStream(tap)]
