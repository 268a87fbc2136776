"""A run that is cut: from whichever STATE the next one goes on, nothing is lost and nothing stays that vanished."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from fake_crm import FakeGitHub
from tap_csv_github.tap import TapCsvGithub
from tests.tap_csv_github.conftest import Run, RunTap, Table

if TYPE_CHECKING:
    from pathlib import Path

    from fake_crm.github.repository import Repository

# the tap as its console script runs it, but with a STATE after every piece: a test has no time for the usual seconds
SCRIPT = """
from tap_csv_github.tap import TapCsvGithub
TapCsvGithub.state_seconds = 0.0
from tap_csv_github.__main__ import main
main()
"""
KEYED: dict[str, Any] = {"key_properties": ["id"], "stream_name": "t"}
PLACED: dict[str, Any] = {"stream_name": "t"}


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many pieces and a STATE after each, so that there are many places to be cut at."""
    monkeypatch.setattr("tap_csv_github.reading.text.CHUNK", 60)
    monkeypatch.setattr(TapCsvGithub, "state_seconds", 0.0)


def csv(rows: dict[str, str]) -> str:
    return "id,name\n" + "".join(f"{key},{value}\n" for key, value in rows.items())


def truth(repository: Repository) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for _, content in sorted(repository.files().items()):
        lines = content.decode().splitlines()[1:]
        found += [dict(zip(("id", "name"), line.split(","), strict=True)) for line in lines]
    return sorted(found, key=str)


def cuts(run: Run) -> list[Run]:
    """The run as it would have been had it been killed right after each of its STATEs."""
    ends = [at for at, message in enumerate(run.messages, 1) if message["type"] == "STATE"]
    return [Run(run.messages[:end]) for end in ends]


def live(*runs: Run) -> list[dict[str, Any]]:
    return sorted(Table("t").load(*runs).live, key=str)


def begun(github: FakeGitHub) -> Repository:
    first = {str(n): f"a{n}" for n in range(30)}
    return github.repository(
        "acme/crm", {"a.csv": csv(first), "b.csv": csv({"b1": "x", "b2": "y"}), "c.csv": csv({"c": "z"})}
    )


def edit(repository: Repository) -> None:
    changed = {**{str(n): f"a{n}" for n in range(5, 30)}, "7": "changed", "new": "row", "b1": "moved here"}
    repository.commit(
        {"a.csv": csv(changed), "b.csv": csv({"b2": "y", "0": "came from a"}), "d.csv": csv({"d": "new"})}
    )
    repository.commit({"c.csv": None})


def edit_again(repository: Repository) -> None:
    rows = {**{str(n): f"a{n}" for n in range(8, 25)}, "9": "a9 again", "new": "other"}
    repository.commit({"a.csv": csv(rows), "d.csv": csv({"e": "new", "b1": "and here"})})
    repository.rename("b.csv", "z.csv")


@pytest.mark.parametrize("entry", [KEYED, PLACED], ids=["keyed", "by place"])
def test_a_first_run_goes_on_from_every_state(github: FakeGitHub, run_tap: RunTap, entry: dict[str, Any]) -> None:
    repository = begun(github)
    whole = run_tap(**entry)
    parts = cuts(whole)
    assert len(parts) > 10
    for cut in parts:
        rest = run_tap(**entry, state=cut.state)
        assert rest.error is None
        assert truth(repository) == live(cut, rest)
    assert len(run_tap(**entry, state=parts[len(parts) // 2].state).records("t")) < len(whole.records("t"))


@pytest.mark.parametrize("entry", [KEYED, PLACED], ids=["keyed", "by place"])
@pytest.mark.parametrize("edited", [False, True], ids=["as it was", "edited meanwhile"])
def test_a_delta_goes_on_from_every_state(
    github: FakeGitHub, run_tap: RunTap, entry: dict[str, Any], *, edited: bool
) -> None:
    """S07: also where the repository has changed once more between the kill and the next run."""
    repository = begun(github)
    first = run_tap(**entry)
    edit(repository)
    second = run_tap(**entry, state=first.state)
    assert truth(repository) == live(first, second)
    parts = cuts(second)
    assert len(parts) > 5
    if edited:
        edit_again(repository)
    for cut in parts:
        third = run_tap(**entry, state=cut.state)
        assert truth(repository) == live(first, cut, third)
        assert [] == run_tap(**entry, state=third.state).records("t")


def test_what_was_cut_twice_is_still_whole(github: FakeGitHub, run_tap: RunTap) -> None:
    repository = begun(github)
    first = run_tap(**KEYED)
    edit(repository)
    one = cuts(run_tap(**KEYED, state=first.state))
    edit_again(repository)
    for cut in one[::3]:
        for again in cuts(run_tap(**KEYED, state=cut.state))[::3]:
            last = run_tap(**KEYED, state=again.state)
            assert truth(repository) == live(first, cut, again, last)


def test_a_folder_that_must_be_read_whole_is_begun_anew_after_a_kill(run_folder: RunTap, folder: Path) -> None:
    def write(**files: dict[str, str]) -> None:
        for name, rows in files.items():
            (folder / f"{name}.csv").write_text(csv(rows), "utf-8")

    write(a={str(n): "x" for n in range(20)}, b={"b": "y"})
    first = run_folder(**KEYED)
    write(a={str(n): "x" for n in range(3, 20)})
    second = run_folder(**KEYED, state=first.state)
    expected = sorted([{"id": "b", "name": "y"}, *({"id": str(n), "name": "x"} for n in range(3, 20))], key=str)
    assert expected == live(first, second)
    for cut in cuts(second):
        assert expected == live(first, cut, run_folder(**KEYED, state=cut.state))


@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["KILL", "TERM", "INT"]
)
def test_a_stopped_process_goes_on_inside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signum: int, code: int
) -> None:
    monkeypatch.undo()  # pieces as large as they are
    rows = {str(n): f"name {n}" for n in range(60_000)}
    with FakeGitHub() as github:
        repository = github.repository("acme/crm", {"a.csv": csv(rows), "b.csv": csv({"b": "x"})})
        run_tap = RunTap(
            {"repository": "acme/crm", "path": "**"}, {"api_url": github.api_url, "auth_token": github.token}
        )
        config = tmp_path / "config.json"
        config.write_text(json.dumps(run_tap.config(**KEYED)))
        config.chmod(0o600)
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, "--config", str(config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if '"type":"STATE"' in line and '"partial"' in line:
                process.send_signal(signum)
                break
        rest, _ = process.communicate(timeout=60)
        assert code == process.returncode
        stopped = run_tap.printed("".join(lines) + rest)
        resumed = run_tap(**KEYED, state=stopped.state)
        assert 0 < len(resumed.records("t")) < 60_001
        assert truth(repository) == live(stopped, resumed)
