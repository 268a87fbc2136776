"""The SDK's own tests of a tap, against the fake."""

from __future__ import annotations

import atexit
import subprocess
import sys
from typing import Any

from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_pipedrive.tap import TapPipedrive

# The SDK lists streams and attributes when tests are collected, long before any fixture: so the fake is a process of
# its own, which ends with this one's end of the pipe.
SERVER = """
import sys
from fake_crm import FakePipedrive
with FakePipedrive(seed=8) as crm:
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

CONFIG = {"api_url": URL, "api_token": TOKEN, "hold_back": 0}


def everything() -> dict[str, Any]:
    """A catalog that selects what is not selected by itself too."""
    catalog: dict[str, Any] = TapPipedrive(config=CONFIG).catalog_dict
    for entry in catalog["streams"]:
        for each in entry["metadata"]:
            each["metadata"]["selected"] = True
    return catalog


TestTapPipedrive = get_tap_test_class(
    TapPipedrive,
    config=CONFIG,
    catalog=everything(),
    suite_config=SuiteConfig(max_records_limit=50),
)
