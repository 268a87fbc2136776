"""Runs of the tap in this process against the fake HubSpot, and the table that their messages make."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from crmdb_core.exceptions import CrmdbError
from fake_crm.hubspot.kinds import MAIN, STANDARD
from tap_hubspot.tap import TapHubSpot

if TYPE_CHECKING:
    from fake_crm import FakeCrm

Json = dict[str, Any]


@dataclass
class Run:
    """What one run printed, and how it ended."""

    messages: list[Json]
    error: CrmdbError | None = None

    @property
    def state(self) -> Json:
        """The last STATE."""
        return next(message["value"] for message in reversed(self.messages) if message["type"] == "STATE")

    def records(self, stream: str) -> list[Json]:
        return [m["record"] for m in self.messages if m["type"] == "RECORD" and m["stream"] == stream]

    def ids(self, stream: str) -> list[str]:
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
    """What a target would hold of a stream: rows by id, changed key by key."""

    rows: dict[str, Json] = field(default_factory=dict)

    def load(self, run: Run, stream: str) -> None:
        for record in run.records(stream):
            row = self.rows.setdefault(record["id"], {})
            row.update(record)

    @property
    def live(self) -> dict[str, Json]:
        return {key: row for key, row in self.rows.items() if row["_sdc_deleted_at"] is None}


def stored(schema: Json, value: str | None) -> object:
    """A property as its SCHEMA says it should arrive; written apart from the tap's own casts."""
    kind = schema.get("format") or next(name for name in schema["type"] if name != "null")
    if kind == "string" or value is None:
        return value
    if kind == "number":
        try:
            number = Decimal(value)
        except InvalidOperation:
            return None
        return number if number.is_finite() else None
    if kind == "boolean":
        return {"true": True, "false": False}.get(value)
    return value or None


def find_differences(crm: FakeCrm, stream: str, *runs: Run) -> list[str]:
    """Where the union of the runs' messages is not what the fake holds; empty when it is."""
    table = Table()
    for run in runs:
        table.load(run, stream)
    declared = runs[-1].schema(stream)["properties"]["properties"]["properties"]
    source = {record["id"]: record for record in crm.hubspot.records(stream)}
    live = table.live
    found = [f"missing {one}" for one in source.keys() - live.keys()]
    found += [f"extra {one}" for one in live.keys() - source.keys()]
    for one in source.keys() & live.keys():
        values, row = source[one]["properties"], live[one]["properties"]
        found += [
            f"{one}.{name}: {values.get(name)!r} arrived as {row.get(name)!r}"
            for name, schema in declared.items()
            if row.get(name) != stored(schema, values.get(name))
        ]
    return found[:20]


def config_for(crm: FakeCrm, **settings: Any) -> Json:
    """Settings for a fake: its address and token, and no pacing of searches, which would only take time."""
    config = {"api_url": crm.url, "access_token": crm.token, "searches_per_second": 1000, **settings}
    return {name: value for name, value in config.items() if value is not None}


def parse(output: str) -> list[Json]:
    return [json.loads(line, parse_float=Decimal) for line in output.splitlines()]


def select(tap: TapHubSpot, streams: tuple[str, ...]) -> None:
    for name, stream in tap.streams.items():
        if streams:
            stream.selected = name in streams


class RunTap:
    """Runs the tap against a fake in this process; `settings` go on top of the connection's."""

    def __call__(
        self,
        crm: FakeCrm,
        *streams: str,
        state: Json | None = None,
        catalog: Json | None = None,
        **settings: Any,
    ) -> Run:
        """Sync the named streams, or all."""
        output, failure = io.StringIO(), None
        with contextlib.redirect_stdout(output):
            try:
                # through JSON, as a real state comes in
                given = None if state is None else json.loads(json.dumps(state, default=float))
                tap = TapHubSpot(config=config_for(crm, **settings), state=given, catalog=catalog)
                select(tap, streams)
                tap.sync_all()
            except CrmdbError as error:
                failure = error
        return Run(parse(output.getvalue()), failure)

    @staticmethod
    def printed(output: str) -> Run:
        """A run that another process made; a line that was cut by its death is left out."""
        return Run(parse(output[: output.rfind("\n") + 1]))

    @staticmethod
    def differences(crm: FakeCrm, stream: str, *runs: Run) -> list[str]:
        """Compares the union of runs with the source: a list of what is missing, extra or other."""
        return find_differences(crm, stream, *runs)

    def catalog(self, crm: FakeCrm, *only: str, **settings: Any) -> Json:
        """What discovery finds, or these streams of it: then a run asks about nothing else."""
        catalog: Json = TapHubSpot(config=config_for(crm, **settings)).catalog_dict
        streams = [entry for entry in catalog["streams"] if not only or entry["tap_stream_id"] in only]
        return {"streams": streams}


@pytest.fixture(autouse=True)
def few_objects(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accounts begin with the four main objects switched on, so that not every test asks about thirty others.

    Whatever a test makes records of is switched on too. `every_object` marks tests of accounts as they come.
    """
    if "every_object" not in request.keywords:
        rare = tuple(kind.type_id for kind in STANDARD if kind.name not in MAIN)
        monkeypatch.setattr("fake_crm.hubspot.library.LIBRARY", rare)


@pytest.fixture
def run_tap() -> RunTap:
    return RunTap()
