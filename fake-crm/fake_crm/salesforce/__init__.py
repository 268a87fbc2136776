"""A strict local Salesforce: any org, its REST API and Bulk API 2.0, with a memory."""

from fake_crm.salesforce.fake import FakeSalesforce

__all__ = ["FakeSalesforce"]
