"""A whole tap on the shared base: state, resume, limits, failures, kills."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import time
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from crmdb_core.exceptions import ConfigError, ExitCode, OutputClosedError, SyncFailedError, TryLaterError
from crmdb_core.window import parse_instant

if TYPE_CHECKING:
    from types import ModuleType

TOKEN = "canary-secret"


class Run:
    """One sync in process: its messages and its end."""

    def __init__(self, demo: Any, api: Any, state: Any = None, **config: Any) -> None:
        self.error: BaseException | None = None
        out = io.StringIO()
        with redirect_stdout(out):
            self.tap = demo.TapDemo(config={"api_url": api.url, "token": TOKEN, **config}, state=state)
            try:
                self.tap.sync_all()
            except Exception as error:  # noqa: BLE001 - the tests look at it
                self.error = error
        self.messages = [json.loads(text) for text in out.getvalue().splitlines()]

    def types(self, stream: str | None = None) -> list[str]:
        return [message["type"] for message in self.messages if stream in {None, message.get("stream")}]

    def ids(self, stream: str) -> list[int]:
        return [
            message["record"]["id"]
            for message in self.messages
            if message["type"] == "RECORD" and message["stream"] == stream
        ]

    @property
    def state(self) -> Any:
        return [message["value"] for message in self.messages if message["type"] == "STATE"][-1]

    def bookmark(self, stream: str = "things") -> str | None:
        value: str | None = self.state["bookmarks"].get(stream, {}).get("replication_key_value")
        return value


def test_a_first_sync_reads_all_and_sets_the_bookmark_to_the_windows_end(demo: ModuleType, api: Any) -> None:
    before = datetime.now(UTC)
    run = Run(demo, api)
    assert run.error is None
    assert list(range(1, 11)) == run.ids("things")
    assert abs(parse_instant(run.bookmark()) - before) < timedelta(seconds=10)
    assert {"replication_key", "replication_key_value"} == set(run.state["bookmarks"]["things"])


def test_state_carries_what_the_run_did(demo: ModuleType, api: Any) -> None:
    streams = Run(demo, api).state["run"]["streams"]
    assert {"expected": 10, "calls": 4, "waited_ms": 0} == streams["things"]
    assert {"labels", "things"} == set(streams)


def test_every_state_has_run_and_an_incoming_one_is_ignored(demo: ModuleType, api: Any) -> None:
    first = Run(demo, api).state
    first["run"]["streams"]["of another run"] = {"calls": 99}
    run = Run(demo, api, state=first)
    states = [message["value"] for message in run.messages if message["type"] == "STATE"]
    assert all("run" in state for state in states)
    assert "of another run" not in json.dumps(states)


def test_the_second_run_reads_from_the_bookmark(demo: ModuleType, api: Any) -> None:
    state = Run(demo, api).state
    run = Run(demo, api, state=state, lookback=3600)
    low = next(request.query["low"] for request in reversed(api.requests) if request.path == "/things")
    bookmark = state["bookmarks"]["things"]["replication_key_value"]
    # the Date header has whole seconds: within one, the second run may know an earlier time than the first
    assert timedelta(0) <= parse_instant(bookmark) - timedelta(hours=1) - parse_instant(low) < timedelta(seconds=1)
    assert parse_instant(run.bookmark()) >= parse_instant(bookmark)


def test_activate_version_comes_after_the_last_record_and_before_the_bookmark(demo: ModuleType, api: Any) -> None:
    run = Run(demo, api, streams="things")
    assert "ACTIVATE_VERSION" not in run.types()[:-3]
    assert ["ACTIVATE_VERSION", "STATE", "STATE"] == run.types()[-3:]
    assert ["running", "finished"] == [message["value"]["run"]["status"] for message in run.messages[-2:]]
    versions = {message.get("version") for message in run.messages if message["type"] != "STATE"} - {None}
    assert 1 == len(versions)


@pytest.mark.parametrize(
    "config",
    [{"since": "2026-01-01"}, {"max_records": 100}, {"emit_activate_version_messages": False}],
)
def test_a_limited_read_removes_nothing(demo: ModuleType, api: Any, config: dict[str, Any]) -> None:
    run = Run(demo, api, **config)
    assert "ACTIVATE_VERSION" not in run.types()
    assert not any("version" in message for message in run.messages)


def test_a_read_from_a_bookmark_or_start_date_removes_nothing_incremental(demo: ModuleType, api: Any) -> None:
    first = Run(demo, api)
    for run in (Run(demo, api, state=first.state), Run(demo, api, start_date="2026-01-01")):
        assert "ACTIVATE_VERSION" not in run.types("things")
        assert "ACTIVATE_VERSION" in run.types("labels")  # a full table is read whole each time


def test_full_refresh_reads_whole_again(demo: ModuleType, api: Any) -> None:
    state = Run(demo, api).state
    run = Run(demo, api, state=state, full_refresh=True, start_date="2026-10-01")
    assert "" == next(request.query["low"] for request in reversed(api.requests) if request.path == "/things")
    assert "ACTIVATE_VERSION" in run.types("things")


def test_a_since_later_than_the_bookmark_leaves_it(demo: ModuleType, api: Any) -> None:
    state = {
        "bookmarks": {"things": {"replication_key": "updated_at", "replication_key_value": "2026-01-01T00:00:00Z"}}
    }
    run = Run(demo, api, state=state, since="2026-02-01")
    assert "2026-01-01T00:00:00Z" == run.bookmark()
    assert 10 == len(run.ids("things"))


@pytest.mark.parametrize("bookmark", ["2999-01-01T00:00:00Z", "garbage"])
def test_an_impossible_bookmark_reads_all_with_a_warning(
    demo: ModuleType,
    api: Any,
    bookmark: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    state = {"bookmarks": {"things": {"replication_key": "updated_at", "replication_key_value": bookmark}}}
    run = Run(demo, api, state=state)
    assert "reading as if there were none" in caplog.text
    assert parse_instant(run.bookmark()) < datetime.now(UTC) + timedelta(minutes=1)


def test_another_replication_key_voids_the_bookmark(demo: ModuleType, api: Any) -> None:
    state = {
        "bookmarks": {"things": {"replication_key": "created_at", "replication_key_value": "2026-05-01T00:00:00Z"}}
    }
    Run(demo, api, state=state)
    assert "" == next(request.query["low"] for request in api.requests if request.path == "/things")


@pytest.mark.parametrize("limit", [1, 4, 5, 10])
def test_max_records_stops_every_stream_and_leaves_no_bookmark(demo: ModuleType, api: Any, limit: int) -> None:
    run = Run(demo, api, max_records=limit)
    assert run.error is None
    assert (limit, limit) == (len(run.ids("things")), len(run.ids("labels")))
    assert run.bookmark() is None
    assert "resume" not in json.dumps(run.state)


def test_max_records_moves_a_sorted_stream_to_what_was_emitted(demo: ModuleType, api: Any) -> None:
    run = Run(demo, api, streams="events", max_records=5)
    assert "2026-01-01T00:00:05.000000Z" == run.bookmark("events")


def test_a_sorted_stream_never_goes_back_behind_its_bookmark(demo: ModuleType, api: Any) -> None:
    bookmark = "2026-03-01T00:00:00.000000Z"
    state = {"bookmarks": {"events": {"replication_key": "updated_at", "replication_key_value": bookmark}}}
    run = Run(demo, api, state=state, streams="events", max_records=3)
    assert bookmark == run.bookmark("events")


def test_unsorted_records_of_a_sorted_stream_are_an_error(demo: ModuleType, api: Any, world: Any) -> None:
    def shuffled(_: Any, wire: Any) -> None:
        rows = [{"id": 1, "updated_at": "2026-01-02T00:00:00Z"}, {"id": 2, "updated_at": "2026-01-01T00:00:00Z"}]
        wire.answer({"total": 2, "results": rows})

    del world
    api.then(lambda _, wire: wire.answer({}), shuffled)
    run = Run(demo, api, streams="events")
    assert isinstance(run.error, SyncFailedError)
    assert "2026-01-02T00:00:00.000000Z" == run.bookmark("events")


def test_a_failed_stream_keeps_its_bookmark_and_the_others_go_on(
    demo: ModuleType,
    api: Any,
    world: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    world.fail["/labels"] = 403
    run = Run(demo, api)
    assert isinstance(run.error, SyncFailedError)
    assert {"labels"} == set(run.error.failures)
    assert list(range(1, 11)) == run.ids("things")
    assert run.bookmark() is not None
    assert "STATE" == run.types()[-1]
    assert "labels: GET /labels was answered 403" in caplog.text


def test_a_stream_that_fails_half_way_keeps_bookmark_and_resume_point(demo: ModuleType, api: Any, world: Any) -> None:
    world.on_page = lambda after: world.fail.update({"/things": 400}) if after == 4 else None
    run = Run(demo, api, streams="things")
    assert isinstance(run.error, SyncFailedError)
    assert list(range(1, 9)) == run.ids("things")
    assert "ACTIVATE_VERSION" not in run.types()
    assert run.bookmark() is None
    assert {"after": 8} == run.state["bookmarks"]["things"]["resume"]["point"]


def test_the_next_run_goes_on_where_the_failed_one_stood(demo: ModuleType, api: Any, world: Any) -> None:
    world.on_page = lambda after: world.fail.update({"/things": 400}) if after == 4 else None
    failed = Run(demo, api, streams="things")
    world.on_page, world.fail = lambda _: None, {}
    again = Run(demo, api, streams="things", state=failed.state)
    assert [9, 10] == again.ids("things")
    assert again.bookmark() == failed.state["bookmarks"]["things"]["resume"]["high"]
    assert "resume" not in json.dumps(again.state)
    first_version = next(message["version"] for message in failed.messages if message["type"] == "RECORD")
    activated = [message["version"] for message in again.messages if message["type"] == "ACTIVATE_VERSION"]
    assert [first_version] == activated


@pytest.mark.parametrize("change", [{"start_date": "2026-01-01"}, {"since": "2026-01-01"}])
def test_a_resume_point_of_another_window_is_not_used(
    demo: ModuleType,
    api: Any,
    world: Any,
    change: dict[str, Any],
) -> None:
    world.on_page = lambda after: world.fail.update({"/things": 400}) if after == 4 else None
    failed = Run(demo, api, streams="things")
    world.on_page, world.fail = lambda _: None, {}
    assert list(range(1, 11)) == Run(demo, api, streams="things", state=failed.state, **change).ids("things")


def test_bad_credentials_stop_the_run_at_once(demo: ModuleType, api: Any, world: Any) -> None:
    world.fail["/labels"] = 401
    run = Run(demo, api)
    assert ExitCode.CONFIG == getattr(run.error, "exit_code", None)
    assert [] == run.types("things")
    assert "STATE" == run.types()[-1]


def test_a_used_up_quota_stops_the_run_with_state(demo: ModuleType, api: Any) -> None:
    def wait_long(_: Any, wire: Any) -> None:
        wire.answer({}, 429, {"Retry-After": "9999"})

    def slowly(request: Any, wire: Any) -> None:
        time.sleep(0.5)  # so that whoever got the refusal has read it before the other one may go on
        api.default(request, wire)

    api.then(api.default, api.default, wait_long, slowly)
    run = Run(demo, api, streams="things,labels")
    assert isinstance(run.error, TryLaterError)
    assert "STATE" == run.types()[-1]
    # whichever of the two asked third: no call of any stream is sent after its answer; one may have been under way
    assert 3 <= len(api.requests) <= 4
    assert {message["stream"] for message in run.messages if message["type"] == "RECORD"} <= {"labels"}


def test_state_is_written_every_few_seconds_of_work(
    demo: ModuleType,
    api: Any,
    world: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world.rows, world.page, world.delay = 40, 4, 0.05
    monkeypatch.setattr(demo.TapDemo, "state_seconds", 0.1)
    run = Run(demo, api, streams="things")
    states = [message["value"] for message in run.messages if message["type"] == "STATE"]
    assert 5 <= len(states) <= 14
    emitted = 0
    for message in run.messages:
        emitted += message["type"] == "RECORD"
        if message["type"] == "STATE":
            claimed = message["value"].get("bookmarks", {}).get("things", {}).get("resume", {"point": {"after": 0}})
            assert claimed["point"]["after"] <= emitted


def test_settings_reach_the_session(demo: ModuleType, api: Any) -> None:
    run = Run(demo, api, timeout=7, retry_attempts=3, rate_limit=1000)
    assert (7.0, 3) == (run.tap.session.timeout, run.tap.session.retry.attempts)
    assert run.tap.session.headers["User-Agent"].startswith("tap-demo/")


def test_a_null_setting_is_not_set(demo: ModuleType, api: Any) -> None:
    run = Run(demo, api, timeout=None, lookback=None, since=None, max_records=None, retry_attempts=None)
    assert run.error is None
    assert (60.0, 7) == (run.tap.session.timeout, run.tap.session.retry.attempts)


def test_wrong_settings_are_an_error_in_process_too(demo: ModuleType) -> None:
    with pytest.raises(ConfigError) as caught:
        demo.TapDemo(config={"max_records": 0, "api_url": "http://127.0.0.1:1", "tokn": "x"})
    expected = {"max_records: must be at least 1", "token: is missing", "tokn: no such setting; did you mean token?"}
    assert expected == set(caught.value.errors)


def test_a_reader_that_is_gone_stops_the_run(demo: ModuleType, api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tap = demo.TapDemo(config={"api_url": api.url, "token": TOKEN})
    monkeypatch.setattr("crmdb_core.messages._write", lambda _: (_ for _ in ()).throw(BrokenPipeError()))
    with pytest.raises(OutputClosedError):
        tap.sync_all()


# as a process, with real signals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_t09_a_signal_ends_with_a_true_state_and_its_code(
    run_demo: Any,
    api: Any,
    world: Any,
    number: signal.Signals,
    code: int,
) -> None:
    world.rows, world.delay = 100_000, 0.02
    command = run_demo.command(config={"api_url": api.url, "token": TOKEN, "streams": "things"})
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len(api.requests) > 20)
    process.send_signal(number)
    out, errors = process.communicate(timeout=20)
    assert code == process.returncode, errors
    messages = [json.loads(text) for text in out.splitlines()]
    assert "STATE" == messages[-1]["type"]
    emitted = [message["record"]["id"] for message in messages if message["type"] == "RECORD"]
    point = messages[-1]["value"]["bookmarks"]["things"]["resume"]["point"]["after"]
    assert 0 < point <= emitted[-1] <= point + world.page
    assert f"stopped by {number.name}" in errors
    assert "Traceback" not in errors


def test_a_signal_during_a_long_wait_ends_at_once(run_demo: Any, api: Any) -> None:
    api.then(api.default, lambda _, wire: wire.answer({}, 429, {"Retry-After": "250"}))
    command = run_demo.command(config={"api_url": api.url, "token": TOKEN})
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len(api.requests) >= 2)
    time.sleep(0.3)
    started = time.monotonic()
    process.terminate()
    process.communicate(timeout=20)
    assert 143 == process.returncode
    assert time.monotonic() - started < 5


def test_nothing_read_is_kept_back_during_a_long_wait(run_demo: Any, api: Any) -> None:
    api.then(api.default, api.default, lambda _, wire: wire.answer({}, 429, {"Retry-After": "250"}))
    command = run_demo.command(config={"api_url": api.url, "token": TOKEN, "streams": "things"})
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len(api.requests) >= 3)
    time.sleep(2.5)  # what was read is handed over after a second without news
    process.kill()
    seen: set[int] = set()
    state = follow(process.communicate(timeout=20)[0], seen)
    assert {1, 2, 3, 4} == seen
    assert {"after": 4} == state["bookmarks"]["things"]["resume"]["point"]


def test_g1_a_kill_at_any_moment_loses_nothing(run_demo: Any, api: Any, world: Any) -> None:
    world.rows, world.delay = 400, 0.01
    config = {"api_url": api.url, "token": TOKEN, "streams": "things"}
    state: Any = {}
    seen: set[int] = set()
    for requests_before_kill in (5, 20, 33):
        target = len(api.requests) + requests_before_kill
        command = run_demo.command(config=config, state=state)
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TAP_DEMO_STATE_SECONDS": "0"},
        )
        wait_for(lambda target=target: len(api.requests) >= target)
        process.kill()
        out, _ = process.communicate(timeout=20)
        state = follow(out, seen) or state
    done = run_demo(config=config, state=state)
    assert 0 == done.returncode, done.stderr
    follow(done.stdout, seen)
    assert set(range(1, 401)) == seen
    assert len(api.requests) < 200, "every run began anew"


def follow(out: str, seen: set[int]) -> Any:
    """What a target makes of the messages: records count only once a STATE after them was read."""
    state: Any = None
    waiting: set[int] = set()
    for text in out.splitlines(keepends=True):
        if not text.endswith("\n"):
            break  # the kill cut the line
        message = json.loads(text)
        if message["type"] == "RECORD":
            waiting.add(message["record"]["id"])
        elif message["type"] == "STATE":
            seen |= waiting
            waiting.clear()
            state = message["value"]
    return state


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.01)


def test_c02_secrets_stay_out_of_debug_logs(run_demo: Any, api: Any, world: Any) -> None:
    world.fail["/things"] = 400
    done = run_demo(config={"api_url": api.url, "token": TOKEN, "debug": True})
    assert ExitCode.FAILED == done.returncode
    assert "GET /labels -> 200" in done.stderr
    assert "where it happened" in done.stderr
    assert TOKEN not in done.stderr + done.stdout
    assert "n7" not in done.stderr  # a record's value


def test_a_closed_stdout_is_not_a_success(run_demo: Any, api: Any, world: Any) -> None:
    world.rows, world.delay = 1000, 0.01
    command = run_demo.command(config={"api_url": api.url, "token": TOKEN})
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    _, errors = process.communicate(timeout=30)
    assert ExitCode.FAILED == process.returncode
    assert "the reader of the messages is gone" in errors
    assert "Traceback" not in errors
    assert "Exception ignored" not in errors
