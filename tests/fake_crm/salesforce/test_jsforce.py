"""jsforce, the JavaScript client, understands the fake. Needs node and npm, which fetches it once into the environment.

Where it cannot be had, the summary says that it was not tried; `CRMDB_REQUIRE_JSFORCE=1` makes that a failure.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fake_crm import FakeSalesforce

VERSION = "3.10.16"
HOME = Path(sys.prefix) / "share" / f"jsforce-{VERSION}"
CALLS = Path(__file__).with_name("jsforce_calls.cjs")


def not_tried(reason: str) -> None:
    message = f"jsforce was NOT tried against the fake Salesforce: {reason}"
    if os.environ.get("CRMDB_REQUIRE_JSFORCE"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="module")
def modules() -> Path:
    """The folder with jsforce in it."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        not_tried(f"{' and '.join(missing)} not found")
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests may run in several processes
        if not (HOME / "complete").exists():
            install()
    return HOME / "node_modules"


def install() -> None:
    command = [
        "npm",
        "install",
        "--prefix",
        str(HOME),
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        f"jsforce@{VERSION}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    if done.returncode:
        not_tried(f"npm could not install it: {done.stderr.strip().splitlines()[-1:]}")
    (HOME / "complete").touch()


@pytest.fixture
def found(fake: FakeSalesforce, modules: Path) -> dict[str, Any]:
    """What it read; see its calls in `jsforce_calls.cjs`."""
    fake.quirks.page_rows = 30
    fake.org.delete("Lead", fake.org.records("Lead")[0]["Id"])
    command = ["node", str(CALLS), fake.url, fake.client_id, fake.client_secret]
    environment = {**os.environ, "NODE_PATH": str(modules)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def test_it_logs_in_reads_and_writes(fake: FakeSalesforce, found: dict[str, Any]) -> None:
    assert [kind.name for kind in fake.org.schema] == found["objects"]
    assert list(fake.org.schema.find("Account").fields) == found["fields"]
    assert [row["Id"] for row in fake.org.records("Contact")] == found["contacts"]
    deleted = [row["Id"] for row in fake.org.records("Lead", deleted=True) if row["IsDeleted"]]
    assert (1, deleted) == (len(deleted), found["deleted"])
    made = fake.org.record("Account", found["created"])
    assert made is not None
    assert made["Name"] == found["name"] == "Made by jsforce"
    assert found["created"] in found["updated"]
    assert ("INVALID_FIELD", 15_000) == (found["refusal"]["code"], found["limit"])
    truth = {row["Id"]: row["Text__c"] or "" for row in fake.org.records("Everything__c")}
    assert truth == {row["Id"]: row["Text__c"] or "" for row in found["bulk"]}
