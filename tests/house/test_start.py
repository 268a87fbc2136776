"""Every console script starts without what only few runs need."""

from __future__ import annotations

import subprocess
import sys

import pytest

LATER = {
    "backoff._wait_gen",
    "joblib.parallel",
    "jsonpath_ng.jsonpath",
    "jwt.api_jwt",
    "upath.core",
}


@pytest.mark.parametrize(
    ("package", "needed"),
    [
        ("tap_csv_github", "crmdb_core.tap"),
        ("tap_hubspot", "crmdb_core.tap"),
        ("tap_pipedrive", "crmdb_core.tap"),
        ("tap_salesforce", "crmdb_core.tap"),
        ("target_crmdb", "target_crmdb.sink"),
    ],
)
def test_a_start_imports_only_what_every_run_needs(package: str, needed: str) -> None:
    command = [sys.executable, "-X", "importtime", "-m", package, "--version"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines() if "import time:" in line}
    assert needed in imported
    assert imported & LATER == set()
