"""The fake Salesforce as a process, and its control door."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from fake_crm.cli import run

if TYPE_CHECKING:
    from pathlib import Path

    from fake_crm import FakeSalesforce


def order(fake: FakeSalesforce, name: str, body: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = requests.post(f"{fake.url}/_fake/{name}", json=body, timeout=10).json()
    return answer


def test_it_serves_with_its_options_and_stops(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url_file = tmp_path / "url"
    options = ["--empty", "--object", "Account=9", "--stretch", "Lead=50000", "--token", "t", "--extra-objects", "3"]
    command = [sys.executable, "-W", "error", "-m", "fake_crm", "serve", "salesforce", "--url-file", str(url_file)]
    command += [*options, "--clock", "2026-11-01T00:00:00Z", "--frozen", "--api-requests", "77", "--old-limit-header"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not url_file.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert url_file.exists(), process.communicate()
        url = url_file.read_text().strip()
        headers = {"Authorization": "Bearer t"}
        soql = {"q": "SELECT Id FROM Lead WHERE IsConverted = true"}
        answer = requests.get(f"{url}/services/data/v66.0/query", params=soql, headers=headers, timeout=60)
        assert "api-usage=1/77" == answer.headers["Sforce-Limit-Info"]
        assert 20_000 < answer.json()["totalSize"] < 30_000
        assert 0 == run(["edit", "--url", url, "--change", "2", "--create", "3", "--archive", "1", "--of", "Account"])
        assert "Account: 2 edited, 3 created, 1 deleted\n" in capsys.readouterr().out
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=20)
    assert (0, "") == (process.returncode, errors)
    assert {"Account": 9, "Lead": 50_000, **{f"Extra_{at}__c": 2 for at in (1, 2, 3)}} == json.loads(output)["records"]


def test_wrong_options_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(["serve", "salesforce", "--object", "Moths=3"])
    assert "with the name of an object, not 'Moths=3'" in capsys.readouterr().err


def test_edits_on_order_change_what_they_say(fake: FakeSalesforce) -> None:
    before = {row["Id"]: row for row in fake.org.records("Lead")}
    fake.clock.advance(60)
    done = order(
        fake, "edit", {"edit": {"Lead": 4}, "create": {"Lead": 2}, "delete": {"Lead": 3}, "purge": {"Lead": 1}}
    )
    after = {row["Id"]: row for row in fake.org.records("Lead")}
    found = done["Lead"]
    assert sorted(found["edited"]) == sorted(key for key in before.keys() & after.keys() if before[key] != after[key])
    assert set(found["created"]) == after.keys() - before.keys()
    assert set(found["deleted"]) | set(found["purged"]) == before.keys() - after.keys()
    assert [4, 2, 3, 1] == [len(found[name]) for name in ("edited", "created", "deleted", "purged")]
    assert fake.org.record("Lead", found["purged"][0]) is None


def test_every_object_can_be_edited(fake: FakeSalesforce) -> None:
    fake.clock.advance(60)
    for name in fake.org.counts():
        if "SystemModstamp" not in fake.org.schema.find(name).fields:
            continue
        before = {row["Id"]: row for row in fake.org.records(name)}
        (key,) = order(fake, "edit", {"edit": {name: 1}})[name]["edited"]
        after = {row["Id"]: row for row in fake.org.records(name)}
        assert "2026-11-01T12:01:00.000Z" == after[key]["SystemModstamp"], name
        assert [key] == [each for each in after if after[each] != before[each]], name


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("edit", {"edit": {"Lead": 99}}, "Lead has 30 records, too few to edit 99"),
        ("edit", {"nonsense": {}}, "unknown order nonsense"),
        ("edit", {"edit": {"Moth": 1}}, "sObject type 'Moth' is not supported"),
        ("transaction", {}, "give begin, commit or roll_back"),
        ("quirks", {"nonsense": 1}, "unknown quirk nonsense"),
        ("usage", {"Nonsense": 1}, "there is no limit Nonsense"),
    ],
)
def test_a_wrong_order_is_told(fake: FakeSalesforce, name: str, body: dict[str, Any], words: str) -> None:
    assert words in order(fake, name, body)["error"]


def test_a_transaction_stays_open_until_it_is_ended(fake: FakeSalesforce, client: Any) -> None:
    begun = order(fake, "transaction", {"begin": {"create": {"Account": 2}, "delete": {"Account": 1}}})
    fake.clock.advance(600)
    assert 40 == len(client.ids("SELECT Id FROM Account"))
    assert {"commit": 1} == order(fake, "transaction", {"commit": begun["transaction"]})
    assert set(begun["edits"]["Account"]["created"]) < set(client.ids("SELECT Id FROM Account"))
    other = order(fake, "transaction", {"begin": {"create": {"Account": 2}}})["transaction"]
    order(fake, "transaction", {"roll_back": other})
    assert 41 == len(client.ids("SELECT Id FROM Account"))


def test_other_orders(fake: FakeSalesforce, client: Any) -> None:
    assert {"changed": ["page_rows"]} == order(fake, "quirks", {"page_rows": 10})
    following = client.get("/query", q="SELECT Id FROM Contact").json()["nextRecordsUrl"]
    assert {"expired": ["locators"]} == order(fake, "expire", {"locators": True})
    assert 400 == client.get(following).status_code
    order(fake, "usage", {"DailyApiRequests": 500})
    assert 502 == fake.usage.used()
    order(fake, "jobs", {"fail": {"Account": "no reason"}})
    assert "Failed" == client.get(f"/jobs/query/{client.finished('SELECT Id FROM Account')}").json()["state"]
    ids = requests.get(f"{fake.url}/_fake/ids", timeout=10).json()
    assert [row["Id"] for row in fake.org.records("Lead")] == ids["Lead"]
    order(fake, "expire", {"sessions": True})
    assert 401 == client.get("/limits").status_code
