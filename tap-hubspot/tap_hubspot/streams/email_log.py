"""The legacy email APIs: what happened to emails, the campaigns they belong to, and who changed a subscription."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from crmdb_core.concurrency import in_order
from crmdb_core.exceptions import NotFoundError
from crmdb_core.stream import Page
from tap_hubspot.list_search import id_order
from tap_hubspot.newest_first import EndlessLogError, Log, NewestFirst
from tap_hubspot.paths import EMAIL_CAMPAIGNS, EMAIL_EVENTS, SUBSCRIPTIONS_TIMELINE
from tap_hubspot.schema import KEY
from tap_hubspot.streams.fixed import BOOLEAN, FREE, FREE_LIST, INSTANT, INTEGER, TEXT, FixedStream, shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_hubspot.schema import Schema

    Json = dict[str, Any]

# An event is known by its id and its time together (vendor page "Email events").
_EVENT_ID: Schema = {"type": ["object", "null"], "properties": {"id": TEXT, "created": INSTANT}}
_EVENT_KEYS = ("id", "created")
_CAMPAIGNS_A_PAGE = 500  # unverified: the most that HubSpot allows; clients ask for up to 1,000
_DETAILS_A_PAGE = 100  # campaigns read before the resume point moves


class LogStream(FixedStream):
    """A log from the newest entry back; a resume point is the time of the oldest one emitted.

    What happened does not unhappen: rows stay in the target even if HubSpot should forget them, also after a full read.
    """

    removes_vanished = False
    absent_is_null = False
    source: ClassVar[Log]

    @override
    def fetch(self) -> Iterator[Page]:
        until = (self.resume_point or {}).get("until")
        return NewestFirst(self.tap.session, self.source, self.window.low, self.window.high).pages(until)


class EmailEventsStream(LogStream):
    """Email events: sent, delivered, opened, clicked, bounced and so on. Which fields one has depends on its type."""

    name = "email_events"
    primary_keys = _EVENT_KEYS
    replication_key = "created"
    source = Log(EMAIL_EVENTS, "events", "created")
    schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "id": KEY,
            "created": {"type": "string", "format": "date-time"},
            **dict.fromkeys(
                ("type", "recipient", "portalId", "appId", "appName", "emailCampaignId", "emailCampaignGroupId", "hmid",
                 "sendId", "smtpId", "subject", "from", "response", "status", "category", "dropReason", "dropMessage",
                 "suppressedReason", "suppressedMessage", "url", "referer", "linkId", "deviceType", "userAgent",
                 "ipAddress", "source", "requestedBy", "portalSubscriptionStatus"),
                TEXT,
            ),
            **dict.fromkeys(("duration", "attempt"), INTEGER),
            **dict.fromkeys(("filteredEvent", "bounced"), BOOLEAN),
            **dict.fromkeys(("sentBy", "causedBy", "obsoletedBy"), _EVENT_ID),
            **dict.fromkeys(("browser", "location"), FREE),
            **dict.fromkeys(("cc", "bcc", "replyTo", "subscriptions"), FREE_LIST),
        },
        "required": [*_EVENT_KEYS],
    }  # fmt: skip


class SubscriptionChangesStream(LogStream):
    """Changes of subscriptions, one row for each recipient and time.

    Nothing in HubSpot's documentation identifies one, so the stream has no key: it is a bag of rows.
    """

    name = "subscription_changes"
    primary_keys = ()
    replication_key = "timestamp"
    source = Log(SUBSCRIPTIONS_TIMELINE, "timeline", "timestamp")
    schema: ClassVar[dict[str, Any]] = shape(
        [],
        timestamp={"type": "string", "format": "date-time"},
        recipient=TEXT,
        portalId=TEXT,
        changes={
            "type": ["array", "null"],
            "items": {
                "type": "object",
                "properties": {
                    **dict.fromkeys(("change", "changeType", "source", "portalId", "subscriptionId"), TEXT),
                    "timestamp": INSTANT,
                    "causedByEvent": _EVENT_ID,
                },
            },
        },
    )


class EmailCampaignsStream(FixedStream):
    """Campaigns in the sense of the email APIs: one for each sending of an email, with its counters.

    One call for each. A resume point is the last id read.
    """

    name = "email_campaigns"
    primary_keys = ("id",)
    schema: ClassVar[dict[str, Any]] = shape(
        ["id"],
        **dict.fromkeys(
            ("appId", "appName", "contentId", "name", "subject", "type", "subType", "processingState"), TEXT
        ),
        **dict.fromkeys(("numIncluded", "numQueued"), INTEGER),
        counters=FREE,
        **dict.fromkeys(
            ("lastUpdatedTime", "lastProcessingStartedAt", "lastProcessingFinishedAt", "lastProcessingStateChangeAt"),
            INSTANT,
        ),
    )

    @override
    def fetch(self) -> Iterator[Page]:
        reached = str((self.resume_point or {}).get("id", ""))
        found = {str(row["id"]): row for row in self._found()}
        ids = [each for each in sorted(found, key=id_order) if id_order(each) > id_order(reached)]
        for at in range(0, len(ids), _DETAILS_A_PAGE):
            part = ids[at : at + _DETAILS_A_PAGE]
            rows = in_order(lambda each: self._detail(found[each]), part, workers=self.config["concurrency"])
            yield Page([row for row in rows if row], {"id": part[-1]})

    def _found(self) -> Iterator[Json]:
        """Every campaign as the overview shows it: its id and application."""
        query: Json = {"limit": _CAMPAIGNS_A_PAGE}
        offsets: set[str] = set()
        while True:
            answer = self.tap.session.get_json(f"{EMAIL_CAMPAIGNS}/by-id", query)
            yield from answer["campaigns"]
            if not answer["hasMore"]:
                return
            query["offset"] = str(answer["offset"])
            if query["offset"] in offsets:
                msg = "HubSpot repeated an offset of email campaigns; run again"
                raise EndlessLogError(msg)
            offsets.add(query["offset"])

    def _detail(self, row: Json) -> Json | None:
        try:
            detail = self.tap.session.get_json(f"{EMAIL_CAMPAIGNS}/{row['id']}", {"appId": row["appId"]})
        except NotFoundError:  # gone since it was found
            return None
        return {**row, **detail}
