"""The properties that the main object types are born with: a small part of HubSpot's, with its traps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake_crm.hubspot.catalog_others import others
from fake_crm.hubspot.properties import Property, by_name, made_by_users

if TYPE_CHECKING:
    from fake_crm.hubspot.kinds import Kind

LIFECYCLE = ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "other")
LEAD_STATUS = ("NEW", "OPEN", "IN_PROGRESS", "UNQUALIFIED", "CONNECTED")
INDUSTRIES = ("COMPUTER_SOFTWARE", "RETAIL", "MACHINERY", "CONSTRUCTION", "FINANCIAL_SERVICES", "BIOTECHNOLOGY")
INTERESTS = ("pricing", "support", "training", "integration")
PRIORITIES = ("LOW", "MEDIUM", "HIGH", "URGENT")
REGIONS = ("north", "south", "east", "west")
CURRENCIES = ("EUR", "USD", "GBP")


def _choices(values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((value, value.replace("_", " ").capitalize()) for value in values)


def _texts(*names: str) -> tuple[Property, ...]:
    return tuple(Property(name) for name in names)


def _enum(name: str, values: tuple[str, ...], field_type: str = "select") -> Property:
    return Property(name, "enumeration", field_type=field_type, options=_choices(values))


# An enumeration without options: its values are owners' ids.
_OWNER = Property("hubspot_owner_id", "enumeration", external_options=True, referenced="OWNER")

_BY_KIND: dict[str, tuple[Property, ...]] = {
    "contacts": (
        Property("email", unique=True),
        *_texts(
            "firstname", "lastname", "company", "jobtitle", "website", "address", "city", "state", "zip", "country"
        ),
        Property("phone", "phone_number"),
        Property("mobilephone", "phone_number"),
        _enum("lifecyclestage", LIFECYCLE, "radio"),
        _enum("hs_lead_status", LEAD_STATUS, "radio"),
        # declared a number though it is an id of another record
        Property("associatedcompanyid", "number", referenced="COMPANY"),
        # contacts own it, but it is empty and a search by it finds nothing
        Property("hs_lastmodifieddate", "datetime", read_only=True),
        Property("hs_calculated_merged_vids", "string", calculated=True),
        Property("num_associated_deals", "number", calculated=True),
        Property("num_employees", "number"),
        # declared a number though it holds a list of ids
        Property("hs_hd_ticket_ids", "number"),
        Property("hs_email_optout", "bool"),
        Property("notes_last_updated", "datetime", read_only=True),
        Property("date_of_birth", "date"),
        made_by_users("customer_score", "number"),
        made_by_users("is_vip", "bool"),
        made_by_users("newsletter_since", "date"),
        made_by_users("interests", "enumeration", field_type="checkbox", options=_choices(INTERESTS)),
        made_by_users("remarks", field_type="textarea"),
    ),
    "companies": (
        *_texts("name", "website", "address", "city", "state", "zip", "country", "founded_year"),
        Property("domain"),
        Property("phone", "phone_number"),
        _enum("industry", INDUSTRIES),
        _enum("lifecyclestage", LIFECYCLE, "radio"),
        Property("numberofemployees", "number"),
        Property("annualrevenue", "number"),
        Property("description", field_type="textarea"),
        made_by_users("customer_number", unique=True),
        made_by_users("region", "enumeration", options=_choices(REGIONS)),
        made_by_users("is_partner", "bool"),
        made_by_users("contract_start", "date"),
    ),
    "deals": (
        Property("dealname"),
        Property("amount", "number"),
        Property("closedate", "datetime"),
        Property("pipeline", "enumeration", external_options=True),
        Property("dealstage", "enumeration", external_options=True),
        _enum("deal_currency_code", CURRENCIES),
        _enum("dealtype", ("newbusiness", "existingbusiness")),
        Property("description", field_type="textarea"),
        Property("hs_is_closed", "bool", calculated=True),
        made_by_users("discount_percent", "number"),
        made_by_users("renewal_date", "date"),
        made_by_users("is_strategic", "bool"),
    ),
    "tickets": (
        Property("subject"),
        Property("content", field_type="textarea"),
        Property("hs_pipeline", "enumeration", external_options=True),
        Property("hs_pipeline_stage", "enumeration", external_options=True),
        _enum("hs_ticket_priority", PRIORITIES),
        Property("closed_date", "datetime"),
        Property("time_to_close", "number", calculated=True),
        made_by_users("escalated", "bool"),
    ),
}


def standard(kind: Kind) -> dict[str, Property]:
    """The definitions that an object type begins with."""
    system = (
        Property("hs_object_id", "number", read_only=True, label="Record ID"),
        Property(kind.created, "datetime", read_only=True),
        Property(kind.modified, "datetime", read_only=True),
        Property("hs_merged_object_ids", "enumeration", field_type="checkbox", calculated=True, external_options=True),
        _OWNER,
    )
    return by_name((*system, *(_BY_KIND.get(kind.name) or others(kind))))
