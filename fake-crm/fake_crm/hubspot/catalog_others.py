"""The properties that the other object types are born with: a few of HubSpot's of each, of every type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake_crm.hubspot.properties import Property

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fake_crm.hubspot.kinds import Kind


def _numbers(*names: str) -> tuple[Property, ...]:
    return tuple(Property(name, "number") for name in names)


_ACTIVITY = (
    Property("hs_timestamp", "datetime"),
    Property("hs_activity_type"),
    Property("hs_attachment_ids", read_only=True),
    Property("hs_body_preview", read_only=True, calculated=True),
)
_MONEY = (Property("hs_currency_code"), Property("hs_total_amount", "number", calculated=True))
_BY_KIND: Mapping[str, tuple[Property, ...]] = {
    "calls": (*_ACTIVITY, *_numbers("hs_call_duration"), Property("hs_call_body", field_type="html")),
    "emails": (*_ACTIVITY, Property("hs_email_text", field_type="textarea"), Property("hs_email_headers", "json")),
    "meetings": (*_ACTIVITY, Property("hs_meeting_start_time", "datetime"), Property("hs_meeting_location")),
    "notes": _ACTIVITY,
    "tasks": (*_ACTIVITY, Property("hs_task_is_completed", "number", calculated=True)),
    "communications": (*_ACTIVITY, Property("hs_communication_body", field_type="html")),
    "postal_mail": (*_ACTIVITY, Property("hs_postal_mail_body", field_type="html")),
    "products": (*_numbers("price"), Property("hs_sku"), Property("hs_recurring_billing_start_date", "date")),
    "line_items": (*_numbers("quantity", "price"), Property("amount", "number", calculated=True)),
    "quotes": (Property("hs_expiration_date", "datetime"), Property("hs_status"), *_MONEY),
    "orders": (*_MONEY, Property("hs_external_order_id")),
    "carts": (*_MONEY, Property("hs_abandoned", "bool")),
    "invoices": (*_MONEY, Property("hs_due_date", "date")),
    "subscriptions": (*_MONEY, Property("hs_next_payment_due_date", "date")),
    "commerce_payments": (*_MONEY, Property("hs_initiated_date", "datetime")),
    "goal_targets": (*_numbers("hs_target_amount"), Property("hs_start_datetime", "datetime")),
    "users": (Property("hs_email", unique=True), Property("hs_internal_user_id", "number", referenced="USER")),
    "listings": (*_numbers("hs_bedrooms"), Property("hs_location", "object_coordinates")),
}
_STAGES = (
    Property("hs_pipeline", "enumeration", external_options=True),
    Property("hs_pipeline_stage", "enumeration", external_options=True),
)


def others(kind: Kind) -> tuple[Property, ...]:
    """The definitions of a type that is none of the main ones, beside those that every type has."""
    stages = _STAGES if kind.has_pipelines else ()
    return (Property(kind.title), *_BY_KIND.get(kind.name, ()), *stages)
