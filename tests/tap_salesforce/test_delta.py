"""The second run and those after it: what changed, all of it, whoever committed it when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeSalesforce
from tests.tap_salesforce.truth import differences, loaded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_salesforce.conftest import Run, RunTap

APIS = ["auto", "rest", "bulk"]
HOUR, DAY = 3600, 86_400


@pytest.fixture
def crm() -> Iterator[FakeSalesforce]:
    with FakeSalesforce(clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(HOUR)
        yield crm


@pytest.fixture
def first(run_tap: RunTap, crm: FakeSalesforce) -> Run:
    """A first sync, an hour ago."""
    run = run_tap(crm, "Account", "Contact", "Lead")
    assert run.error is None
    crm.clock.advance(HOUR)
    return run


def ids(crm: FakeSalesforce, name: str) -> list[str]:
    return [str(record["Id"]) for record in crm.org.records(name)]


@pytest.mark.parametrize("api", APIS)
def test_only_what_changed_is_read_again(run_tap: RunTap, crm: FakeSalesforce, first: Run, api: str) -> None:
    changed = ids(crm, "Account")[3]
    crm.org.update("Account", changed, {"Name": "Changed"})
    made = crm.org.create("Account", {"Name": "Made"})
    crm.clock.advance(HOUR)
    second = run_tap(crm, "Account", "Contact", "Lead", state=first.state, api_type=api)
    assert second.error is None
    assert {changed, made} == set(second.ids("Account"))
    assert [] == second.ids("Contact")
    assert differences(crm, loaded(first, second), "Account", "Contact", "Lead") == []


@pytest.mark.parametrize("api", APIS)
def test_s07_many_records_of_one_second_are_all_read(
    run_tap: RunTap, crm: FakeSalesforce, first: Run, api: str
) -> None:
    for one in ids(crm, "Contact"):
        crm.org.update("Contact", one, {"Title": "same second"})
    crm.clock.advance(HOUR)
    crm.quirks.page_rows = 9
    second = run_tap(crm, "Contact", state=first.state, api_type=api)
    assert len(second.ids("Contact")) == len(ids(crm, "Contact"))
    assert differences(crm, loaded(first, second), "Contact") == []


@pytest.mark.parametrize("api", APIS)
def test_s03_what_commits_late_is_found(run_tap: RunTap, crm: FakeSalesforce, first: Run, api: str) -> None:
    """Airbyte 27146, 42537: its stamp is older than the bookmark of a run that could not see it."""
    transaction = crm.org.transaction()
    late = transaction.create("Account", {"Name": "Late"})
    edited = ids(crm, "Contact")[0]
    transaction.update("Contact", edited, {"Title": "Late"})
    crm.clock.advance(7 * HOUR)  # longer than any lookback
    crm.org.create("Account", {"Name": "Visible"})
    crm.clock.advance(300)
    second = run_tap(crm, "Account", "Contact", state=first.state, api_type=api)
    assert late not in second.ids("Account")
    transaction.commit()
    crm.clock.advance(HOUR)
    third = run_tap(crm, "Account", "Contact", state=second.state, api_type=api)
    assert late in third.ids("Account")
    assert edited in third.ids("Contact")
    assert differences(crm, loaded(first, second, third), "Account", "Contact") == []


def test_s03_an_object_without_a_watermark_relies_on_the_lookback(run_tap: RunTap, crm: FakeSalesforce) -> None:
    first = run_tap(crm, "ListView")
    crm.clock.advance(300)
    transaction = crm.org.transaction()
    late = transaction.create("ListView", {"Name": "Late"})
    crm.clock.advance(300)
    second = run_tap(crm, "ListView", state=first.state)
    transaction.commit()
    crm.clock.advance(60)
    third = run_tap(crm, "ListView", state=second.state)
    assert late in third.ids("ListView")


def test_a_run_that_finds_nothing_moves_no_further_than_the_watermark(
    run_tap: RunTap, crm: FakeSalesforce, first: Run
) -> None:
    transaction = crm.org.transaction()
    began = crm.clock.now()
    crm.clock.advance(5 * HOUR)
    second = run_tap(crm, "Account", state=first.state)
    transaction.roll_back()
    assert str(second.bookmark("Account"))[:16] == f"{began:%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize("api", ["rest", "bulk"])
def test_s01_edits_during_a_read_are_not_lost(run_tap: RunTap, crm: FakeSalesforce, first: Run, api: str) -> None:
    """The record leaves the window while it is read, and is in the next one."""
    for one in ids(crm, "Contact"):
        crm.org.update("Contact", one, {"Title": "old"})
    crm.clock.advance(HOUR)
    crm.quirks.page_rows = crm.quirks.bulk_page = 10
    seen: list[Any] = []

    def edit(request: Any) -> None:
        if "query" in request.path:
            seen.append(request)
            for one in ids(crm, "Contact")[len(seen) :: 7]:
                crm.org.update("Contact", one, {"Title": f"new {len(seen)}"})

    crm.on_request(edit)
    second = run_tap(crm, "Contact", state=first.state, api_type=api)
    assert seen
    crm.clock.advance(HOUR)
    crm.quirks.page_rows = 2000
    third = run_tap(crm, "Contact", state=second.state, api_type=api)
    crm.clock.advance(HOUR)
    fourth = run_tap(crm, "Contact", state=third.state, api_type="auto")
    assert fourth.error is None
    unseen = [one for one in differences(crm, loaded(first, second, third, fourth), "Contact") if "Title" not in one]
    assert unseen == []


def test_a_filter_is_asked_beside_the_window(run_tap: RunTap, crm: FakeSalesforce) -> None:
    where = {"Account": "Name LIKE 'A%' OR Name LIKE 'B%'"}
    wanted = {r["Id"] for r in crm.org.records("Account", deleted=True) if str(r["Name"])[0] in "AB"}
    for one in list(wanted)[:1]:
        crm.org.update("Account", str(one), {"Name": "Aged"})
    crm.clock.advance(HOUR)
    first = run_tap(crm, "Account", where=where)
    assert wanted == set(first.ids("Account"))
    other = next(one for one in ids(crm, "Account") if one not in wanted)
    crm.org.update("Account", other, {"Name": "Zebra"})
    crm.org.update("Account", str(next(iter(wanted))), {"Name": "Bear"})
    crm.clock.advance(HOUR)
    second = run_tap(crm, "Account", where=where, state=first.state)
    assert {next(iter(wanted))} == set(second.ids("Account"))


def test_another_filter_drops_the_place_where_a_run_stood(run_tap: RunTap, crm: FakeSalesforce) -> None:
    crm.quirks.page_rows = 20
    crm.faults.add(path="/query", times=None, after=3, status=500)
    cut = run_tap(crm, "Contact", api_type="rest", retry_attempts=1)
    crm.faults.clear()
    assert "cursor" in str(cut.state)
    run = run_tap(crm, "Contact", api_type="rest", state=cut.state, where={"Contact": "LastName != null"})
    assert len(run.ids("Contact")) == len(crm.org.records("Contact", deleted=True))


@pytest.mark.parametrize("api", APIS)
def test_since_reads_from_there_and_leaves_a_bookmark_before_it(
    run_tap: RunTap, crm: FakeSalesforce, first: Run, api: str
) -> None:
    crm.org.update("Account", ids(crm, "Account")[0], {"Name": "Early"})
    crm.clock.advance(HOUR)
    since = crm.clock.now().isoformat()
    later = ids(crm, "Account")[1]
    crm.org.update("Account", later, {"Name": "Later"})
    crm.clock.advance(HOUR)
    run = run_tap(crm, "Account", state=first.state, since=since, api_type=api)
    assert [later] == run.ids("Account")
    assert first.bookmark("Account") == run.bookmark("Account")


def test_start_date_leaves_out_what_is_older(run_tap: RunTap, crm: FakeSalesforce) -> None:
    stamps = sorted(str(record["SystemModstamp"]) for record in crm.org.records("Contact", deleted=True))
    start = stamps[len(stamps) // 2]
    run = run_tap(crm, "Contact", start_date=start)
    assert sum(stamp >= start for stamp in stamps) == len(run.ids("Contact"))
    assert run.bookmark("Contact") is not None


def test_a_full_refresh_tells_the_target_what_to_keep(run_tap: RunTap, crm: FakeSalesforce, first: Run) -> None:
    gone = ids(crm, "Lead")[0]
    crm.org.purge("Lead", gone)
    crm.clock.advance(30 * DAY)
    second = run_tap(crm, "Lead", state=first.state, full_refresh=True)
    tables = loaded(first, second)
    assert differences(crm, tables, "Lead") == []
    assert gone not in {key[0] for key in tables["Lead"].rows}
