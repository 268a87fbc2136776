"""Reports and list views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fake_crm.salesforce.reports import Definition

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm import FakeSalesforce

WON = Definition("Opportunity", ("Name", "Amount", "Account.Name", "CloseDate", "IsWon"), "Amount > 100")


def test_a_report_runs_with_its_details(fake: FakeSalesforce, client: Any) -> None:
    key = fake.org.add_report("Big ones", WON)
    assert key in [each["id"] for each in client.get("/analytics/reports").json()]
    truth = [row for row in fake.org.records("Opportunity") if (row["Amount"] or 0) > 100]
    answer = client.get(f"/analytics/reports/{key}", includeDetails="true").json()
    rows = answer["factMap"]["T!T"]["rows"]
    assert (True, len(truth)) == (answer["allData"], answer["factMap"]["T!T"]["aggregates"][0]["value"])
    columns = answer["reportMetadata"]["detailColumns"]
    assert ["OPPORTUNITY.NAME", "OPPORTUNITY.AMOUNT", "ACCOUNT.NAME"] == columns[:3]
    assert set(columns) == set(answer["reportExtendedMetadata"]["detailColumnInfo"])
    assert "currency" == answer["reportExtendedMetadata"]["detailColumnInfo"]["OPPORTUNITY.AMOUNT"]["dataType"]
    assert [row["Name"] for row in truth] == [row["dataCells"][0]["value"] for row in rows]
    assert [float(row["Amount"]) for row in truth] == [row["dataCells"][1]["value"]["amount"] for row in rows]
    assert [] == client.get(f"/analytics/reports/{key}").json()["factMap"]["T!T"]["rows"]
    assert columns == client.get(f"/analytics/reports/{key}/describe").json()["reportMetadata"]["detailColumns"]
    assert 404 == client.get("/analytics/reports/00O000000000099AAA").status_code


def test_a_report_gives_2000_rows_at_most(
    fake_salesforce: Callable[..., FakeSalesforce], client_of: Callable[..., Any]
) -> None:
    fake = fake_salesforce(sizes={"Lead": 2_001}, empty=True, clock="2026-11-01T00:00:00Z")
    key = fake.org.add_report("All leads", Definition("Lead", ("Name",)))
    answer = client_of(fake).call("POST", f"/analytics/reports/{key}", params={"includeDetails": "true"}).json()
    assert (False, 2_000) == (answer["allData"], len(answer["factMap"]["T!T"]["rows"]))


def test_a_list_view_has_columns_and_rows_in_parts(fake: FakeSalesforce, client: Any) -> None:
    key = fake.org.add_list_view("Big ones", WON)
    views = client.get("/sobjects/Opportunity/listviews").json()
    assert [("Big_ones", key)] == [(each["developerName"], each["id"]) for each in views["listviews"]]
    path = f"/sobjects/Opportunity/listviews/{key}"
    assert "SELECT Name, Amount" in client.get(f"{path}/describe").json()["query"]
    truth = [row["Name"] for row in fake.org.records("Opportunity") if (row["Amount"] or 0) > 100]
    names: list[str] = []
    answer: dict[str, Any] = {"done": False}
    while not answer["done"]:
        answer = client.get(f"{path}/results", limit=7, offset=len(names)).json()
        assert answer["size"] <= 7
        names.extend(row["columns"][0]["value"] for row in answer["records"])
    assert truth == names
    assert ["Name", "Amount", "Account.Name", "CloseDate", "IsWon"] == [
        each["fieldNameOrPath"] for each in answer["columns"]
    ]
    assert {"true", "false"} >= {row["columns"][4]["value"] for row in answer["records"]}
    assert 400 == client.get(f"{path}/results", limit=2_001).status_code
    assert 404 == client.get("/sobjects/Account/listviews/" + key + "/results").status_code
