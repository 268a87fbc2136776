"""Settings are declared once, in code; the README tables and meltano.yml repeat them word for word."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from singer_sdk.exceptions import ConfigValidationError

from crmdb_core.exits import ConfigError
from tap_csv_github.tap import TapCsvGithub
from tap_hubspot.tap import TapHubSpot
from tap_pipedrive.tap import TapPipedrive
from tap_salesforce.tap import TapSalesforce
from target_crmdb.target import TargetCrmdb

if TYPE_CHECKING:
    from crmdb_core.tap import CrmTap
    from fake_crm import FakeCrm

ROOT = Path(__file__).resolve().parents[2]


def test_the_generated_tables_say_what_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, "dev/settings.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("plugin", [TapCsvGithub, TapHubSpot, TapSalesforce, TapPipedrive, TargetCrmdb])
def test_every_setting_is_described(plugin: type[CrmTap | TargetCrmdb]) -> None:
    properties = plugin.config_jsonschema["properties"]
    assert [name for name, declared in properties.items() if not declared.get("description")] == []


@pytest.mark.parametrize(
    ("plugin", "secrets"),
    [
        (TapCsvGithub, {"auth_token", "app_private_key"}),
        (TapHubSpot, {"access_token", "client_secret", "refresh_token"}),
        (
            TapSalesforce,
            {"access_token", "client_secret", "refresh_token", "jwt_key", "password", "security_token"},
        ),
        (TapPipedrive, {"api_token", "client_secret", "refresh_token"}),
        (TargetCrmdb, {"password", "sqlalchemy_url", "ssl_client_private_key"}),
    ],
)
def test_secrets_are_marked(plugin: type[CrmTap | TargetCrmdb], secrets: set[str]) -> None:
    properties = plugin.config_jsonschema["properties"]
    marked = {name for name, declared in properties.items() if declared.get("secret")}
    assert secrets <= marked


def test_numbers_that_come_as_text_are_taken(fake_hubspot: FakeCrm) -> None:
    """Meltano 4.4 hands over fractional numbers as text only."""
    access = {"access_token": fake_hubspot.token, "api_url": fake_hubspot.url}
    tap = TapHubSpot(config={**access, "rate_limit": "0.5"}, catalog={"streams": []})
    target = TargetCrmdb(config={"embedded": True, "state_interval": "0.5"})
    assert (Decimal("0.5"), Decimal("0.5")) == (tap.config["rate_limit"], target.config["state_interval"])


def test_text_that_is_no_number_is_a_fault() -> None:
    with pytest.raises(ConfigError, match="rate_limit"):
        TapHubSpot(config={"access_token": "x", "rate_limit": "fast"})
    with pytest.raises(ConfigValidationError):
        TargetCrmdb(config={"embedded": True, "state_interval": "often"})
