"""The SDK's own tests of a tap, against the fake."""

from __future__ import annotations

import atexit
import subprocess
import sys

from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_csv_github.tap import TapCsvGithub

# The SDK lists streams and attributes when tests are collected, long before any fixture: so the fake is a process of
# its own, which ends with this one's end of the pipe.
SERVER = """
import sys
from fake_crm import FakeGitHub
files = {"people.csv": "id,born,score\\n1,2001-02-03,5\\n2,1999-12-31,7\\n", "deals.csv": 'id,name\\n1,a\\n2,"b\\n'}
with FakeGitHub() as github:
    github.repository("acme/crm", files)
    print(github.api_url, github.token, flush=True)
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

TestTapCsvGithub = get_tap_test_class(
    TapCsvGithub,
    config={
        "api_url": URL,
        "auth_token": TOKEN,
        "files": [
            {"repository": "acme/crm", "path": "people.csv", "key_properties": ["id"], "infer_types": True},
            {"repository": "acme/crm", "path": "deals.csv"},
        ],
    },
    suite_config=SuiteConfig(max_records_limit=50),
)
