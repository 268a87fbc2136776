"""The first sync: every record of every object, with the values that the org holds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeSalesforce
from fake_crm.salesforce.limits import Limits as OrgLimits
from tap_salesforce.tap import TapSalesforce
from tests.tap_salesforce.truth import differences, loaded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crmdb_core.http import ApiSession
    from tests.tap_salesforce.conftest import RunTap

CLOCK = "2026-11-01T00:00:00Z"


@pytest.fixture
def crm() -> Iterator[FakeSalesforce]:
    with FakeSalesforce(clock=CLOCK) as crm:
        crm.clock.advance(3600)
        yield crm


def readable(crm: FakeSalesforce) -> list[str]:
    """All objects that have records and can be read without a filter."""
    closed = {"Vote", "ContentDocumentLink", "FieldDefinition", "UserFieldAccess"}
    return [name for name in crm.org.counts() if name not in closed]


def test_every_object_arrives_as_it_is(run_tap: RunTap, crm: FakeSalesforce) -> None:
    names = readable(crm)
    run = run_tap(crm, *names)
    assert run.error is None
    keyed = [name for name in names if name != "Reading__b"]
    assert differences(crm, loaded(run), *keyed) == []
    assert [name for name in names if run.misfits(name)] == []


def test_a_big_object_is_read_whole_without_a_key(run_tap: RunTap, crm: FakeSalesforce) -> None:
    run = run_tap(crm, "Reading__b")
    assert run.error is None
    expected = sorted(str(record["Read_At__c"]) for record in crm.org.records("Reading__b"))
    assert expected == sorted(str(record["Read_At__c"]) for record in run.records("Reading__b"))
    (schema,) = [message for message in run.messages if message["type"] == "SCHEMA"]
    assert schema["key_properties"] == []


def test_small_objects_share_their_calls(run_tap: RunTap, crm: FakeSalesforce) -> None:
    crm.stop()
    with FakeSalesforce(clock=CLOCK, extra_objects=20, extra_records=3) as many:
        names = [name for name in many.org.counts() if name.startswith("Extra_")]
        run = run_tap(many, *names)
        assert run.error is None
        assert differences(many, loaded(run), *names) == []
        calls = sum(each["calls"] for each in run.state["run"]["streams"].values())
        # 4 of five first pages each, one for the watermarks, one for the record counts
        assert calls <= 4 + 1 + 1


def test_pages_are_as_long_as_salesforce_makes_them(run_tap: RunTap, crm: FakeSalesforce) -> None:
    crm.quirks.page_rows, crm.quirks.short_every = 7, 3
    run = run_tap(crm, "Contact", "Task")
    assert run.error is None
    assert differences(crm, loaded(run), "Contact", "Task") == []
    assert len(run.ids("Contact")) == len(set(run.ids("Contact"))) == len(crm.org.records("Contact", deleted=True))


def test_deselected_fields_are_not_asked_for(run_tap: RunTap, crm: FakeSalesforce) -> None:
    catalog = run_tap.catalog(crm, "Contact", streams=["Contact"])
    (entry,) = catalog["streams"]
    kept = {"Id", "LastName", "MailingAddress", "_sdc_deleted_at"}
    for each in entry["metadata"]:
        if each["breadcrumb"]:
            each["metadata"]["selected"] = each["breadcrumb"][1] in kept
    asked: list[str] = []
    crm.on_request(lambda request: asked.append(f"{request.path} {request.body!r}"))
    run = run_tap(crm, catalog=catalog)
    kept.add("SystemModstamp")  # a replication key comes whether selected or not
    assert {frozenset(kept)} == {frozenset(record) for record in run.records("Contact")}
    assert any("MailingCity" in each for each in asked)
    assert not any("FirstName" in each for each in asked)
    assert differences(crm, loaded(run), "Contact") == []


def test_max_records_stops_early_and_claims_nothing(run_tap: RunTap, crm: FakeSalesforce) -> None:
    run = run_tap(crm, "Contact", "Account", max_records=7)
    assert [len(run.ids(name)) for name in ("Contact", "Account")] == [7, 7]
    assert run.bookmark("Contact") is None
    assert "resume" not in str(run.state)


def test_a_query_of_many_fields_goes_in_a_body(run_tap: RunTap, crm: FakeSalesforce) -> None:
    crm.stop()
    with FakeSalesforce(clock=CLOCK, extra_fields=400) as wide:
        run = run_tap(wide, "Account")
        assert run.error is None
        assert differences(wide, loaded(run), "Account") == []


def test_more_fields_than_a_query_can_hold_lose_no_record(
    run_tap: RunTap, crm: FakeSalesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_salesforce.upkeep.LONGEST_COLUMNS", 400)
    crm.quirks.page_rows = 30
    run = run_tap(crm, "Contact", "Everything__c")
    assert run.error is None
    assert differences(crm, loaded(run), "Contact", "Everything__c") == []
    fields = list(run.schema("Contact")["properties"])
    (first, *_) = run.records("Contact")
    assert [name for name in fields if name in first] == list(first)


def test_files_are_fetched_where_they_are_wanted(run_tap: RunTap, crm: FakeSalesforce) -> None:
    without = run_tap(crm, "Attachment")
    assert "Body" not in without.records("Attachment")[0]
    run = run_tap(crm, "Attachment", blobs=True)
    assert run.error is None
    assert differences(crm, loaded(run), "Attachment") == []
    assert all("Body" in record for record in run.records("Attachment"))


@pytest.mark.parametrize("api", ["rest", "bulk"])
def test_a_run_that_stops_amid_the_files_of_a_page_goes_on_behind_them(run_tap: RunTap, api: str) -> None:
    """Else a page of 2,000 files is begun anew by every run whose share is smaller, and never comes to its end."""
    with FakeSalesforce(clock=CLOCK, sizes={"Attachment": 150}, limits=OrgLimits(api_requests=1000)) as crm:
        crm.clock.advance(3600)
        sent: list[str] = []
        state: dict[str, Any] | None = None
        settings: dict[str, Any] = {"api_type": api, "blobs": True, "max_run_share": 0.08, "concurrency": 4}
        for _ in range(5):
            run = run_tap(crm, "Attachment", state=state, **settings)
            state = run.state
            sent += run.ids("Attachment")
            if run.error is None:
                break
        assert run.error is None
        assert len(sent) == len(set(sent))
        assert set(sent) == {row["Id"] for row in crm.org.records("Attachment", deleted=True)}


def test_a_file_that_is_too_large_is_left_out_and_told(
    run_tap: RunTap, crm: FakeSalesforce, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its record comes without it: a null would say that there is none."""
    large = str(crm.org.records("Attachment")[2]["Id"])
    answer = crm.answer

    def enlarging(request: Any) -> Any:
        return replace(answer(request), body=b"x" * 3_000_000) if f"{large}/Body" in request.path else answer(request)

    opened = TapSalesforce.open_session

    def of_two_megabytes(tap: TapSalesforce) -> ApiSession:
        session = opened(tap)
        session.max_bytes = 2_000_000
        return session

    monkeypatch.setattr(crm, "answer", enlarging)
    monkeypatch.setattr(TapSalesforce, "open_session", of_two_megabytes)
    run = run_tap(crm, "Attachment", blobs=True)
    assert run.error is None
    assert [large] == [record["Id"] for record in run.records("Attachment") if "Body" not in record]
    assert any("Attachment.Body" in record.getMessage() and large in record.getMessage() for record in caplog.records)
