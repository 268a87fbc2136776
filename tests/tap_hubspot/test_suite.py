"""The SDK's own tests of a tap, against the fake."""

from __future__ import annotations

import atexit

from singer_sdk.testing import SuiteConfig, get_tap_test_class

from fake_crm import FakeCrm
from tap_hubspot.tap import TapHubSpot


def started() -> FakeCrm:
    """A fake that lives as long as the test session: the SDK lists streams and attributes when tests are collected."""
    crm = FakeCrm(seed=8, contacts=120, companies=20, deals=30, tickets=10)
    crm.__enter__()
    atexit.register(crm.__exit__, None, None, None)
    return crm


CRM = started()

TestTapHubSpot = get_tap_test_class(
    TapHubSpot,
    config={"api_url": CRM.url, "access_token": CRM.token, "searches_per_second": 1000},
    suite_config=SuiteConfig(max_records_limit=50),
)
