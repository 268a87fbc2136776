"""Strict local CRM APIs with memory, faults and a clock of their own, for tests and demos."""

from fake_crm.faults import Fault
from fake_crm.github.fake import FakeGitHub
from fake_crm.hubspot.fake import FakeCrm
from fake_crm.hubspot.limits import Limits
from fake_crm.hubspot.pipelines import Stage
from fake_crm.hubspot.properties import Property
from fake_crm.hubspot.world import World
from fake_crm.pipedrive.fake import FakePipedrive
from fake_crm.request_log import LoggedRequest
from fake_crm.salesforce.fake import FakeSalesforce

__all__ = [
    "FakeCrm",
    "FakeGitHub",
    "FakePipedrive",
    "FakeSalesforce",
    "Fault",
    "Limits",
    "LoggedRequest",
    "Property",
    "Stage",
    "World",
]
