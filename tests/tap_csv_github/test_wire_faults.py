"""Faults on the wire, met by the whole tap on each kind of call: what passes costs time, the rest ends honestly."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import ExitCode, SyncFailedError, TryLaterError
from fake_crm import FakeGitHub
from fake_crm.github.limits import RateLimits
from tests.tap_csv_github.conftest import RunTap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fake_crm.wire import Request
    from tests.tap_csv_github.conftest import Run, Table

Json = dict[str, Any]

KEYED: Json = {"key_properties": ["id"], "stream_name": "t", "path": "*.csv"}
CALLS = {"commit": "/commits/", "tree": "/git/trees/", "blob": "/git/blobs/"}
PASSING: dict[str, Json] = {
    "N01": {"policy": "secondary", "headers": {"Retry-After": "37"}},
    "N01 as 403": {"policy": "secondary", "status": 403, "headers": {"Retry-After": "37"}},
    "N02": {"status": 429, "headers": {"Retry-After": "Sun, 01 Nov 2026 00:00:07 GMT"}},
    "N02 garbage": {"status": 429, "headers": {"Retry-After": "soon"}},
    "N03": {"policy": "secondary"},
    "N05": {"status": 503, "headers": {"Retry-After": "12"}},
    "N07": {"kind": "reset", "cut": 20},
    "N08": {"kind": "short_body"},
    "N09": {"kind": "truncate"},
    "N10": {"kind": "html"},
    "N11": {"kind": "gzip"},
    "N12": {"kind": "stall", "seconds": 3},
    "N17 closed": {"kind": "close"},
    "N17 empty": {"kind": "empty"},
}
TEXT = "id,name\n" + "".join(f"{n},name {n}\n" for n in range(300))


@pytest.fixture
def filled(github: FakeGitHub) -> FakeGitHub:
    github.repository("acme/crm", {"a.csv": TEXT, "b.csv": "id,name\nb,x\n"})
    return github


def is_whole(table: Callable[..., Table], *runs: Run) -> bool:
    return {"b", *map(str, range(300))} == set(table("t", *runs).by("id"))


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", PASSING)
def test_a_passing_fault_of_any_call_costs_time_only(
    run_tap: RunTap, filled: FakeGitHub, table: Callable[..., Table], waits: list[float], *, name: str, call: str
) -> None:
    """N01, N02, N03, N05, N07-N12, N17: no error, nothing lost, nothing twice; a file is checked by its hash."""
    filled.faults.add(path=CALLS[call], times=2, **PASSING[name])
    run = run_tap(**KEYED, config={"timeout": 0.3} if name == "N12" else None)
    assert run.error is None
    assert 301 == len(run.records("t"))
    assert is_whole(table, run)
    asked = {"N01": 37.0, "N01 as 403": 37.0, "N05": 12.0, "N03": 60.0}.get(name)
    assert asked is None or asked in waits


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"policy": "secondary"}, TryLaterError),
        ({"policy": "secondary", "status": 403, "headers": {"Retry-After": "9"}}, TryLaterError),
        ({"status": 429, "headers": {"Retry-After": "4000"}}, TryLaterError),
        ({"status": 429, "headers": {"Retry-After": "Sun, 01 Nov 2036 00:00:00 GMT"}}, TryLaterError),
        ({"status": 500}, SyncFailedError),
        ({"kind": "html"}, SyncFailedError),
        ({"kind": "truncate"}, SyncFailedError),
        ({"kind": "empty"}, SyncFailedError),
    ],
    ids=["N04", "N04 as 403", "N02 too long", "N02 in ten years", "N05", "N10", "N09", "N17"],
)
def test_a_fault_that_stays_ends_honestly_and_the_next_run_reads_the_rest(
    run_tap: RunTap,
    filled: FakeGitHub,
    table: Callable[..., Table],
    waits: list[float],
    *,
    fault: Json,
    error: type[Exception],
    call: str,
) -> None:
    """N02, N04, N05, N09, N10, N17: a bounded number of tries."""
    filled.faults.add(path=CALLS[call], times=None, **fault)
    failed = run_tap(**KEYED, config={"retry_attempts": 4})
    assert isinstance(failed.error, error)
    assert len(waits) < 40
    filled.faults.clear()
    runs = [failed, run_tap(**KEYED, state=failed.state if failed.messages else None)]
    assert runs[-1].error is None
    assert is_whole(table, *runs)


@pytest.mark.usefixtures("waits")
def test_n06_a_file_that_is_always_refused_keeps_no_other_from_being_read(
    run_tap: RunTap, filled: FakeGitHub, table: Callable[..., Table]
) -> None:
    repository = filled.world.repositories[0]
    sha = repository.nodes(repository.branches["main"])["b.csv"].sha
    filled.faults.add(path=sha, times=None, status=500)
    failed = run_tap(**KEYED, config={"retry_attempts": 2})
    assert failed.error is not None
    assert 300 == len(failed.records("t"))
    assert [] == [m for m in failed.messages if m["type"] == "ACTIVATE_VERSION"]
    filled.faults.clear()
    last = run_tap(**KEYED, state=failed.state)
    assert ["b"] == [row["id"] for row in last.rows("t")]
    assert is_whole(table, failed, last)


def test_n13_a_host_that_nobody_knows_ends_in_one_plain_line(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    files = [{"repository": "acme/crm"}]
    config.write_text(json.dumps({"api_url": "http://git.invalid", "files": files, "retry_attempts": 1}))
    config.chmod(0o600)
    command = [sys.executable, "-m", "tap_csv_github", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == ExitCode.FAILED
    assert done.stdout == ""
    assert "the name of host git.invalid could not be resolved" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("waits")
def test_n13_a_host_that_is_found_again_is_no_failure(
    run_tap: RunTap, filled: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = socket.getaddrinfo, [1, 2]

    def sometimes(*args: Any, **options: Any) -> Any:
        if failures:
            failures.pop()
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", sometimes)
    assert run_tap(**KEYED).error is None
    assert (failures, filled.url) == ([], filled.url)


@pytest.mark.parametrize("call", CALLS)
def test_n15_no_call_takes_the_token_to_another_host(
    run_tap: RunTap, filled: FakeGitHub, waits: list[float], call: str
) -> None:
    """N16 too: no link of an answer is followed but those to files, which get no token."""
    with FakeGitHub() as stranger:
        filled.faults.add(path=CALLS[call], kind="redirect", location=f"{stranger.url}/steal", times=None)
        assert run_tap(**KEYED).error is not None
        assert 0 == len(stranger.requests)
    assert waits == []


@pytest.mark.usefixtures("waits")
def test_n15_a_release_file_is_redirected_for_ever(run_tap: RunTap, github: FakeGitHub) -> None:
    github.repository("acme/crm", {"a.csv": "x"}).release("v1", {"a.csv": b"id\n1\n"})
    github.storage.faults.add(path="", kind="redirect", times=None)
    run = run_tap(stream_name="t", release="v1")
    assert isinstance(run.error, SyncFailedError)
    assert len(github.storage.requests) <= 12


def test_n16_lfs_may_send_elsewhere_but_without_the_token(run_tap: RunTap, github: FakeGitHub) -> None:
    github.repository("acme/crm", {"x.md": "x"}).commit_lfs("a.csv", b"id\n1\n")
    assert [{"id": "1"}] == run_tap(stream_name="t", path="*.csv").rows("t")
    assert all("Authorization" not in entry.request.headers for entry in github.storage.requests)


def used_up(hourly: int) -> FakeGitHub:
    github = FakeGitHub(limits=RateLimits(hourly=hourly), clock="2026-11-01T00:00:00Z")
    github.repository("acme/crm", {f"{n}.csv": f"id\n{n}\n" for n in range(20)})
    return github


def reader(github: FakeGitHub) -> RunTap:
    return RunTap(
        {"repository": "acme/crm", "path": "**", **KEYED}, {"api_url": github.api_url, "auth_token": github.token}
    )


@pytest.mark.usefixtures("waits")
def test_s09_a06_a_used_up_hour_is_exit_75_and_the_next_one_goes_on(table: Callable[..., Table]) -> None:
    """GitHub's 403 for a used-up quota is a limit, not a missing permission."""
    with used_up(12) as github:
        run_tap = reader(github)
        github.limiter.limits = RateLimits()
        catalog = run_tap.catalog()
        github.limiter.limits = RateLimits(hourly=12)
        github.clock.advance(3700)
        runs = [run_tap(catalog=catalog, config={"concurrency": 1})]
        assert isinstance(runs[0].error, TryLaterError)
        assert ExitCode.TRY_LATER == runs[0].error.exit_code
        assert "resets at 2026-11-01 02:01 UTC" in str(runs[0].error)
        while runs[-1].error is not None and len(runs) < 5:
            github.clock.advance(3700)
            runs.append(run_tap(catalog=catalog, state=runs[-1].state, config={"concurrency": 1}))
        assert [True, False] == [run.error is not None for run in runs]
        assert {str(n) for n in range(20)} == set(table("t", *runs).by("id"))
        assert 20 == sum(len(run.records("t")) for run in runs)


@pytest.mark.parametrize(("seconds", "is_waited_for"), [(100, True), (3000, False)])
def test_a06_a_403_for_a_used_up_hour_is_a_limit(
    run_tap: RunTap, filled: FakeGitHub, waits: list[float], seconds: int, *, is_waited_for: bool
) -> None:
    """A minute or two are waited for, an hour is not."""
    reset = int(filled.clock.now().timestamp()) + seconds
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset), "X-RateLimit-Limit": ""}
    filled.faults.add(path="/git/trees/", policy="primary", status=403, headers=headers)
    run = run_tap(**KEYED)
    assert is_waited_for == (run.error is None)
    assert is_waited_for == any(seconds <= wait <= seconds + 2 for wait in waits)
    assert is_waited_for or isinstance(run.error, TryLaterError)


@pytest.mark.usefixtures("waits")
def test_s09_a_share_of_the_hour_is_left_to_others() -> None:
    with used_up(100) as github:
        run = reader(github)(config={"max_hourly_share": 0.1, "concurrency": 1})
        assert isinstance(run.error, TryLaterError)
        assert "max_hourly_share" in str(run.error)
        assert 10 >= github.limiter.used(github.access.tokens[github.token])


def test_a04_runs_at_once_do_not_disturb_each_other(run_tap: RunTap, filled: FakeGitHub) -> None:
    """Nothing is rotated and nothing is kept between runs: two at once read the same."""
    assert filled.token
    first, second = run_tap(**KEYED), run_tap(**KEYED)
    assert first.rows("t") == second.rows("t")


def test_s01_a_commit_in_the_middle_of_a_run_is_for_the_next_one(
    run_tap: RunTap, filled: FakeGitHub, table: Callable[..., Table]
) -> None:
    """S02: what is read is one commit, whatever people do meanwhile."""
    repository = filled.world.repositories[0]

    @filled.on_request
    def edit(request: Request) -> None:
        if "/git/trees/" in request.path and repository.branches["main"] == begun:
            repository.commit({"b.csv": "id,name\nb,later\n", "c.csv": "id,name\nc,y\n", "a.csv": None})

    begun = repository.branches["main"]
    first = run_tap(**KEYED)
    assert is_whole(table, first)
    assert {begun} == {record["_sdc_commit_sha"] for record in first.records("t")}
    second = run_tap(**KEYED, state=first.state)
    assert {"b": "later", "c": "y"} == {key: row["name"] for key, row in table("t", first, second).by("id").items()}


def test_s08_an_old_version_that_is_gone_means_a_whole_read(
    run_tap: RunTap, filled: FakeGitHub, table: Callable[..., Table]
) -> None:
    first = run_tap(**KEYED)
    filled.world.repositories[0].force_push({"b.csv": "id,name\nz,x\n"})
    filled.world.repositories[0].collect_garbage()
    second = run_tap(**KEYED, state=first.state)
    assert {"z"} == set(table("t", first, second).by("id"))


@pytest.mark.parametrize(
    "garbage",
    [
        {"files": "nonsense", "settings": "x"},
        {"files": {"acme/crm@HEAD": {"a.csv": {"sha": 7, "rows": "many", "older": "ab"}}}, "heads": []},
        {"files": {"acme/crm@HEAD": "none"}, "heads": {"acme/crm@HEAD": {"etag": "W/x", "entries": "y"}}},
    ],
)
def test_s12_a_state_without_meaning_costs_time_only(
    run_tap: RunTap, filled: FakeGitHub, table: Callable[..., Table], garbage: Json
) -> None:
    good = run_tap(**KEYED).state["bookmarks"]["t"]
    state = {"bookmarks": {"t": {**good, **garbage, "settings": garbage.get("settings", good["settings"])}}}
    run = run_tap(**KEYED, state=state)
    assert run.error is None
    assert is_whole(table, run)
    assert filled.requests


def test_s14_an_api_version_that_is_gone_is_a_matter_of_settings(
    run_tap: RunTap, filled: FakeGitHub, waits: list[float]
) -> None:
    filled.faults.add(path="", times=None, status=410, body={"message": "gone"})
    run = run_tap(**KEYED)
    assert run.error is not None
    assert "api_version" in str(getattr(run.error, "failures", {}).get("t", run.error))
    assert waits == []


def test_s14_a_sunset_is_told_once_with_its_date(
    run_tap: RunTap, filled: FakeGitHub, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Sunset": "Mon, 30 Mar 2028 00:00:00 GMT"}
    filled.faults.add(path="/rate_limit", status=200, body={"resources": {}}, headers=headers)
    assert run_tap(**KEYED).error is None
    assert 1 == len([record for record in caplog.records if "2028" in record.getMessage()])
