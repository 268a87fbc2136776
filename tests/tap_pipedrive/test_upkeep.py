"""Deletions, archives, merges, and the whole read that finds what Pipedrive does not tell; the stages of deals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import SyncFailedError
from tap_pipedrive.changed_deals import Deal
from tap_pipedrive.stages_of_deals import numbered, stays
from tests.tap_pipedrive.conftest import Run, Table, table_differences

if TYPE_CHECKING:
    from fake_crm import FakePipedrive
    from tests.tap_pipedrive.conftest import RunTap

SWEPT = ("persons", "organizations", "activities", "products", "leads", "notes", "files", "deal_products")


def loaded(stream: str, *runs: Run) -> Table:
    table = Table()
    for run in runs:
        assert run.error is None
        table.load(run.messages, stream)
    return table


def test_a_deleted_deal_is_a_row_with_its_time(run_tap: RunTap, crm: FakePipedrive) -> None:
    first = run_tap(crm, "deals")
    crm.clock.advance(600)
    crm.pipedrive.delete("deals", 1)
    crm.pipedrive.delete("deals", 9)  # an archived one
    crm.clock.advance(600)
    second = run_tap(crm, "deals", state=first.state)
    deleted = {record["id"]: record["_sdc_deleted_at"] for record in second.records("deals")}
    assert deleted == {1: "2026-11-01T01:10:00Z", 9: "2026-11-01T01:10:00Z"}
    assert table_differences(crm, "deals", loaded("deals", first, second)) == []


def test_archiving_is_no_deletion(run_tap: RunTap, crm: FakePipedrive) -> None:
    first = run_tap(crm, "deals", "leads")
    crm.clock.advance(600)
    lead = next(row["id"] for row in crm.pipedrive.rows("leads") if not row["is_archived"])
    for table, key in (("deals", 1), ("deals", 9), ("leads", lead)):
        crm.pipedrive.archive(table, key, archived=key != 9)
    crm.clock.advance(600)
    second = run_tap(crm, "deals", "leads", state=first.state)
    found = {record["id"]: record["is_archived"] for name in ("deals", "leads") for record in second.records(name)}
    assert found == {1: True, 9: False, lead: True}
    assert not any(record["_sdc_deleted_at"] for name in ("deals", "leads") for record in second.records(name))


def test_s02_a_merged_deal_is_deleted_and_the_winner_updated(run_tap: RunTap, crm: FakePipedrive) -> None:
    first = run_tap(crm, "deals")
    crm.clock.advance(600)
    crm.pipedrive.merge("deals", 2, 3)
    crm.clock.advance(600)
    second = run_tap(crm, "deals", state=first.state)
    assert {record["id"]: record["_sdc_deleted_at"] is not None for record in second.records("deals")} == {
        2: True,
        3: False,
    }


@pytest.mark.parametrize("stream", SWEPT)
def test_s02_what_is_gone_without_a_word_is_found_by_a_whole_read(
    run_tap: RunTap, crm: FakePipedrive, stream: str
) -> None:
    settings: dict[str, Any] = {"sweep_ids_every": 24}
    first = run_tap(crm, stream, **settings)
    keys = [row["id"] for row in crm.pipedrive.live(stream)]
    if stream in {"persons", "organizations"}:
        crm.pipedrive.merge(stream, keys[0], keys[1])
    else:
        crm.pipedrive.delete(stream, keys[0])
    crm.clock.advance(3600)
    second = run_tap(crm, stream, state=first.state, **settings)
    assert (keys[0],) in loaded(stream, first, second).live  # not yet due
    crm.clock.advance(86_400)
    third = run_tap(crm, stream, state=second.state, **settings)
    table = loaded(stream, first, second, third)
    assert (keys[0],) not in table.live
    assert set(keys[1:]) == {key[0] for key in table.live}
    crm.clock.advance(3600)
    fourth = run_tap(crm, stream, state=third.state, **settings)
    assert fourth.records(stream) == []
    assert "ACTIVATE_VERSION" not in {message["type"] for message in fourth.messages}


def test_a_start_date_keeps_whole_reads_away(run_tap: RunTap, crm: FakePipedrive) -> None:
    settings: dict[str, Any] = {"sweep_ids_every": 1, "start_date": "2026-09-01T00:00:00Z"}
    first = run_tap(crm, "persons", **settings)
    crm.clock.advance(86_400)
    assert run_tap(crm, "persons", state=first.state, **settings).records("persons") == []


def test_a_full_refresh_ends_with_the_version_and_drops_what_is_gone(run_tap: RunTap, crm: FakePipedrive) -> None:
    first = run_tap(crm, "persons", "stages")
    crm.pipedrive.delete("persons", 1)
    crm.pipedrive.delete("stages", 1)
    crm.clock.advance(600)
    second = run_tap(crm, "persons", "stages", state=first.state, full_refresh=True)
    for stream in ("persons", "stages"):
        assert (1,) not in loaded(stream, first, second).rows
        types = [message["type"] for message in second.messages if message.get("stream") == stream]
        assert types[-1] == "ACTIVATE_VERSION"


@pytest.mark.parametrize(
    ("stream", "feature"),
    [
        ("projects", "projects"),
        ("tasks", "projects"),
        ("project_phases", "projects"),
        ("deal_installments", "installments"),
    ],
)
def test_a_feature_that_is_switched_off_removes_nothing(
    run_tap: RunTap, crm: FakePipedrive, stream: str, feature: str
) -> None:
    """The rows are not gone, they are not shown: a target must not be told that there are none."""
    first = run_tap(crm, stream)
    held = loaded(stream, first).live
    assert len(held) > 1
    crm.quirks.features_off = {feature}
    second = run_tap(crm, stream, state=first.state, full_refresh=True)
    assert loaded(stream, first, second).live == held


def test_a_feature_that_goes_off_between_two_pages_fails_the_stream(run_tap: RunTap, crm: FakePipedrive) -> None:
    crm.faults.add(path="/api/v2/projects.*cursor", times=None, status=415)
    run = run_tap(crm, "projects", page_size=2)
    assert isinstance(run.error, SyncFailedError)


def test_stages_are_stays_with_seconds(run_tap: RunTap, crm: FakePipedrive) -> None:
    deal = crm.pipedrive.create("deals", stage_id=1)
    for seconds, stage in ((60, 2), (90, 5), (0, 3)):
        crm.clock.advance(seconds)
        crm.pipedrive.update("deals", deal, stage_id=stage)
    crm.clock.advance(600)
    run = run_tap(crm, "deal_stage_history")
    rows = [row for row in run.records("deal_stage_history") if row["deal_id"] == deal]
    assert [(row["position"], row["stage_id"], row["seconds"]) for row in rows] == [
        (0, 1, 60),
        (1, 2, 90),
        (2, 5, 0),
        (3, 3, None),
    ]
    assert [row["left_at"] for row in rows][:-1] == [row["entered_at"] for row in rows][1:]
    assert rows[-1]["left_at"] is None
    # a deal that never moved takes no call
    assert [entry.path for entry in crm.requests if "changelog" in entry.path] == [f"/v1/deals/{deal}/changelog"]


def test_only_deals_that_moved_are_asked_for_their_stages(run_tap: RunTap, crm: FakePipedrive) -> None:
    first = run_tap(crm, "deal_stage_history", "deal_changes")
    crm.clock.advance(600)
    crm.pipedrive.update("deals", 1, stage_id=4)
    crm.pipedrive.update("deals", 2, title="Other")
    crm.clock.advance(600)
    before = len(crm.requests)
    second = run_tap(crm, "deal_stage_history", state=first.state)
    asked = [entry.path for entry in crm.requests[before:] if "changelog" in entry.path]
    assert asked == ["/v1/deals/1/changelog"]
    assert [row["stage_id"] for row in second.records("deal_stage_history")][-1] == 4
    changes = run_tap(crm, "deal_changes", state=first.state).records("deal_changes")
    assert {(row["deal_id"], row["field_key"], row["new_value"]) for row in changes} == {
        (1, "stage_id", "4"),
        (2, "title", "Other"),
    }


def test_changes_of_one_second_have_keys_of_their_own(run_tap: RunTap, crm: FakePipedrive) -> None:
    for title in ("A", "B", "C"):
        crm.pipedrive.update("deals", 1, title=title)
    crm.clock.advance(600)
    run = run_tap(crm, "deal_changes", page_size=2)
    rows = [row for row in run.records("deal_changes") if (row["deal_id"], row["field_key"]) == (1, "title")]
    assert [(row["position"], row["new_value"]) for row in rows] == [(0, "A"), (1, "B"), (2, "C")]


def test_a_deal_that_is_deleted_while_its_children_are_read_is_passed_over(run_tap: RunTap, crm: FakePipedrive) -> None:
    crm.on_request(
        lambda request: crm.pipedrive.purge("deals", 4) if request.path.endswith("/1/participants") else None
    )
    run = run_tap(crm, "deal_participants", concurrency=1)
    assert run.error is None
    assert 7 in {row["deal_id"] for row in run.records("deal_participants")}


def deal(**values: object) -> Deal:
    given = {"id": 1, "add_time": "2026-01-01T00:00:00Z", "update_time": None, "stage_change_time": None, "stage_id": 7}
    return Deal(**{**given, "counts": (None, None, None), **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("entries", "wanted"),
    [
        ([], [(7, None)]),
        ([("1", "2", "2026-01-01 00:00:10")], [(1, 10), (2, None)]),
        ([(None, "2", "2026-01-01 00:00:00")], [(2, None)]),
        ([("2", "3", "2026-01-01 00:00:30"), ("1", "2", "2026-01-01 00:00:10")], [(1, 10), (2, 20), (3, None)]),
        ([("2", "1", "2026-01-01 00:00:10"), ("1", "2", "2026-01-01 00:00:10")], [(1, 10), (2, 0), (1, None)]),
    ],
    ids=["none", "one move", "its making", "latest first", "there and back in one second"],
)
def test_stays_follow_from_the_changelog(
    entries: list[tuple[str | None, str, str]], wanted: list[tuple[int, int | None]]
) -> None:
    rows = [{"field_key": "stage_id", "old_value": old, "new_value": new, "time": time} for old, new, time in entries]
    assert [(stay["stage_id"], stay["seconds"]) for stay in stays(deal(), numbered(rows))] == wanted
