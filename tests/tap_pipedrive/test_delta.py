"""Deltas: exact at the boundary, ascending, resumable, for every stream that has a bookmark."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.tap_pipedrive.conftest import Table, differences, table_differences

if TYPE_CHECKING:
    from fake_crm import FakePipedrive
    from tests.tap_pipedrive.conftest import RunTap

ENTITIES = ("deals", "persons", "organizations", "activities", "products", "leads", "notes", "files")
PER_DEAL = ("deal_products", "deal_installments", "deal_participants", "deal_followers")


@pytest.mark.parametrize("stream", ENTITIES)
def test_a_delta_reads_what_changed_and_nothing_else(run_tap: RunTap, crm: FakePipedrive, stream: str) -> None:
    first = run_tap(crm, stream)
    crm.clock.advance(600)
    key = crm.pipedrive.live(stream)[0]["id"]
    crm.pipedrive.update(stream, key)
    new = crm.pipedrive.create(stream)
    crm.clock.advance(600)
    second = run_tap(crm, stream, state=first.state)
    assert (first.error, second.error) == (None, None)
    assert set(second.ids(stream)) == {key, new}
    assert differences(crm, stream, first, second) == []
    third = run_tap(crm, stream, state=second.state)
    assert third.records(stream) == []


@pytest.mark.parametrize("stream", ENTITIES)
def test_s07_ties_at_the_bookmark_lose_nothing(run_tap: RunTap, crm: FakePipedrive, stream: str) -> None:
    """What is written in the very second in which a window ends, before or after the run, is read by one of two."""
    ids = [row["id"] for row in crm.pipedrive.live(stream)][:4]
    crm.clock.set("2026-11-01T05:00:00.200Z")
    crm.pipedrive.update(stream, ids[0])
    crm.clock.set("2026-11-01T05:00:00.600Z")
    first = run_tap(crm, stream, hold_back=0, lookback=0)
    crm.pipedrive.update(stream, ids[1])
    crm.clock.set("2026-11-01T05:00:00.900Z")
    crm.pipedrive.update(stream, ids[2])
    second = run_tap(crm, stream, state=first.state, hold_back=0, lookback=0)
    crm.clock.advance(2)
    third = run_tap(crm, stream, state=second.state, hold_back=0, lookback=0)
    assert {*second.ids(stream), *third.ids(stream)} >= {ids[1], ids[2]}
    assert differences(crm, stream, first, second, third) == []


@pytest.mark.parametrize("stream", ENTITIES)
@pytest.mark.parametrize("size", [2, 3, 500])
def test_s06_a_storm_in_one_second_is_read_whole(run_tap: RunTap, crm: FakePipedrive, stream: str, size: int) -> None:
    """S05: there is no cap of results here; a second may hold more rows than a page."""
    first = run_tap(crm, stream)
    crm.clock.advance(600)
    for row in crm.pipedrive.live(stream):
        crm.pipedrive.update(stream, row["id"])
    crm.clock.advance(600)
    second = run_tap(crm, stream, state=first.state, page_size=size)
    assert differences(crm, stream, first, second) == []
    assert len(second.ids(stream)) == len(set(second.ids(stream))) == len(crm.pipedrive.live(stream))


@pytest.mark.parametrize("stream", ENTITIES)
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "delta"])
def test_s01_s02_rows_that_change_while_pages_are_read_are_not_lost(
    run_tap: RunTap, crm: FakePipedrive, stream: str, whole: bool
) -> None:
    first = run_tap(crm, stream, page_size=3)
    if not whole:
        crm.clock.advance(600)
        for row in crm.pipedrive.live(stream):
            crm.pipedrive.update(stream, row["id"])
        crm.clock.advance(600)
    path = re.compile(rf"/{stream}(/archived)?$")
    busy = [row["id"] for row in crm.pipedrive.live(stream)]

    def work(request: Any) -> None:
        if path.search(request.path) and busy:
            crm.clock.advance(1)
            crm.pipedrive.update(stream, busy.pop(0))
            crm.pipedrive.create(stream)
            if len(busy) > 2:
                crm.pipedrive.delete(stream, busy.pop(1))

    crm.on_request(work)
    second = run_tap(crm, stream, state=None if whole else first.state, page_size=3)
    busy.clear()
    crm.clock.advance(600)
    third = run_tap(crm, stream, state=second.state)
    assert (second.error, third.error) == (None, None)
    table = Table()
    for run in [second, third] if whole else [first, second, third]:
        table.load(run.messages, stream)
    lost = [each for each in table_differences(crm, stream, table) if not each.startswith("extra")]
    assert lost == []


def test_s01_a_deal_that_leaves_the_archive_while_both_lists_are_read_is_not_lost(
    run_tap: RunTap, crm: FakePipedrive
) -> None:
    def work(request: Any) -> None:
        if request.path.endswith("/deals/archived") and crm.pipedrive.get("deals", 9)["is_archived"]:  # type: ignore[index]
            crm.pipedrive.archive("deals", 9, archived=False)

    crm.on_request(work)
    run = run_tap(crm, "deals")
    assert differences(crm, "deals", run) == []


def test_s03_writes_that_show_late_are_not_lost(run_tap: RunTap, crm: FakePipedrive) -> None:
    crm.quirks.lag = 100
    first = run_tap(crm, "deals", "notes")
    crm.clock.advance(600)
    crm.pipedrive.update("deals", 1)
    crm.pipedrive.update("notes", 1)
    crm.clock.advance(90)  # later than the hold-back, before it shows
    second = run_tap(crm, "deals", "notes", state=first.state)
    assert second.ids("deals") == []
    crm.clock.advance(600)
    third = run_tap(crm, "deals", "notes", state=second.state)
    assert (third.ids("deals"), third.ids("notes")) == ([1], [1])


def test_s04_a_row_that_comes_twice_is_given_out_once(run_tap: RunTap, crm: FakePipedrive) -> None:
    rows = crm.pipedrive.live("persons")[:3]
    for after in ("x", None):
        body = {"success": True, "data": rows, "additional_data": {"next_cursor": after}}
        crm.faults.add(path=r"/api/v2/persons\?", status=200, body=body)
    run = run_tap(crm, "persons")
    assert run.ids("persons") == [row["id"] for row in rows]


def test_no_fraction_is_ever_sent_and_recents_never_asked(run_tap: RunTap, crm: FakePipedrive) -> None:
    crm.clock.set("2026-11-01T05:00:00.777Z")
    run = run_tap(crm, *ENTITIES, *PER_DEAL, start_date="2025-06-01T00:00:00.5+02:00")
    assert run.error is None
    stamps = [
        text
        for entry in crm.requests
        for name in ("updated_since", "updated_until")
        for text in entry.query.get(name, [])
    ]
    assert stamps
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text) for text in stamps)
    assert {text for text in stamps if text.startswith("2025-05")} == {"2025-05-31T22:00:00Z"}
    assert not any("recents" in entry.path for entry in crm.requests)
    assert not any("token" in entry.request.target for entry in crm.requests)


def test_the_window_ends_where_the_run_began(run_tap: RunTap, crm: FakePipedrive) -> None:
    first = run_tap(crm, *ENTITIES, *PER_DEAL)
    crm.clock.advance(600)
    crm.on_request(lambda _: crm.clock.advance(1))
    before = len(crm.requests)
    second = run_tap(crm, *ENTITIES, *PER_DEAL, state=first.state)
    until = {text for entry in crm.requests[before:] for text in entry.query.get("updated_until", [])}
    assert len(until) == 1
    assert len({second.bookmark(stream) for stream in (*ENTITIES, *PER_DEAL)}) == 1
    # itself, and once for all that hangs on deals
    assert sum(entry.path == "/api/v2/deals" for entry in crm.requests[before:]) == 2


@pytest.mark.parametrize("stream", PER_DEAL)
def test_what_hangs_on_deals_is_read_for_changed_deals_only(run_tap: RunTap, crm: FakePipedrive, stream: str) -> None:
    first = run_tap(crm, stream)
    crm.clock.advance(600)
    crm.pipedrive.update("deals", 1)
    crm.clock.advance(600)
    before = len(crm.requests)
    second = run_tap(crm, stream, state=first.state)
    assert {record["deal_id"] for record in second.records(stream)} == {1}
    asked = [entry for entry in crm.requests[before:] if re.search(r"/deals/(\d+/|products|installments)", entry.path)]
    assert len(asked) == 1


def test_s12_a_bookmark_of_nonsense_or_of_the_future_is_not_trusted(
    run_tap: RunTap, crm: FakePipedrive, caplog: pytest.LogCaptureFixture
) -> None:
    for value in ("2999-01-01T00:00:00Z", "garbage"):
        state = {"bookmarks": {"deals": {"replication_key": "update_time", "replication_key_value": value}}}
        run = run_tap(crm, "deals", state=state)
        assert len(run.records("deals")) == 30
        assert "reading as if there were none" in caplog.text
        caplog.clear()


def test_s13_a_stream_without_rows_is_told_with_its_count(
    run_tap: RunTap, crm: FakePipedrive, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    crm.pipedrive._tables["goals"].clear()
    run = run_tap(crm, "goals")
    assert run.error is None
    assert "goals: 0 emitted" in caplog.text


def test_a07_a_wrong_local_clock_moves_no_window(run_tap: RunTap, crm: FakePipedrive) -> None:
    """The fake's clock is days away from this machine's: windows are the server's."""
    run = run_tap(crm, "deals")
    assert run.bookmark("deals").startswith((crm.clock.now() - timedelta(seconds=60)).isoformat()[:16])


def test_since_reads_once_more_and_leaves_the_bookmark(run_tap: RunTap, crm: FakePipedrive) -> None:
    first = run_tap(crm, "persons")
    second = run_tap(crm, "persons", state=first.state, since="2026-01-01T00:00:00Z")
    wanted = {row["id"] for row in crm.pipedrive.live("persons") if row["update_time"] >= "2026-01-01"}
    assert set(second.ids("persons")) == wanted
    limited = run_tap(crm, "persons", state=first.state, since="2020-01-01T00:00:00Z", max_records=3)
    assert len(limited.records("persons")) == 3
    assert limited.bookmark("persons") == first.bookmark("persons")
