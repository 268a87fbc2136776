"""Strict local CRM APIs with memory, faults and a clock of their own, for tests and demos."""

from fake_crm.faults import Fault
from fake_crm.github.fake import FakeGitHub
from fake_crm.hubspot.fake import FakeCrm
from fake_crm.hubspot.limits import Limits
from fake_crm.hubspot.pipelines import Stage
from fake_crm.hubspot.properties import Property
from fake_crm.hubspot.world import World
from fake_crm.request_log import LoggedRequest

__all__ = ["FakeCrm", "FakeGitHub", "Fault", "Limits", "LoggedRequest", "Property", "Stage", "World"]
