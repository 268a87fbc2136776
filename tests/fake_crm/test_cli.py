"""`fake-crm` as a real process."""

from __future__ import annotations

import contextlib
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
    from collections.abc import Iterator
    from pathlib import Path

    from fake_crm import FakeCrm

COMMAND = [sys.executable, "-W", "error", "-m", "fake_crm"]


@contextlib.contextmanager
def served(folder: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A served fake's address and process."""
    url_file = folder / "url"
    command = [*COMMAND, "serve", "--url-file", str(url_file), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            deadline = time.monotonic() + 30
            while not url_file.exists() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            assert url_file.exists(), process.communicate()
            yield url_file.read_text().strip(), process
        finally:
            process.kill()


def get(url: str, path: str) -> Any:
    return requests.get(url + path, headers={"Authorization": "Bearer secret-1"}, timeout=10)


def test_it_serves_moves_and_stops(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('[{"path": "/owners", "status": 503}]', "utf-8")
    options = ["--contacts", "30", "--deals", "20", "--token", "secret-1", "--clock", "2026-11-01T00:00:00Z"]
    with served(tmp_path, *options, "--faults", str(faults)) as (url, process):
        assert 503 == get(url, "/crm/v3/owners").status_code
        assert 200 == get(url, "/crm/v3/owners").status_code
        assert 0 == run(["edit", "--url", url, "--contacts", "4", "--deals", "2", "--create", "3", "--archive", "1"])
        assert 0 == run(["clock", "--url", url, "--advance", "3600"])
        assert 0 == run(["state", "--url", url])
        out = capsys.readouterr().out
        assert "contacts: 4 edited, 3 created, 1 archived\ndeals: 2 edited\n" in out
        assert "its clock is now at 2026-11-01T01:0" in out
        assert {"live": 32, "archived": 1} == json.loads(out[out.index("{") :])["records"]["contacts"]
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=10)
        assert (0, "", url) == (process.returncode, errors, json.loads(output)["url"])


def test_it_loads_files_without_a_world_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,staff\nAcme,5\n", "utf-8")
    with served(tmp_path, "--load", f"companies={tmp_path}/a.csv", "--token", "secret-1") as (url, _):
        answer = get(url, "/crm/objects/2026-09/companies?properties=name,staff").json()
        assert [("Acme", "5")] == [(row["properties"]["name"], row["properties"]["staff"]) for row in answer["results"]]
        assert [] == get(url, "/crm/objects/2026-09/contacts").json()["results"]


def test_a_bad_world_is_78_with_every_problem(tmp_path: Path) -> None:
    world = tmp_path / "w.toml"
    world.write_text('[objects.moths]\nfile = "a.csv"\n[objects.deals]\n', "utf-8")
    done = subprocess.run(
        [*COMMAND, "serve", "--world", str(world)], capture_output=True, text=True, timeout=30, check=False
    )
    assert (78, 2) == (done.returncode, len(done.stderr.splitlines()))
    assert "'moths' is no object type" in done.stderr
    assert "file is missing" in done.stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["serve", "--clock", "yesterday"], "yesterday"),
        (["serve", "--load", "companies"], "write it like companies=accounts.csv"),
        (["serve", "--faults", "/nowhere.json"], "/nowhere.json"),
        (["clock", "--url", "http://example.com", "--advance", "1"], "not the address of a served fake"),
    ],
)
def test_wrong_settings_are_78(options: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 78 == run(options)
    assert reason in capsys.readouterr().err


def test_a_refused_order_is_told(crm: FakeCrm, capsys: pytest.CaptureFixture[str]) -> None:
    assert 78 == run(["edit", "--url", crm.url, "--contacts", "101"])
    assert "contacts has 100 records, too few to edit 101" in capsys.readouterr().err


def test_nobody_there_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == run(["state", "--url", "http://127.0.0.1:9"])
    assert "is the fake running" in capsys.readouterr().err


def test_edits_change_what_they_say(crm: FakeCrm) -> None:
    before = {row["id"]: row for row in crm.hubspot.records("contacts")}
    crm.clock.advance(60)
    order = {"edit": {"contacts": 40}, "create": {"contacts": 10, "deals": 1}, "archive": {"contacts": 5}}
    done = requests.post(f"{crm.url}/_fake/edit", json=order, timeout=10).json()
    after = {row["id"]: row for row in crm.hubspot.records("contacts")}
    changed = [key for key in before.keys() & after.keys() if before[key] != after[key]]
    assert sorted(done["contacts"]["edited"]) == sorted(changed)
    assert set(done["contacts"]["created"]) == after.keys() - before.keys()
    assert set(done["contacts"]["archived"]) == before.keys() - after.keys()
    assert [40, 10, 5, 1] == [len(changed), len(after.keys() - before.keys()), 5, len(done["deals"]["created"])]
    assert all(before[key]["properties"]["jobtitle"] != after[key]["properties"]["jobtitle"] for key in changed)


def test_the_control_door_needs_no_token_and_tells_its_paths(crm: FakeCrm) -> None:
    state = requests.get(f"{crm.url}/_fake/state", timeout=10).json()
    assert ("2026-11-01T00:00:00+00:00", 4) == (state["now"], state["owners"])
    assert 404 == requests.get(f"{crm.url}/_fake/nothing", timeout=10).status_code
    wrong: tuple[Any, ...] = ({}, {"advance": 1, "set": "2026-01-01T00:00:00Z"}, {"advance": -5}, {"set": "soon"}, [1])
    for body in wrong:
        assert 400 == requests.post(f"{crm.url}/_fake/clock", json=body, timeout=10).status_code


def test_calls_are_counted_by_kind_and_status(crm: FakeCrm, client: Any) -> None:
    for number in (91, 92, 1):
        client.get(f"/crm/v3/objects/contacts/{number}")
    client.get("/crm/v3/objects/contacts", archived="true")
    found = requests.get(f"{crm.url}/_fake/state", timeout=10).json()["calls"]
    assert [
        {"call": "GET /crm/v3/objects/contacts/{id}", "status": 200, "count": 2},
        {"call": "GET /crm/v3/objects/contacts/{id}", "status": 404, "count": 1},
        {"call": "GET /crm/v3/objects/contacts?archived=true", "status": 200, "count": 1},
    ] == found


def test_the_control_door_tells_all_ids(crm: FakeCrm) -> None:
    crm.hubspot.archive("tickets", "92")
    found = requests.get(f"{crm.url}/_fake/ids", timeout=10).json()
    assert [str(number) for number in range(91, 191)] == found["contacts"]
    assert ["91", "93"] == found["tickets"][:2]


def test_the_request_log_shows_no_token(crm: FakeCrm, client: Any) -> None:
    client.post("/crm/v3/objects/contacts/search", {"limit": 1})
    answer = requests.get(f"{crm.url}/_fake/requests", timeout=10)
    (entry,) = answer.json()["requests"]
    assert ("POST", 200, {"limit": 1}) == (entry["method"], entry["status"], entry["json"])
    assert crm.token not in answer.text


def test_faults_can_be_ordered_from_outside(crm: FakeCrm, client: Any) -> None:
    requests.post(f"{crm.url}/_fake/faults", json={"faults": [{"policy": "DAILY"}]}, timeout=10)
    assert 429 == client.get("/crm/v3/owners").status_code
    bad = requests.post(f"{crm.url}/_fake/faults", json={"faults": [{"kind": "x"}]}, timeout=10)
    assert (400, True) == (bad.status_code, "unknown kind" in bad.json()["error"])


def test_records_of_any_type_can_be_ordered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served(tmp_path, "--object", "orders=3", "--object", "courses=2", "--token", "secret-1") as (url, _):
        found = [len(get(url, f"/crm/objects/2026-09/{name}").json()["results"]) for name in ("orders", "courses")]
        assert [3, 2] == found
    with pytest.raises(SystemExit):
        run(["serve", "--object", "moths=3"])
    assert "write it like orders=20" in capsys.readouterr().err
