"""`fake-crm serve pipedrive`: a fake as a process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from fake_crm import FakePipedrive
from fake_crm.cli import run

FAKE_CRM = Path(sys.executable).with_name("fake-crm")


def test_it_serves_what_was_ordered_until_it_is_stopped() -> None:
    options = ["--size", "deals=5", "--size", "persons=0", "--fields", "2", "--plan", "lite", "--daily-limit", "15"]
    command: list[str | Path] = [FAKE_CRM, "serve", "pipedrive", *options, "--token", "mine"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        answers = [
            requests.get(f"{told['url']}/api/v2/deals", headers={"x-api-token": "mine"}, timeout=10) for _ in range(2)
        ]
        state = requests.get(f"{told['url']}/_fake/state", timeout=10).json()
        process.terminate()
        assert process.wait(10) == 0
    assert (told["token"], told["records"]["deals"], told["records"]["persons"]) == ("mine", 5, 0)
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[0].headers["x-ratelimit-limit"] == "20"
    assert len(answers[0].json()["data"][0]["custom_fields"]) == 2
    assert state["tokens"] == {"today": 10, "total": 10}


@pytest.mark.parametrize("option", [["--size", "deals"], ["--size", "dreams=3"], ["--plan", "free"]])
def test_a_wrong_order_is_said(option: list[str]) -> None:
    done = subprocess.run([FAKE_CRM, "serve", "pipedrive", *option], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert option[0] in done.stderr


def test_it_is_edited_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    with FakePipedrive() as crm:
        assert run(["edit", "--url", crm.url, "--change", "4", "--create", "3", "--archive", "2", "--of", "deals"]) == 0
        assert run(["edit", "--url", crm.url, "--change", "2", "--delete", "1", "--of", "persons"]) == 0
        assert run(["edit", "--url", crm.url, "--change", "1"]) == 78
        archived = [row for row in crm.pipedrive.live("deals") if row["is_archived"]]
    told = capsys.readouterr()
    assert told.out == "deals: 4 edited, 3 created, 2 archived\npersons: 2 edited, 1 deleted\n"
    assert "unknown table contacts" in told.err
    assert len(archived) == 3 + 2
