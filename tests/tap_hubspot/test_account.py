"""Users, teams and the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from crmdb_core.exceptions import SyncFailedError
from fake_crm import FakeCrm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot.conftest import RunTap


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(contacts=1, companies=0, deals=0, tickets=0, clock="2026-11-01T00:00:00Z") as crm:
        yield crm


@pytest.mark.parametrize("in_beta", [False, True])
def test_users_and_teams_are_read_where_they_are(run_tap: RunTap, crm: FakeCrm, in_beta: bool) -> None:
    crm.quirks.settings_in_beta = in_beta
    run = run_tap(crm, "settings_users", "teams", "owners")
    assert run.error is None
    owners = {row["userId"] for row in run.records("owners") if row["userId"]}
    assert owners == set(run.ids("settings_users"))
    above, team = run.records("teams")
    assert (None, above["id"]) == (above["parentTeamId"], team["parentTeamId"])
    users = {row["id"]: row for row in run.records("settings_users")}
    assert [team["id"]] * 2 == [users[user]["primaryTeamId"] for user in team["userIds"]]


def test_a_user_who_left_is_removed_at_the_end(run_tap: RunTap, crm: FakeCrm) -> None:
    gone, *rest = run_tap(crm, "settings_users").ids("settings_users")
    crm.hubspot.people.remove(int(gone))
    run = run_tap(crm, "settings_users")
    assert rest == run.ids("settings_users")
    assert "ACTIVATE_VERSION" in {m["type"] for m in run.messages}


def test_many_users_come_in_pages(run_tap: RunTap, crm: FakeCrm) -> None:
    for number in range(240):
        crm.hubspot.add_owner("User", str(number), f"user{number}@example.com")
    assert 243 == len(set(run_tap(crm, "settings_users").ids("settings_users")))


@pytest.mark.parametrize("status", [403, 404])
def test_without_the_parents_of_teams_what_is_stored_stays(run_tap: RunTap, crm: FakeCrm, status: int) -> None:
    crm.faults.add(path="/settings/teams/", status=status, times=None)
    run = run_tap(crm, "teams")
    assert run.error is None
    assert ["Revenue", "Sales"] == [row["name"] for row in run.records("teams")]
    assert not any("parentTeamId" in row for row in run.records("teams"))


def test_they_are_left_out_where_the_key_has_no_scope(run_tap: RunTap, crm: FakeCrm) -> None:
    catalog = run_tap.catalog(crm)
    token = crm.access.add_token("narrow", scopes=["settings.users.read"])
    names = {entry["tap_stream_id"] for entry in run_tap.catalog(crm, access_token=token)["streams"]}
    assert ("settings_users" in names, "teams" in names, "account_info" in names) == (True, False, True)
    chosen = run_tap(crm, "teams", catalog=catalog, access_token=token)
    assert isinstance(chosen.error, SyncFailedError)
    assert "settings.users.teams.read" in str(chosen.error.failures["teams"])


def test_an_account_without_the_settings_api_has_no_such_streams(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.faults.add(path="/settings/", status=404, times=None)
    assert run_tap(crm).error is None


def test_the_account_is_one_row(run_tap: RunTap, crm: FakeCrm) -> None:
    (row,) = run_tap(crm, "account_info").records("account_info")
    assert ("123456", "US/Eastern", "2020-01-01T00:00:00.000Z") == (row["portalId"], row["timeZone"], row["createdAt"])
    (older,) = run_tap(crm, "account_info", api_version="2026-03").records("account_info")
    assert (None, "123456") == (older["createdAt"], older["portalId"])
