"""A strict local Salesforce: any org, its REST API and Bulk API 2.0, with a memory."""

from fake_crm.salesforce.catalog_custom import custom
from fake_crm.salesforce.fake import FakeSalesforce
from fake_crm.salesforce.limits import Limits
from fake_crm.salesforce.quirks import Quirks
from fake_crm.salesforce.reports import Definition

__all__ = ["Definition", "FakeSalesforce", "Limits", "Quirks", "custom"]
