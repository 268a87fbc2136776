"""Rows as lines and rows as messages are the same; what a catalog or a stream map leaves out stays out."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import ConfigError
from crmdb_core.inspection import inspect
from tap_csv_github.tap import TapCsvGithub

if TYPE_CHECKING:
    from pathlib import Path

    from fake_crm import FakeGitHub
    from tests.tap_csv_github.conftest import Run, RunTap

TEXT = 'id,name,n\n1,"a ""b""\r\n100 %",5\n2,ü\ud83d\ude80,7,more,cells\n3\n4,%s,8\n'.encode(
    "utf-16", "surrogatepass"
).decode("utf-16")
ENTRY: dict[str, Any] = {"stream_name": 'odd"name"%', "types": {"n": "number"}}
# the tap, which says the peak of its memory at its end, in kB
PEAK = """
import atexit, pathlib, sys
peak = pathlib.Path(sys.argv.pop(1))
status = pathlib.Path("/proc/self/status")
atexit.register(lambda: peak.write_text(status.read_text().split("VmHWM:")[1].split()[0]))
from tap_csv_github.__main__ import main
main()
"""


@pytest.fixture
def filled(github: FakeGitHub) -> FakeGitHub:
    github.repository("acme/crm", {"odd %s.csv": TEXT})
    return github


def comparable(run: Run) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in message.items() if name not in {"time_extracted", "version"}}
        for message in run.messages
        if message["type"] == "RECORD"
    ]


@pytest.mark.usefixtures("filled")
def test_lines_and_messages_say_the_same(run_tap: RunTap) -> None:
    lines = run_tap(**ENTRY)
    assert 4 == len(lines.records())
    messages = run_tap(**ENTRY, config={"max_records": 100})
    assert comparable(messages) == comparable(lines)
    assert all("version" in m and m["time_extracted"].endswith("Z") for m in lines.messages if m["type"] == "RECORD")
    assert lines.misfits(ENTRY["stream_name"]) == []


@pytest.mark.usefixtures("filled")
def test_a_deselected_column_stays_out(run_tap: RunTap) -> None:
    """Of lineage too, though rows go out as messages then."""
    catalog = run_tap.catalog(**ENTRY)
    (stream,) = [entry for entry in catalog["streams"] if entry["tap_stream_id"] == ENTRY["stream_name"]]

    def select(**chosen: bool) -> Run:
        for each in stream["metadata"]:
            each["metadata"]["selected"] = chosen.get(each["breadcrumb"][-1] if each["breadcrumb"] else "", True)
        return run_tap(**ENTRY, catalog=catalog)

    whole, one, both = select(), select(name=False), select(name=False, _sdc_commit_sha=False)
    assert [{"id", "name", "n"}, {"id", "n"}, {"id", "n"}] == [set(run.rows()[0]) for run in (whole, one, both)]
    assert [True, False] == ["_sdc_commit_sha" in run.records()[0] for run in (one, both)]
    assert one.rows() == both.rows()


@pytest.mark.usefixtures("filled")
def test_stream_maps_see_every_row(run_tap: RunTap) -> None:
    maps = {ENTRY["stream_name"]: {"big": "id + '!'", "__filter__": "id != '3'"}}
    run = run_tap(**ENTRY, config={"stream_maps": maps})
    assert ["1!", "2!", "4!"] == [row["big"] for row in run.rows()]


def test_a_deselected_stream_is_not_read(filled: FakeGitHub, run_tap: RunTap) -> None:
    catalog = run_tap.catalog(**ENTRY)
    for entry in catalog["streams"]:
        entry["metadata"][-1]["metadata"]["selected"] = False
    before = len(filled.requests)
    assert [] == run_tap(**ENTRY, catalog=catalog).records()
    assert not any("/blobs/" in entry.path for entry in filled.requests[before:])


def test_check_says_which_sources_can_be_read(
    filled: FakeGitHub, run_tap: RunTap, capsys: pytest.CaptureFixture[str]
) -> None:
    tap = TapCsvGithub(config=run_tap.config(**ENTRY))
    inspect(tap, check="text", plan=None)
    out = capsys.readouterr().out
    assert "open" in out
    assert filled.token not in out


@pytest.mark.usefixtures("filled")
def test_plan_says_how_many_calls_a_run_would_make(run_tap: RunTap, capsys: pytest.CaptureFixture[str]) -> None:
    tap = TapCsvGithub(config=run_tap.config(**ENTRY))
    inspect(tap, check=None, plan="json")
    told = json.loads(capsys.readouterr().out)
    calls = {stream["stream"]: stream["calls"] for stream in told["streams"]}
    assert {"default": 1} == calls[ENTRY["stream_name"]]


def test_a_place_that_fsspec_cannot_open_is_a_matter_of_settings(run_folder: RunTap) -> None:
    run = run_folder(location="klingon://user:secret@host/x?sig=abc", stream_name="t")
    assert isinstance(run.error, ConfigError)
    assert "klingon://host/x" in str(run.error)
    assert "secret" not in str(run.error)


def test_memory_does_not_grow_with_the_file(github: FakeGitHub, run_tap: RunTap, tmp_path: Path) -> None:
    """Not even where 12 MB of rows are compared with those before: the whole process stays below 120 MB."""
    rows = [f"{n},{'x' * 140}" for n in range(80_000)]
    repository = github.repository("acme/crm", {"a.csv": "id,name\n" + "\n".join(rows)})
    entry: dict[str, Any] = {"stream_name": "t", "key_properties": ["id"]}
    (tmp_path / "state.json").write_text(json.dumps(run_tap(**entry).state, default=float))
    rows[60_000] = "60000,changed"
    repository.commit({"a.csv": "id,name\n" + "\n".join(rows)})
    (tmp_path / "config.json").write_text(json.dumps(run_tap.config(**entry)))
    (tmp_path / "config.json").chmod(0o600)
    files = ["--config", str(tmp_path / "config.json"), "--state", str(tmp_path / "state.json")]
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(tmp_path / "peak"), *files], capture_output=True, text=True, check=True
    )
    assert 1 == done.stdout.count('"type":"RECORD"')
    assert int((tmp_path / "peak").read_text()) < 120_000
