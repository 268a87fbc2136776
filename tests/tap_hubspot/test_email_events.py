"""The legacy email logs: every event once, exact at both ends, resumed by time; and campaigns one by one."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.http import ApiSession
from fake_crm import FakeCrm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_hubspot.conftest import Run, RunTap

STREAMS = ("email_events", "email_campaigns", "subscription_changes")
EVENTS = 2500


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    """2,500 events in 500 seconds, five of each second; 2,500 changes alike."""
    with FakeCrm(contacts=0, companies=0, deals=0, tickets=0, clock="2026-11-01T00:00:00Z") as crm:
        for number in range(EVENTS):
            at = f"2026-10-01T00:{number // 300:02}:{number // 5 % 60:02}Z"
            crm.hubspot.add_email_event("SENT", f"{number}@example.com", at=at)
            crm.hubspot.add_subscription_change(f"{number}@example.com", at=at)
        crm.clock.advance(86_400)
        yield crm


def read(run_tap: RunTap, crm: FakeCrm, *streams: str, **options: Any) -> Run:
    return run_tap(crm, *(streams or ("email_events",)), legacy=True, **options)


def events(run: Run) -> list[str]:
    return run.ids("email_events")


def truth(crm: FakeCrm) -> list[str]:
    return [row["id"] for row in crm.hubspot.email_events]


def recipients(run: Run) -> Counter[str]:
    return Counter(row["recipient"] for row in run.records("subscription_changes"))


def asked(crm: FakeCrm) -> list[Any]:
    return [request for request in crm.requests if request.path == "/email/public/v1/events"]


def resume(run: Run, stream: str = "email_events") -> Any:
    return run.state["bookmarks"][stream]["resume"]["point"]


def test_all_events_come_once_a_thousand_a_call(run_tap: RunTap, crm: FakeCrm) -> None:
    run = read(run_tap, crm)
    assert events(run) == truth(crm)[::-1]
    assert 3 == len(asked(crm))
    assert {"id": truth(crm)[0], "created": "2026-10-01T00:00:00.000Z", "recipient": "0@example.com"}.items() <= (
        run.records("email_events")[-1].items()
    )


def test_every_record_fits_its_schema(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.hubspot.add_email_campaign("Welcome")
    at = "2026-10-01T01:00:00Z"
    crm.hubspot.add_email_event(
        "CLICK", "a@example.com", at=at, linkId=5, url="https://example.com", duration=3, filteredEvent=False,
        browser={"family": "Firefox", "version": ["1"]}, location={"city": "Berlin", "latitude": 52.5},
        sentBy={"id": "x", "created": 1_401_975_207_000}, cc=["b@example.com"], somethingNew={"kept": True},
    )  # fmt: skip
    run = read(run_tap, crm, *STREAMS)
    for stream in STREAMS:
        assert run.records(stream)
        assert run.misfits(stream) == []
    click = run.records("email_events")[0]
    assert ("5", {"id": "x", "created": "2014-06-05T13:33:27.000Z"}) == (click["linkId"], click["sentBy"])
    assert {"kept": True} == click["somethingNew"]


def test_a_second_run_brings_exactly_the_new_events(run_tap: RunTap, crm: FakeCrm) -> None:
    first = read(run_tap, crm)
    crm.clock.advance(3600)
    new = [crm.hubspot.add_email_event("OPEN", "a@example.com") for _ in range(3)]
    crm.clock.advance(3600)
    crm.requests.clear()
    second = read(run_tap, crm, state=first.state)
    assert (new[::-1], 1) == (events(second), len(asked(crm)))
    crm.clock.advance(3600)
    assert [] == events(read(run_tap, crm, state=second.state))


def test_windows_meet_at_the_millisecond(run_tap: RunTap, crm: FakeCrm, monkeypatch: pytest.MonkeyPatch) -> None:
    times = ["2026-11-02T11:58:59.999Z", "2026-11-02T11:59:00Z", "2026-11-02T11:59:00Z", "2026-11-02T11:59:00.001Z"]
    before, *after = [crm.hubspot.add_email_event("OPEN", "a@example.com", at=at) for at in times]
    monkeypatch.setattr(ApiSession, "server_now", lambda _: datetime(2026, 11, 2, 12, tzinfo=UTC))
    first = read(run_tap, crm, hold_back=60, lookback=0)
    assert events(first)[0] == before
    monkeypatch.setattr(ApiSession, "server_now", lambda _: datetime(2026, 11, 2, 13, tzinfo=UTC))
    second = read(run_tap, crm, state=first.state, hold_back=60, lookback=0)
    assert after[::-1] == events(second)


def test_a_since_in_the_future_asks_for_nothing(run_tap: RunTap, crm: FakeCrm) -> None:
    run = read(run_tap, crm, since="2027-01-01T00:00:00Z")
    assert (None, [], []) == (run.error, events(run), asked(crm))


@pytest.mark.parametrize("page", [1, 2])
def test_a_cut_read_goes_on_at_the_oldest_event(run_tap: RunTap, crm: FakeCrm, page: int) -> None:
    crm.faults.add(path="/v1/events", status=403, after=page, times=None)
    cut = read(run_tap, crm)
    assert (1000 * page, None) == (len(events(cut)), cut.bookmark("email_events"))
    crm.faults.clear()
    new = crm.hubspot.add_email_event("OPEN", "new@example.com")
    resumed = read(run_tap, crm, state=cut.state)
    assert set(events(cut)) | set(events(resumed)) == set(truth(crm)) - {new}
    # only those of the millisecond at the cut come twice
    assert 5 >= len(events(cut)) + len(events(resumed)) - EVENTS
    assert resumed.bookmark("email_events").startswith("2026-11-01T23:59:00")
    crm.clock.advance(3600)
    assert [new] == events(read(run_tap, crm, state=resumed.state))


def test_a_refused_offset_is_passed_by_time_and_doubles_nothing(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.faults.add(path="offset=", status=400, after=1, times=1)
    run = read(run_tap, crm, *STREAMS)
    assert (None, truth(crm)[::-1]) == (run.error, events(run))
    crm.faults.add(path="timeline.*offset=", status=400, after=1, times=1)
    assert {1} == set(recipients(read(run_tap, crm, "subscription_changes")).values())


def test_equal_changes_stay_as_many(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.hubspot.subscription_changes.append(crm.hubspot.subscription_changes[1200])
    crm.faults.add(path="timeline.*offset=", status=400, times=1)
    run = read(run_tap, crm, "subscription_changes")
    found = recipients(run)
    assert (EVENTS + 1, 2) == (found.total(), found["1200@example.com"])
    assert [] == next(m["key_properties"] for m in run.messages if m["type"] == "SCHEMA")


def test_more_than_a_page_in_one_millisecond_needs_the_offset(run_tap: RunTap, crm: FakeCrm) -> None:
    storm = [crm.hubspot.add_email_event("OPEN", "a@example.com", at="2026-10-20T00:00:00Z") for _ in range(2200)]
    assert set(storm) <= set(events(read(run_tap, crm)))
    crm.faults.add(path="offset=", status=400, times=None)
    stuck = read(run_tap, crm)
    assert stuck.error is not None
    assert len(events(stuck)) == 1000


def test_events_out_of_order_make_a_cut_read_begin_again(run_tap: RunTap, crm: FakeCrm) -> None:
    crm.hubspot.email_events[:] = crm.hubspot.email_events[:1500]
    disordered = {"hasMore": True, "offset": "a", "events": [row(crm, 100), row(crm, 1400)]}
    crm.faults.add(path="/v1/events", status=200, body=disordered, times=1)
    crm.faults.add(path="/v1/events", status=403, times=None)
    cut = read(run_tap, crm)
    assert (2, {"until": None}) == (len(events(cut)), resume(cut))
    crm.faults.clear()
    assert set(events(read(run_tap, crm, state=cut.state))) == set(truth(crm))


def row(crm: FakeCrm, at: int) -> dict[str, Any]:
    return dict(crm.hubspot.email_events[at])


def test_a_full_refresh_removes_no_logged_event(run_tap: RunTap, crm: FakeCrm) -> None:
    run = read(run_tap, crm, "email_events", "subscription_changes", full_refresh=True)
    assert [] == [m for m in run.messages if m["type"] == "ACTIVATE_VERSION"]


def test_subscription_changes_are_incremental(run_tap: RunTap, crm: FakeCrm) -> None:
    first = read(run_tap, crm, "subscription_changes")
    assert EVENTS == len(recipients(first))
    change = first.records("subscription_changes")[-1]["changes"][0]
    assert ("2849", "2026-10-01T00:00:00.000Z") == (change["subscriptionId"], change["causedByEvent"]["created"])
    crm.clock.advance(3600)
    crm.hubspot.add_subscription_change("new@example.com", "SUBSCRIBED")
    crm.clock.advance(3600)
    assert ["new@example.com"] == [*recipients(read(run_tap, crm, "subscription_changes", state=first.state))]


def test_email_campaigns_come_with_counters_by_one_call_each(run_tap: RunTap, crm: FakeCrm) -> None:
    ids = [crm.hubspot.add_email_campaign(f"Campaign {number}") for number in range(230)]
    run = read(run_tap, crm, "email_campaigns")
    assert ids == run.ids("email_campaigns")
    first = run.records("email_campaigns")[0]
    assert ({"sent": 1, "delivered": 1}, "113") == (first["counters"], first["appId"])
    assert first["lastUpdatedTime"] == "2026-11-02T00:00:00.000Z"
    assert 1 + 230 == run.state["run"]["streams"]["email_campaigns"]["calls"]
    assert ["email_campaigns"] == [m["stream"] for m in run.messages if m["type"] == "ACTIVATE_VERSION"]


def test_a_cut_read_of_campaigns_goes_on_after_the_last_hundred(run_tap: RunTap, crm: FakeCrm) -> None:
    ids = [crm.hubspot.add_email_campaign(f"Campaign {number}") for number in range(230)]
    crm.faults.add(path=f"/campaigns/{ids[150]}", status=403, times=None)
    cut = read(run_tap, crm, "email_campaigns")
    assert ids[:100] == cut.ids("email_campaigns")
    crm.faults.clear()
    crm.faults.add(path=f"/campaigns/{ids[200]}", status=404, times=None)
    resumed = read(run_tap, crm, "email_campaigns", state=cut.state)
    assert (None, [one for one in ids[100:] if one != ids[200]]) == (resumed.error, resumed.ids("email_campaigns"))


def test_a_missing_scope_is_named(run_tap: RunTap, crm: FakeCrm) -> None:
    token = crm.access.add_token("narrow", scopes=["forms"])
    catalog = run_tap.catalog(crm, *STREAMS, legacy=True)
    failures = read(run_tap, crm, *STREAMS, catalog=catalog, access_token=token).error.failures  # type: ignore[union-attr]
    assert [True, True, True] == ["content" in str(failures[stream]) for stream in STREAMS]
