"""Runs of the tap in this process against the fake HubSpot, and the table that their messages make."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from crmdb_core.exceptions import CrmdbError
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


class RunTap(Protocol):
    """Runs the tap against a fake; `settings` go on top of the connection's."""

    def __call__(
        self,
        crm: FakeCrm,
        *streams: str,
        state: Json | None = None,
        catalog: Json | None = None,
        **settings: Any,
    ) -> Run: ...


def config_for(crm: FakeCrm, **settings: Any) -> Json:
    """Settings for a fake: its address and token, and no pacing of searches, which would only take time."""
    return {"api_url": crm.url, "access_token": crm.token, "searches_per_second": 1000, **settings}


def parse(output: str) -> list[Json]:
    return [json.loads(line, parse_float=Decimal) for line in output.splitlines()]


def select(tap: TapHubSpot, streams: tuple[str, ...]) -> None:
    for name, stream in tap.streams.items():
        if streams:
            stream.selected = name in streams


@pytest.fixture
def run_tap() -> RunTap:
    def run(
        crm: FakeCrm,
        *streams: str,
        state: Json | None = None,
        catalog: Json | None = None,
        **settings: Any,
    ) -> Run:
        output, failure = io.StringIO(), None
        with contextlib.redirect_stdout(output):
            try:
                # through JSON, as a real state comes in
                given = None if state is None else json.loads(json.dumps(state))
                tap = TapHubSpot(config=config_for(crm, **settings), state=given, catalog=catalog)
                select(tap, streams)
                tap.sync_all()
            except CrmdbError as error:
                failure = error
        return Run(parse(output.getvalue()), failure)

    return run
