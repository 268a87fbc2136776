"""The objects that a new org has: those of sales and service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fake_crm.salesforce.catalog_custom import custom_objects
from fake_crm.salesforce.catalog_system import system_objects
from fake_crm.salesforce.fields import address, flag, number, person_name, pick, plain, ref, text, whole
from fake_crm.salesforce.objects import CREATED, DELETE_STAMPS, ID, MODIFIED, SObject

if TYPE_CHECKING:
    from fake_crm.salesforce.fields import Field

INDUSTRIES = ("Agriculture", "Banking", "Chemicals", "Consulting", "Energy", "Retail", "Technology", "Utilities")
SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
STAGES = ("Prospecting", "Qualification", "Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost")
NAMED = text("Name", 255, nillable=False, name_field=True)


def record(name: str, prefix: str, *fields: Field | tuple[Field, ...], searchable: bool = True) -> SObject:
    """An ordinary object with the system fields."""
    own: list[Field] = []
    for each in fields:
        own.extend(each if isinstance(each, tuple) else (each,))
    return SObject.of(name, prefix, (ID, *DELETE_STAMPS, *own, *CREATED, *MODIFIED), searchable=searchable)


def objects() -> tuple[SObject, ...]:
    """Fresh definitions of all objects."""
    return (*_people(), *_sales(), *_activities(), *system_objects(), *custom_objects())


def _people() -> tuple[SObject, ...]:
    return (
        record(
            "Account", "001",
            ref("MasterRecordId", "Account", relationship="MasterRecord", settable=False),
            NAMED,
            pick("Type", "Prospect", "Customer - Direct", "Customer - Channel", "Other"),
            ref("ParentId", "Account"),
            address("Billing"), address("Shipping"),
            text("Phone", 40, "phone"), text("Fax", 40, "phone"), text("AccountNumber", 40),
            text("Website", 255, "url"),
            text("PhotoUrl", 255, "url", settable=False), text("Sic", 20),
            pick("Industry", *INDUSTRIES),
            number("AnnualRevenue", 18, 0, "currency"), whole("NumberOfEmployees"),
            pick("Ownership", "Public", "Private", "Subsidiary", "Other"), text("TickerSymbol", 20),
            text("Description", 32000, "textarea"), pick("Rating", "Hot", "Warm", "Cold"), text("Site", 80),
            ref("OwnerId", "User", nillable=False), plain("LastActivityDate", "date", settable=False),
            pick("AccountSource", *SOURCES), pick("CleanStatus", "Matched", "Pending", restricted=True, settable=False),
        ),
        record(
            "Contact", "003",
            ref("MasterRecordId", "Contact", relationship="MasterRecord", settable=False),
            ref("AccountId", "Account"), person_name(), address("Other"), address("Mailing"),
            text("Phone", 40, "phone"), text("MobilePhone", 40, "phone"), text("HomePhone", 40, "phone"),
            ref("ReportsToId", "Contact"), text("Email", 80, "email"), text("Title", 128), text("Department", 80),
            pick("LeadSource", *SOURCES), plain("Birthdate", "date"), text("Description", 32000, "textarea"),
            ref("OwnerId", "User", nillable=False), flag("HasOptedOutOfEmail"), flag("DoNotCall"),
            plain("LastActivityDate", "date", settable=False), plain("EmailBouncedDate", "datetime"),
            flag("IsEmailBounced", settable=False),
        ),
        record(
            "Lead", "00Q",
            ref("MasterRecordId", "Lead", relationship="MasterRecord", settable=False),
            person_name(), text("Title", 128), text("Company", 255, nillable=False), address("", "Address"),
            text("Phone", 40, "phone"), text("MobilePhone", 40, "phone"), text("Email", 80, "email"),
            text("Website", 255, "url"), text("Description", 32000, "textarea"), pick("LeadSource", *SOURCES),
            pick("Status", "Open - Not Contacted", "Working - Contacted", "Closed - Converted", nillable=False,
                 default="Open - Not Contacted"),
            pick("Industry", *INDUSTRIES), number("AnnualRevenue", 18, 0, "currency"), whole("NumberOfEmployees"),
            ref("OwnerId", "Group", "User", nillable=False), flag("IsConverted", settable=False),
            plain("ConvertedDate", "date", settable=False), ref("ConvertedAccountId", "Account", settable=False),
            flag("IsUnreadByOwner"),
        ),
        record(
            "Campaign", "701", NAMED, pick("Type", "Email", "Webinar", "Conference"), flag("IsActive"),
            pick("Status", "Planned", "In Progress", "Completed"), plain("StartDate", "date"),
            plain("EndDate", "date"), number("ExpectedRevenue", 18, 0, "currency"),
            number("BudgetedCost", 18, 0, "currency"), number("ExpectedResponse", 8, 2, "percent"),
            number("NumberSent", 18, 0), ref("OwnerId", "User", nillable=False),
            text("Description", 32000, "textarea"),
        ),
        record(
            "CampaignMember", "00v", ref("CampaignId", "Campaign", nillable=False), ref("LeadId", "Lead"),
            ref("ContactId", "Contact"), pick("Status", "Sent", "Responded"), flag("HasResponded", settable=False),
            plain("FirstRespondedDate", "date", settable=False), searchable=False,
        ),
    )  # fmt: skip


def _sales() -> tuple[SObject, ...]:
    return (
        record(
            "Opportunity", "006",
            ref("AccountId", "Account"), flag("IsPrivate"), text("Name", 120, nillable=False, name_field=True),
            text("Description", 32000, "textarea"), pick("StageName", *STAGES, nillable=False, default="Prospecting"),
            number("Amount", 18, 2, "currency"), number("Probability", 3, 0, "percent"),
            number("ExpectedRevenue", 18, 2, "currency", formula=_expected, formula_text="Amount * Probability"),
            plain("CloseDate", "date", nillable=False), pick("Type", "New Customer", "Existing Customer - Upgrade"),
            text("NextStep", 255), pick("LeadSource", *SOURCES), flag("IsClosed", settable=False),
            flag("IsWon", settable=False), pick("ForecastCategory", "Omitted", "Pipeline", "Closed", restricted=True,
                                               nillable=False, settable=False, default="Pipeline"),
            ref("CampaignId", "Campaign"), flag("HasOpportunityLineItem", settable=False),
            ref("Pricebook2Id", "Pricebook2", relationship="Pricebook2"), ref("OwnerId", "User", nillable=False),
            whole("FiscalQuarter", 9, settable=False), whole("FiscalYear", 9, settable=False),
        ),
        record(
            "OpportunityLineItem", "00k",
            ref("OpportunityId", "Opportunity", nillable=False), whole("SortOrder", 9, settable=False),
            ref("PricebookEntryId", "PricebookEntry"), ref("Product2Id", "Product2", relationship="Product2"),
            text("Name", 376, settable=False, name_field=True), number("Quantity", 12, 2, nillable=False),
            number("Discount", 5, 2, "percent"), number("UnitPrice", 18, 2, "currency", nillable=False),
            number("TotalPrice", 18, 2, "currency", formula=_total, formula_text="Quantity * UnitPrice"),
            plain("ServiceDate", "date"), text("Description", 255), searchable=False,
        ),
        record(
            "Product2", "01t", NAMED, text("ProductCode", 255), text("Description", 4000, "textarea"),
            flag("IsActive"), pick("Family", "None", "Hardware", "Software"), text("StockKeepingUnit", 180),
            pick("QuantityUnitOfMeasure", "Each"),
        ),
        record("Pricebook2", "01s", NAMED, flag("IsActive"), text("Description", 255), flag("IsStandard"),
               searchable=False),
        record(
            "PricebookEntry", "01u", text("Name", 255, settable=False, name_field=True),
            ref("Pricebook2Id", "Pricebook2", relationship="Pricebook2", nillable=False),
            ref("Product2Id", "Product2", relationship="Product2", nillable=False),
            number("UnitPrice", 16, 2, "currency", nillable=False), flag("IsActive"), searchable=False,
        ),
        record(
            "Case", "500", ref("MasterRecordId", "Case", relationship="MasterRecord", settable=False),
            text("CaseNumber", 30, nillable=False, settable=False, auto_number=True, name_field=True),
            ref("ContactId", "Contact"), ref("AccountId", "Account"), text("SuppliedEmail", 80, "email"),
            pick("Type", "Electrical", "Mechanical", "Other"),
            pick("Status", "New", "Working", "Escalated", "Closed", default="New"),
            pick("Reason", "Installation", "Breakdown", "Other"), pick("Origin", "Phone", "Email", "Web"),
            text("Subject", 255), pick("Priority", "High", "Medium", "Low", default="Medium"),
            text("Description", 32000, "textarea"), flag("IsClosed", settable=False), plain("ClosedDate", "datetime"),
            flag("IsEscalated"), ref("OwnerId", "Group", "User", nillable=False),
        ),
    )  # fmt: skip


def _activities() -> tuple[SObject, ...]:
    task = record(
        "Task", "00T",
        ref("WhoId", "Contact", "Lead"), ref("WhatId", "Account", "Campaign", "Case", "Opportunity"),
        text("Subject", 255, "combobox", picklist=("Call", "Email", "Send Letter")), plain("ActivityDate", "date"),
        pick("Status", "Not Started", "In Progress", "Completed", nillable=False, default="Not Started"),
        pick("Priority", "High", "Normal", "Low", nillable=False, default="Normal"), flag("IsHighPriority"),
        ref("OwnerId", "Group", "User", nillable=False), text("Description", 32000, "textarea"),
        ref("AccountId", "Account", settable=False), flag("IsClosed", settable=False),
        flag("IsArchived", settable=False), whole("CallDurationInSeconds"), pick("CallType", "Inbound", "Outbound"),
        plain("CompletedDateTime", "datetime", settable=False),
    )  # fmt: skip
    event = record(
        "Event", "00U",
        ref("WhoId", "Contact", "Lead"), ref("WhatId", "Account", "Campaign", "Case", "Opportunity"),
        text("Subject", 255, "combobox", picklist=("Call", "Meeting", "Other")), text("Location", 255),
        flag("IsAllDayEvent"), plain("ActivityDateTime", "datetime"), plain("ActivityDate", "date"),
        whole("DurationInMinutes"), plain("StartDateTime", "datetime"), plain("EndDateTime", "datetime"),
        text("Description", 32000, "textarea"), ref("AccountId", "Account", settable=False),
        ref("OwnerId", "User", nillable=False), flag("IsPrivate"), flag("IsArchived", settable=False),
        pick("ShowAs", "Busy", "OutOfOffice", "Free", restricted=True), flag("IsChild", settable=False),
    )  # fmt: skip
    for each in (task, event):
        each.archives = True
    return task, event


def _expected(row: dict[str, object]) -> object:
    amount, share = row.get("Amount"), row.get("Probability")
    if amount is None or share is None:
        return None
    return amount * share / 100  # type: ignore[operator] # both are decimals


def _total(row: dict[str, object]) -> object:
    quantity, price = row.get("Quantity"), row.get("UnitPrice")
    if quantity is None or price is None:
        return None
    return quantity * price  # type: ignore[operator] # both are decimals
