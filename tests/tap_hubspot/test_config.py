"""Settings: every fault at once, before any network call (fault C01)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tap_hubspot.settings import access_faults
from tap_hubspot.tap import TapHubSpot

TAP = Path(sys.executable).parent / "tap-hubspot"
UNREACHABLE = "http://127.0.0.1:1"


def run(tmp_path: Path, config: dict[str, Any], *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    path.chmod(0o600)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TAP_")}
    return subprocess.run(
        [TAP, "--config", path, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**environment, **env},
        cwd=tmp_path,
        check=False,
    )


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"access_token": "t"}, []),
        ({"client_id": "i", "client_secret": "s", "refresh_token": "r", "token_store": "f"}, []),
        ({}, ["access_token: missing"]),
        ({"access_token": ""}, ["access_token: missing"]),
        ({"access_token": "t", "client_id": "i"}, ["not both", "client_secret, refresh_token: missing"]),
        ({"client_id": "i"}, ["client_secret, refresh_token: missing"]),
        ({"access_token": "t", "token_store": "f"}, ["token_store: is for OAuth only"]),
        ({"access_token": "pat-na1-abc\n"}, ["access_token: holds a blank, a line break"]),
        ({"access_token": "Bearer pat-na1-abc"}, ["access_token: holds a blank"]),
        ({"access_token": '"pat-na1-abc"'}, ["access_token: holds"]),
        ({"access_token": "pat-na1-\u2026"}, ["access_token: holds"]),
    ],
)
def test_exactly_one_whole_way_of_access_is_needed(config: dict[str, str], expected: list[str]) -> None:
    faults = list(access_faults(config))
    assert len(faults) == len(expected)
    assert all(part in fault for part, fault in zip(expected, faults, strict=True))


def test_c01_all_faults_of_the_settings_come_at_once_with_exit_78(tmp_path: Path) -> None:
    config = {"api_url": UNREACHABLE, "acces_token": "x", "page_size": 500, "start_date": "soon", "lookback": -1}
    done = run(tmp_path, config)
    assert (done.returncode, done.stdout) == (78, "")
    for part in ("access_token", "page_size", "start_date", "lookback"):
        assert part in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [(), ("--discover",), ("--test",)])
def test_c01_without_any_access_nothing_is_started(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run(tmp_path, {"api_url": UNREACHABLE}, *arguments)
    assert (done.returncode, done.stdout) == (78, "")
    assert "access_token: missing" in done.stderr


def test_the_token_may_come_from_the_environment_and_is_in_no_line(tmp_path: Path) -> None:
    token = "pat-canary-0123456789"
    done = subprocess.run(
        [TAP, "--config=ENV", "--discover"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "TAP_HUBSPOT_ACCESS_TOKEN": token, "TAP_HUBSPOT_API_URL": UNREACHABLE}
        | {"TAP_HUBSPOT_RETRY_ATTEMPTS": "1", "TAP_HUBSPOT_DEBUG": "true"},
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 1
    assert "no connection to 127.0.0.1" in done.stderr
    assert token not in done.stdout + done.stderr


def test_about_lists_the_settings_and_needs_none(tmp_path: Path) -> None:
    done = subprocess.run(
        [TAP, "--about", "--format=json"], capture_output=True, text=True, timeout=60, cwd=tmp_path, check=True
    )
    listed = json.loads(done.stdout)["settings"]["properties"]
    assert {"access_token", "api_version", "since", "max_records", "rate_limit"} <= set(listed)


def test_the_defaults_are_declared() -> None:
    declared = TapHubSpot.config_jsonschema["properties"]
    assert declared["api_version"]["default"] == "2026-09"
    assert declared["api_url"]["default"] == "https://api.hubapi.com"
