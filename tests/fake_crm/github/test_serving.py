"""`fake-crm serve github`: a folder as a repository, and commits from outside."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_is_served_as_a_repository_and_can_be_committed_to(tmp_path: Path) -> None:
    (tmp_path / "data" / "in").mkdir(parents=True)
    (tmp_path / "data" / "in" / "a.csv").write_text("id\n1\n", "utf-8")
    order = ["serve", "github", "--repository", f"acme/crm={tmp_path / 'data'}", "--url-file", str(tmp_path / "url")]
    process = subprocess.Popen([sys.executable, "-m", "fake_crm", *order], stdout=subprocess.PIPE, text=True)
    with process:
        while not (tmp_path / "url").exists():
            assert process.poll() is None
            time.sleep(0.05)
        url = (tmp_path / "url").read_text("utf-8").strip()
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        tree = requests.get(f"{told['api_url']}/repos/acme/crm/git/trees/main", params={"recursive": 1}, timeout=9)
        assert ["in", "in/a.csv"] == [entry["path"] for entry in tree.json()["tree"]]
        edit = {"repository": "acme/crm", "files": {"b.csv": "x", "in/a.csv": None}}
        requests.post(f"{url}/_fake/commit", json=edit, timeout=9).raise_for_status()
        assert {"acme/crm": 1} == requests.get(f"{url}/_fake/state", timeout=9).json()["repositories"]
        process.terminate()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fake_crm", "serve", "github", "--repository", f"acme/crm={tmp_path / 'none'}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "acme/crm=./data" in done.stderr
