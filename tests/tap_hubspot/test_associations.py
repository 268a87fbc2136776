"""Associations: every link of every pair, with its types, and none that is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import ConfigError
from fake_crm import FakeCrm, Property
from tap_hubspot.client import budgets
from tap_hubspot.pairs import Targets, wanted_targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.tap_hubspot.conftest import Run, RunTap

    Key = tuple[str, ...]

CONTACTS = "contacts_associations"
KEY = ("from_object_type", "from_id", "to_object_type", "to_id", "category", "type_id")
MAIN = ("contacts", "companies", "deals", "tickets")


@pytest.fixture
def crm() -> Iterator[FakeCrm]:
    with FakeCrm(seed=5, contacts=250, companies=30, deals=20, tickets=10, clock="2026-11-01T00:00:00Z") as crm:
        crm.clock.advance(86_400)
        yield crm


@pytest.fixture
def sync(run_tap: RunTap, crm: FakeCrm) -> Callable[..., Run]:
    """Runs the associations of contacts; an hour later nothing is new any more."""

    def run(state: Any = None, stream: str = CONTACTS, **settings: Any) -> Run:
        done = run_tap(crm, stream, state=state, **settings)
        assert done.error is None
        crm.clock.advance(3600)
        return done

    return run


def keys(run: Run, stream: str = CONTACTS) -> set[Key]:
    """The links of a run; each must have come once."""
    found = [tuple(record[name] for name in KEY) for record in run.records(stream)]
    assert len(found) == len(set(found))
    return set(found)


def truth(crm: FakeCrm, source: str, targets: tuple[str, ...] = MAIN) -> set[Key]:
    """The links that the fake holds, from live records to live records."""
    live = {name: {record["id"] for record in crm.hubspot.records(name)} for name in {source, *targets}}
    return {
        (source, one, to, str(other), link.category, str(link.type_id))
        for one in live[source]
        for to in targets
        for other, types in crm.hubspot.links.of((source, to), int(one))
        if str(other) in live[to]
        for link in types
    }


def paths(crm: FakeCrm, end: str) -> list[str]:
    return [entry.path for entry in crm.requests if entry.path.endswith(end)]


def activated(run: Run, stream: str = CONTACTS) -> bool:
    return any(each["type"] == "ACTIVATE_VERSION" and each["stream"] == stream for each in run.messages)


def pair(crm: FakeCrm) -> tuple[str, str]:
    """A contact and a company that are not associated."""
    contact, company = crm.hubspot.create("contacts", {}), crm.hubspot.create("companies", {})
    return contact, company


@pytest.mark.parametrize("source", MAIN)
def test_every_pair_of_the_main_types_is_read_by_default(run_tap: RunTap, crm: FakeCrm, source: str) -> None:
    stream = f"{source}_associations"
    run = run_tap(crm)
    assert run.error is None
    assert keys(run, stream) == truth(crm, source)
    assert keys(run, stream)
    assert activated(run, stream)


def test_a_link_has_its_category_its_type_and_its_label(sync: Callable[..., Run], crm: FakeCrm) -> None:
    contact, company = pair(crm)
    billing = crm.hubspot.links.add_label(("contacts", "companies"), "Billing contact")
    crm.hubspot.associate("contacts", contact, "companies", company, type_ids=[billing], primary=True)
    found = [record for record in sync().records(CONTACTS) if record["from_id"] == contact]
    assert sorted((each["category"], each["type_id"], each["label"]) for each in found) == [
        ("HUBSPOT_DEFINED", "1", "Primary"),
        ("HUBSPOT_DEFINED", "279", None),
        ("USER_DEFINED", str(billing), "Billing contact"),
    ]
    assert {(each["to_object_type"], each["to_id"]) for each in found} == {("companies", company)}


def test_calls_are_lists_labels_and_one_read_for_a_thousand_records_and_pair(
    sync: Callable[..., Run], crm: FakeCrm
) -> None:
    for _ in range(800):
        crm.hubspot.create("contacts", {})
    crm.requests.clear()
    sync(parallel_lists=False, associations=["contacts:companies", "contacts:deals", "contacts:ti*"])
    lists = [entry for entry in crm.requests if entry.path.endswith("/objects/2026-09/contacts")]
    reads = [len(entry.json["inputs"]) for entry in crm.requests if entry.path.endswith("/batch/read")]
    assert len(lists) == 11  # 1,050 records
    assert sorted(reads) == [50, 50, 50, 1000, 1000, 1000]
    assert paths(crm, "/labels") == ["/crm/associations/2026-09/contacts/tickets/labels"]


def test_reads_keep_to_the_least_limit_that_accounts_have() -> None:
    """Vendor page "Associations": 100 to 200 calls in ten seconds, by what the account has bought."""
    budget = budgets(5)["associations"]
    assert (budget.limit, budget.per_seconds >= 10) == (100, True)


def test_more_links_than_one_answer_holds_are_followed(sync: Callable[..., Run], crm: FakeCrm) -> None:
    contact, company = pair(crm)
    for _ in range(1203):
        crm.hubspot.associate("companies", company, "contacts", crm.hubspot.create("contacts", {}))
    crm.quirks.association_page = 500
    run = sync(stream="companies_associations", associations=["companies:contacts"])
    assert keys(run, "companies_associations") == truth(crm, "companies", ("contacts",))
    assert sum(record["from_id"] == company for record in run.records("companies_associations")) == 1203
    follow_ups = [entry.json["inputs"] for entry in crm.requests if "after" in str(entry.json)]
    assert [len(inputs) for inputs in follow_ups] == [1, 1]
    assert contact not in {record["to_id"] for record in run.records("companies_associations")}


@pytest.mark.parametrize("size", [1, 2, 3])
def test_every_record_has_a_cursor_of_its_own(sync: Callable[..., Run], crm: FakeCrm, size: int) -> None:
    crm.quirks.association_page = size
    run = sync(stream="companies_associations", associations=["companies:*"])
    assert keys(run, "companies_associations") == truth(crm, "companies")


@pytest.mark.every_object
def test_a_pair_that_exists_one_way_is_read_that_way(run_tap: RunTap, crm: FakeCrm) -> None:
    lead, (deal, *_) = crm.hubspot.create("leads", {}), [each["id"] for each in crm.hubspot.records("deals")]
    crm.hubspot.associate("leads", lead, "deals", deal)
    run = run_tap(crm, "deals_associations", associations=["deals:leads", "deals:contacts"])
    assert run.error is None
    assert keys(run, "deals_associations") == truth(crm, "deals", ("contacts",))


@pytest.mark.parametrize("status", [400, 404])
def test_a_pair_that_cannot_be_is_left_out(sync: Callable[..., Run], crm: FakeCrm, status: int) -> None:
    crm.faults.add(path="/contacts/tickets/labels", status=status, times=None)
    run = sync()
    assert keys(run) == truth(crm, "contacts", ("contacts", "companies", "deals"))
    assert not paths(crm, "/contacts/tickets/batch/read")


def test_a_forbidden_pair_fails_the_stream_and_removes_nothing(run_tap: RunTap, crm: FakeCrm) -> None:
    """Left out quietly, its links would count as gone."""
    catalog = run_tap.catalog(crm, CONTACTS)
    crm.faults.add(path="/contacts/deals/labels", status=403, times=None)
    run = run_tap(crm, catalog=catalog)
    assert run.error is not None
    assert CONTACTS in str(run.error)
    assert not activated(run)


def test_a_record_that_cannot_be_read_fails_the_stream(run_tap: RunTap, crm: FakeCrm) -> None:
    error = {"status": "error", "category": "VALIDATION_ERROR", "subCategory": "crm.associations.INVALID_IDENTIFIER"}
    body = {"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [error]}
    crm.faults.add(path="/contacts/deals/batch/read", status=207, body=body, times=None)
    run = run_tap(crm, CONTACTS)
    assert run.error is not None
    assert not activated(run)


def test_a_cursor_that_comes_twice_fails_the_stream(run_tap: RunTap, crm: FakeCrm) -> None:
    paging = {"paging": {"next": {"after": "round"}}}
    body = {"status": "COMPLETE", "results": [{"from": {"id": "91"}, "to": [], **paging}]}
    crm.faults.add(path="/contacts/deals/batch/read", status=200, body=body, times=None)
    assert run_tap(crm, CONTACTS).error is not None


def test_patterns_narrow_the_pairs_and_an_exact_one_is_not_asked_for(sync: Callable[..., Run], crm: FakeCrm) -> None:
    run = sync(associations=["contacts:companies"])
    assert keys(run) == truth(crm, "contacts", ("companies",))
    assert not paths(crm, "/labels")


def test_streams_are_those_on_the_left_of_the_patterns(run_tap: RunTap, crm: FakeCrm) -> None:
    def names(*patterns: str) -> set[str]:
        found = {stream["tap_stream_id"] for stream in run_tap.catalog(crm, associations=list(patterns))["streams"]}
        return {name for name in found if name.endswith("_associations")}

    assert names() == set()
    assert names("deals:contacts", "ti*:*") == {"deals_associations", "tickets_associations"}
    assert names("*:*") >= {f"{name}_associations" for name in MAIN}


@pytest.mark.parametrize(
    ("patterns", "targets"),
    [
        (("contacts:companies",), Targets(("companies",), ())),
        (("*:companies",), Targets((), ("companies",))),
        (("contacts:2-7", "*:2-8"), Targets(("2-7",), ("2-8",))),
        (("contacts:*", "contacts:deals"), Targets(("deals",), ("companies",))),
        (("deals:contacts",), Targets((), ())),
        ((), Targets((), ())),
    ],
)
def test_a_pair_named_in_full_is_sure_and_others_are_asked_for(patterns: tuple[str, ...], targets: Targets) -> None:
    assert wanted_targets("contacts", ("companies", "deals"), patterns) == targets


def test_patterns_that_are_about_nothing_are_named(
    run_tap: RunTap, crm: FakeCrm, caplog: pytest.LogCaptureFixture
) -> None:
    run_tap(crm, "owners", associations=["contcts:*"], history_properties=["dels:*"])
    assert "associations: contcts:*" in caplog.text
    assert "history_properties: dels:*" in caplog.text


def test_custom_objects_have_links_both_ways(run_tap: RunTap, crm: FakeCrm) -> None:
    def named(links: set[Key]) -> set[Key]:
        """The fake's own name of the type, as the stream's."""
        return {tuple("p_machines" if part == "machines" else part for part in link) for link in links}

    crm.hubspot.define_object("machines", [Property("serial", hubspot_defined=False)])
    for contact in crm.hubspot.records("contacts")[:7]:
        crm.hubspot.associate("machines", crm.hubspot.create("machines", {}), "contacts", contact["id"])
    catalog = run_tap.catalog(crm, CONTACTS, "p_machines_associations", associations=["*:*"])
    for run in (
        run_tap(crm, CONTACTS, "p_machines_associations", associations=["*:*"]),
        run_tap(crm, catalog=catalog, associations=["*:*"]),
    ):
        assert run.error is None
        assert keys(run) == named(truth(crm, "contacts", (*MAIN, "machines")))
        assert keys(run, "p_machines_associations") == named(truth(crm, "machines", (*MAIN, "machines")))
        assert len(keys(run, "p_machines_associations")) == 7


def test_a_pattern_without_a_colon_is_refused(run_tap: RunTap, crm: FakeCrm) -> None:
    error = run_tap(crm, associations=["contacts"]).error
    assert isinstance(error, ConfigError)
    assert "associations" in str(error)


def test_links_that_were_made_and_ended_are_seen_in_every_run_without_any_edit(
    sync: Callable[..., Run], crm: FakeCrm
) -> None:
    first = sync()
    contact, company = pair(crm)
    crm.hubspot.associate("contacts", contact, "companies", company)
    (_, one, to, other, *_) = next(iter(keys(first)))
    crm.hubspot.dissociate("contacts", one, to, other)
    second = sync(first.state)
    assert keys(second) == truth(crm, "contacts")
    assert activated(second)
    assert any(key[:4] == ("contacts", contact, "companies", company) for key in keys(second) - keys(first))
    assert any(key[:4] == ("contacts", one, to, other) for key in keys(first) - keys(second))


def test_between_snapshots_only_the_links_of_changed_records_are_read(sync: Callable[..., Run], crm: FakeCrm) -> None:
    every = {"associations_full_every": 24}
    first = sync(**every)
    contact, company = pair(crm)
    crm.hubspot.associate("contacts", contact, "companies", company)
    crm.hubspot.associate("contacts", first.records(CONTACTS)[0]["from_id"], "companies", company)
    crm.clock.advance(600)
    crm.requests.clear()
    second = sync(first.state, **every)
    assert {key[1] for key in keys(second)} == {contact}
    assert not activated(second)
    assert not paths(crm, "/objects/2026-09/contacts")
    third = sync(second.state, **every)
    assert keys(third) == set()
    crm.clock.advance(22 * 3600)
    fourth = sync(third.state, **every)
    assert keys(fourth) == truth(crm, "contacts")
    assert activated(fourth)


def test_the_lookback_holds_between_snapshots_too(run_tap: RunTap) -> None:
    with FakeCrm(
        seed=6, contacts=20, companies=2, deals=0, tickets=0, search_lag=200, clock="2026-11-01T00:00:00Z"
    ) as crm:
        crm.clock.advance(3600)
        runs = [run_tap(crm, CONTACTS, associations_full_every=24)]
        for _ in range(4):
            contact = crm.hubspot.create("contacts", {})
            crm.hubspot.associate("contacts", contact, "companies", "91")
            crm.clock.advance(100)  # less than the index needs
            runs.append(run_tap(crm, CONTACTS, state=runs[-1].state, associations_full_every=24))
        crm.clock.advance(600)
        runs.append(run_tap(crm, CONTACTS, state=runs[-1].state, associations_full_every=24))
        assert set[Any]().union(*map(keys, runs)) == truth(crm, "contacts")
        assert [activated(run) for run in runs] == [True] + [False] * 5


def test_since_reads_the_links_of_records_changed_since_and_counts_for_nothing(
    sync: Callable[..., Run], crm: FakeCrm
) -> None:
    every = {"associations_full_every": 24}
    first = sync(**every)
    contact, company = pair(crm)
    crm.hubspot.associate("contacts", contact, "companies", company)
    crm.clock.advance(60)
    since = crm.clock.now().isoformat()
    crm.hubspot.update("contacts", first.records(CONTACTS)[0]["from_id"], {"firstname": "later"})
    crm.clock.advance(3600)
    second = sync(first.state, since=since, **every)
    assert {key[1] for key in keys(second)} == {first.records(CONTACTS)[0]["from_id"]}
    assert not activated(second)
    assert second.state["bookmarks"][CONTACTS] == first.state["bookmarks"][CONTACTS]
    assert contact in {key[1] for key in keys(sync(second.state, **every))}


def test_a_full_refresh_is_a_snapshot(sync: Callable[..., Run], crm: FakeCrm) -> None:
    first = sync(associations_full_every=24)
    again = sync(first.state, associations_full_every=24, full_refresh=True)
    assert keys(again) == truth(crm, "contacts")
    assert activated(again)


def test_max_records_leaves_no_trace(sync: Callable[..., Run]) -> None:
    run = sync(max_records=5, associations_full_every=24)
    assert len(run.records(CONTACTS)) == 5
    assert not activated(run)
    assert run.state["bookmarks"].get(CONTACTS, {}) == {}


@pytest.mark.parametrize("whole", [True, False])
def test_a_read_that_broke_goes_on_where_it_stood(run_tap: RunTap, crm: FakeCrm, whole: bool) -> None:
    every = 0 if whole else 24
    settings: Any = {"associations": ["contacts:companies"], "associations_full_every": every, "concurrency": 1}
    first = run_tap(crm, CONTACTS, **settings)
    crm.clock.advance(3600)
    for record in crm.hubspot.records("contacts"):
        crm.hubspot.update("contacts", record["id"], {"firstname": "edited"})
    for _ in range(2000):
        contact = crm.hubspot.create("contacts", {})
        crm.hubspot.associate("contacts", contact, "companies", "91")
    crm.clock.advance(3600)
    crm.faults.add(path="/contacts/companies/batch/read", status=400, after=2)
    broken = run_tap(crm, CONTACTS, state=first.state, **settings)
    assert broken.error is not None
    assert broken.state["bookmarks"][CONTACTS]["resume"]["point"]
    rest = run_tap(crm, CONTACTS, state=broken.state, **settings)
    assert rest.error is None
    assert 0 < len(rest.records(CONTACTS)) < 1000
    assert keys(broken) | keys(rest) == truth(crm, "contacts", ("companies",))
    assert "resume" not in rest.state["bookmarks"][CONTACTS]
    assert activated(rest) == whole


def test_a_snapshot_of_two_runs_is_made_again_for_targets_that_count_by_run(run_tap: RunTap, crm: FakeCrm) -> None:
    settings: Any = {"associations": ["contacts:companies"], "associations_full_every": 24, "concurrency": 1}
    for _ in range(2000):
        crm.hubspot.create("contacts", {})
    crm.faults.add(path="/contacts/companies/batch/read", status=400, after=1)
    broken = run_tap(crm, CONTACTS, **settings)
    rest = run_tap(crm, CONTACTS, state=broken.state, **settings)
    third = run_tap(crm, CONTACTS, state=rest.state, **settings)
    assert [activated(run) for run in (broken, rest, third)] == [False, True, True]
    assert keys(third) == truth(crm, "contacts", ("companies",))
    crm.clock.advance(3600)
    assert not activated(run_tap(crm, CONTACTS, state=third.state, **settings))


def test_a_point_of_another_kind_of_reading_is_not_taken(run_tap: RunTap, crm: FakeCrm) -> None:
    """The setting changed between the run that broke and the next one."""
    settings: Any = {"associations": ["contacts:companies"], "concurrency": 1}
    for _ in range(2000):
        crm.hubspot.create("contacts", {})
    crm.faults.add(path="/contacts/companies/batch/read", status=400, after=1)
    first = run_tap(crm, CONTACTS, **settings)
    state = first.state
    high = state["bookmarks"][CONTACTS]["resume"]["high"]
    state["bookmarks"][CONTACTS] |= {"snapshot_at": high, "read_until": high}
    run = run_tap(crm, CONTACTS, state=state, associations_full_every=24, **settings)
    assert run.error is None
    assert not activated(run)


def test_archived_records_have_no_links(sync: Callable[..., Run], crm: FakeCrm) -> None:
    contact, company = pair(crm)
    crm.hubspot.associate("contacts", contact, "companies", company)
    first = sync()
    crm.hubspot.archive("companies", company)
    second = sync(first.state)
    assert {key[1] for key in keys(first) - keys(second)} == {contact}
