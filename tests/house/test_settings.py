"""Settings are declared once, in code; the README tables and meltano.yml repeat them word for word."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tap_hubspot.tap import TapHubSpot
from target_crmdb.target import TargetCrmdb

ROOT = Path(__file__).resolve().parents[2]


def test_the_generated_tables_say_what_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, "dev/settings.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("plugin", [TapHubSpot, TargetCrmdb])
def test_every_setting_is_described(plugin: type[TapHubSpot | TargetCrmdb]) -> None:
    properties = plugin.config_jsonschema["properties"]
    assert [name for name, declared in properties.items() if not declared.get("description")] == []


@pytest.mark.parametrize(
    ("plugin", "secrets"),
    [
        (TapHubSpot, {"access_token", "client_secret", "refresh_token"}),
        (TargetCrmdb, {"password", "sqlalchemy_url", "ssl_client_private_key"}),
    ],
)
def test_secrets_are_marked(plugin: type[TapHubSpot | TargetCrmdb], secrets: set[str]) -> None:
    properties = plugin.config_jsonschema["properties"]
    marked = {name for name, declared in properties.items() if declared.get("secret")}
    assert secrets <= marked
