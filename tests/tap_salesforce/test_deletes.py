"""What is gone: in the recycle bin, for good, merged; and what nobody remembers any more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeSalesforce
from tests.tap_salesforce.truth import differences, loaded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_salesforce.conftest import Run, RunTap

HOUR, DAY = 3600, 86_400
APIS = ["rest", "bulk"]


@pytest.fixture
def crm() -> Iterator[FakeSalesforce]:
    with FakeSalesforce(clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(HOUR)
        yield crm


@pytest.fixture
def first(run_tap: RunTap, crm: FakeSalesforce) -> Run:
    run = run_tap(crm, "Account", "Contact", "Lead")
    crm.clock.advance(HOUR)
    return run


def ids(crm: FakeSalesforce, name: str) -> list[str]:
    return [str(record["Id"]) for record in crm.org.records(name)]


@pytest.mark.parametrize("api", APIS)
def test_a_deleted_record_comes_with_the_time_of_its_end(
    run_tap: RunTap, crm: FakeSalesforce, first: Run, api: str
) -> None:
    gone = ids(crm, "Lead")[0]
    crm.org.delete("Lead", gone)
    at = crm.clock.now()
    crm.clock.advance(HOUR)
    second = run_tap(crm, "Lead", state=first.state, api_type=api)
    (record,) = second.records("Lead")
    assert (gone, True, f"{at:%Y-%m-%dT%H:%M:%S}.000Z") == (
        record["Id"],
        record["IsDeleted"],
        record["_sdc_deleted_at"],
    )
    assert differences(crm, loaded(first, second), "Lead") == []


@pytest.mark.parametrize("api", APIS)
def test_what_is_deleted_for_good_is_told(run_tap: RunTap, crm: FakeSalesforce, first: Run, api: str) -> None:
    gone = ids(crm, "Lead")[:3]
    for one in gone:
        crm.org.purge("Lead", one)
    crm.clock.advance(HOUR)
    second = run_tap(crm, "Lead", state=first.state, api_type=api)
    assert set(gone) == set(second.ids("Lead"))
    assert all(record["_sdc_deleted_at"] and record["IsDeleted"] for record in second.records("Lead"))
    assert differences(crm, loaded(first, second), "Lead") == []


@pytest.mark.parametrize("api", APIS)
def test_s02_a_merged_record_names_the_one_that_remains(
    run_tap: RunTap, crm: FakeSalesforce, first: Run, api: str
) -> None:
    winner, loser = ids(crm, "Contact")[:2]
    crm.org.merge("Contact", winner, [loser])
    crm.clock.advance(HOUR)
    second = run_tap(crm, "Contact", state=first.state, api_type=api)
    by_id = {record["Id"]: record for record in second.records("Contact")}
    assert winner == by_id[loser]["MasterRecordId"]
    assert by_id[loser]["_sdc_deleted_at"] is not None
    assert differences(crm, loaded(first, second), "Contact") == []


def test_a_merged_record_that_was_purged_meanwhile_is_told_too(
    run_tap: RunTap, crm: FakeSalesforce, first: Run
) -> None:
    winner, loser = ids(crm, "Contact")[:2]
    crm.org.merge("Contact", winner, [loser])
    crm.org.purge("Contact", loser)
    crm.clock.advance(HOUR)
    second = run_tap(crm, "Contact", state=first.state)
    assert differences(crm, loaded(first, second), "Contact") == []


def test_a_restored_record_lives(run_tap: RunTap, crm: FakeSalesforce, first: Run) -> None:
    one = ids(crm, "Lead")[0]
    crm.org.delete("Lead", one)
    crm.clock.advance(HOUR)
    second = run_tap(crm, "Lead", state=first.state)
    crm.org.undelete("Lead", one)
    crm.clock.advance(HOUR)
    third = run_tap(crm, "Lead", state=second.state)
    assert differences(crm, loaded(first, second, third), "Lead") == []


def test_after_a_long_pause_the_ids_are_compared(
    run_tap: RunTap, crm: FakeSalesforce, first: Run, caplog: pytest.LogCaptureFixture
) -> None:
    gone = ids(crm, "Lead")[:2]
    for one in gone:
        crm.org.purge("Lead", one)
    crm.clock.advance(20 * DAY)
    changed = ids(crm, "Lead")[5]
    crm.org.update("Lead", changed, {"LastName": "Changed"})
    crm.clock.advance(HOUR)
    second = run_tap(crm, "Lead", state=first.state)
    assert "all Ids are compared" in caplog.text
    tables = loaded(first, second)
    assert differences(crm, tables, "Lead") == []
    assert not set(gone) & {key[0] for key in tables["Lead"].rows}
    crm.clock.advance(HOUR)
    third = run_tap(crm, "Lead", state=second.state)
    assert third.ids("Lead") == []


def test_after_a_long_pause_without_versions_it_is_said(
    run_tap: RunTap, crm: FakeSalesforce, first: Run, caplog: pytest.LogCaptureFixture
) -> None:
    crm.clock.advance(20 * DAY)
    second = run_tap(crm, "Lead", state=first.state, emit_activate_version_messages=False)
    assert second.error is None
    assert "a full_refresh removes it" in caplog.text


def test_ids_are_compared_when_it_is_due(run_tap: RunTap, crm: FakeSalesforce, first: Run) -> None:
    kept = run_tap(crm, "Lead", state=first.state, compare_ids_every=24)
    crm.clock.advance(2 * HOUR)
    again = run_tap(crm, "Lead", state=kept.state, compare_ids_every=24)
    crm.clock.advance(25 * HOUR)
    due = run_tap(crm, "Lead", state=again.state, compare_ids_every=24)
    everything = len(crm.org.records("Lead", deleted=True))
    assert [everything, 0, everything] == [len(each.ids("Lead")) for each in (kept, again, due)]
    assert differences(crm, loaded(first, kept, again, due), "Lead") == []
    assert any(message["type"] == "ACTIVATE_VERSION" for message in due.messages)


@pytest.mark.parametrize("began", [None, "2026-01-01T00:00:00Z"])
def test_a_start_date_that_is_moved_takes_no_row_away(run_tap: RunTap, crm: FakeSalesforce, began: str | None) -> None:
    """It says where a first sync begins, and means nothing to those after it."""
    first = run_tap(crm, "Lead", start_date=began)
    crm.clock.advance(20 * DAY)
    second = run_tap(crm, "Lead", state=first.state, start_date="2026-10-31T00:00:00Z")
    assert any(message["type"] == "ACTIVATE_VERSION" for message in second.messages)
    assert len(first.ids("Lead")) > 0
    assert set(first.ids("Lead")) == {key[0] for key in loaded(first, second)["Lead"].rows}


def test_a_read_from_an_earlier_point_widens_what_is_compared(run_tap: RunTap, crm: FakeSalesforce) -> None:
    start = "2026-10-31T00:00:00Z"
    first = run_tap(crm, "Lead", start_date=start)
    crm.clock.advance(HOUR)
    wider = run_tap(crm, "Lead", state=first.state, start_date=start, since="2025-01-01T00:00:00Z")
    crm.clock.advance(20 * DAY)
    last = run_tap(crm, "Lead", state=wider.state, start_date=start)
    assert any(message["type"] == "ACTIVATE_VERSION" for message in last.messages)
    assert len(wider.ids("Lead")) > len(first.ids("Lead"))
    assert set(wider.ids("Lead")) == {key[0] for key in loaded(first, wider, last)["Lead"].rows}


def test_nothing_is_asked_about_deletions_on_a_first_sync(run_tap: RunTap, crm: FakeSalesforce) -> None:
    bodies: list[str] = []
    crm.on_request(lambda request: bodies.append(f"{request.path}{request.body!r}"))
    run_tap(crm, "Lead")
    assert not any("/deleted/" in each for each in bodies)


def test_a_look_for_what_is_gone_that_times_out_is_made_in_halves(
    run_tap: RunTap, crm: FakeSalesforce, first: Run
) -> None:
    for one in ids(crm, "Lead")[:5]:
        crm.org.purge("Lead", one)
    crm.clock.advance(HOUR)
    crm.faults.add(path=r"v[\d.]+/queryAll", times=2, status=400, policy="QUERY_TIMEOUT")
    second = run_tap(crm, "Lead", state=first.state, api_type="bulk")
    assert second.error is None
    assert differences(crm, loaded(first, second), "Lead") == []


def test_a_trial_does_not_hide_what_was_deleted_before_it(run_tap: RunTap, crm: FakeSalesforce, first: Run) -> None:
    """It does not look for deletions, so the run after it has to look as far back as if there had been no trial."""
    gone = ids(crm, "Lead")[0]
    crm.org.delete("Lead", gone)
    crm.clock.advance(40 * DAY)
    trial = run_tap(crm, "Lead", state=first.state, max_records=1000)
    crm.clock.advance(HOUR)
    after = run_tap(crm, "Lead", state=trial.state)
    assert differences(crm, loaded(first, trial, after), "Lead") == []


def test_since_before_the_bookmark_looks_for_deletions_too(run_tap: RunTap, crm: FakeSalesforce, first: Run) -> None:
    gone = ids(crm, "Lead")[0]
    crm.org.purge("Lead", gone)
    crm.clock.advance(HOUR)
    again = run_tap(crm, "Lead", state=first.state, since="2026-10-31T00:00:00Z")
    assert gone in again.ids("Lead")
    assert differences(crm, loaded(first, again), "Lead") == []


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("status", [503, 403])
def test_deletions_that_could_not_be_asked_for_are_found_all_the_same(
    run_tap: RunTap,
    crm: FakeSalesforce,
    first: Run,
    monkeypatch: pytest.MonkeyPatch,
    *,
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    """The next run would ask from its own bookmark on. What is refused for good is no reason to list all Ids always."""
    gone = ids(crm, "Lead")[0]
    crm.org.purge("Lead", gone)
    crm.clock.advance(HOUR)
    answer = crm.answer

    def refusing(request: Any) -> Any:
        reply = answer(request).whole()
        if b"/deleted/" not in request.body:
            return reply
        body = json.loads(reply.body)
        for each in body["compositeResponse"]:
            code = "SERVER_UNAVAILABLE" if status == 503 else "FORBIDDEN"
            each.update(httpStatusCode=status, body=[{"errorCode": code, "message": ""}])
        return type(reply)(200, json.dumps(body).encode(), reply.headers)

    crm.quirks.gzip = False
    monkeypatch.setattr(crm, "answer", refusing)
    second = run_tap(crm, "Lead", state=first.state)
    assert second.error is None
    is_found = gone not in {key[0] for key in loaded(first, second)["Lead"].rows}
    assert is_found == (status == 503)
    assert "all Ids are compared" in caplog.text if is_found else "compare_ids_every" in caplog.text
