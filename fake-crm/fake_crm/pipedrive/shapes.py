"""What a row of every table has when it is made; names and values are those of the vendor's OpenAPI examples."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]

_ADDRESS: Json = {
    "value": None,
    "country": None,
    "admin_area_level_1": None,
    "admin_area_level_2": None,
    "locality": None,
    "sublocality": None,
    "route": None,
    "street_number": None,
    "subpremise": None,
    "postal_code": None,
}

_DEAL: Json = {
    "title": "Deal", "creator_user_id": 1, "owner_id": 1, "value": 0, "person_id": None, "org_id": None, "stage_id": 1,
    "pipeline_id": 1, "currency": "EUR", "archive_time": None, "stage_change_time": None, "status": "open",
    "is_archived": False, "is_deleted": False, "probability": None, "lost_reason": None, "visible_to": 3,
    "close_time": None, "won_time": None, "lost_time": None, "local_won_date": None, "local_lost_date": None,
    "local_close_date": None, "expected_close_date": None, "label_ids": [], "origin": "ManuallyCreated",
    "origin_id": None, "channel": None, "channel_id": None, "acv": None, "arr": None, "mrr": None,
}  # fmt: skip
_PERSON: Json = {
    "name": "Person", "first_name": None, "last_name": None, "owner_id": 1, "org_id": None, "emails": [], "phones": [],
    "is_deleted": False, "visible_to": 3, "label_ids": [], "picture_id": None,
}  # fmt: skip
_ORGANIZATION: Json = {
    "name": "Organization", "owner_id": 1, "address": None, "is_deleted": False, "visible_to": 3, "label_ids": [],
    "website": None, "linkedin": None, "industry": None, "annual_revenue": None, "employee_count": None,
}  # fmt: skip
_ACTIVITY: Json = {
    "subject": "Call", "type": "call", "owner_id": 1, "creator_user_id": 1, "is_deleted": False, "deal_id": None,
    "lead_id": None, "person_id": None, "org_id": None, "project_id": None, "due_date": None, "due_time": None,
    "duration": None, "busy": False, "done": False, "marked_as_done_time": None, "location": None, "participants": [],
    "attendees": None, "conference_meeting_client": None, "conference_meeting_url": None,
    "conference_meeting_id": None, "public_description": None, "priority": None, "note": None,
}  # fmt: skip
_PRODUCT: Json = {
    "name": "Product", "code": None, "description": None, "unit": None, "tax": 0, "category": None,
    "is_linkable": True, "is_deleted": False, "visible_to": 3, "owner_id": 1, "billing_frequency": "one-time",
    "billing_frequency_cycles": None, "prices": [],
}  # fmt: skip
_LEAD: Json = {
    "title": "Lead", "owner_id": 1, "creator_id": 1, "label_ids": [], "person_id": None, "organization_id": None,
    "source_name": "API", "origin": "API", "origin_id": None, "channel": None, "channel_id": None,
    "is_archived": False, "was_seen": False, "value": None, "expected_close_date": None, "next_activity_id": None,
    "visible_to": "3", "cc_email": "company+lead@example.com",
}  # fmt: skip
_NOTE: Json = {
    "active_flag": True, "content": "Note", "lead_id": None, "deal_id": None, "last_update_user_id": 1,
    "org_id": None, "person_id": None, "project_id": None, "pinned_to_lead_flag": False, "pinned_to_deal_flag": False,
    "pinned_to_organization_flag": False, "pinned_to_person_flag": False, "pinned_to_project_flag": False,
    "user_id": 1, "user": {"email": "user@example.com", "icon_url": None, "is_you": True, "name": "User"},
}  # fmt: skip
_FILE: Json = {
    "user_id": 1, "deal_id": None, "person_id": None, "org_id": None, "product_id": None, "activity_id": None,
    "lead_id": None, "project_id": None, "log_id": None, "file_name": "a.txt", "file_type": "txt", "file_size": 10,
    "active_flag": True, "inline_flag": False, "remote_location": "s3", "remote_id": "1", "cid": "",
    "s3_bucket": "", "mail_message_id": "", "mail_template_id": "", "name": "a.txt", "description": "",
}  # fmt: skip
_DEAL_PRODUCT: Json = {
    "sum": 0, "tax": 0, "deal_id": 1, "name": "Product", "product_id": 1, "product_variation_id": None,
    "order_nr": 1, "comments": "", "currency": "EUR", "discount": 0, "quantity": 1, "item_price": 0,
    "tax_method": "inclusive", "discount_type": "percentage", "is_enabled": True, "billing_frequency": "one-time",
    "billing_frequency_cycles": None, "billing_start_date": None,
}  # fmt: skip
_USER: Json = {
    "name": "User", "default_currency": "EUR", "locale": "et_EE", "lang": 1, "email": "user@example.com",
    "phone": None, "activated": True, "last_login": "2026-01-01 08:00:00", "has_created_company": False,
    "access": [{"app": "sales", "admin": False, "permission_set_id": "set-1"}], "active_flag": True,
    "timezone_name": "Europe/Berlin", "timezone_offset": "+01:00", "role_id": 1, "icon_url": None, "is_you": False,
    "is_deleted": False,
}  # fmt: skip
_MAIL_THREAD: Json = {
    "parties": {"to": [], "from": []}, "drafts_parties": [], "folders": ["inbox"], "account_id": "account",
    "user_id": 1, "version": 1, "subject": "Subject", "snippet": "Snippet", "snippet_draft": None, "snippet_sent": "",
    "has_attachments_flag": 0, "has_draft_flag": 0, "has_sent_flag": 0, "archived_flag": 0, "deleted_flag": 0,
    "shared_flag": 1, "external_deleted_flag": 0, "last_message_timestamp": None, "first_message_timestamp": None,
    "deal_id": None, "deal_status": None,
}  # fmt: skip
_MAIL_MESSAGE: Json = {
    "from": [], "to": [], "cc": [], "bcc": [], "body_url": "https://mail.example.com/", "account_id": "account",
    "user_id": 1, "mail_thread_id": 1, "subject": "Subject", "snippet": "Snippet", "read_flag": 1, "draft_flag": 0,
    "synced_flag": 1, "deleted_flag": 0, "has_body_flag": 1, "sent_flag": 0, "message_time": None,
}  # fmt: skip
_PROJECT: Json = {
    "title": "Project", "description": None, "status": "open", "board_id": 1, "phase_id": 1, "owner_id": 1,
    "start_date": None, "end_date": None, "deal_ids": [], "person_ids": [], "org_ids": [], "label_ids": [],
    "health_status": None, "status_change_time": None, "archive_time": None,
}  # fmt: skip
_TASK: Json = {
    "title": "Task", "creator_id": 1, "description": None, "project_id": 1, "is_done": False, "is_milestone": False,
    "due_date": None, "start_date": None, "parent_task_id": None, "assignee_ids": [], "priority": None,
    "marked_as_done_time": None,
}  # fmt: skip
_FILTER: Json = {
    "name": "Filter", "filter_code": None, "is_editable": True, "active_flag": True, "type": "deals",
    "temporary_flag": None, "user_id": 1, "visible_to": "7", "last_used_time": None, "custom_view_id": None,
}  # fmt: skip
_CALL_LOG: Json = {
    "activity_id": None, "person_id": None, "org_id": None, "deal_id": None, "subject": "Call", "duration": "60",
    "outcome": "connected", "from_phone_number": None, "to_phone_number": "+3720000000", "has_recording": False,
    "start_time": "2026-01-01T01:01:01.000Z", "end_time": "2026-01-01T01:02:01.000Z", "user_id": 1, "company_id": 1,
    "note": None,
}  # fmt: skip
_GOAL: Json = {
    "owner_id": 1, "title": "Goal", "type": {"name": "deals_started", "params": {"pipeline_id": [1]}},
    "assignee": {"type": "company", "id": 1}, "interval": "weekly",
    "duration": {"start": "2026-01-01", "end": None},
    "expected_outcome": {"target": 100, "tracking_metric": "quantity"}, "is_active": True, "report_ids": [],
}  # fmt: skip

DEFAULTS: Mapping[str, Json] = MappingProxyType(
    {
        "deals": _DEAL,
        "persons": _PERSON,
        "organizations": _ORGANIZATION,
        "activities": _ACTIVITY,
        "products": _PRODUCT,
        "leads": _LEAD,
        "notes": _NOTE,
        "files": _FILE,
        "pipelines": {"name": "Pipeline", "order_nr": 1, "is_deleted": False, "is_deal_probability_enabled": True},
        "stages": {
            "order_nr": 1, "name": "Stage", "is_deleted": False, "deal_probability": 100, "pipeline_id": 1,
            "is_deal_rot_enabled": False, "days_to_rotten": None,
        },
        "deal_products": _DEAL_PRODUCT,
        "installments": {"amount": 10, "billing_date": "2026-03-10", "deal_id": 1, "description": "Fee"},
        "participants": {"deal_id": 1, "person_id": 1, "active_flag": True},
        "followers": {"deal_id": 1, "user_id": 1},
        "users": _USER,
        "roles": {"parent_role_id": None, "name": "Role", "active_flag": True, "assignment_count": "1",
                  "sub_role_count": "0", "level": 1},
        "permission_sets": {"name": "Set", "description": "", "app": "sales", "type": "regular",
                            "assignment_count": 1},
        "filters": _FILTER,
        "currencies": {"code": "EUR", "name": "Euro", "decimal_points": 2, "symbol": "€", "active_flag": True,
                       "is_custom_flag": False},
        "activity_types": {"order_nr": 1, "name": "Call", "key_string": "call", "icon_key": "call",
                           "active_flag": True, "color": "FFFFFF", "is_custom_flag": False},
        "lead_labels": {"name": "Hot", "color": "red"},
        "lead_sources": {"name": "API"},
        "goals": _GOAL,
        "call_logs": _CALL_LOG,
        "mail_threads": _MAIL_THREAD,
        "mail_messages": _MAIL_MESSAGE,
        "projects": _PROJECT,
        "tasks": _TASK,
        "boards": {"name": "Board", "order_nr": 1},
        "phases": {"name": "Phase", "board_id": 1, "order_nr": 1},
    }
)  # fmt: skip

# Tables whose ids are no numbers.
UUIDS = frozenset({"leads", "lead_labels"})
TEXT_IDS = frozenset({"permission_sets", "goals", "call_logs"})
# Tables whose stamps have milliseconds.
MILLIS = frozenset({"leads", "lead_labels", "mail_threads", "mail_messages", "projects", "tasks", "boards", "phases"})
# The entity whose own fields the rows of a table have.
OWN_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "deals": "deal",
        "leads": "deal",
        "persons": "person",
        "organizations": "organization",
        "products": "product",
        "projects": "project",
    }
)
EMPTY_ADDRESS: Mapping[str, Any] = MappingProxyType(_ADDRESS)
