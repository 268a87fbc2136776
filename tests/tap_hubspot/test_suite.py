"""The SDK's own tests of a tap, against the fake."""

from __future__ import annotations

import atexit
import subprocess
import sys

from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_hubspot.tap import TapHubSpot

# The SDK lists streams and attributes when tests are collected, long before any fixture: so the fake is a process of
# its own, which ends with this one's end of the pipe.
SERVER = """
import sys
from fake_crm import FakeCrm, Property
from fake_crm.hubspot.kinds import STANDARD
with FakeCrm(seed=8, objects={kind.name: 8 for kind in STANDARD}) as crm:
    crm.hubspot.define_object("machines", [Property("serial", hubspot_defined=False)])
    crm.fill("machines", 8)
    print(crm.url, crm.token, flush=True)
    sys.stdin.read()
"""


def started() -> tuple[str, str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    atexit.register(process.communicate)
    assert process.stdout is not None
    url, token = process.stdout.readline().split()
    return url, token


URL, TOKEN = started()

TestTapHubSpot = get_tap_test_class(
    TapHubSpot,
    config={"api_url": URL, "access_token": TOKEN, "searches_per_second": 1000},
    suite_config=SuiteConfig(max_records_limit=50),
)
