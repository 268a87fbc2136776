"""Runs of the tap in this process against the fake Pipedrive, and the tables that their messages make."""

from __future__ import annotations

import contextlib
import io
import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from crmdb_core.exceptions import CrmdbError
from fake_crm import FakePipedrive
from fake_crm.wire import Delivery, Reply
from tap_pipedrive.tap import TapPipedrive

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

Json = dict[str, Any]

CLOCK = "2026-11-01T00:00:00Z"


@dataclass
class Run:
    """What one run printed, and how it ended."""

    messages: list[Json]
    error: CrmdbError | None = None
    streams: dict[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> Json:
        """The last STATE."""
        return next(message["value"] for message in reversed(self.messages) if message["type"] == "STATE")

    def records(self, stream: str) -> list[Json]:
        return [m["record"] for m in self.messages if m["type"] == "RECORD" and m["stream"] == stream]

    def ids(self, stream: str) -> list[Any]:
        return [record["id"] for record in self.records(stream)]

    def schema(self, stream: str) -> Json:
        return next(m["schema"] for m in self.messages if m["type"] == "SCHEMA" and m["stream"] == stream)

    def misfits(self, stream: str) -> list[str]:
        """Where records do not validate against the stream's SCHEMA."""
        validator = jsonschema.Draft7Validator(self.schema(stream))
        return [error.message for record in self.records(stream) for error in validator.iter_errors(record)]

    def bookmark(self, stream: str) -> Any:
        return self.state["bookmarks"].get(stream, {}).get("replication_key_value")


@dataclass
class Table:
    """What a target holds of a stream: rows by key, changed field by field, swept by ACTIVATE_VERSION."""

    keys: tuple[str, ...] = ("id",)
    rows: dict[tuple[Any, ...], Json] = field(default_factory=dict)
    versions: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def load(self, messages: list[Json], stream: str) -> None:
        for message in messages:
            if message.get("stream") != stream:
                continue
            if message["type"] == "RECORD":
                key = tuple(message["record"][name] for name in self.keys)
                self.rows.setdefault(key, {}).update(message["record"])
                self.versions[key] = message.get("version")
            elif message["type"] == "ACTIVATE_VERSION":
                gone = [key for key in self.rows if self.versions[key] != message["version"]]
                for key in gone:
                    del self.rows[key]

    @property
    def live(self) -> dict[tuple[Any, ...], Json]:
        return {key: row for key, row in self.rows.items() if row["_sdc_deleted_at"] is None}


def config_for(crm: FakePipedrive, **settings: Any) -> Json:
    """Settings for a fake: its address and token."""
    config = {"api_url": crm.url, "api_token": crm.token, **settings}
    return {name: value for name, value in config.items() if value is not None}


def parse(output: str) -> list[Json]:
    """Messages of what was printed; a line that was cut by a death is left out."""
    whole = output[: output.rfind("\n") + 1]
    return [json.loads(line, parse_float=Decimal) for line in whole.splitlines()]


def select(tap: TapPipedrive, streams: tuple[str, ...]) -> None:
    for name, stream in tap.streams.items():
        if streams:
            stream.selected = name in streams


class RunTap:
    """Runs the tap against a fake in this process; `settings` go on top of the connection's."""

    def __call__(
        self, crm: FakePipedrive, *streams: str, state: Json | None = None, catalog: Json | None = None, **settings: Any
    ) -> Run:
        """Sync the named streams, or those that are selected by themselves."""
        output, failure, tap = io.StringIO(), None, None
        with contextlib.redirect_stdout(output):
            try:
                given = None if state is None else json.loads(json.dumps(state, default=float))
                tap = TapPipedrive(config=config_for(crm, **settings), state=given, catalog=catalog)
                select(tap, streams)
                tap.sync_all()
            except CrmdbError as error:
                failure = error
        return Run(parse(output.getvalue()), failure, {} if tap is None else dict(tap._streams or {}))

    def catalog(self, crm: FakePipedrive, *only: str, **settings: Any) -> Json:
        """What discovery finds, these streams of it selected and no others."""
        catalog: Json = TapPipedrive(config=config_for(crm, **settings)).catalog_dict
        for entry in catalog["streams"]:
            root = next(each for each in entry["metadata"] if not each["breadcrumb"])
            root["metadata"]["selected"] = not only or entry["tap_stream_id"] in only
        return catalog


def truth(crm: FakePipedrive, table: str) -> dict[Any, Json]:
    """The live rows of the fake, by id."""
    return {row["id"]: row for row in crm.pipedrive.live(table)}


def differences(crm: FakePipedrive, stream: str, *runs: Run, fields: tuple[str, ...] = ()) -> list[str]:
    """Where the rows of the runs are not what the fake holds: missing, extra, or another `update_time`."""
    table = Table()
    for run in runs:
        table.load(run.messages, stream)
    return table_differences(crm, stream, table, fields)


def table_differences(crm: FakePipedrive, stream: str, table: Table, fields: tuple[str, ...] = ()) -> list[str]:
    source, live = truth(crm, stream), {key[0]: row for key, row in table.live.items()}
    found = [f"missing {one}" for one in source.keys() - live.keys()]
    found += [f"extra {one}" for one in live.keys() - source.keys()]
    names = fields or tuple(name for name in ("update_time", "title", "name", "is_archived") if name != "")
    for one in source.keys() & live.keys():
        found += [
            f"{one}.{name}: {source[one][name]!r} arrived as {live[one].get(name)!r}"
            for name in names
            if name in source[one] and _plain(source[one][name]) != _plain(live[one].get(name))
        ]
    return found[:20]


def _plain(value: Any) -> Any:
    """Stamps without their fractions of zero."""
    return value.replace(".000Z", "Z") if isinstance(value, str) else value


class Poisoned:
    """Answers 500 wherever one of the given rows is on the page of a list."""

    def __init__(self, crm: FakePipedrive, path: str, ids: Collection[Any], key: str = "id") -> None:
        self.ids, self._path, self._key = set(ids), re.compile(path), key
        self._crm, self._deliver = crm, crm.deliver
        crm.deliver = self  # type: ignore[method-assign]  # the server asks this object for each answer

    def __call__(self, request: Any) -> Delivery:
        delivery: Delivery = self._deliver(request)
        reply = delivery.reply
        if reply is None or reply.status >= 400 or not self._path.search(request.path):
            return delivery
        found = {row[self._key] for row in json.loads(reply.body).get("data") or ()}
        return Delivery(Reply.of({"success": False, "error": "internal"}, 500)) if found & self.ids else delivery

    def heal(self) -> None:
        """Answer as before."""
        del self._crm.deliver


@pytest.fixture
def run_tap() -> RunTap:
    return RunTap()


@pytest.fixture
def crm() -> Iterator[FakePipedrive]:
    """A company whose clock stands an hour after everything in it was made."""
    with FakePipedrive(clock=CLOCK) as crm:
        crm.clock.advance(3600)
        yield crm


class FakeTime:
    """A clock that only sleeping moves, and what was slept."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the tap would have made."""
    from crmdb_core.http import ApiSession  # noqa: PLC0415 - beside what it is for
    from crmdb_core.pacing import Pacer  # noqa: PLC0415 - as above

    time = FakeTime()
    patience = {"clock": time.clock, "sleep": time.sleep}
    monkeypatch.setattr("crmdb_core.tap.Pacer", lambda *args, **options: Pacer(*args, **{**options, **patience}))
    monkeypatch.setattr("crmdb_core.tap.ApiSession", lambda **options: ApiSession(**{**options, **patience}))
    return time.slept
