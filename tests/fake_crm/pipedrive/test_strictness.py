"""The fake refuses what Pipedrive refuses, and counts what it counts."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import requests

from fake_crm import FakePipedrive
from fake_crm.pipedrive.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOCK = "2026-11-01T12:00:00Z"


@pytest.fixture
def crm() -> Iterator[FakePipedrive]:
    with FakePipedrive(clock=CLOCK) as crm:
        yield crm


def ask(crm: FakePipedrive, path: str, **headers: str) -> requests.Response:
    return requests.get(f"{crm.url}{path}", headers=headers or {"x-api-token": crm.token}, timeout=10)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v2/deals?updated_since=2026-01-01T00:00:00.5Z",
        "/api/v2/deals?updated_since=2026-01-01%2000:00:00",
        "/api/v2/deals?updated_until=yesterday",
        "/api/v2/stages?updated_since=2026-01-01T00:00:00Z",
        "/api/v2/pipelines?updated_since=2026-01-01T00:00:00Z",
        "/api/v2/products?updated_until=2026-01-01T00:00:00Z",
        "/api/v2/deals?unknown=1",
        "/api/v2/deals?sort_by=title",
        "/api/v2/deals?status=gone",
        "/api/v2/deals?cursor=e30",
        f"/api/v2/deals?ids={','.join(map(str, range(1, 102)))}",
        f"/api/v2/deals?custom_fields={','.join('abcdefghijklmnop')}",
        "/api/v2/deals/products",
        "/api/v2/phases",
        "/v1/mailbox/mailThreads?folder=spam",
        "/v1/leads?start=x",
    ],
)
def test_what_breaks_a_rule_is_a_400(crm: FakePipedrive, path: str) -> None:
    answer = ask(crm, path)
    assert (answer.status_code, answer.json()["success"]) == (400, False)


@pytest.mark.parametrize(
    "path", ["/api/v1/leads", "/api/v1/leadLabels", "/api/v1/goals/find", "/api/v1/mailbox/mailThreads"]
)
def test_some_of_v1_is_not_below_api(crm: FakePipedrive, path: str) -> None:
    assert ask(crm, path).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [{"x-api-token": "wrong"}, {"Authorization": "Bearer test-token"}, {"Accept": "*/*"}],
    ids=["wrong", "of the other kind", "none"],
)
def test_who_has_no_token_gets_a_401(crm: FakePipedrive, headers: dict[str, str]) -> None:
    answer = ask(crm, "/v1/users/me", **headers)
    assert (answer.status_code, answer.headers["x-401-by-gw"]) == (401, "true")
    assert answer.json()["errorCode"] == 401


def test_a_token_without_the_scope_gets_a_403(crm: FakePipedrive) -> None:
    crm.access.add_token("app", scopes=["contacts:read"], oauth=True)
    bearer = {"Authorization": "Bearer app"}
    assert [ask(crm, f"/api/v2/{name}", **bearer).status_code for name in ("persons", "deals")] == [200, 403]


def test_cursors_hold_their_place_while_rows_are_edited(crm: FakePipedrive) -> None:
    seen: list[int] = []
    after = ""
    while True:
        page = ask(crm, f"/api/v2/persons?limit=7&sort_by=update_time{after}").json()
        seen += [row["id"] for row in page["data"]]
        cursor: str | None = page["additional_data"]["next_cursor"]
        crm.clock.advance(1)
        if cursor is None:
            break
        after = f"&cursor={cursor}"
        if len(seen) < 20:
            crm.pipedrive.update("persons", seen[0])
    assert set(seen) == {row["id"] for row in crm.pipedrive.rows("persons")}
    assert seen[-1] == seen[0]


def test_offsets_do_not(crm: FakePipedrive) -> None:
    first = ask(crm, "/v1/notes?limit=5").json()
    crm.pipedrive.delete("notes", first["data"][0]["id"])
    second = ask(crm, "/v1/notes?limit=5&start=5").json()
    assert next(row["id"] for row in second["data"]) == first["data"][-1]["id"] + 2


def test_a_deleted_deal_is_listed_for_thirty_days(crm: FakePipedrive) -> None:
    crm.pipedrive.delete("deals", 1)

    def found() -> list[int]:
        return [row["id"] for row in ask(crm, "/api/v2/deals?status=deleted").json()["data"]]

    assert found() == [1]
    assert 1 not in [row["id"] for row in ask(crm, "/api/v2/deals").json()["data"]]
    crm.clock.advance(31 * 86_400)
    assert found() == []


def test_the_day_ends_with_429_and_begins_anew_at_midnight() -> None:
    with FakePipedrive(clock=CLOCK, limits=Limits(daily=25)) as crm:
        answers = [ask(crm, "/api/v2/deals") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert [answer.headers["x-daily-ratelimit-token-remaining"] for answer in answers] == ["15", "5", "0"]
        crm.clock.advance(86_400)
        assert ask(crm, "/api/v2/deals").status_code == 200
        assert (crm.ledger.today, crm.ledger.total) == (10, 30)


def test_bursts_are_refused_and_abuse_meets_cloudflare() -> None:
    ticks = [0.0]
    with FakePipedrive(clock=CLOCK, limits=Limits(burst=2, abuse=3), ticks=lambda: ticks[0]) as crm:
        answers = [ask(crm, "/v1/users/me") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 429, 403]
        assert (answers[2].headers["x-ratelimit-limit"], answers[2].headers["x-ratelimit-remaining"]) == ("2", "0")
        assert "Cloudflare" in answers[5].text
        ticks[0] = 100
        assert ask(crm, "/v1/users/me").status_code == 200


def test_leads_have_the_deals_own_fields_in_v1s_shape(crm: FakePipedrive) -> None:
    fields = {each.kind: code for code, each in crm.pipedrive.definitions.custom("deal").items()}
    made: dict[str, Any] = {
        fields["enum"]: 7,
        fields["set"]: [7, 8],
        fields["monetary"]: {"value": 5, "currency": "EUR"},
        fields["text"]: None,
    }
    lead = crm.pipedrive.create("leads", custom_fields=made)
    row = next(row for row in ask(crm, "/v1/leads?limit=500").json()["data"] if row["id"] == lead)
    assert (row[fields["enum"]], row[fields["set"]]) == ("7", "7,8")
    assert (row[fields["monetary"]], row[f"{fields['monetary']}_currency"]) == (5, "EUR")
    assert fields["text"] not in row


def test_the_changelog_tells_what_was_changed(crm: FakePipedrive) -> None:
    crm.clock.advance(10)
    crm.pipedrive.update("deals", 1, stage_id=4, value=7)
    rows = ask(crm, "/v1/deals/1/changelog").json()["data"]
    assert {row["field_key"]: row["new_value"] for row in rows[:2]} == {"stage_id": "4", "value": "7"}
    assert crm.pipedrive.rows("deals")[0]["stage_change_time"] == "2026-11-01T12:00:10Z"


def test_what_is_switched_off_is_a_415(crm: FakePipedrive) -> None:
    crm.quirks.features_off = {"projects", "installments"}
    paths = ("projects", "boards", "tasks", "deals/installments?deal_ids=1")
    assert [ask(crm, f"/api/v2/{path}").status_code for path in paths] == [415] * 4


def test_lists_may_lag_behind_writes(crm: FakePipedrive) -> None:
    crm.quirks.lag = 30
    crm.pipedrive.update("deals", 1, title="Late")

    def titles() -> set[str]:
        return {row["title"] for row in ask(crm, "/api/v2/deals?limit=500").json()["data"]}

    assert "Late" not in titles()
    crm.clock.advance(31)
    assert "Late" in titles()


def _order(crm: FakePipedrive, order: Any) -> requests.Response:
    return requests.post(f"{crm.url}/_fake/edit", json=order, timeout=10)


def test_edits_come_over_the_control_door(crm: FakePipedrive) -> None:
    crm.clock.advance(60)
    before = copy.deepcopy({row["id"]: row for row in crm.pipedrive.live("deals")})
    order = {"edit": {"deals": 2}, "create": {"persons": 1}, "delete": {"deals": 1}, "archive": {"deals": 3}}
    done = _order(crm, order).json()
    after = {row["id"]: row for row in crm.pipedrive.live("deals")}
    values = [key for key in after if before[key]["value"] != after[key]["value"]]
    shelved = [key for key in after if before[key]["is_archived"] != after[key]["is_archived"]]
    assert done == {
        "deals": {"edited": values, "archived": shelved, "deleted": list(before.keys() - after.keys())},
        "persons": {"created": [41]},
    }
    assert [len(done["deals"][verb]) for verb in ("edited", "archived", "deleted")] == [2, 3, 1]
    assert crm.pipedrive.get("persons", 41)["name"] == "New Person 41"  # type: ignore[index]


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({"paint": {}}, "unknown: paint (known: edit, create, delete, archive)"),
        ({"edit": {"moths": 1}}, "unknown table moths"),
        ({"archive": {"persons": 1}}, "persons have no archive (these have: deals, leads, projects)"),
        ({"edit": {"persons": 30}, "delete": {"persons": 11}}, "persons has 40 records, too few to edit 30 and delete"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_whole(crm: FakePipedrive, order: Any, reason: str) -> None:
    before = copy.deepcopy(crm.pipedrive.rows("persons"))
    answer = _order(crm, order)
    assert (answer.status_code, reason in answer.json()["error"]) == (400, True)
    assert before == crm.pipedrive.rows("persons")
