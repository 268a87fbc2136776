"""Reports and list views as streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import SyncFailedError
from fake_crm import FakeSalesforce
from fake_crm.salesforce.reports import Definition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap_salesforce.conftest import RunTap

NO_OBJECT = ("!*",)


@pytest.fixture
def fake() -> Iterator[FakeSalesforce]:
    with FakeSalesforce(sizes={"Opportunity": 60, "Contact": 130}) as fake:
        yield fake


def report(fake: FakeSalesforce, *columns: str, kind: str = "Opportunity") -> str:
    return fake.org.add_report("Pipeline", Definition(kind, columns))


def test_a_report_is_read_with_its_types(run_tap: RunTap, fake: FakeSalesforce) -> None:
    one = report(fake, "Name", "Amount", "CloseDate", "IsWon", "CreatedDate")
    run = run_tap(fake, *NO_OBJECT, reports=[one])
    assert run.error is None
    stream = f"report_{one}"
    records = run.records(stream)
    assert run.misfits(stream) == []
    assert [record["_row"] for record in records] == list(range(60))
    source = fake.org.records("Opportunity")
    assert sorted(record["OPPORTUNITY.NAME"] for record in records) == sorted(row["Name"] for row in source)
    amounts = {record["OPPORTUNITY.AMOUNT"] for record in records}
    assert {row["Amount"] for row in source} == {None if one is None else type(one)(one) for one in amounts}
    schema = run.schema(stream)["properties"]
    assert schema["OPPORTUNITY.CLOSEDATE"]["format"] == "date"


def test_a_report_that_is_cut_is_told_of(
    run_tap: RunTap, fake: FakeSalesforce, caplog: pytest.LogCaptureFixture
) -> None:
    one = report(fake, "Name")
    body = {
        "allData": False,
        "factMap": {"T!T": {"rows": [{"dataCells": [{"label": "a", "value": "a"}]}]}},
        "reportMetadata": {"detailColumns": ["OPPORTUNITY.NAME"]},
    }
    fake.faults.add(path=f"/reports/{one}\\?", status=200, body=body)
    run = run_tap(fake, *NO_OBJECT, reports=[one])
    assert len(run.records(f"report_{one}")) == 1
    assert any("no more" in record.getMessage() for record in caplog.records)


def test_groups_are_columns_of_their_rows(run_tap: RunTap, fake: FakeSalesforce) -> None:
    meta: dict[str, Any] = {
        "detailColumns": ["NAME", "AMOUNT"],
        "groupingsDown": [{"name": "STAGE"}, {"name": "OWNER"}],
        "groupingsAcross": [{"name": "YEAR"}],
    }
    info = {"NAME": {"dataType": "string"}, "AMOUNT": {"dataType": "currency", "label": "Amount"}}
    described = {
        "reportMetadata": meta,
        "reportExtendedMetadata": {
            "detailColumnInfo": info,
            "groupingColumnInfo": {"STAGE": {"dataType": "picklist"}, "YEAR": {"dataType": "int"}},
        },
    }

    def cell(name: str, amount: float | None) -> dict[str, Any]:
        value = None if amount is None else {"amount": amount, "currency": None}
        return {"rows": [{"dataCells": [{"label": name, "value": name}, {"label": "-", "value": value}]}]}

    answer = {
        "allData": True,
        "reportMetadata": meta,
        "groupingsDown": {
            "groupings": [
                {"key": "0", "value": "Won", "groupings": [{"key": "0_0", "value": "Ada", "groupings": []}]},
                {"key": "1", "value": "Lost", "groupings": [{"key": "1_0", "value": None, "groupings": []}]},
            ]
        },
        "groupingsAcross": {"groupings": [{"key": "0", "value": 2026, "groupings": []}]},
        "factMap": {"0_0!0": cell("first", 12.5), "1_0!0": cell("second", None), "T!T": {"rows": []}},
    }
    fake.faults.add(path="/reports/00O1/describe", status=200, body=described)
    fake.faults.add(path=r"/reports/00O1\?", status=200, body=answer)
    run = run_tap(fake, *NO_OBJECT, reports=["00O1"])
    assert run.error is None
    assert run.misfits("report_00O1") == []
    expected = [
        {"_row": 0, "STAGE": "Won", "OWNER": "Ada", "YEAR": 2026, "NAME": "first", "AMOUNT": 12.5},
        {"_row": 1, "STAGE": "Lost", "OWNER": None, "YEAR": 2026, "NAME": "second", "AMOUNT": None},
    ]
    assert [{**each, "AMOUNT": each["AMOUNT"] and float(each["AMOUNT"])} for each in run.records("report_00O1")] == (
        expected
    )


def test_a_list_view_is_read_whole(run_tap: RunTap, fake: FakeSalesforce, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tap_salesforce.reports._MOST_ROWS", 50)
    view = fake.org.add_list_view("All", Definition("Contact", ("Name", "Id", "Email")))
    stream = f"list_view_Contact_{view}"
    run = run_tap(fake, *NO_OBJECT, list_views=[f"Contact:{view}"])
    assert run.error is None
    assert run.misfits(stream) == []
    rows = run.records(stream)
    assert [row["_row"] for row in rows] == list(range(130))
    assert {row["Id"] for row in rows} == {row["Id"] for row in fake.org.records("Contact")}
    assert {row["Email"] for row in rows} == {row["Email"] for row in fake.org.records("Contact")}


def test_a_report_that_is_gone_fails_at_the_end(run_tap: RunTap, fake: FakeSalesforce) -> None:
    run = run_tap(fake, "Contact", reports=["00O000000000999AAA"])
    assert isinstance(run.error, SyncFailedError)
    assert list(run.error.failures) == ["report_00O000000000999AAA"]
    assert len(run.records("Contact")) == 130


def test_a_catalog_with_a_report_reads_it(run_tap: RunTap, fake: FakeSalesforce) -> None:
    one = report(fake, "Name")
    catalog = run_tap.catalog(fake, streams=["!*"], reports=[one])
    assert [entry["tap_stream_id"] for entry in catalog["streams"]] == [f"report_{one}"]
    run = run_tap(fake, catalog=catalog, reports=[one])
    assert run.error is None
    assert len(run.records(f"report_{one}")) == 60


def test_list_views_are_named_by_object_and_id(run_tap: RunTap, fake: FakeSalesforce) -> None:
    assert "list_views" in str(run_tap(fake, list_views=["Contact"]).error)
