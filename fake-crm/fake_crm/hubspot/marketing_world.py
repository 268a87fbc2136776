"""The part of the account that is no CRM record: lists, forms, emails and their logs; written by tests and handlers."""

from __future__ import annotations

import uuid
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from fake_crm.clock import iso, millis_of, real_instant
from fake_crm.hubspot.lists import PROCESSING_TYPES, HubList

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from fake_crm.hubspot.account import Account
    from fake_crm.hubspot.kinds import Kinds

    Json = dict[str, Any]
    At = datetime | str | None

_APP = {"appId": 113, "appName": "Batch"}
_FIRST_EMAIL = 90_000_000_097  # ids get another digit soon
_FIRST_EMAIL_CAMPAIGN = 96


class Marketing:
    """Lists, forms and email; the base of the World. Instants (`at`) are ISO text or datetimes, now if not given."""

    lock: threading.RLock
    account: Account
    kinds: Kinds

    def __init__(self) -> None:
        self.lists: dict[str, HubList] = {}
        self.forms: dict[str, Json] = {}
        self.submissions: dict[str, list[Json]] = defaultdict(list)
        self.campaigns: dict[str, Json] = {}
        self.marketing_emails: dict[str, Json] = {}
        self.subscription_types: dict[str, Json] = {}
        self.email_events: list[Json] = []
        self.email_campaigns: dict[str, Json] = {}
        self.subscription_changes: list[Json] = []
        self._made = 0

    def now(self) -> int:
        """The clock's epoch milliseconds."""
        raise NotImplementedError

    # -- lists --------------------------------------------------------------------------------------------------------

    def add_list(
        self,
        name: str,
        object_type: str = "contacts",
        *,
        processing: str = "MANUAL",
        members: Iterable[str] = (),
        filters: Json | None = None,
        at: At = None,
    ) -> str:
        """Make a list and return its id. The fake works no filters out: members are those given."""
        if processing not in PROCESSING_TYPES:
            raise ValueError(f"processing is one of {', '.join(PROCESSING_TYPES)}")
        with self.lock:
            stamp, list_id = self._at(at), str(len(self.lists) + 1)
            kind = self.kinds.find(object_type).type_id
            self.lists[list_id] = HubList(list_id, name, kind, processing, stamp, stamp, filters)
            self.add_members(list_id, *members, at=at)
        return list_id

    def rename_list(self, list_id: str, name: str) -> None:
        """Give a list another name."""
        with self.lock:
            self.lists[list_id].name, self.lists[list_id].updated = name, self.now()

    def remove_list(self, list_id: str) -> None:
        """Delete a list: it is found no more, but can be restored."""
        with self.lock:
            self.lists[list_id].deleted = self.now()

    def restore_list(self, list_id: str) -> None:
        """Take back the deletion of a list."""
        with self.lock:
            self.lists[list_id].deleted = None

    def add_members(self, list_id: str, *records: str, at: At = None) -> None:
        """Put records on a list; one that is on it stays as it is."""
        with self.lock:
            stamp = self._at(at)
            for record in records:
                self.lists[list_id].members.setdefault(int(record), stamp)

    def remove_members(self, list_id: str, *records: str) -> None:
        """Take records off a list; nothing tells which they were."""
        with self.lock:
            for record in records:
                del self.lists[list_id].members[int(record)]
            self.lists[list_id].left = self.now()

    # -- forms --------------------------------------------------------------------------------------------------------

    def add_form(self, name: str, *, form_type: str = "hubspot", at: At = None) -> str:
        """Make a form with two fields and return its id."""
        with self.lock:
            form_id, stamp = self._guid("form"), iso(self._at(at))
            self.forms[form_id] = {
                "id": form_id,
                "name": name,
                "formType": form_type,
                "createdAt": stamp,
                "updatedAt": stamp,
                "archived": False,
                **_form_body(),
            }
        return form_id

    def archive_form(self, form_id: str) -> None:
        """Archive a form."""
        with self.lock:
            self.forms[form_id] |= {"archived": True, "archivedAt": iso(self.now())}

    def submit_form(self, form_id: str, values: Mapping[str, str], *, page_url: str = "", at: At = None) -> str:
        """Submit a form and return the conversionId."""
        with self.lock:
            conversion = self._guid("conversion")
            fields = [{"name": name, "value": value, "objectTypeId": "0-1"} for name, value in values.items()]
            row = {"conversionId": conversion, "submittedAt": self._at(at), "values": fields}
            self.submissions[form_id].append({**row, **({"pageUrl": page_url} if page_url else {})})
        return conversion

    # -- campaigns, emails, subscriptions -----------------------------------------------------------------------------

    def add_campaign(self, name: str, *, at: At = None, **properties: str) -> str:
        """Make a marketing campaign and return its id; properties are text, `hs_start_date="2026-05-01"`."""
        with self.lock:
            guid, stamp = self._guid("campaign"), iso(self._at(at))
            given = {"hs_name": name, "hs_object_id": str(7_000_000 + self._made), **properties}
            row = {"id": guid, "createdAt": stamp, "updatedAt": stamp, "businessUnits": [{"id": 0}]}
            self.campaigns[guid] = {**row, "properties": given}
        return guid

    def remove_campaign(self, guid: str) -> None:
        """Delete a campaign."""
        with self.lock:
            del self.campaigns[guid]

    def add_marketing_email(self, name: str, *, at: At = None, **fields: Any) -> str:
        """Make a marketing email and return its id; `fields` go on top of what one has."""
        with self.lock:
            email_id, stamp = str(_FIRST_EMAIL + len(self.marketing_emails)), iso(self._at(at))
            row = {"id": email_id, "name": name, "createdAt": stamp, "updatedAt": stamp, "archived": False}
            self.marketing_emails[email_id] = {**row, **_email_body(name), **fields}
        return email_id

    def count_email(self, email_id: str, **counters: int) -> None:
        """Set counters of an email's statistics; `updatedAt` stays."""
        with self.lock:
            self.marketing_emails[email_id]["stats"]["counters"] |= counters

    def archive_marketing_email(self, email_id: str) -> None:
        """Archive a marketing email."""
        with self.lock:
            self.marketing_emails[email_id] |= {"archived": True, "deletedAt": iso(self.now())}

    def add_subscription_type(self, name: str, *, at: At = None, **fields: Any) -> str:
        """Make something that contacts can subscribe to and return its id."""
        with self.lock:
            stamp, number = self._at(at), 2849 + len(self.subscription_types)
            text = {"name": name, "description": f"About {name}"}
            # the stamps of a translation are numbers (specification)
            stamps = {"createdAt": stamp // 1000 * 1000, "updatedAt": stamp // 1000 * 1000}
            self.subscription_types[str(number)] = {
                "id": str(number),
                **text,
                "purpose": "Marketing",
                "communicationMethod": "Email",
                "isActive": True,
                "isDefault": False,
                "isInternal": False,
                "createdAt": iso(stamp),
                "updatedAt": iso(stamp),
                "subscriptionTranslations": [{"subscriptionId": number, "languageCode": "en", **text, **stamps}],
                **fields,
            }
        return str(number)

    # -- the logs of the legacy email APIs ----------------------------------------------------------------------------

    def add_email_campaign(self, name: str, *, at: At = None, **fields: Any) -> str:
        """Make a campaign in the sense of the email APIs and return its id."""
        with self.lock:
            stamp, number = self._at(at), _FIRST_EMAIL_CAMPAIGN + len(self.email_campaigns)
            self.email_campaigns[str(number)] = {
                "id": number,
                **_APP,
                "lastUpdatedTime": stamp,
                "contentId": 100_523_515_217 + number,
                "name": name,
                "subject": name,
                "counters": {"sent": 1, "delivered": 1},
                "lastProcessingStartedAt": stamp,
                "lastProcessingFinishedAt": stamp,
                "lastProcessingStateChangeAt": stamp,
                "numIncluded": 1,
                "processingState": "DONE",
                "type": "BATCH_EMAIL",
                **fields,
            }
        return str(number)

    def add_email_event(self, kind: str, recipient: str, *, at: At = None, **fields: Any) -> str:
        """Log an email event of a type (SENT, OPEN, …) and return its id."""
        with self.lock:
            event_id = self._guid("event")
            row = {"id": event_id, "created": self._at(at), "type": kind, "recipient": recipient}
            common = {"portalId": self.account.portal_id, **_APP, "emailCampaignId": _FIRST_EMAIL_CAMPAIGN}
            self.email_events.append({**common, **row, **fields})
        return event_id

    def add_subscription_change(
        self, recipient: str, change: str = "UNSUBSCRIBED", *, kind: str = "SUBSCRIPTION_STATUS", at: At = None
    ) -> None:
        """Log a change of a subscription."""
        with self.lock:
            stamp, portal = self._at(at), {"portalId": self.account.portal_id}
            cause = {"causedByEvent": {"id": self._guid("event"), "created": stamp}}
            each = {"change": change, "changeType": kind, "source": "SOURCE_RECIPIENT", "subscriptionId": 2849}
            row = {"timestamp": stamp, "recipient": recipient, "changes": [{**each, **portal, **cause}]}
            self.subscription_changes.append({**portal, **row})

    def _at(self, at: At) -> int:
        return self.now() if at is None else millis_of(real_instant(at))

    def _guid(self, what: str) -> str:
        self._made += 1
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{what} {self._made}"))


def _form_body() -> Json:
    common = {"objectTypeId": "0-1", "required": True, "hidden": False}
    fields = [
        {"name": "email", "label": "Email", "fieldType": "email", **common},
        {"name": "firstname", "label": "First name", "fieldType": "single_line_text", **common},
    ]
    return {
        "fieldGroups": [{"groupType": "default_group", "richTextType": "text", "fields": fields}],
        "configuration": {
            "language": "en",
            "cloneable": True,
            "archivable": True,
            "editable": True,
            "createNewContactForNewEmail": True,
            "prePopulateKnownValues": True,
            "allowLinkToResetKnownValues": False,
            "notifyContactOwner": False,
            "notifyRecipients": [],
            "recaptchaEnabled": False,
            "lifecycleStages": [],
            "postSubmitAction": {"type": "thank_you", "value": "Thank you"},
        },
        "displayOptions": {
            "renderRawHtml": False,
            "theme": "default_style",
            "submitButtonText": "Send",
            "style": {},
        },
        "legalConsentOptions": {"type": "none"},
    }


def _email_body(name: str) -> Json:
    return {
        "subject": f"About {name}",
        "type": "BATCH_EMAIL",
        "state": "PUBLISHED",
        "subcategory": "batch",
        "language": "en",
        "isAb": False,
        "isPublished": True,
        "isTransactional": False,
        "sendOnPublish": True,
        "folderId": 12,
        "allEmailCampaignIds": [str(_FIRST_EMAIL_CAMPAIGN)],
        "primaryEmailCampaignId": str(_FIRST_EMAIL_CAMPAIGN),
        "from": {"fromName": "Fake", "replyTo": "fake@example.com"},
        "to": {"contactIlsLists": {"include": ["1"], "exclude": []}},
        "content": {"templatePath": "@hubspot/email/dnd/welcome.html", "plainTextVersion": "Hello"},
        "subscriptionDetails": {"subscriptionId": "2849"},
        "campaignName": "Spring",
        "workflowNames": [],
        "stats": {"counters": {"sent": 10, "open": 3}, "ratios": {"openratio": 30.0}, "deviceBreakdown": {},
                  "qualifierStats": {}},
    }  # fmt: skip
