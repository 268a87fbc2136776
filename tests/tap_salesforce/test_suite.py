"""The SDK's own tests of a tap, against the fake."""

from __future__ import annotations

import atexit
import subprocess
import sys

from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_salesforce.tap import TapSalesforce

# The SDK lists streams and attributes when tests are collected, long before any fixture: so the fake is a process of
# its own, which ends with this one's end of the pipe.
SERVER = """
import sys
from fake_crm import FakeSalesforce
with FakeSalesforce(seed=8, extra_objects=1) as fake:
    print(fake.url, fake.client_id, fake.client_secret, flush=True)
    sys.stdin.read()
"""


def started() -> dict[str, str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    atexit.register(process.communicate)
    assert process.stdout is not None
    return dict(zip(("login_url", "client_id", "client_secret"), process.stdout.readline().split(), strict=True))


TestTapSalesforce = get_tap_test_class(
    TapSalesforce,
    config={**started(), "cache_dir": "none", "blobs": True, "streams": ["*"]},
    suite_config=SuiteConfig(max_records_limit=50),
)
