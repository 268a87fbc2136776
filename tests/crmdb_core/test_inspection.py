"""`--check` and `--plan`: a look at every stream by a call or two, and nothing read."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

import click
import pytest
from typing_extensions import override

from crmdb_core.concurrency import in_order
from crmdb_core.counters import CallLimitError, at_most
from crmdb_core.exceptions import ConfigError, ExitCode, SyncFailedError, TryLaterError, UnauthorizedError
from crmdb_core.forecast import Forecast
from crmdb_core.http import ApiSession
from crmdb_core.inspection import inspect
from crmdb_core.quota import Quota, Use
from crmdb_core.stream import CrmStream, Page
from crmdb_core.tables import aligned, duration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from singer_sdk.helpers.types import Context, Record

TOKEN = "canary-secret"


class Listed(CrmStream):
    """Drawn from the paged API of the tests."""

    primary_keys = ("id",)
    tells_total = False

    @override
    def fetch(self) -> Iterator[Page]:
        after = 0
        while True:
            page = self.tap.session.get_json(f"/{self.name}", {"after": after})
            if self.tells_total:
                self.expect(page["total"])
            yield Page(page["results"])
            after = page["results"][-1]["id"] if page["results"] else after
            if after >= page["total"]:
                return


class Counted(Listed):
    tells_total = True


class InTwoSteps(Listed):
    """Needs ids before it can ask for what it reads, and asks side by side."""

    @override
    def fetch(self) -> Iterator[Page]:
        self.tap.session.get_json("/ids")
        yield from in_order(self._one, range(50), workers=4)

    def _one(self, _: int) -> Page:
        return Page(self.tap.session.get_json(f"/{self.name}", {"after": 0})["results"])


class Unfetched(CrmStream):
    """Overrides `get_records`."""

    primary_keys = ("id",)

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        for after in range(0, 1000, 4):
            yield from self.tap.session.get_json(f"/{self.name}", {"after": after})["results"]


@pytest.fixture
def tap_of(demo: ModuleType, api: Any) -> Any:
    """Makes a demo tap with the given streams (name to class) and settings."""

    def make(streams: dict[str, type[CrmStream]], **config: Any) -> Any:
        class Tap(demo.TapDemo):  # type: ignore[misc, name-defined]  # a module loaded by its path
            def discover_streams(self) -> list[CrmStream]:
                return [kind(self, schema=demo.SCHEMA, name=name) for name, kind in streams.items()]

        return Tap(config={"api_url": api.url, "token": TOKEN, **config})

    return make


def paths(api: Any) -> list[str]:
    return [request.path for request in api.requests if request.path != "/time"]


def look(capsys: pytest.CaptureFixture[str], tap: Any, **how: str) -> tuple[str, Exception | None]:
    """What was printed, and the end."""
    error: Exception | None = None
    try:
        inspect(tap, **{"check": None, "plan": None, **how})
    except Exception as caught:  # noqa: BLE001 - the tests look at it
        error = caught
    return capsys.readouterr().out, error


# --check


def test_every_stream_is_asked_once_and_nothing_is_read(
    tap_of: Any, api: Any, world: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    world.rows = 1000
    out, error = look(capsys, tap_of({"one": Listed, "two": Listed}), check="text")
    assert error is None
    assert sorted(paths(api)) == ["/one", "/two"]
    assert "one     open" in out
    assert "2 open; 3 calls" in out


def test_a_stream_of_many_steps_makes_two_calls(tap_of: Any, api: Any, capsys: pytest.CaptureFixture[str]) -> None:
    out, error = look(capsys, tap_of({"pairs": InTwoSteps}), check="text")
    assert error is None
    assert sorted(paths(api)) == ["/ids", "/pairs"]
    assert "pairs   open" in out


def test_the_second_of_two_steps_may_be_what_is_forbidden(
    tap_of: Any, world: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    world.fail["/pairs"] = 403
    out, error = look(capsys, tap_of({"pairs": InTwoSteps}), check="text")
    assert isinstance(error, ConfigError)
    assert "FORBIDDEN" in out


def test_a05_a_forbidden_stream_is_named_with_78_and_the_others_are_checked(
    tap_of: Any, world: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    world.fail["/two"] = 403
    out, error = look(capsys, tap_of({"one": Listed, "two": Listed, "zoo": Listed}), check="text")
    assert isinstance(error, ConfigError)
    assert "1 of 3 selected streams may not be read: two" in str(error)
    assert ["one", "open"] == out.splitlines()[2].split()
    assert "two     FORBIDDEN  GET /two was answered 403" in out
    assert ["zoo", "open"] == out.splitlines()[4].split()


def test_a05_what_skip_forbidden_would_skip_is_no_failure(
    tap_of: Any, world: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    world.fail["/two"] = 403
    out, error = look(capsys, tap_of({"one": Listed, "two": Listed}, skip_forbidden=True), check="text")
    assert (error, "FORBIDDEN" in out) == (None, True)


def test_a_stream_that_fails_otherwise_is_no_matter_of_settings(
    tap_of: Any, world: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    world.fail["/two"] = 404
    out, error = look(capsys, tap_of({"one": Listed, "two": Listed}), check="text")
    assert isinstance(error, SyncFailedError)
    assert "FAILED" in out


def test_bad_credentials_end_the_check_at_once(tap_of: Any, world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    world.fail["/one"] = 401
    out, error = look(capsys, tap_of({"one": Listed}), check="text")
    assert isinstance(error, UnauthorizedError)
    assert "" == out


def test_a_deselected_stream_is_not_asked(tap_of: Any, api: Any, capsys: pytest.CaptureFixture[str]) -> None:
    tap = tap_of({"one": Listed, "two": Listed})
    tap.streams["two"].selected = False
    look(capsys, tap, check="text")
    assert ["/one"] == paths(api)


def test_nothing_selected_is_said(tap_of: Any, capsys: pytest.CaptureFixture[str]) -> None:
    tap = tap_of({"one": Listed})
    tap.streams["one"].selected = False
    assert "no stream is selected; 1 calls" in look(capsys, tap, check="text")[0]


def test_an_error_of_our_own_in_one_stream_hides_none_of_the_others(
    tap_of: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(Listed):
        @override
        def fetch(self) -> Iterator[Page]:
            raise KeyError("a value of a record")

    out, error = look(capsys, tap_of({"one": Listed, "two": Broken}), check="text")
    assert isinstance(error, SyncFailedError)
    assert "one     open" in out
    assert "unexpected KeyError" in out
    assert "a value of a record" not in out


def test_the_check_as_json(tap_of: Any, world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    world.fail["/two"] = 403
    out, _ = look(capsys, tap_of({"one": Listed, "two": Listed}), check="json")
    found = json.loads(out)
    assert {"stream": "one", "access": "open"} == found["streams"][0]
    assert ("two", "forbidden", []) == tuple(found["streams"][1][name] for name in ("stream", "access", "any_of"))
    assert 3 == found["calls"]


# --plan


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ((Listed, 3), Forecast(3, {"default": 1}, "exactly")),
        ((Listed, 0), Forecast(0, {"default": 1}, "exactly")),
        ((Listed, 8), Forecast(8, {"default": 2}, "exactly")),
        ((Listed, 1000), Forecast(8, {"default": 2}, "at least")),
        ((Counted, 1000), Forecast(1000, {"default": 250}, "about")),
        ((Counted, 8), Forecast(8, {"default": 2}, "exactly")),
    ],
)
def test_the_first_pages_tell_what_they_can(
    tap_of: Any, api: Any, world: Any, kind: tuple[type[CrmStream], int], expected: Forecast
) -> None:
    cls, world.rows = kind
    assert expected == tap_of({"one": cls}).streams["one"].forecast()
    assert len(paths(api)) <= 2


def test_the_plan_sums_up(tap_of: Any, world: Any, capsys: pytest.CaptureFixture[str]) -> None:
    world.rows = 1000
    out, error = look(capsys, tap_of({"many": Counted, "rest": Listed}), plan="text")
    assert error is None
    assert ["many", "1,000", "250", "about"] == out.splitlines()[1].split()
    assert ["rest", "8", "2", "at", "least"] == out.splitlines()[2].split()
    assert "needs at least 253 calls (default: 10000 per 1 s, no waiting for limits); no quota is known" in out


def test_the_plan_tells_the_time_that_the_limits_take(
    tap_of: Any, world: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    world.rows = 100_000
    out, _ = look(capsys, tap_of({"many": Counted}, rate_limit=10), plan="text")
    assert "about 42 min at the API's own limits" in out


def test_a_stream_that_does_not_fetch_is_unknown_and_checked_by_its_first_record(
    tap_of: Any, api: Any, world: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    world.rows = 1000
    out, error = look(capsys, tap_of({"old": Unfetched}), plan="text")
    assert error is None
    assert ["old", "unknown", "unknown"] == out.splitlines()[1].split()
    assert "needs at least 1 calls" in out
    assert [] == paths(api)
    assert "old     open" in look(capsys, tap_of({"old": Unfetched}), check="text")[0]
    assert ["/old"] == paths(api)


def test_a_plan_that_does_not_fit_into_the_quota_is_for_later(
    tap_of: Any, world: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    world.rows = 1000
    tap = tap_of({"many": Counted})
    tap.session.quota = Quota(lambda _: Use(1000, 500), share=0.7)
    out, error = look(capsys, tap, plan="json")
    assert isinstance(error, TryLaterError)
    assert "needs about 251 calls, and 200 are left to it of today's 1,000 (max_daily_share 0.7)" in str(error)
    found = json.loads(out)
    assert {"limit": 1000, "left": 500, "left_for_us": 200} == found["quota"]
    assert {"default": 251} == found["calls"]
    tap.session.quota.share = 0.8
    assert look(capsys, tap, plan="json")[1] is None


class Priced(Counted):
    """Knows what its calls cost."""

    @override
    def forecast(self) -> Forecast:
        return Forecast(1000, {"default": 250}, "about", cost=2500)


def test_a_plan_is_told_in_what_the_quota_counts(tap_of: Any, capsys: pytest.CaptureFixture[str]) -> None:
    tap = tap_of({"many": Priced})
    tap.session.quota = Quota(lambda _: Use(3000, 2999), unit="tokens")
    out, error = look(capsys, tap, plan="text")
    assert error is None
    assert ["stream", "records", "calls", "tokens"] == out.splitlines()[0].split()
    assert ["many", "1,000", "250", "2,500", "about"] == out.splitlines()[1].split()
    assert "needs about 2,501 tokens in 251 calls" in out
    assert "2,999 of 3,000 tokens left today" in out
    found = json.loads(look(capsys, tap, plan="json")[0])
    assert ({"amount": 2501, "unit": "tokens"}, 2500) == (found["cost"], found["streams"][0]["cost"])
    tap.session.quota.share = 0.5
    assert "needs about 2,501 tokens, and 1,4" in str(look(capsys, tap, plan="json")[1])


def test_a05_a_plan_with_a_forbidden_stream_ends_as_the_check_does(
    tap_of: Any, world: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    world.fail["/two"] = 403
    out, error = look(capsys, tap_of({"one": Listed, "two": Listed}), plan="text")
    assert isinstance(error, ConfigError)
    assert "FORBIDDEN" in out


# the bound


def test_a_bound_holds_for_the_threads_of_its_block(api: Any) -> None:
    session = ApiSession(api_url=api.url)
    with at_most(3) as calls, pytest.raises(CallLimitError):
        list(in_order(lambda _: session.get_json("/time"), range(20), workers=4))
    assert (3, 3) == (calls.spent, len(api.requests))
    session.get_json("/time")  # outside there is none


def test_a_second_try_is_not_a_second_call(api: Any) -> None:
    api.then(lambda _, wire: wire.answer({}, 503))
    with at_most(1) as calls:
        ApiSession(api_url=api.url, sleep=lambda _: None).get_json("/time")
    assert (1, 2) == (calls.spent, len(api.requests))


# the command line


@pytest.mark.parametrize(
    ("arguments", "status_and_code"),
    [
        (["--check"], (200, 0)),
        (["--check=json"], (200, 0)),
        (["--plan"], (200, 0)),
        (["--check"], (403, 78)),
        (["--check"], (401, 78)),
        (["--check"], (404, 1)),
        (["--check", "--plan"], (200, 78)),
        (["--check=xml"], (200, 78)),
    ],
)
def test_the_options_of_the_command_line(
    run_demo: Any, api: Any, world: Any, arguments: list[str], status_and_code: tuple[int, int]
) -> None:
    status, code = status_and_code
    if status != 200:
        world.fail["/labels"] = status
    done = run_demo(*arguments, config={"api_url": api.url, "token": TOKEN})
    assert code == done.returncode, done.stderr
    assert '"type"' not in done.stdout
    assert TOKEN not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


BOOKMARK = {"replication_key": "updated_at", "replication_key_value": "2026-01-01T00:00:00Z"}
STATE = {"bookmarks": {"things": BOOKMARK}}


@pytest.mark.parametrize("state", [STATE, {"singer_state": STATE}], ids=["bare", "as meltano state get prints it"])
def test_a_catalog_and_a_state_are_heeded(
    run_demo: Any, api: Any, demo: ModuleType, tmp_path: Path, state: Any
) -> None:
    catalog = demo.TapDemo(config={"api_url": api.url, "token": TOKEN}).catalog_dict
    for entry in catalog["streams"]:
        for one in entry["metadata"]:
            if not one["breadcrumb"]:
                one["metadata"]["selected"] = entry["stream"] == "things"
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    done = run_demo(
        "--check",
        "--catalog",
        str(tmp_path / "catalog.json"),
        config={"api_url": api.url, "token": TOKEN},
        state=state,
    )
    assert ExitCode.OK == done.returncode, done.stderr
    assert ["/things"] == paths(api)
    assert "2026-01-01" in api.requests[-1].query["low"]


def test_both_options_at_once_are_refused(tap_of: Any) -> None:
    with pytest.raises(click.UsageError, match="exclude"):
        inspect(tap_of({"one": Listed}), check="text", plan="text")


# a run


def test_a05_skip_forbidden_passes_over_a_stream_with_one_warning(
    demo: ModuleType, api: Any, world: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    world.fail["/things"] = 403
    tap = demo.TapDemo(config={"api_url": api.url, "token": TOKEN, "skip_forbidden": True})
    with caplog.at_level(logging.INFO):
        tap.sync_all()
    messages = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    state = [message["value"] for message in messages if message["type"] == "STATE"][-1]
    assert "replication_key_value" not in state["bookmarks"].get("things", {})
    assert "finished" == state["run"]["status"]
    assert {"labels"} == {message["stream"] for message in messages if message["type"] == "ACTIVATE_VERSION"}
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert ["things is skipped"] == [text.partition(",")[0] for text in warnings]


def test_skip_forbidden_forgives_nothing_else(demo: ModuleType, api: Any, world: Any) -> None:
    world.fail["/things"] = 404
    tap = demo.TapDemo(config={"api_url": api.url, "token": TOKEN, "skip_forbidden": True})
    with pytest.raises(SyncFailedError):
        tap.sync_all()


def test_the_last_line_sums_up_the_run(demo: ModuleType, api: Any, caplog: pytest.LogCaptureFixture) -> None:
    tap = demo.TapDemo(config={"api_url": api.url, "token": TOKEN})
    tap.session.quota = Quota(lambda _: Use(1000, 500))
    with caplog.at_level(logging.INFO):
        tap.sync_all()
    assert "in all: 20 emitted, 9 calls, 0.0 s waited for limits, " in caplog.text
    assert re.search(r"(49\d|500) of 1,000 calls left today", caplog.text)


# text


def test_columns_stand_below_each_other() -> None:
    rows = [("name", "calls", ""), ("one", "9", "open"), ("three", "1,000", "")]
    assert ["name   calls", "one        9  open", "three  1,000"] == list(aligned(rows, right=(1,)))
    assert [] == list(aligned([]))


@pytest.mark.parametrize(
    ("seconds", "text"), [(1.2, "1 s"), (119, "119 s"), (121, "2 min"), (7199, "120 min"), (9000, "2.5 h")]
)
def test_a_duration_has_the_unit_that_fits(seconds: float, text: str) -> None:
    assert text == duration(seconds)
