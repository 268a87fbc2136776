"""Exit codes, one plain line per failure, and settings told all at once (C01, C03)."""

from __future__ import annotations

import json
import logging
import stat
from typing import TYPE_CHECKING, Any

import click
import pytest
from singer_sdk.exceptions import ConfigValidationError

from crmdb_core import exits
from crmdb_core.exceptions import ApiError, ConfigError, CrmdbError, ExitCode, Terminated, TryLaterError
from crmdb_core.exits import run
from crmdb_core.signals import SignalGate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def ending(error: BaseException | None = None, args: list[str] | None = None) -> int:
    @click.command()
    @click.option("--config", multiple=True)
    def command(config: tuple[str, ...]) -> None:
        del config
        if error is not None:
            raise error

    with pytest.raises(SystemExit) as caught:
        run(command, name="tap-demo", args=args or [])
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (CrmdbError("x"), 1),
        (ApiError("x"), 1),
        (TryLaterError("x"), 75),
        (ConfigError("x"), 78),
        (ConfigValidationError("x", errors=["y"], schema={}), 78),
        (ValueError("x"), 1),
        (OSError(28, "No space left on device"), 1),
        (click.UsageError("x"), 78),
        (KeyboardInterrupt(), 130),
        (Terminated(2), 130),
        (Terminated(15), 143),
        (SystemExit(3), 3),
        (SystemExit(None), 0),
        (SystemExit("text"), 1),
        (click.exceptions.Exit(4), 4),
    ],
)
def test_every_end_has_its_code(error: BaseException | None, code: int) -> None:
    assert code == ending(error)


def test_a_command_group_runs_its_subcommand(capsys: pytest.CaptureFixture[str]) -> None:
    @click.group()
    def group() -> None:
        """Commands."""

    @group.command()
    def hello() -> None:
        click.echo("hello")

    with pytest.raises(SystemExit) as caught:
        run(group, name="crmdb", args=["hello"])
    assert (0, "hello\n") == (caught.value.code, capsys.readouterr().out)


def test_a_wrong_option_is_configuration() -> None:
    assert ExitCode.CONFIG == ending(args=["--nope"])


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (CrmdbError("the fact;\n  what to do"), "the fact; what to do"),
        (ConfigError("a: is missing", "b: is wrong"), "a: is missing; b: is wrong"),
        (OSError(28, "No space left on device", "/data/x"), "/data/x: No space left on device"),
    ],
)
def test_a_failure_is_one_plain_line(error: Exception, line: str) -> None:
    assert line == exits.describe(error)


def test_the_text_of_a_foreign_error_is_not_shown() -> None:
    try:
        int("jane@example.com")
    except ValueError as error:
        line, trace = exits.describe(error), exits.places(error)
    assert "unexpected ValueError at test_exits.py:" in line
    assert "jane@example.com is" not in line + trace
    assert "test_the_text_of_a_foreign_error" in trace


def test_debug_shows_the_places_of_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        ending(ValueError("x"))
        assert "where it happened" not in caplog.text
    with caplog.at_level(logging.DEBUG):
        ending(ValueError("x"))
        assert "where it happened" in caplog.text


def test_the_sdks_own_validation_gets_did_you_mean_and_hides_secrets() -> None:
    schema = {"properties": {"access_token": {"secret": True}, "port": {}}}
    errors = [
        "Additional properties are not allowed ('acces_token', 'x' were unexpected)",
        "12345 is not of type 'string' in config['access_token']",
        "'a' is not of type 'integer' in config['port']",
    ]
    line = exits.describe(ConfigValidationError("failed", errors=errors, schema=schema))
    assert "acces_token: no such setting; did you mean access_token?; x: no such setting" in line
    assert "12345" not in line
    assert "config['port']" in line


# with the demo tap, as a process


def test_c01_all_faults_of_the_settings_at_once_before_any_call(run_demo: Any, api: Any) -> None:
    done = run_demo(
        config={
            "api_url": api.url,
            "tokn": "canary-secret",
            "max_records": "many",
            "start_date": "soon",
            "retry_attempts": 0,
            "timeout": -1,
        },
    )
    assert ExitCode.CONFIG == done.returncode
    assert "" == done.stdout
    errors = [line for line in done.stderr.splitlines() if "ERROR" in line]
    assert 1 == len(errors)
    for fault in (
        "token: is missing",
        "tokn: no such setting; did you mean token?",
        "max_records: must be of type integer",
        "retry_attempts: must be at least 1",
        "timeout: must be more than 0",
        "start_date: not a point in time",
    ):
        assert fault in errors[0]
    assert "canary" not in done.stderr
    assert [] == api.requests


def test_c01_contradictions_are_found_before_any_call(run_demo: Any, api: Any) -> None:
    done = run_demo(config={"api_url": api.url, "token": "changeme"})
    assert ExitCode.CONFIG == done.returncode
    assert "token: is a placeholder" in done.stderr
    assert [] == api.requests


def test_c01_misspelt_environment_variables_are_found(run_demo: Any, api: Any) -> None:
    environment = {"TAP_DEMO_API_ULR": api.url, "TAP_DEMO_TOKEN": "canary-secret", "TAP_DEMO_TIMEOUT": "fast"}
    done = run_demo("--config", "ENV", environment={**environment, "TAP_DEMO__LOAD_SCHEMA": "x", "TAP_DEMO_OTHER": "y"})
    assert ExitCode.CONFIG == done.returncode
    assert "TAP_DEMO_API_ULR: no such setting; did you mean API_URL?" in done.stderr
    assert "timeout: must be of type number" in done.stderr
    assert "LOAD_SCHEMA" not in done.stderr
    assert "OTHER" not in done.stderr


def test_settings_from_the_environment_are_typed(run_demo: Any, api: Any) -> None:
    done = run_demo(
        "--config",
        "ENV",
        environment={
            "TAP_DEMO_API_URL": api.url,
            "TAP_DEMO_TOKEN": "canary-secret",
            "TAP_DEMO_RATE_LIMIT": "500.5",
            "TAP_DEMO_MAX_RECORDS": "2",
            "TAP_DEMO_DEBUG": "false",
            "TAP_DEMO_STREAMS": "labels",
        },
    )
    assert 0 == done.returncode, done.stderr
    assert 2 == done.stdout.count('"RECORD"')


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "is not a JSON object"), ('["canary"]', "is not a JSON object"), (None, "was not found")],
)
def test_a_broken_config_file_is_told_plainly(run_demo: Any, tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "broken.json"
    if text is not None:
        path.write_text(text)
    done = run_demo("--config", str(path))
    assert (ExitCode.CONFIG, True) == (done.returncode, message in done.stderr)
    assert "Traceback" not in done.stderr
    assert "canary" not in done.stderr


def test_c03_a_world_readable_config_file_is_closed(run_demo: Any, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"api_url": "http://127.0.0.1:1", "token": "canary-secret"}))
    path.chmod(0o644)
    done = run_demo("--config", str(path), "--discover")
    assert 0 == done.returncode, done.stderr
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert "its mode is now 0600" in done.stderr


def test_a_private_config_file_is_left_alone(run_demo: Any, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"api_url": "http://127.0.0.1:1", "token": "canary-secret"}))
    path.chmod(0o440)
    done = run_demo("--config", str(path), "--discover")
    assert 0o440 == stat.S_IMODE(path.stat().st_mode)
    assert "readable by every user" not in done.stderr


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["--about"], ["--about", "--format", "json"]])
def test_the_sdks_options_work(run_demo: Any, arguments: list[str]) -> None:
    done = run_demo(*arguments)
    assert 0 == done.returncode, done.stderr
    assert "demo" in done.stdout.lower()


def test_test_mode_reads_one_record_per_stream(run_demo: Any, api: Any) -> None:
    done = run_demo("--test", config={"api_url": api.url, "token": "canary-secret"})
    assert 0 == done.returncode, done.stderr
    assert 2 == done.stdout.count('"RECORD"')


def test_test_mode_fails_where_a_stream_fails(run_demo: Any, api: Any, world: Any) -> None:
    world.fail["/things"] = 403
    done = run_demo("--test", config={"api_url": api.url, "token": "canary-secret"})
    assert ExitCode.FAILED == done.returncode
    assert "Traceback" not in done.stderr


def gate(clock: Any) -> tuple[SignalGate, list[int]]:
    left: list[int] = []
    return SignalGate(clock=clock, leave=left.append), left


def test_a_signal_raises_once_and_its_echo_is_ignored(clock: Any) -> None:
    handler, left = gate(clock)
    with pytest.raises(Terminated) as caught:
        handler(15, None)
    clock.now += 0.5
    handler(15, None)
    assert (ExitCode.SIGTERM, []) == (caught.value.exit_code, left)


def test_t09_a_second_signal_ends_the_process_at_once(clock: Any) -> None:
    handler, left = gate(clock)
    with pytest.raises(Terminated):
        handler(15, None)
    clock.now += 2
    handler(2, None)
    assert [130] == left


def test_a_signal_in_a_critical_section_waits_for_its_end(clock: Any) -> None:
    handler, _ = gate(clock)
    done: list[str] = []
    with pytest.raises(Terminated) as caught:
        critical(handler, lambda: done.append("whole"))
    assert (["whole"], 2) == (done, caught.value.signum)


def critical(handler: SignalGate, then: Callable[[], None]) -> None:
    with handler.critical():
        with handler.critical():
            handler(2, None)
        then()
