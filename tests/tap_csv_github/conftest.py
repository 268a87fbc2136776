"""Runs of the tap in this process, and the table that a target would make of their messages."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from crmdb_core.exceptions import CrmdbError
from tap_csv_github.rejects import REJECTS
from tap_csv_github.tap import TapCsvGithub

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fake_crm import FakeGitHub

Json = dict[str, Any]
Key = tuple[Any, ...]


@dataclass
class Run:
    """What one run printed, and how it ended."""

    messages: list[Json]
    error: CrmdbError | None = None

    @property
    def state(self) -> Json:
        """The last STATE."""
        return next(message["value"] for message in reversed(self.messages) if message["type"] == "STATE")

    def records(self, stream: str | None = None) -> list[Json]:
        """The records of a stream, or of all but the rejects."""
        return [
            m["record"]
            for m in self.messages
            if m["type"] == "RECORD" and (m["stream"] == stream if stream else m["stream"] != REJECTS)
        ]

    def rows(self, stream: str | None = None) -> list[Json]:
        """Their own columns."""
        return [own(record) for record in self.records(stream)]

    @property
    def rejects(self) -> list[tuple[int, str]]:
        """Line and reason of what was left out."""
        return [(m["_sdc_line_number"], m["reason"]) for m in self.records(REJECTS) if not m["_sdc_deleted_at"]]

    def schema(self, stream: str) -> Json:
        """The last SCHEMA of a stream."""
        return next(m["schema"] for m in reversed(self.messages) if m["type"] == "SCHEMA" and m["stream"] == stream)

    def misfits(self, stream: str) -> list[str]:
        """Where records do not fit the SCHEMA that is in force when they come."""
        found: list[str] = []
        validator: Any = None
        for message in self.messages:
            if message.get("stream") != stream:
                continue
            if message["type"] == "SCHEMA":
                validator = jsonschema.Draft7Validator(message["schema"])
            elif message["type"] == "RECORD":
                found += [error.message for error in validator.iter_errors(message["record"])]
        return found


def own(record: Json) -> Json:
    """A record's columns without lineage."""
    return {name: value for name, value in record.items() if not name.startswith("_sdc_")}


@dataclass
class Table:
    """What a target holds of a stream: upserts, tombstones, and the sweep that ACTIVATE_VERSION asks for."""

    stream: str
    rows: dict[Key, Json] = field(default_factory=dict)
    versions: dict[Key, Any] = field(default_factory=dict)
    began: dict[Any, int] = field(default_factory=dict)
    runs: int = 0

    def load(self, *runs: Run) -> Table:
        for run in runs:
            self.runs += 1
            keys: list[str] = []
            for message in run.messages:
                if message.get("stream") != self.stream:
                    continue
                if message["type"] == "SCHEMA":
                    keys = message["key_properties"]
                elif message["type"] == "RECORD":
                    self._take(message, keys)
                elif message["type"] == "ACTIVATE_VERSION":
                    self._sweep(message["version"])
        return self

    def _take(self, message: Json, keys: list[str]) -> None:
        record = message["record"]
        key = tuple(record[name] for name in keys)
        version = message.get("version")
        self.versions[key] = version
        if version is not None:
            self.began.setdefault(version, self.runs)
        if record["_sdc_deleted_at"] is not None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = {**self.rows.get(key, {}), **record}

    def _sweep(self, version: Any) -> None:
        # as target-crmdb does it: a read that was cut and went on in another run sweeps nothing
        if self.began.get(version, self.runs) != self.runs:
            return
        self.rows = {key: row for key, row in self.rows.items() if self.versions[key] == version}

    @property
    def live(self) -> list[Json]:
        """The rows without lineage, in the order of their keys."""
        return [own(self.rows[key]) for key in sorted(self.rows, key=str)]

    def by(self, name: str) -> dict[Any, Json]:
        """The rows by one of their columns."""
        return {row[name]: own(row) for row in self.rows.values()}


def parse(output: str) -> list[Json]:
    return [json.loads(line, parse_float=Decimal) for line in output.split("\n") if line]  # U+2028 ends no line here


@dataclass
class RunTap:
    """Runs the tap with one entry, against a fake GitHub or a folder."""

    where: Json
    settings: Json = field(default_factory=dict)

    def __call__(
        self,
        *,
        state: Json | None = None,
        catalog: Json | None = None,
        config: Json | None = None,
        files: list[Json] | None = None,
        **entry: Any,
    ) -> Run:
        output, failure = io.StringIO(), None
        whole = self.config(config, files, **entry)
        with contextlib.redirect_stdout(output):
            try:
                # through JSON, as a real state comes in
                given = None if state is None else json.loads(json.dumps(state, default=float))
                TapCsvGithub(config=whole, state=given, catalog=catalog).sync_all()
            except CrmdbError as error:
                failure = error
        return Run(parse(output.getvalue()), failure)

    def config(self, config: Json | None = None, files: list[Json] | None = None, **entry: Any) -> Json:
        entries = [{**self.where, **each} for each in files] if files else [{**self.where, **entry}]
        return {**self.settings, **(config or {}), "files": entries}

    def catalog(self, **entry: Any) -> Json:
        """What discovery finds, everything selected."""
        config = self.config(**entry)
        found: Json = json.loads(json.dumps(TapCsvGithub(config=config).catalog_dict, default=str))
        return found

    @staticmethod
    def printed(output: str) -> Run:
        """A run that another process made; a line that was cut by its death is left out."""
        return Run(parse(output[: output.rfind("\n") + 1]))


@pytest.fixture
def github(fake_github: FakeGitHub) -> FakeGitHub:
    return fake_github


@pytest.fixture
def run_tap(github: FakeGitHub) -> RunTap:
    """Reads `acme/crm` of the fake."""
    return RunTap({"repository": "acme/crm", "path": "**"}, {"api_url": github.api_url, "auth_token": github.token})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    return made


@pytest.fixture
def run_folder(folder: Path) -> RunTap:
    """Reads a folder of the test's own."""
    return RunTap({"location": str(folder), "path": "**"})


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the tap would have made."""
    slept: list[float] = []
    monkeypatch.setattr(TapCsvGithub, "rest", lambda _, seconds: slept.append(seconds))
    return slept


@pytest.fixture
def table() -> Callable[..., Table]:
    return lambda stream, *runs: Table(stream).load(*runs)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read in pieces of a few rows."""
    monkeypatch.setattr("tap_csv_github.reading.text.CHUNK", 60)
