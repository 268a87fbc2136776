"""`--check`: which scopes the streams lack, before a run; and what a run does without them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import SyncFailedError
from fake_crm import FakeCrm, Limits
from tap_hubspot.tap import TapHubSpot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot.conftest import RunTap

TAP = Path(sys.executable).parent / "tap-hubspot"
# everything but deals, as the README's table of scopes has it
NO_DEALS = ["crm.objects.contacts.read", "crm.objects.companies.read", "crm.objects.owners.read", "tickets"]


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(seed=4, contacts=30, companies=5, deals=5, tickets=5, limits=Limits(daily=625_000)) as crm:
        crm.access.add_token("narrow", scopes=NO_DEALS)
        yield crm


def run(crm: FakeCrm, folder: Path, *arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    config = {"api_url": crm.url, "access_token": crm.token, "searches_per_second": 1000, **settings}
    path = folder / "config.json"
    path.write_text(json.dumps({name: value for name, value in config.items() if value is not None}))
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


def catalog_of(crm: FakeCrm, folder: Path, *streams: str) -> str:
    """A catalog file in which these streams are selected."""
    catalog = TapHubSpot(config={"api_url": crm.url, "access_token": crm.token}).catalog_dict
    for entry in catalog["streams"]:
        for one in entry["metadata"]:
            if not one["breadcrumb"]:
                one["metadata"]["selected"] = entry["stream"] in streams
    path = folder / "catalog.json"
    path.write_text(json.dumps(catalog))
    return str(path)


def rows_of(output: str) -> dict[str, list[str]]:
    return {line.split()[0]: line.split()[1:] for line in output.splitlines() if line}


def test_a_key_that_may_read_everything(crm: FakeCrm, tmp_path: Path) -> None:
    done = run(crm, tmp_path, "--check")
    assert done.returncode == 0, done.stderr
    rows = rows_of(done.stdout)
    assert rows["account"] == ["123456", "(DEVELOPER_TEST)"]
    assert rows["time"] == ["zone", "US/Eastern"]
    assert rows["data"] == ["hosting", "na1"]
    assert "of 625,000 calls left today" in done.stdout
    for stream in TapHubSpot(config={"api_url": crm.url, "access_token": crm.token}).streams:
        assert rows[stream] == ["open"]


def test_a05_the_scopes_that_selected_streams_lack_are_named_and_the_exit_is_78(crm: FakeCrm, tmp_path: Path) -> None:
    done = run(crm, tmp_path, "--check", access_token="narrow")
    assert done.returncode == 78
    rows = rows_of(done.stdout)
    assert rows["contacts"] == rows["tickets"] == rows["owners"] == ["open"]
    # its properties would be open to crm.schemas.deals.read too, but its records are not
    assert rows["deals"] == ["FORBIDDEN", "add", "any", "one", "of:", "crm.objects.deals.read"]
    told = done.stderr.splitlines()[-1]
    assert "deals" in told
    assert "contacts" not in told


@pytest.mark.parametrize("key", ["requiredScopes", "requiredGranularScopes"])
def test_a05_both_spellings_of_missing_scopes_are_understood(crm: FakeCrm, tmp_path: Path, key: str) -> None:
    crm.quirks.scope_key = key
    done = run(crm, tmp_path, "--check=json", access_token="narrow")
    streams = {one["stream"]: one for one in json.loads(done.stdout)["streams"]}
    assert streams["deals"]["any_of"] == ["crm.objects.deals.read"]
    assert streams["contacts"] == {"stream": "contacts", "access": "open"}


def test_only_selected_streams_are_asked_by_one_call_each(crm: FakeCrm, tmp_path: Path) -> None:
    catalog = catalog_of(crm, tmp_path, "contacts", "owners")
    before = len(crm.requests)
    done = run(crm, tmp_path, "--check", "--catalog", catalog, access_token="narrow")
    assert done.returncode == 0, done.stderr
    first, *asked = [request.path for request in list(crm.requests)[before:]]
    assert first == "/account-info/2026-09/details"
    properties = "/crm/properties/2026-09/contacts"  # with refresh_schema
    assert sorted(asked) == ["/crm/objects/2026-09/contacts", "/crm/owners/2026-09", properties]


def test_a05_a_selected_stream_of_the_catalog_that_is_closed_now(crm: FakeCrm, tmp_path: Path) -> None:
    done = run(crm, tmp_path, "--check", "--catalog", catalog_of(crm, tmp_path, "deals"), access_token="narrow")
    assert done.returncode == 78
    assert rows_of(done.stdout)["deals"][:1] == ["FORBIDDEN"]


def test_a_wrong_token_is_told_once_with_78(crm: FakeCrm, tmp_path: Path) -> None:
    done = run(crm, tmp_path, "--check", access_token="pat-na1-cut-o")
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.count("cut off or mistyped") == 1
    assert len(crm.requests) == 1
    assert "pat-na1-cut-o" not in done.stderr


def test_the_scopes_of_an_oauth_app_are_listed(crm: FakeCrm, tmp_path: Path) -> None:
    crm.access.granted = frozenset(NO_DEALS)
    oauth = {"client_id": crm.access.client_id, "client_secret": crm.access.client_secret}
    done = run(crm, tmp_path, "--check", access_token=None, refresh_token=crm.access.refresh_token, **oauth)
    assert done.returncode == 78
    rows = rows_of(done.stdout)
    assert rows["token"] == ["OAuth", "app"]
    assert rows["scopes"] == ", ".join(sorted(NO_DEALS)).split()
    assert rows["deals"] == ["FORBIDDEN", "add", "any", "one", "of:", "crm.objects.deals.read"]
    assert "no quota is known" in done.stdout  # an OAuth app is told none
    for secret in (crm.access.client_secret, crm.access.refresh_token, "oauth-"):
        assert secret not in done.stdout + done.stderr


def test_an_oauth_app_without_introspection_is_checked_all_the_same(crm: FakeCrm, tmp_path: Path) -> None:
    crm.faults.add(path="/introspect", status=404, times=None)
    oauth = {"client_id": crm.access.client_id, "client_secret": crm.access.client_secret}
    done = run(crm, tmp_path, "--check", access_token=None, refresh_token=crm.access.refresh_token, **oauth)
    assert done.returncode == 0, done.stderr
    assert "scopes" not in rows_of(done.stdout)


def test_a_key_that_may_not_see_the_account_is_checked_all_the_same(crm: FakeCrm, tmp_path: Path) -> None:
    catalog = catalog_of(crm, tmp_path, "contacts")
    crm.faults.add(path="/account-info", status=403, times=None)
    done = run(crm, tmp_path, "--check", "--catalog", catalog)
    assert done.returncode == 0, done.stderr
    assert "account" not in rows_of(done.stdout)


def test_the_check_of_a_large_account_costs_no_more(tmp_path: Path) -> None:
    with FakeCrm(seed=4, contacts=3000) as crm:
        assert run(crm, tmp_path, "--check").returncode == 0
        streams = len(TapHubSpot(config={"api_url": crm.url, "access_token": crm.token}).streams)
        # the account, each object's properties, and one or two for each stream
        assert len(crm.requests) <= 3 * streams + 2


# a run


def test_a05_a_run_without_a_scope_reads_the_others_and_fails_at_its_end(run_tap: RunTap, crm: FakeCrm) -> None:
    catalog = run_tap.catalog(crm, "contacts", "companies", "tickets", "owners", "deals", "deal_pipelines")
    done = run_tap(crm, catalog=catalog, access_token="narrow")
    assert isinstance(done.error, SyncFailedError)
    assert {"deals", "deal_pipelines"} == set(done.error.failures)
    assert run_tap.differences(crm, "contacts", done) == []
    assert len(done.records("owners")) == len(crm.hubspot.owners)


def test_a05_with_skip_forbidden_it_ends_well_and_no_bookmark_moves(run_tap: RunTap, crm: FakeCrm) -> None:
    catalog = run_tap.catalog(crm)
    bookmark = {"replication_key": "updatedAt", "replication_key_value": "2020-01-01T00:00:00.000000Z"}
    state = {"bookmarks": {"deals": bookmark, "contacts": bookmark}}
    done = run_tap(crm, state=state, catalog=catalog, access_token="narrow", skip_forbidden=True)
    assert done.error is None
    assert done.bookmark("deals") == "2020-01-01T00:00:00.000000Z"
    assert done.bookmark("contacts") > "2026"
    assert not any(m["type"] == "ACTIVATE_VERSION" and m["stream"].startswith("deal") for m in done.messages)


def test_a05_with_skip_forbidden_discovery_passes_over_it_too(run_tap: RunTap, crm: FakeCrm) -> None:
    done = run_tap(crm, access_token="narrow", skip_forbidden=True)
    assert done.error is None
    assert done.records("contacts")
    assert not done.records("deals")
