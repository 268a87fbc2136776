"""Settings: every fault at once, before any call."""

from __future__ import annotations

from typing import Any

import pytest

from crmdb_core.exceptions import ConfigError
from tap_pipedrive.settings import api_root
from tap_pipedrive.tap import TapPipedrive

APP = {"client_id": "a", "client_secret": "b", "refresh_token": "c"}


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "api_token: missing"),
        ({"api_token": "x", **APP}, "not both"),
        ({"client_id": "a"}, "client_secret, refresh_token: missing for OAuth"),
        (APP, "company_domain: missing for OAuth"),
        ({"api_token": "x", "token_store": "y"}, "token_store: is for OAuth only"),
        ({"api_token": "two words"}, "api_token: holds a blank"),
        ({"api_token": "x", "company_domain": "acme.pipedrive.com"}, "company_domain: must match"),
        ({"api_token": "x", "custom_field_names": "hash"}, "custom_field_names: must be one of name, code, both"),
        ({"api_token": "x", "page_size": 501}, "page_size: must be at most 500"),
        ({"api_token": "x", "api_tokens": "x"}, "did you mean api_token?"),
        ({"api_token": "x", "start_date": "yesterday"}, "start_date"),
        ({"api_token": "x", "max_daily_share": 1.5}, "max_daily_share: must be at most 1"),
    ],
)
def test_a_fault_is_said_before_any_call(config: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace("?", r"\?")):
        TapPipedrive(config=config)


@pytest.mark.parametrize(
    ("config", "root"),
    [
        ({}, "https://api.pipedrive.com"),
        ({"company_domain": "acme"}, "https://acme.pipedrive.com"),
        ({"company_domain": "acme", "api_url": "http://127.0.0.1:1"}, "http://127.0.0.1:1"),
    ],
)
def test_the_root_is_the_companys_own(config: dict[str, Any], root: str) -> None:
    assert api_root(config) == root
