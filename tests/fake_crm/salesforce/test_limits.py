"""What an org may use, how it tells it, and how calls are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fake_crm.salesforce.limits import Limits
from fake_crm.salesforce.quirks import Quirks

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm import FakeSalesforce


@pytest.mark.parametrize(
    ("quirks", "header"),
    [
        (Quirks(bursts=False), "api-usage=1/15000"),
        (Quirks(), "api-usage=1/15000; api-bursts=1/750"),
        (Quirks(bursts=False, per_app=True), "api-usage=1/15000; per-app-api-usage=17/250(appName=fake-app)"),
    ],
)
def test_the_header_in_its_forms(
    fake_salesforce: Callable[..., FakeSalesforce], client_of: Callable[..., Any], quirks: Quirks, header: str
) -> None:
    client = client_of(fake_salesforce(quirks=quirks, empty=True))
    assert header == client.get("/sobjects").headers["Sforce-Limit-Info"]


def test_errors_tell_it_too(client: Any) -> None:
    assert "api-usage=1/" in client.get("/query", q="SELECT Nonsense FROM Account").headers["Sforce-Limit-Info"]
    assert "api-usage=2/" in client.get("/sobjects/Nonsense/describe").headers["Sforce-Limit-Info"]


def test_the_days_calls_are_used_up_and_come_back(
    fake_salesforce: Callable[..., FakeSalesforce], client_of: Callable[..., Any]
) -> None:
    fake = fake_salesforce(limits=Limits(api_requests=10), clock="2026-11-01T00:00:00Z", empty=True)
    client = client_of(fake)
    fake.usage.spend(8)
    assert [200, 200, 403] == [client.get("/limits").status_code for _ in range(3)]
    refused = client.get("/limits")
    assert "REQUEST_LIMIT_EXCEEDED" == refused.json()[0]["errorCode"]
    assert refused.headers["Sforce-Limit-Info"].startswith("api-usage=10/10")
    fake.clock.advance(86_400)
    assert {"Max": 10, "Remaining": 9} == client.get("/limits").json()["DailyApiRequests"]


def test_jobs_and_their_results_are_limited_by_day(
    fake_salesforce: Callable[..., FakeSalesforce], client_of: Callable[..., Any]
) -> None:
    fake = fake_salesforce(limits=Limits(bulk_jobs=2, bulk_megabytes=5), clock="2026-11-01T00:00:00Z")
    client = client_of(fake)
    order = {"operation": "query", "query": "SELECT Id FROM Account"}
    assert 2 == sum(client.post("/jobs/query", order).status_code == 200 for _ in range(2))
    refused = client.post("/jobs/query", order)
    assert (400, "LIMIT_EXCEEDED") == (refused.status_code, refused.json()[0]["errorCode"])
    assert "Max bulk v2 query jobs (2) per 24 hrs has been reached (3)." == refused.json()[0]["message"]
    assert 0 == client.get("/limits").json()["DailyBulkV2QueryJobs"]["Remaining"]
    fake.clock.advance(86_400)
    fake.usage.spend(5, "DailyBulkV2QueryFileStorageMB")
    assert "result size stored (5120) kb" in client.post("/jobs/query", order).json()[0]["message"]


def test_record_counts_leave_out_what_salesforce_does(fake: FakeSalesforce, client: Any) -> None:
    fake.org.delete("Account", fake.org.records("Account")[0]["Id"])
    fake.org.alter("Task", fake.org.records("Task")[0]["Id"], {"IsArchived": True})
    found = {each["name"]: each["count"] for each in client.get("/limits/recordCount").json()["sObjects"]}
    assert (39, 59, 80) == (found["Account"], found["Task"], found["Everything__c"])
    assert not {"AccountHistory", "AccountShare", "AccountFeed", "Reading__b", "AccountChangeEvent"} & set(found)
    asked = client.get("/limits/recordCount", sObjects="Account,Nonsense,AccountHistory").json()
    assert {"sObjects": [{"count": 39, "name": "Account"}]} == asked
    fake.quirks.view_setup = False
    assert 403 == client.get("/limits/recordCount").status_code


def test_record_counts_may_be_old(fake: FakeSalesforce, client: Any) -> None:
    fake.quirks.recount_seconds = 3_600

    def count() -> int:
        return int(client.get("/limits/recordCount", sObjects="Account").json()["sObjects"][0]["count"])

    assert 40 == count()
    fake.org.create("Account", {"Name": "new"})
    assert 40 == count()
    fake.clock.advance(3_600)
    assert 41 == count()


def get(url: str, reference: str = "r1", **more: Any) -> dict[str, Any]:
    return {"method": "GET", "url": f"/services/data/v66.0{url}", "referenceId": reference, **more}


def test_a_composite_is_one_call_for_25_describes(fake: FakeSalesforce, client: Any) -> None:
    names = [kind.name for kind in fake.org.schema][:25]
    requests = [get(f"/sobjects/{name}/describe", name) for name in names]
    response = client.post("/composite", {"allOrNone": False, "compositeRequest": requests})
    answers = response.json()["compositeResponse"]
    assert names == [each["referenceId"] for each in answers] == [each["body"]["name"] for each in answers]
    assert {200} == {each["httpStatusCode"] for each in answers}
    assert "Last-Modified" in answers[0]["httpHeaders"]
    assert "api-usage=1/" in response.headers["Sforce-Limit-Info"]


def test_one_bad_part_does_not_spoil_a_composite(client: Any) -> None:
    requests = [get("/sobjects/Nonsense/describe", "bad"), get("/query?q=SELECT+Id+FROM+Account", "good")]
    bad, good = client.post("/composite", {"compositeRequest": requests}).json()["compositeResponse"]
    assert (404, "NOT_FOUND") == (bad["httpStatusCode"], bad["body"][0]["errorCode"])
    assert (200, 40) == (good["httpStatusCode"], good["body"]["totalSize"])


def test_a_part_may_have_headers_of_its_own(client: Any) -> None:
    known = {"If-Modified-Since": client.get("/sobjects/Account/describe").headers["Last-Modified"]}
    parts = [get("/sobjects/Account/describe", "a", httpHeaders=known), get("/sobjects/Lead/describe", "b")]
    first, second = client.post("/composite", {"compositeRequest": parts}).json()["compositeResponse"]
    assert (304, None, 200) == (first["httpStatusCode"], first["body"], second["httpStatusCode"])


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([get("/limits", f"r{at}") for at in range(26)], "LIMIT_EXCEEDED"),
        ([get("/query?q=SELECT+Id+FROM+Account", f"r{at}") for at in range(6)], "LIMIT_EXCEEDED"),
        ([get("/limits"), get("/limits")], "INVALID_INPUT"),
        ([get("/limits", "no spaces")], "INVALID_INPUT"),
        ([], "JSON_PARSER_ERROR"),
    ],
)
def test_a_composite_has_rules(client: Any, parts: list[Any], code: str) -> None:
    response = client.post("/composite", {"compositeRequest": parts})
    assert (400, code) == (response.status_code, response.json()[0]["errorCode"])


def test_bulk_cannot_be_part_of_a_composite(client: Any) -> None:
    (answer,) = client.post("/composite", {"compositeRequest": [get("/jobs/query")]}).json()["compositeResponse"]
    assert 400 == answer["httpStatusCode"]


def test_a_batch_counts_every_part(fake: FakeSalesforce, client: Any) -> None:
    parts = [{"method": "GET", "url": f"v66.0/sobjects/{name}/describe"} for name in ("Account", "Nonsense", "Lead")]
    answer = client.post("/composite/batch", {"batchRequests": parts}).json()
    assert (True, [200, 404, 200]) == (answer["hasErrors"], [each["statusCode"] for each in answer["results"]])
    assert 3 == fake.usage.used()
    halted = client.post("/composite/batch", {"batchRequests": parts, "haltOnError": True}).json()
    assert [200, 404, 412] == [each["statusCode"] for each in halted["results"]]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"status": 401}, 401, "INVALID_SESSION_ID"),
        ({"status": 403}, 403, "REQUEST_LIMIT_EXCEEDED"),
        ({"status": 503}, 503, "SERVER_UNAVAILABLE"),
        ({"policy": "UNABLE_TO_LOCK_ROW"}, 400, "UNABLE_TO_LOCK_ROW"),
        ({"policy": "API_DISABLED_FOR_ORG"}, 403, "API_DISABLED_FOR_ORG"),
        ({"policy": "QUERY_TIMEOUT"}, 400, "QUERY_TIMEOUT"),
        ({"policy": "SERVER_UNAVAILABLE"}, 503, "SERVER_UNAVAILABLE"),
    ],
)
def test_ordered_faults_have_their_words(
    fake: FakeSalesforce, client: Any, fault: dict[str, Any], status: int, code: str
) -> None:
    fake.faults.add(path="/query", **fault)
    assert (status, code) == client.refusal("SELECT Id FROM Account")[:2]
    assert 40 == len(client.rows("SELECT Id FROM Account"))


@pytest.mark.parametrize(("status", "words"), [(414, "URI Too Long"), (431, "Header"), (420, "setting things up")])
def test_what_stands_before_salesforce_answers_in_html(
    fake: FakeSalesforce, client: Any, status: int, words: str
) -> None:
    fake.faults.add(path="/query", status=status)
    response = client.get("/query", q="SELECT Id FROM Account")
    assert (status, "text/html") == (response.status_code, response.headers["Content-Type"])
    assert words in response.text


def test_a_406_has_no_body(fake: FakeSalesforce, client: Any) -> None:
    fake.faults.add(path="/describe", status=406)
    response = client.get("/sobjects/Account/describe")
    assert (406, b"") == (response.status_code, response.content)


def test_a_page_of_csv_can_be_cut(fake: FakeSalesforce, client: Any) -> None:
    """A stream is put together first when something is ordered to happen to its bytes."""
    key = client.finished("SELECT Id FROM Contact")
    path = f"/jobs/query/{key}/results"
    whole = client.get(path).content
    fake.faults.add(path="/results", kind="truncate", cut=100)
    assert whole[:100] == client.call("GET", path, headers={"Accept-Encoding": "identity"}).content
    assert whole == client.get(path).content
