"""`--check` and `--plan`: what the user may read and what a run would take, before anything is read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import ExitCode
from fake_crm import FakeSalesforce
from fake_crm.salesforce.limits import Limits
from tests.tap_salesforce.conftest import config_for

if TYPE_CHECKING:
    from collections.abc import Iterator

TAP = Path(sys.executable).parent / "tap-salesforce"
STREAMS = ["Account", "Contact", "Lead"]


@pytest.fixture
def fake() -> Iterator[FakeSalesforce]:
    with FakeSalesforce(sizes={"Account": 45, "Contact": 4200}) as fake:
        yield fake


def run(fake: FakeSalesforce, folder: Path, *arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    path = folder / "config.json"
    path.write_text(json.dumps(config_for(fake, **{"streams": STREAMS, "cache_dir": "none", **settings})))
    path.chmod(0o600)
    return subprocess.run(
        [TAP, "--config", path, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("TAP_")},
    )


def rows_of(output: str) -> dict[str, list[str]]:
    return {line.split()[0]: line.split()[1:] for line in output.splitlines() if line}


def test_check_tells_who_we_are_and_what_is_open(fake: FakeSalesforce, tmp_path: Path) -> None:
    done = run(fake, tmp_path, "--check")
    assert done.returncode == 0, done.stderr
    rows = rows_of(done.stdout)
    assert {stream: rows[stream] for stream in STREAMS} == {stream: ["open"] for stream in STREAMS}
    assert rows["api"] == ["version", "68.0"]
    assert rows["token"] == ["client", "credentials"]
    assert "of 15,000 calls of 24 hours left" in done.stdout


def test_check_names_what_is_closed(fake: FakeSalesforce, tmp_path: Path) -> None:
    fake.faults.add(path=r"/query\?.*FROM\+Lead", status=403, policy="INSUFFICIENT_ACCESS", times=None)
    done = run(fake, tmp_path, "--check=json")
    assert done.returncode == ExitCode.CONFIG
    answers = {each["stream"]: each for each in json.loads(done.stdout)["streams"]}
    assert answers["Account"]["access"] == "open"
    assert answers["Lead"]["access"] == "forbidden"
    assert "permission" in answers["Lead"]["reason"]


def test_check_of_credentials_that_do_not_work(fake: FakeSalesforce, tmp_path: Path) -> None:
    done = run(fake, tmp_path, "--check", client_secret="another-secret")
    assert done.returncode == ExitCode.CONFIG
    assert done.stdout == ""
    assert "client_id or client_secret are wrong" in done.stderr.splitlines()[-1]
    assert "another-secret" not in done.stderr


def test_the_plan_tells_records_and_calls(fake: FakeSalesforce, tmp_path: Path) -> None:
    done = run(fake, tmp_path, "--plan=json", api_type="rest")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    records = {each["stream"]: each["records"] for each in plan["streams"]}
    assert records == {"Account": 45, "Contact": 4200, "Lead": 30}
    assert plan["quota"]["limit"] == 15_000


def test_a_plan_that_does_not_fit_ends_with_75_and_says_how_the_limit_works(tmp_path: Path) -> None:
    with FakeSalesforce(sizes={"Contact": 45_000}, limits=Limits(api_requests=60)) as fake:
        done = run(fake, tmp_path, "--plan", api_type="rest")
    assert done.returncode == ExitCode.TRY_LATER
    assert "pass out of the last 24 hours" in done.stderr.splitlines()[-1]
    assert "(max_run_share 0.25)" in done.stderr.splitlines()[-1]
    assert "midnight" not in done.stderr


def test_a_run_tells_its_cost_at_its_end(fake: FakeSalesforce, tmp_path: Path) -> None:
    done = run(fake, tmp_path, api_type="rest")
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert any("Contact: 4200 emitted, 4200 expected," in line for line in lines)
    assert any("in all: 4275 emitted," in line and "calls of 24 hours left" in line for line in lines)
