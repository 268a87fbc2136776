"""What is measured of tap-salesforce: its speed by either API, many small objects, discovery, a very large result."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.emitted import Emitted
from bench.fake_server import serving
from bench.measure import FailedRunError
from bench.salesforce_readers import BARE, MELTANOLABS, OURS, SINGER, Kitchen, Reader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.environments import Environment
    from bench.measure import Usage, Workshop

COLUMNS = 30
_OBJECT = "Contact"
_PLENTY = ("--api-requests", "1000000")
_EMPTY = ("salesforce", "--empty", "--object", "User=2", *_PLENTY)


@dataclass(frozen=True)
class Run:
    """One contender in one race: what it took and read, or how it failed."""

    race: str
    contender: str
    repeat: int
    records: int
    calls: int
    usage: Usage | None
    failure: str = ""

    @property
    def per_cpu_second(self) -> float:
        """Records per second of CPU, its start included."""
        return self.records / self.usage.cpu if self.usage else 0.0

    def figures(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {**vars(self), "usage": vars(self.usage) if self.usage else None}


@dataclass
class Races:
    """All races; the peers are those that could be installed."""

    workshop: Workshop
    peers: Mapping[str, Environment]
    repeats: int
    limit: float
    runs: list[Run] = field(default_factory=list)

    def records(self, rows: int, api: str) -> None:
        """So many records of 30 columns by one API; each contender in turn, each turn the other way round."""
        with ExitStack() as stack:
            options = (*_EMPTY, "--stretch", f"{_OBJECT}={rows}")
            kitchen = self._kitchen(stack, *options)
            self._turns(f"{rows:,} records of {COLUMNS} columns, {api}", kitchen, api, [_OBJECT], rows, fields=COLUMNS)

    def small(self, objects: int, latency: float) -> None:
        """Many small objects of an org that is far away."""
        names = [f"Extra_{number + 1}__c" for number in range(objects)]
        with ExitStack() as stack:
            options = (*_EMPTY, "--extra-objects", str(objects), "--extra-records", "5", "--latency", str(latency))
            kitchen = self._kitchen(stack, *options)
            self._turns(f"{objects} small objects, {latency * 1000:.0f} ms", kitchen, "rest", names, objects * 5)

    def discovery(self, objects: int, latency: float) -> None:
        """Discovery of many objects: how many calls count, and how long it takes."""
        with ExitStack() as stack:
            kitchen = self._kitchen(stack, *_EMPTY, "--extra-objects", str(objects), "--latency", str(latency))
            for reader in self._readers(kitchen, "rest", []):
                race = f"discovery of {objects} objects, {latency * 1000:.0f} ms"
                self._keep(self._attempt(race, kitchen, reader, None, 0, expected=0))

    def large(self, rows: int) -> None:
        """One Bulk result of very many rows: ours, and a bare client that downloads the same bytes."""
        race = f"Bulk result of {rows:,} rows"
        with ExitStack() as stack:
            kitchen = self._kitchen(stack, *_EMPTY, "--stretch", f"{_OBJECT}={rows}")
            reader = kitchen.ours("bulk", [_OBJECT])
            catalog = kitchen.catalog(reader, [_OBJECT], COLUMNS)
            self._keep(self._attempt(race, kitchen, reader, catalog, 0, expected=rows))
            command = kitchen.bare(_soql(catalog))
            usage = self.workshop.run(command, stdout=self.workshop.folder / "bare")
            self._keep(Run(race, BARE, 0, rows, 0, usage))

    def _turns(
        self,
        race: str,
        kitchen: Kitchen,
        api: str,
        streams: Sequence[str],
        expected: int,
        *,
        fields: int | None = None,
    ) -> None:
        ready = [(each, kitchen.catalog(each, streams, fields)) for each in self._readers(kitchen, api, streams)]
        self._attempt(race, kitchen, *ready[0], -1, expected=expected)  # the fake makes every row for the first time
        for repeat in range(self.repeats):
            for reader, catalog in ready if repeat % 2 == 0 else ready[::-1]:
                self._keep(self._attempt(race, kitchen, reader, catalog, repeat, expected=expected))

    def _readers(self, kitchen: Kitchen, api: str, streams: Sequence[str]) -> list[Reader]:
        named = list(streams) or ["*"]
        found = [kitchen.ours(api, named)]
        for name in (SINGER, MELTANOLABS):
            peer = kitchen.peer(name, self.peers[name], api, streams) if name in self.peers else None
            found += [peer] if peer else []
        return found

    def _kitchen(self, stack: ExitStack, *options: str) -> Kitchen:
        return Kitchen(self.workshop, stack.enter_context(serving(self.workshop.folder, "salesforce", *options)))

    def _attempt(
        self, race: str, kitchen: Kitchen, reader: Reader, catalog: Path | None, repeat: int, *, expected: int
    ) -> Run:
        output = self.workshop.folder / "emitted"
        before, usage, failure, records = kitchen.fake.counted(), None, "", 0
        try:
            usage = self.workshop.attempt(
                kitchen.command(reader, catalog), name="contender", stdout=output, limit=self.limit
            )
            records = _records(output) if catalog else 0
            if records != expected:
                failure = f"{records:,} of {expected:,} records"
        except FailedRunError as error:
            failure = f"{error}; {self.workshop.log('contender')[-300:]}"
        return Run(race, reader.name, repeat, records, kitchen.fake.counted() - before, usage, failure)

    def _keep(self, run: Run) -> None:
        self.runs.append(run)
        took = run.failure or (f"{run.usage.seconds:.1f} s, {run.usage.cpu:.2f} CPU s" if run.usage else "")
        print(f"  {run.race}: {run.contender}: {took}, {run.records:,} records, {run.calls:,} calls", flush=True)
        if run.failure and run.contender == OURS:
            raise SystemExit(run.failure)


def _records(output: Path) -> int:
    """How many different records came."""
    streams: dict[str, str] = {}
    with output.open("rb") as lines:
        for line in lines:
            if b"SCHEMA" in line[:40] or b'"SCHEMA"' in line[-40:]:
                message = json.loads(line)
                if message["type"] == "SCHEMA":
                    streams[message["stream"]] = "Id"
    emitted = Emitted.read(output, streams)
    return sum(map(len, emitted.ids.values()))


def _soql(catalog: Path) -> str:
    """The same columns as the tap asks for."""
    found = json.loads(catalog.read_text("utf-8"))
    stream = next(each for each in found["streams"] if each["tap_stream_id"] == _OBJECT)
    names = [
        entry["breadcrumb"][-1]
        for entry in stream["metadata"]
        if entry["breadcrumb"] and entry["metadata"]["selected"] and not entry["breadcrumb"][-1].startswith("_")
    ]
    return f"SELECT {','.join(names)} FROM {_OBJECT}"  # noqa: S608 - SOQL, of names that the org gives
