"""Bulk API 2.0 query jobs."""

from __future__ import annotations

import csv
import gzip
import io
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_crm import FakeSalesforce


def read(text: bytes, **form: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.decode(), newline=""), **form))


def error(response: Any) -> tuple[int, str, str]:
    body = response.json()[0]
    return response.status_code, body["errorCode"], body["message"]


def test_a_job_waits_runs_and_is_complete(fake: FakeSalesforce, client: Any) -> None:
    fake.quirks.bulk_seconds = 60
    made = client.post("/jobs/query", {"operation": "query", "query": "SELECT Id FROM Account"}).json()
    assert {
        "id", "operation", "object", "createdById", "createdDate", "systemModstamp", "state", "concurrencyMode",
        "contentType", "apiVersion", "lineEnding", "columnDelimiter",
    } == set(made)  # fmt: skip
    assert ("UploadComplete", "Account", 66.0, "2026-11-01T12:00:00.000+0000") == (
        made["state"], made["object"], made["apiVersion"], made["createdDate"]
    )  # fmt: skip
    path = f"/jobs/query/{made['id']}"
    states = []
    for _ in range(4):
        states.append(client.get(path).json()["state"])
        fake.clock.advance(30)
    assert ["UploadComplete", "UploadComplete", "InProgress", "InProgress"] == states
    found = client.get(path).json()
    assert ("JobComplete", 40, "V2Query", True, 120_000) == tuple(
        found[name]
        for name in ("state", "numberRecordsProcessed", "jobType", "isPkChunkingSupported", "totalProcessingTime")
    )


def test_a_job_takes_some_looks_even_when_time_stands(fake: FakeSalesforce, client: Any) -> None:
    fake.quirks.bulk_polls = 2
    key = client.job("SELECT Id FROM Account")
    states = [client.get(f"/jobs/query/{key}").json()["state"] for _ in range(3)]
    assert ["InProgress", "InProgress", "JobComplete"] == states


def test_values_in_csv(bare: FakeSalesforce, client_of: Callable[..., Any]) -> None:
    client = client_of(bare)
    odd = 'NA, "quoted"\r\nnext\x00é'
    bare.org.create(
        "Everything__c",
        {
            "Text__c": odd, "Moment__c": "2026-10-01T01:02:03Z", "Day__c": "2026-10-01", "Hour__c": "14:30:00",
            "Money__c": "350000000.10", "Whole__c": 0, "Flag__c": True, "Exact__c": "0.0000000001",
            "Number__c": 350_000_000,
        },
    )  # fmt: skip
    fields = "Text__c, Moment__c, Day__c, Hour__c, Money__c, Whole__c, Flag__c, Link__c, Exact__c, Number__c"
    key = client.finished(f"SELECT {fields} FROM Everything__c")
    response = client.get(f"/jobs/query/{key}/results")
    assert response.content.startswith(b'"Text__c","Moment__c","Day__c"')
    assert b',"",' in response.content
    assert "text/csv" == response.headers["Content-Type"]
    assert [
        odd, "2026-10-01T01:02:03.000Z", "2026-10-01", "14:30:00.000Z", "350000000.1", "0.0", "true", "",
        "0.0000000001", "350000000",
    ] == read(response.content)[1]  # fmt: skip


@pytest.mark.parametrize(("delimiter", "sign"), [("TAB", "\t"), ("PIPE", "|"), ("SEMICOLON", ";"), ("CARET", "^")])
def test_other_delimiters_and_line_ends(client: Any, delimiter: str, sign: str) -> None:
    key = client.finished("SELECT Id, Text__c FROM Everything__c", columnDelimiter=delimiter, lineEnding="CRLF")
    content = client.get(f"/jobs/query/{key}/results").content
    assert content.startswith(f'"Id"{sign}"Text__c"\r\n'.encode())
    assert 81 == len(read(content, delimiter=sign))


def test_every_object_that_bulk_takes_has_the_rows_of_rest(fake: FakeSalesforce, client: Any) -> None:
    """Apart from how values are written, both APIs tell the same."""
    seen = 0
    for kind in fake.org.schema:
        if not (kind.queryable and kind.in_bulk):
            continue
        names = [
            each.name for each in kind.fields.values()
            if each.type not in {"base64", "json", "address", "location", "complexvalue", "anyType"}
        ]  # fmt: skip
        soql = f"SELECT {', '.join(names)} FROM {kind.name}"
        rest = sorted(tuple(plain(row[name]) for name in names) for row in client.rows(soql, "/queryAll"))
        bulk = sorted(
            tuple(plain(typed(row[name], kind.fields[name].type)) for name in names)
            for row in client.csv(soql, operation="queryAll")
        )
        assert rest == bulk, kind.name
        seen += len(rest) > 0
    assert seen >= 25


def typed(text: str, kind: str) -> Any:
    if text == "":
        return None
    if kind in {"int", "long", "double", "currency", "percent"}:
        return float(text)
    if kind == "boolean":
        return text == "true"
    return text.replace("Z", "+0000") if kind == "datetime" else text


def plain(value: Any) -> str:
    return repr(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else repr(value)


def test_rows_come_in_no_order_unless_one_is_asked_for(fake: FakeSalesforce, client: Any) -> None:
    truth = [row["Id"] for row in fake.org.records("Contact")]
    found = [row["Id"] for row in client.csv("SELECT Id FROM Contact")]
    assert sorted(found) == truth != found
    stamps = [row["SystemModstamp"] for row in client.csv("SELECT SystemModstamp FROM Contact")]
    assert stamps != sorted(stamps)
    ordered = client.finished("SELECT Id FROM Contact ORDER BY Id DESC")
    assert not client.get(f"/jobs/query/{ordered}").json()["isPkChunkingSupported"]
    rows = read(client.get(f"/jobs/query/{ordered}/results").content)[1:]
    assert sorted(truth, reverse=True) == [row[0] for row in rows]


def test_pages_repeat_the_names_and_locators_can_be_read_again(client: Any) -> None:
    key = client.finished("SELECT Id FROM Contact")
    path = f"/jobs/query/{key}/results"
    first = client.get(path, maxRecords=30)
    assert ("30", '"Id"') == (first.headers["Sforce-NumberOfRecords"], first.text.splitlines()[0])
    ids: list[str] = []
    locator = ""
    sizes = []
    while locator != "null":
        page = client.get(path, maxRecords=30, **({"locator": locator} if locator else {}))
        assert page.content == client.get(path, maxRecords=30, **({"locator": locator} if locator else {})).content
        names, *rows = read(page.content)
        assert ["Id"] == names
        sizes.append(len(rows))
        ids.extend(row[0] for row in rows)
        locator = page.headers["Sforce-Locator"]
    assert ([30, 30, 30, 10], 100) == (sizes, len(set(ids)))
    other = client.finished("SELECT Id FROM Contact")
    stolen = client.get(f"/jobs/query/{other}/results", locator=first.headers["Sforce-Locator"])
    assert "INVALID_QUERY_LOCATOR" == error(stolen)[1]


def test_result_pages_cover_everything_and_may_be_read_side_by_side(fake: FakeSalesforce, client: Any) -> None:
    fake.quirks.bulk_chunk = 9
    key = client.finished("SELECT Id FROM Contact")
    urls: list[str] = []
    answer = client.get(f"/jobs/query/{key}/resultPages").json()
    assert (5, False) == (len(answer["resultPages"]), answer["done"])
    urls.extend(page["resultUrl"] for page in answer["resultPages"])
    while not answer["done"]:
        answer = client.get(answer["nextRecordsUrl"]).json()
        urls.extend(page["resultUrl"] for page in answer["resultPages"])
    assert (12, None) == (len(urls), answer["nextRecordsUrl"])
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda url: client.get(url).content, urls))
    ids = [row[0] for page in pages for row in read(page)[1:]]
    assert sorted(ids) == [row["Id"] for row in fake.org.records("Contact")]
    assert 404 == client.get(f"/services/data/v57.0/jobs/query/{key}/resultPages").status_code


def test_an_empty_result_is_one_page_of_names(bare: FakeSalesforce, client_of: Callable[..., Any]) -> None:
    client = client_of(bare)
    key = client.finished("SELECT Id, Name FROM Account")
    page = client.get(f"/jobs/query/{key}/results")
    assert ('"Id","Name"\n', "0", "null") == (
        page.text, page.headers["Sforce-NumberOfRecords"], page.headers["Sforce-Locator"]
    )  # fmt: skip
    pages = client.get(f"/jobs/query/{key}/resultPages").json()
    assert (1, True) == (len(pages["resultPages"]), pages["done"])


def test_gzip_only_when_asked(fake: FakeSalesforce, client: Any) -> None:
    key = client.finished("SELECT Id FROM Contact")
    path = f"{fake.url}/services/data/v66.0/jobs/query/{key}/results"
    bodies = {}
    for asked in ("gzip", "identity"):
        headers = {"Authorization": f"Bearer {fake.access_token}", "Accept-Encoding": asked}
        with client.session.get(path, headers=headers, stream=True, timeout=10) as response:
            bodies[asked] = response.raw.read(decode_content=False)
            assert ("gzip" == response.headers.get("Content-Encoding")) == (asked == "gzip")
    assert gzip.decompress(bodies["gzip"]) == bodies["identity"]


def test_results_need_a_complete_job_and_its_own_version(client: Any) -> None:
    key = client.job("SELECT Id FROM Account")
    assert (400, "INVALIDJOBSTATE") == error(client.get(f"/jobs/query/{key}/results"))[:2]
    key = client.finished("SELECT Id FROM Account")
    assert 409 == client.get(f"/services/data/v65.0/jobs/query/{key}/results").status_code
    assert 200 == client.get(f"/services/data/v65.0/jobs/query/{key}").status_code


def test_jobs_end_by_abort_delete_and_age(fake: FakeSalesforce, client: Any) -> None:
    waiting = client.job("SELECT Id FROM Account")
    assert 204 == client.call("DELETE", f"/jobs/query/{waiting}").status_code
    key = client.job("SELECT Id FROM Account")
    path = f"/jobs/query/{key}"
    assert "InProgress" == client.get(path).json()["state"]
    assert 400 == client.call("DELETE", path).status_code
    assert "Aborted" == client.call("PATCH", path, json={"state": "Aborted"}).json()["state"]
    assert "Aborted" == client.get(path).json()["state"]
    assert "INVALIDJOBSTATE" == error(client.get(f"{path}/results"))[1]
    assert 204 == client.call("DELETE", path).status_code
    assert (404, "NOT_FOUND") == error(client.get(path))[:2]
    done = client.finished("SELECT Id FROM Account")
    assert 400 == client.call("PATCH", f"/jobs/query/{done}", json={"state": "Aborted"}).status_code
    fake.clock.advance(7 * 86_400)
    assert 404 == client.get(f"/jobs/query/{done}").status_code


def test_jobs_are_listed_newest_first(client: Any) -> None:
    plain_job, ordered = client.job("SELECT Id FROM Account"), client.job("SELECT Id FROM Contact LIMIT 5")
    listed = client.get("/jobs/query", jobType="V2Query").json()
    assert [ordered, plain_job] == [job["id"] for job in listed["records"]]
    assert (True, None) == (listed["done"], listed["nextRecordsUrl"])
    chunked = client.get("/jobs/query", isPkChunkingEnabled="true").json()["records"]
    assert [plain_job] == [job["id"] for job in chunked]


@pytest.mark.parametrize(
    ("soql", "code", "words"),
    [
        ("SELECT Id FROM Attachment", "INVALIDENTITY", "Entity 'Attachment' is not supported by the Bulk API."),
        ("SELECT Id FROM AccountFeed", "INVALIDENTITY", "not supported by the Bulk API"),
        ("SELECT BillingAddress FROM Account", "INVALID_FIELD", "Selecting compound data not supported in Bulk Query"),
        (
            "SELECT VersionData FROM ContentVersion",
            "FEATURENOTENABLED",
            "Cannot serialize value for 'VersionData' in CSV",
        ),
        ("SELECT Json__c FROM Everything__c", "FEATURENOTENABLED", "Cannot serialize value for 'Json__c'"),
        ("SELECT Industry, COUNT(Id) FROM Account GROUP BY Industry", "API_ERROR", "GROUP BY"),
        ("SELECT COUNT() FROM Account", "API_ERROR", "COUNT()"),
        ("SELECT FIELDS(ALL) FROM Account LIMIT 1", "API_ERROR", "FIELDS()"),
        ("SELECT Id FROM Account OFFSET 5", "API_ERROR", "OFFSET"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "API_ERROR", "Aggregate Relationships not supported"),
        ("SELECT TYPEOF Who WHEN Lead THEN Id END FROM Task", "API_ERROR", "TYPEOF"),
        ("SELECT Nonsense FROM Account", "INVALID_FIELD", "No such column 'Nonsense'"),
        ("SELECT Id FROM Nonsense", "INVALID_TYPE", "sObject type 'Nonsense' is not supported"),
        ("", "MALFORMED_QUERY", "unexpected token"),
    ],
)
def test_what_bulk_refuses(client: Any, soql: str, code: str, words: str) -> None:
    status, found, message = error(client.post("/jobs/query", {"operation": "query", "query": soql}))
    assert (400, code) == (status, found), message
    assert words in message


@pytest.mark.parametrize(
    "order", [{"operation": "insert"}, {"operation": "query", "lineEnding": "CR"}, {"operation": "query", "extra": 1}]
)
def test_a_wrong_order_is_refused(client: Any, order: dict[str, Any]) -> None:
    response = client.post("/jobs/query", {"query": "SELECT Id FROM Account", **order})
    assert (400, "INVALIDJOB") == error(response)[:2]


def test_parents_are_columns_with_dots(fake: FakeSalesforce, client: Any) -> None:
    rows = client.csv("SELECT Id, Owner.Name FROM Account")
    names = {row["Id"]: row["Name"] for row in fake.org.records("User")}
    truth = {row["Id"]: names[row["OwnerId"]] for row in fake.org.records("Account")}
    assert truth == {row["Id"]: row["Owner.Name"] for row in rows}


def test_an_org_may_refuse_more_objects(fake: FakeSalesforce, client: Any) -> None:
    fake.quirks.bulk_denied = ("Account",)
    response = client.post("/jobs/query", {"operation": "query", "query": "SELECT Id FROM Account"})
    assert "INVALIDENTITY" == error(response)[1]


def test_a_job_may_fail_with_a_reason(fake: FakeSalesforce, client: Any) -> None:
    fake.jobs.fail_next("Account")
    key = client.finished("SELECT Id FROM Account")
    found = client.get(f"/jobs/query/{key}").json()
    assert ("Failed", True) == (found["state"], "Retried more than fifteen times" in found["errorMessage"])
    assert 40 == len(client.csv("SELECT Id FROM Account"))
    fake.quirks.slow_objects = (("Account", 10),)
    key = client.finished("SELECT Id FROM Account")
    assert "QUERY_TIMEOUT" in client.get(f"/jobs/query/{key}").json()["errorMessage"]


def test_rows_are_those_of_when_the_job_began_to_run(fake: FakeSalesforce, client: Any) -> None:
    fake.quirks.bulk_polls = 2
    key = client.job("SELECT Id, Name FROM Account")
    late = fake.org.create("Account", {"Name": "before it runs"})
    client.get(f"/jobs/query/{key}")
    fake.org.update("Account", late, {"Name": "while it runs"})
    while client.get(f"/jobs/query/{key}").json()["state"] != "JobComplete":
        pass
    rows = dict(read(client.get(f"/jobs/query/{key}/results").content)[1:])
    assert "before it runs" == rows[late]


@pytest.mark.parametrize(("doubled", "numbers"), [("zero", "0.0 1 2"), ("even", "0.0 1 2.0"), ("never", "0 1 2")])
def test_some_whole_numbers_have_a_fraction(
    bare: FakeSalesforce, client_of: Callable[..., Any], doubled: str, numbers: str
) -> None:
    bare.quirks.whole_as_double = doubled
    for value in range(3):
        bare.org.create("Everything__c", {"Whole__c": value})
    assert numbers.split() == sorted(
        row["Whole__c"] for row in client_of(bare).csv("SELECT Whole__c FROM Everything__c")
    )
