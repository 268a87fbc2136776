"""Bulk API 1.0 queries, which older taps use."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fake_crm import FakeSalesforce

ROOT = "/services/async/61.0/job"


def started(client: Any, soql: str, name: str = "Contact", **headers: str) -> tuple[str, str]:
    """The paths of a new job and of its batch."""
    own = {"X-SFDC-Session": client.token, "Content-Type": "application/json", "Authorization": ""}
    order = {"operation": "queryAll", "object": name, "contentType": "CSV"}
    job = f"{ROOT}/{client.call('POST', ROOT, json=order, headers={**own, **headers}).json()['id']}"
    made = client.call("POST", f"{job}/batch", data=soql, headers={**own, "Content-Type": "text/csv"})
    assert 201 == made.status_code, made.text
    return job, f"{job}/batch/{told(made, 'id')[0]}"


def told(response: Any, name: str) -> list[str]:
    return re.findall(f"<{name}>(.*?)</{name}>", response.text)


def ids(client: Any, batch: str) -> list[str]:
    (result,) = told(client.get(f"{batch}/result"), "result")
    text = client.get(f"{batch}/result/{result}").text
    return [row["Id"] for row in csv.DictReader(io.StringIO(text))]


def test_a_batch_is_run_and_read(fake: FakeSalesforce, client: Any) -> None:
    gone = fake.org.records("Contact")[0]["Id"]
    fake.org.delete("Contact", gone)
    job, batch = started(client, "SELECT Id, Name FROM Contact")
    assert ["InProgress", "Completed"] == [told(client.get(batch), "state")[0] for _ in range(2)]
    assert sorted(ids(client, batch)) == [row["Id"] for row in fake.org.records("Contact", deleted=True)]
    assert "Closed" == client.post(job, {"state": "Closed"}).json()["state"]
    assert 1 == client.get(job).json()["numberBatchesTotal"]
    assert (1, 0) == (fake.usage.used("DailyBulkApiBatches"), fake.usage.used("DailyBulkV2QueryJobs"))


def test_a_job_is_cut_by_chunks_when_asked(fake: FakeSalesforce, client: Any) -> None:
    cut = {"Sforce-Enable-PKChunking": "chunkSize=30; parent=Contact"}
    job, _ = started(client, "SELECT Id FROM Contact", **cut)
    assert ["InProgress"] == told(client.get(f"{job}/batch"), "state")
    answer = client.get(f"{job}/batch")
    assert ["NotProcessed", *["Completed"] * 4] == told(answer, "state")
    found = [key for batch in told(answer, "id")[1:] for key in ids(client, f"{job}/batch/{batch}")]
    assert sorted(found) == [row["Id"] for row in fake.org.records("Contact")]


def test_a_batch_may_fail(fake: FakeSalesforce, client: Any) -> None:
    fake.jobs.fail_next("Contact", "QUERY_TIMEOUT : too long")
    _, batch = started(client, "SELECT Id FROM Contact")
    client.get(batch)
    answer = client.get(batch)
    assert (["Failed"], ["QUERY_TIMEOUT : too long"]) == (told(answer, "state"), told(answer, "stateMessage"))


def test_refusals_have_their_old_form(client: Any) -> None:
    assert "InvalidJob" == client.get(f"{ROOT}/750000000000099AAA").json()["exceptionCode"]
    order = {"operation": "query", "object": "Attachment", "contentType": "CSV"}
    assert "InvalidEntity" == client.post(ROOT, order).json()["exceptionCode"]
    job, _ = started(client, "SELECT Id FROM Contact")
    wrong = client.call("POST", f"{job}/batch", data="SELECT Nonsense FROM Contact")
    assert (400, "InvalidBatch") == (wrong.status_code, wrong.json()["exceptionCode"])
