"""Runs of the tap in this process against the fake Salesforce."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from crmdb_core.exceptions import CrmdbError
from tap_salesforce.tap import TapSalesforce

if TYPE_CHECKING:
    from pathlib import Path

    from fake_crm import FakeSalesforce

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
        return [record["Id"] for record in self.records(stream)]

    def schema(self, stream: str) -> Json:
        return next(m["schema"] for m in self.messages if m["type"] == "SCHEMA" and m["stream"] == stream)

    def misfits(self, stream: str) -> list[str]:
        """Where records do not validate against the stream's SCHEMA."""
        validator = jsonschema.Draft7Validator(self.schema(stream))
        return [error.message for record in self.records(stream) for error in validator.iter_errors(record)]

    def bookmark(self, stream: str) -> Any:
        return self.state["bookmarks"].get(stream, {}).get("replication_key_value")


def config_for(fake: FakeSalesforce, **settings: Any) -> Json:
    """Settings for a fake: its address and the client credentials of its app; None takes one away."""
    config = {
        "login_url": fake.url,
        "client_id": fake.client_id,
        "client_secret": fake.client_secret,
        **settings,
    }
    return {name: value for name, value in config.items() if value is not None}


def parse(output: str) -> list[Json]:
    return [json.loads(line, parse_float=Decimal) for line in output.split("\n") if line]


class RunTap:
    """Runs the tap against a fake in this process; `settings` go on top of the connection's."""

    def __call__(
        self,
        fake: FakeSalesforce,
        *streams: str,
        state: Json | None = None,
        catalog: Json | None = None,
        **settings: Any,
    ) -> Run:
        """Sync the named objects, or what is selected by default."""
        output, failure = io.StringIO(), None
        more = {"streams": list(streams)} if streams and "streams" not in settings else {}
        with contextlib.redirect_stdout(output):
            try:
                # through JSON, as a real state comes in
                given = None if state is None else json.loads(json.dumps(state, default=float))
                tap = TapSalesforce(config=config_for(fake, **more, **settings), state=given, catalog=catalog)
                tap.sync_all()
            except CrmdbError as error:
                failure = error
        return Run(parse(output.getvalue()), failure)

    @staticmethod
    def printed(output: str) -> Run:
        """A run that another process made; a line that was cut by its death is left out."""
        return Run(parse(output[: output.rfind("\n") + 1]))

    def tap(self, fake: FakeSalesforce, **settings: Any) -> TapSalesforce:
        """A tap that has not asked anything yet, but for access and version."""
        return TapSalesforce(config=config_for(fake, **settings), catalog={"streams": []})

    def catalog(self, fake: FakeSalesforce, *only: str, **settings: Any) -> Json:
        """What discovery finds, or these streams of it, selected."""
        catalog: Json = TapSalesforce(config=config_for(fake, **settings)).catalog_dict
        return {"streams": [entry for entry in catalog["streams"] if not only or entry["tap_stream_id"] in only]}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Descriptions of one test are none of another's business."""
    folder = tmp_path / "user-cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def run_tap() -> RunTap:
    return RunTap()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the tap would have made."""
    slept: list[float] = []
    monkeypatch.setattr(TapSalesforce, "rest", lambda _, seconds: slept.append(seconds))
    return slept
